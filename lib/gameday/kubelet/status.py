"""
What a pod's status says, from what became of its containers. Pure functions; the words are the kubelet's own.

A container is waiting, running or terminated, with the reasons that responders look for: `CrashLoopBackOff`,
`ImagePullBackOff`, `CreateContainerConfigError`. From all of them follow the phase and the conditions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from firstwatch.model import Json
from gameday import timestamps


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: str = "ContainerCreating"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    started: datetime


@dataclass(frozen=True, slots=True)
class Terminated:
    exit_code: int
    reason: str
    started: datetime
    finished: datetime
    container_id: str = ""
    message: str = ""


State: TypeAlias = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class Container:
    """One container as it is now. `last` is how it ended before, `started` that its startup probe succeeded."""

    name: str
    image: str
    state: State = Waiting()
    last: Terminated | None = None
    restarts: int = 0
    ready: bool = False
    started: bool = False
    container_id: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pod is: its address, its node's, and since when."""

    pod_ip: str
    host_ip: str
    since: datetime


def of(pod: Json, inits: Sequence[Container], mains: Sequence[Container], place: Place, now: datetime) -> Json:
    """Return the status of *pod*; conditions that did not change keep the time of their last transition."""
    reached = phase(pod["spec"].get("restartPolicy", "Always"), inits, mains)
    known = (pod.get("status") or {}).get("conditions") or []
    told = [_dated(each, known, now) for each in _conditions(reached, inits, mains)]
    others = [each for each in known if each["type"] not in {one["type"] for one in told}]
    made = {
        "phase": reached,
        "conditions": [*told, *others],
        "hostIP": place.host_ip,
        "hostIPs": [{"ip": place.host_ip}],
        "podIP": place.pod_ip,
        "podIPs": [{"ip": place.pod_ip}],
        "startTime": timestamps.seconds(place.since),
        "containerStatuses": [_container(each) for each in mains],
    }
    if inits:
        made["initContainerStatuses"] = [_container(each) for each in inits]
    if pod["metadata"].get("generation"):
        made["observedGeneration"] = pod["metadata"]["generation"]
    return made


def phase(policy: str, inits: Sequence[Container], mains: Sequence[Container]) -> str:
    """Return the pod's phase. What waits to be restarted counts as stopped, and what never ran keeps it Pending."""
    if any(not succeeded(each) for each in inits):
        return "Failed" if policy == "Never" and any(failed(each) for each in inits) else "Pending"
    if any(isinstance(each.state, Waiting) and each.last is None for each in mains):
        return "Pending"
    if any(isinstance(each.state, Running) for each in mains) or policy == "Always":
        return "Running"
    if all(succeeded(each) for each in mains):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def succeeded(container: Container) -> bool:
    return isinstance(container.state, Terminated) and container.state.exit_code == 0


def failed(container: Container) -> bool:
    return isinstance(container.state, Terminated) and container.state.exit_code != 0


def restored(told: Json, lost_at: datetime) -> Container:
    """
    Return a container as an earlier kubelet left it in the API.

    Its process ended with that kubelet: if it was running, how it ended is not known, and it counts as killed.
    """
    state, last = _state(told.get("state") or {}), _state(told.get("lastState") or {})
    ended = last if isinstance(last, Terminated) else None
    if isinstance(state, Running):
        message = "The container could not be located when the pod was terminated"
        identity = told.get("containerID", "")
        state = Terminated(137, "ContainerStatusUnknown", state.started, lost_at, identity, message)
    restarts = told.get("restartCount", 0)
    return Container(told["name"], told["image"], state, ended, restarts, container_id=told.get("containerID", ""))


def _conditions(reached: str, inits: Sequence[Container], mains: Sequence[Container]) -> list[Json]:
    begun = [name for name in inits if not succeeded(name)]
    unready = [each.name for each in mains if not each.ready]
    if reached in {"Succeeded", "Failed"}:
        reason = {"reason": "PodCompleted" if reached == "Succeeded" else "PodFailed"}
        ready = {"status": "False"} | reason
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        ready = {"status": "False", "reason": "ContainersNotReady", "message": message}
    else:
        ready = {"status": "True"}
    initialized = {"status": "True"}
    if begun:
        message = f"containers with incomplete status: [{' '.join(each.name for each in begun)}]"
        initialized = {"status": "False", "reason": "ContainersNotInitialized", "message": message}
    return [
        {"type": "PodReadyToStartContainers", "status": "False" if reached in {"Succeeded", "Failed"} else "True"},
        {"type": "Initialized"} | initialized,
        {"type": "Ready"} | ready,
        {"type": "ContainersReady"} | ready,
        {"type": "PodScheduled", "status": "True"},
    ]


def _dated(condition: Json, known: Sequence[Json], now: datetime) -> Json:
    before = next((each for each in known if each["type"] == condition["type"]), None)
    since = before.get("lastTransitionTime") if before and before["status"] == condition["status"] else None
    absent = {"lastProbeTime": None, "reason": None, "message": None}  # a merge keeps what it is not told to remove
    return absent | condition | {"lastTransitionTime": since or timestamps.seconds(now)}


def _container(container: Container) -> Json:
    told = {
        "name": container.name,
        "image": container.image,
        "imageID": f"gameday://{container.image}" if container.container_id else "",
        "state": _told(container.state),
        "lastState": _told(container.last) if container.last else {},
        "ready": container.ready,
        "started": container.started,
        "restartCount": container.restarts,
    }
    return told | ({"containerID": container.container_id} if container.container_id else {})


def _told(state: State) -> Json:
    match state:
        case Waiting(reason, message):
            return {"waiting": {"reason": reason} | ({"message": message} if message else {})}
        case Running(started):
            return {"running": {"startedAt": timestamps.seconds(started)}}
        case Terminated():
            told = {"exitCode": state.exit_code, "reason": state.reason}
            told |= {"startedAt": timestamps.seconds(state.started), "finishedAt": timestamps.seconds(state.finished)}
            optional = {"containerID": state.container_id, "message": state.message}
            return {"terminated": told | {name: value for name, value in optional.items() if value}}


def _state(told: Json) -> State:
    if "running" in told:
        return Running(timestamps.parse(told["running"]["startedAt"]))
    if "terminated" in told:
        ended = told["terminated"]
        started, finished = (timestamps.parse(ended[name]) for name in ("startedAt", "finishedAt"))
        identity, message = ended.get("containerID", ""), ended.get("message", "")
        return Terminated(ended["exitCode"], ended.get("reason", ""), started, finished, identity, message)
    waiting = told.get("waiting") or {}
    return Waiting(waiting.get("reason", "ContainerCreating"), waiting.get("message", ""))
