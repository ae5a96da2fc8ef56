"""
A pod's row. Its STATUS is not in the object: it is read out of phase, conditions and what each container does.

It is the word that responders look for first, so the order in which one state hides another is the real API's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import Json
from gameday.api.rows.column import NONE, Layout, age, columns, name, since


@dataclass(frozen=True, slots=True)
class Beginning:
    """How far the init containers are: those looked at, and what the pod waits for, if it does."""

    seen: tuple[Json, ...]
    sidecars: frozenset[str]
    waits: str

    @property
    def running(self) -> list[Json]:
        return [each for each in self.seen if each["name"] in self.sidecars]


def cells(pod: Json, now: datetime) -> list[Json]:
    spec, told = pod["spec"], pod.get("status") or {}
    beginning = _beginning(spec, told.get("initContainerStatuses") or [])
    held = bool(beginning.waits) and not _holds(told, "Initialized")
    mains = [] if held else told.get("containerStatuses") or []
    total = len(spec.get("containers") or []) + len(beginning.sidecars)
    ready = sum(map(_serves, [*beginning.running, *mains]))
    counted = beginning.seen if held else (*beginning.running, *mains)
    return [
        name(pod), f"{ready}/{total}", _status(pod, beginning, mains), _restarts(counted, now), age(pod, now),
        (told.get("podIPs") or [{}])[0].get("ip") or NONE, spec.get("nodeName") or NONE,
        told.get("nominatedNodeName") or NONE, _gates(spec, told),
    ]  # fmt: skip


def _beginning(spec: Json, statuses: Sequence[Json]) -> Beginning:
    several = spec.get("initContainers") or []
    sidecars = frozenset(each["name"] for each in several if each.get("restartPolicy") == "Always")
    for index, each in enumerate(statuses):
        if not _finished(each, sidecars):
            waits = f"Init:{_why(each) or f'{index}/{len(several)}'}"
            return Beginning(tuple(statuses[: index + 1]), sidecars, waits)
    return Beginning(tuple(statuses), sidecars, "")


def _finished(init: Json, sidecars: frozenset[str]) -> bool:
    ended = _state(init, "terminated")
    return (ended is not None and ended["exitCode"] == 0) or (init["name"] in sidecars and bool(init.get("started")))


def _why(init: Json) -> str:
    ended, waiting = _state(init, "terminated"), _state(init, "waiting")
    if ended is not None:
        return _ending(ended)
    reason = (waiting or {}).get("reason", "")
    return "" if reason == "PodInitializing" else reason


def _status(pod: Json, beginning: Beginning, mains: Sequence[Json]) -> str:
    told = pod.get("status") or {}
    phase, reason = told.get("phase", ""), told.get("reason", "")
    if "deletionTimestamp" in pod["metadata"] and reason == "NodeLost":
        return "Unknown"
    if "deletionTimestamp" in pod["metadata"] and phase not in {"Succeeded", "Failed"}:
        return "Terminating"
    gated = _condition(told, "PodScheduled").get("reason") == "SchedulingGated"
    otherwise = beginning.waits or ("SchedulingGated" if gated else reason or phase)
    return _worst(mains, otherwise, ready=_holds(told, "Ready"))


def _worst(mains: Sequence[Json], otherwise: str, *, ready: bool) -> str:
    """Return the reason of the first container that has one; one that completed is hidden by one that still runs."""
    reasons = [(_reason(each), each) for each in mains]
    shown = next((reason for reason, _ in reasons if reason), otherwise)
    if shown != "Completed":
        return shown
    running = any(_runs(each) for each in mains)
    if running and ready:
        return "Running"
    failed = [reason for reason, each in reasons if (_state(each, "terminated") or {}).get("exitCode")]
    return failed[0] if failed else "NotReady" if running else shown


def _reason(container: Json) -> str:
    waiting, ended = _state(container, "waiting"), _state(container, "terminated")
    if waiting and waiting.get("reason"):
        return str(waiting["reason"])
    return _ending(ended) if ended is not None else ""


def _ending(ended: Json) -> str:
    signal = f"Signal:{ended['signal']}" if ended.get("signal") else ""
    return ended.get("reason") or signal or f"ExitCode:{ended['exitCode']}"


def _serves(container: Json) -> bool:
    return _runs(container) and not _reason(container)


def _runs(container: Json) -> bool:
    return bool(container.get("ready")) and _state(container, "running") is not None


def _restarts(containers: Iterable[Json], now: datetime) -> str:
    several = list(containers)
    count = sum(each.get("restartCount", 0) for each in several)
    ends = [((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for each in several]
    last = max((end for end in ends if end), default=None)
    return f"{count} ({since(last, now)} ago)" if count and last else str(count)


def _gates(spec: Json, told: Json) -> str:
    gates = [each["conditionType"] for each in spec.get("readinessGates") or []]
    return f"{sum(_holds(told, each) for each in gates)}/{len(gates)}" if gates else NONE


def _state(container: Json, state: str) -> Mapping[str, Json] | None:
    found: Mapping[str, Json] | None = (container.get("state") or {}).get(state)
    return found


def _holds(told: Json, condition: str) -> bool:
    return bool(_condition(told, condition).get("status") == "True")


def _condition(told: Json, condition: str) -> Mapping[str, Json]:
    return next((each for each in told.get("conditions") or [] if each["type"] == condition), {})


LAYOUT = Layout(
    columns("Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*"),
    cells,
)
