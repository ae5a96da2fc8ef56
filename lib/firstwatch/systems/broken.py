"""
A replay in which one system is broken: what a runbook says then, without breaking anything.

A system is broken in one way: it refuses the connection, never answers, says no, answers with nothing in it, or with
nonsense. What only tells whether an address outside can be reached is an answer even then; so is the exit of a script.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from firstwatch.errors import BadParameter
from firstwatch.model import Json

if TYPE_CHECKING:
    from firstwatch.systems.tape import Exchange

SYSTEMS = ("kubernetes", "prometheus", "http", "outside", "database", "aws", "git", "script")
WAYS = ("refused", "slow", "denied", "empty", "garbage")
GARBAGE = "<html>\x00 not what was asked for"
_METHODS = {"LOOK": "outside", "SQL": "database", "AWS": "aws", "GIT": "git", "RUN": "script"}
# What a way is to a system that is not asked over HTTP: the number, and the JSON, of its answer.
_DENIED: Mapping[str, tuple[int, Json]] = {
    "database": (500, {"sqlstate": "42501", "message": "permission denied"}),
    "aws": (500, {"code": "AccessDenied", "message": "not authorized"}),
    "git": (128, {"text": "fatal: could not open: Permission denied", "fetched": ""}),
    "outside": (403, {"seconds": 0.01}),
    "script": (126, {"text": "permission denied"}),
}
_EMPTY: Mapping[str, tuple[int, Json]] = {
    "database": (200, {"columns": [], "rows": []}),
    "aws": (200, {}),
    "git": (0, {"text": "", "fetched": ""}),
    "outside": (0, {"seconds": 0.01, "failure": "the connection was closed before the whole answer came"}),
    "script": (1, {"text": ""}),
}
_GARBAGE: Mapping[str, tuple[int, Json]] = {
    "database": (200, GARBAGE),
    "aws": (200, GARBAGE),
    "git": (0, {"text": GARBAGE, "fetched": ""}),
    "outside": (0, {"seconds": 0.01, "failure": "what it answered is not HTTP"}),
    "script": (1, {"text": GARBAGE}),
}
_UNREACHED = {
    "refused": "the connection was refused; is it running, and is this its address?",
    "slow": "no answer in time",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Which of `SYSTEMS` is broken, and in which of `WAYS`. `prometheus` is the host that is Prometheus."""

    system: str
    way: str
    prometheus: str = ""

    @classmethod
    def parse(cls, text: str, header: Mapping[str, Any]) -> Self:
        """Return what *text* says, such as `prometheus=slow`, of a tape with this *header*; BadParameter otherwise."""
        system, _, way = text.partition("=")
        if system not in SYSTEMS or way not in WAYS:
            raise BadParameter(
                f"--broken {text!r}: it must be a system ({', '.join(SYSTEMS)}), =, and a way ({', '.join(WAYS)})"
            )
        return cls(system, way, urlsplit(header["settings"]["prometheus"]["url"]).netloc)

    def asked(self, method: str, url: str) -> str:
        """Return which system a question is for."""
        host = urlsplit(url).netloc
        known = {"kubernetes": "kubernetes", self.prometheus: "prometheus"}
        return _METHODS.get(method) or known.get(host, "http")

    def answer(self, found: "Exchange") -> "Exchange":
        """
        Return what the broken system answers in place of *found*.

        Raises:
            ConnectionRefusedError: It is refused.
            TimeoutError: It never answers.
        """
        if self.way in _UNREACHED and self.system != "outside":
            raise (ConnectionRefusedError if self.way == "refused" else TimeoutError)(_UNREACHED[self.way])
        if found.method not in _METHODS:
            return _over_http(found, self.way)
        status, body = self._told()
        return replace(found, status=status, body=body)

    def _told(self) -> tuple[int, Json]:
        if self.way in _UNREACHED:
            return 0, {"seconds": 6.0 if self.way == "slow" else 0.01, "failure": _UNREACHED[self.way]}
        return {"denied": _DENIED, "empty": _EMPTY, "garbage": _GARBAGE}[self.way][self.system]


def _over_http(found: "Exchange", way: str) -> "Exchange":
    if way == "denied":
        told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "forbidden", "code": 403}
        return replace(found, status=403, content_type="application/json", body=told)
    if way == "garbage":
        return replace(found, content_type="text/html", body=GARBAGE)
    return replace(found, body=_hollow(found.body))


def _hollow(body: Json) -> Json:
    """Return *body* with nothing in it: a list of nothing, a result of nothing, an object or a text without any."""
    if not isinstance(body, dict):
        return ""
    if isinstance(body.get("items"), list):
        return body | {"items": []}
    if isinstance(body.get("data"), dict) and "result" in body["data"]:
        return body | {"data": body["data"] | {"result": []}}
    return {}
