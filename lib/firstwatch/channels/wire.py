"""
The one way over HTTP to a channel: each request is sent once, ends within its deadline, and goes nowhere else.

No redirect is followed, no proxy or netrc of the environment is used. A credential is read when it is needed, from the
variable or the file that the configuration names, and made known to the redaction.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from firstwatch.errors import BadParameter, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.record import redact
from firstwatch.systems.answer import Answer
from firstwatch.systems.deadline import bounded
from firstwatch.systems.reason import reason

if TYPE_CHECKING:
    import ssl

    import httpx2

MOST_BYTES = 4_000_000
NEVER = (400, 413, 414, 422)  # the text itself is refused; sending it again changes nothing


def credential(reference: str) -> str:
    """
    Return the secret that *reference* names: `env:NAME` or `file:PATH`.

    Raises:
        Refused: The variable is not set, or the file cannot be read or is empty.
    """
    kind, _, name = reference.partition(":")
    try:
        value = os.environ.get(name, "") if kind == "env" else Path(name).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"cannot read the credential {name}: {error}") from error
    value = value.strip()
    if not value:
        raise Refused(f"the credential {name} is {'not set' if kind == 'env' else 'empty'}")
    redact.know(value)
    return value


def bearer(reference: str, scheme: str = "Bearer") -> Callable[[], dict[str, str]]:
    """Return what makes the header of a token: `Authorization: Bearer …`."""
    return lambda: {"Authorization": f"{scheme} {credential(reference)}"}


def basic(user: str, reference: str) -> Callable[[], dict[str, str]]:
    """Return what makes the header of a user with a password or token."""

    def made() -> dict[str, str]:
        pair = b64encode(f"{user}:{credential(reference)}".encode()).decode()
        redact.know(pair)
        return {"Authorization": f"Basic {pair}"}

    return made


def nothing() -> dict[str, str]:
    return {}


def _trust(url: str) -> "ssl.SSLContext | bool":
    """Return whose certificates are believed; to read them takes longer than a request on this machine does."""
    return _authorities() if url.startswith("https://") else False


@cache
def _authorities() -> "ssl.SSLContext":
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class Wire:
    """Requests to what is under *url*; `who` begins every message, `headers` makes the credential's header."""

    who: str
    url: str
    deadline_s: float
    headers: Callable[[], dict[str, str]] = nothing

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Return the JSON of a GET; errors as in `write`."""
        return self.document(self.send("GET", path, query=query))

    def write(self, method: str, path: str, body: Json) -> Json:
        """
        Send *body* once and return the JSON that is answered.

        Raises:
            BadParameter: What was sent is refused for good.
            Refused: The credential is missing or not accepted, or there is no such place.
            Unavailable: No answer in time, an error of the other side, or an answer that is not JSON.
        """
        return self.document(self.send(method, path, body))

    def send(self, method: str, path: str, body: Json = None, *, query: Mapping[str, str] | None = None) -> Answer:
        """Send one request and return its answer, whatever its status; Unavailable when there is none in time."""
        headers = self.headers()
        return bounded(self.deadline_s, f"{self.who}: {method} {path}", lambda: self._once(method, path, body, query,
                       headers))  # fmt: skip

    def _once(
        self, method: str, path: str, body: Json, query: Mapping[str, str] | None, headers: dict[str, str]
    ) -> Answer:
        import httpx2

        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        headers |= {"Accept-Encoding": "identity", "Accept": "application/json", "User-Agent": "firstwatch"}
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            with (
                httpx2.Client(
                    trust_env=False, follow_redirects=False, timeout=self.deadline_s, verify=_trust(self.url)
                ) as client,
                client.stream(method, self.url + path, params=query, content=data, headers=headers) as response,
            ):
                return Answer(response.status_code, self._capped(response), dict(response.headers))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            raise Unavailable(f"{self.who}: {method} {path}: {reason(error)}") from error

    def _capped(self, response: "httpx2.Response") -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise Unavailable(f"{self.who}: the answer is larger than {MOST_BYTES:,} bytes; it was not read on")
        return bytes(body)

    def document(self, answer: Answer) -> Json:
        """Return the JSON of a good *answer*; raise what a bad one means."""
        if not 200 <= answer.status < 300:
            raise self.refusal(answer)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{self.who} answered {answer.status} with what is not JSON") from error

    def refusal(self, answer: Answer) -> Exception:
        """Return the error that the bad *answer* is."""
        said = f"{self.who} answered {answer.status}: {answer.text[:200].strip() or 'nothing'}"
        if answer.status in (420, 429):
            wait = answer.headers.get("retry-after", "")
            return Unavailable(f"{self.who} asks to slow down{f', for {wait[:20]} s' if wait else ''}")
        if answer.status in NEVER:
            return BadParameter(said)
        return Refused(said) if 400 <= answer.status < 500 else Unavailable(said)
