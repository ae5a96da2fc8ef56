"""
The status page, by Statuspage's API v1: what customers see.

The four states come in their order, on one incident of the page. A resolved one stays resolved there; when ours is
opened again the page gets a new one. **At most once**: the page's incident carries our
incident's id and each text is looked for among its updates before it is sent again, because customers who subscribe are
mailed at each. One request a second is allowed, so a second one waits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from firstwatch.channels.channel import Case
from firstwatch.channels.texts import STATES
from firstwatch.channels.wire import Wire, bearer
from firstwatch.clock import Clock
from firstwatch.errors import BadParameter, NotFound, Refused, Unavailable, nearest
from firstwatch.model import Json
from firstwatch.reach import StatusPage as Settings
from firstwatch.record.messages import Made, Message

PAUSE_S = 1.05
MOST_NAME, MOST_BODY = 255, 25_000
OPERATIONAL = "operational"
SHOWN = {
    "none": OPERATIONAL, "minor": "degraded_performance", "major": "partial_outage", "critical": "major_outage",
}  # fmt: skip


@dataclass(slots=True)
class Pace:
    """So many seconds between two requests, at least."""

    clock: Clock
    _last_ns: int = 0

    def wait(self) -> None:
        left = PAUSE_S - (self.clock.monotonic_ns() - self._last_ns) / 1e9
        if self._last_ns and left > 0:
            self.clock.sleep(left)
        self._last_ns = self.clock.monotonic_ns()


@dataclass(frozen=True, slots=True)
class StatusPage:
    wire: Wire
    settings: Settings
    pace: Pace
    name: str = "statuspage"
    by_hand: str = ""

    @classmethod
    def open(cls, settings: Settings, deadline_s: float, clock: Clock) -> "StatusPage":
        wire = Wire("Statuspage", settings.url, deadline_s, bearer(settings.credential, "OAuth"))
        return cls(wire, settings, Pace(clock))

    def send(self, message: Message, case: Case) -> str:
        """Put *message* on the page: a new incident of it, or the next state of ours. The receipt is its address."""
        said = json.loads(message.text)
        known = self._ours(case) if self.name in case.made else None
        if known is None or _anew(said, known):
            return self._create(message, said, case)
        _in_order(said["status"], known["status"])
        body = {"status": said["status"], "body": said["body"], "deliver_notifications": self.settings.notify}
        body |= {"impact_override": said["impact_override"]} if "impact_override" in said else {}
        body |= {"components": self._states(known, said), "metadata": _marked(message, case)}
        return _receipt(self._write("PATCH", f"{self._path}/{known['id']}", body))

    def arrived(self, message: Message, case: Case) -> str:
        said, known = json.loads(message.text), self._ours(case)
        if known and self.name in case.made and _anew(said, known):
            known = self._open(case)
        if known is None:
            return ""
        self._remember(known, case)
        same = [e for e in known["incident_updates"] if (e["status"], e["body"]) == (said["status"], said["body"])]
        return _receipt(known) if same else ""

    def _create(self, message: Message, said: Json, case: Case) -> str:
        if said["status"] != STATES[0]:
            raise BadParameter(f"the status page has no incident yet; publish {STATES[0]} before {said['status']}")
        if len(said["name"]) > MOST_NAME or len(said["body"]) > MOST_BODY:
            raise BadParameter(f"the status page takes {MOST_NAME} letters of a name and {MOST_BODY:,} of a text")
        ids = components(self.settings, said["component_ids"])
        body = said | {
            "component_ids": ids, "components": dict.fromkeys(ids, SHOWN[said["impact_override"]]),
            "deliver_notifications": self.settings.notify, "metadata": _marked(message, case),
        }  # fmt: skip
        made = self._write("POST", self._path, body)
        self._remember(made, case)
        return _receipt(made)

    def _ours(self, case: Case) -> Json:
        """Return the page's incident that is ours, or None; it is found by its mark when we never heard of its id."""
        if self.name in case.made:
            return self._read(f"{self._path}/{case.made[self.name].reference}")
        return next(iter(self._marked(case)), None)

    def _open(self, case: Case) -> Json:
        """Return the page's incident that is ours and not resolved, or None."""
        return next((each for each in self._marked(case) if each["status"] != STATES[-1]), None)

    def _marked(self, case: Case) -> list[Json]:
        """Return the page's incidents that are ours, the newest first."""
        found = self._read(self._path)
        if not isinstance(found, list):
            raise Unavailable("Statuspage answered with what is not a list of incidents")
        return [each for each in found if _mark(each) == case.incident]

    def _remember(self, found: Json, case: Case) -> None:
        if self.name not in case.made or case.made[self.name].reference != str(found["id"]):
            case.keep(self.name, Made(str(found["id"]), str(found.get("shortlink", ""))))

    def _states(self, known: Json, said: Json) -> Mapping[str, str]:
        """Return what the page's components become: operational again when it is resolved or without an impact."""
        level = said.get("impact_override", "none")
        return {str(each["id"]): SHOWN[level] for each in known.get("components") or ()}

    def _read(self, path: str) -> Json:
        self.pace.wait()
        return self.wire.read(path)

    def _write(self, method: str, path: str, body: Json) -> Json:
        self.pace.wait()
        return self.wire.write(method, path, {"incident": body})

    @property
    def _path(self) -> str:
        return f"/pages/{self.settings.page}/incidents"


def components(settings: Settings, names: list[str]) -> list[str]:
    """Return the page's own ids of the components *names*; NotFound gives the nearest name."""
    for name in names:
        if name not in settings.components:
            raise NotFound(f"the status page has no component {name!r}; {nearest(name, list(settings.components))}")
    return [settings.components[name] for name in names]


def _anew(said: Json, known: Json) -> bool:
    """Whether the text begins a new incident of the page: ours was opened again, and the page's stays resolved."""
    begins: bool = said["status"] == STATES[0] and known["status"] == STATES[-1]
    return begins


def _in_order(wanted: str, is_now: str) -> None:
    if is_now not in STATES:
        raise Refused(f"the status page calls the incident {is_now!r}; look at it there")
    if STATES.index(wanted) < STATES.index(is_now) or is_now == STATES[-1]:
        raise BadParameter(f"the status page says {is_now} already; {wanted} does not come after it")


def _marked(message: Message, case: Case) -> Json:
    return {"firstwatch": {"incident": case.incident, "message": message.id}}


def _mark(found: Json) -> str:
    return str(((found.get("metadata") or {}).get("firstwatch") or {}).get("incident", ""))


def _receipt(found: Json) -> str:
    return str(found.get("shortlink") or found["id"])
