"""
The pods as Kubernetes reports them.

All containers of all pods are looked at, also those that run first, and those of a rollout that has not finished. Pods
are named by their workload, because a pod's own name means nothing to a reader an hour later. A pod that has just begun
is not in trouble yet, and one that ended long ago and runs since is not any more.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.errors import FirstwatchError
from firstwatch.model import Finding, Findings, Json, Verdict, clock_time
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import condition, containers, holds, living, moment, owner, statuses

# What a container's waiting reason says of the mechanism. Any other reason is shown, and is not one of these.
WAITING = {
    "CrashLoopBackOff": "crash-loop",
    "ErrImagePull": "image-pull",
    "ImagePullBackOff": "image-pull",
    "InvalidImageName": "image-pull",
    "ErrImageNeverPull": "image-pull",
    "CreateContainerConfigError": "configuration-missing",
    "CreateContainerError": "crash-loop",
    "RunContainerError": "crash-loop",
}
# What keeps a node from creating a pod's containers, by the words of its kubelet.
BLOCKING = {
    "Multi-Attach": "volume-unavailable",
    "AttachVolume": "volume-unavailable",
    "MountVolume": "volume-unavailable",
    "attach or mount volumes": "volume-unavailable",
    "pod sandbox": "sandbox-failed",
}
COMPLAINTS = ("Unhealthy", "FailedScheduling")
SETTING_UP = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")  # over once an image is pulled
ABSENT = ("not found", "references non-existent")  # a ConfigMap, a Secret, or a key of one
STARTING = timedelta(seconds=30)  # how long a pod that runs may take until it is ready
RECENT = timedelta(minutes=10)  # how long a restart is news
AT_ONCE = timedelta(seconds=60)  # a container that is out of memory sooner than this never had enough


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one pod. `since` is not compared when troubles are counted."""

    owner: str
    mechanism: str
    said: str
    since: datetime | None


@probe(
    "Do the pods run?",
    about="Deployment/{namespace}/{deployment}",
    expected="every pod ready, no container waiting or restarting",
    command="kubectl get pods -n {namespace} -o wide",
)
def pods(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    found = living(systems.cluster.list("Pod", namespace))
    if not found:
        return self.unknown(systems, f"no pods in {namespace}")
    complaints = _complaints(systems, namespace)
    troubles = [each for pod in found if (each := trouble(pod, complaints.get(pod["metadata"]["name"], ()), now))]
    starting = [pod for pod in found if _starting(pod, now)]
    if troubles:
        return Findings(_grouped(self, systems, troubles, len(found)))
    if starting:
        return Findings(_begun(self, systems, starting, complaints, len(found)))
    return self.ok(systems, f"{len(found)} of {len(found)} ready, {_restarts(found)}")


def _complaints(systems: Systems, namespace: str) -> dict[str, tuple[str, ...]]:
    """Return what the kubelet complained of, by pod; nothing when events cannot be read: they only say why."""
    try:
        events = systems.cluster.list("Event", namespace)
    except FirstwatchError:
        return {}
    told: dict[str, tuple[str, ...]] = defaultdict(tuple)
    set_up = {_about(each) for each in events if each.get("reason") in ("Pulling", "Pulled")}
    for each in events:
        reason = each.get("reason")
        if reason in COMPLAINTS or (reason in SETTING_UP and _about(each) not in set_up):
            told[_about(each)] += (str(each.get("message", "")),)
    return told


def _about(event: Json) -> str:
    return str(event.get("involvedObject", {}).get("name", ""))


def _grouped(self: Probe, systems: Systems, troubles: list[Trouble], total: int) -> Iterable[Finding]:
    """Yield one finding a workload, mechanism and sentence, the most frequent first."""
    groups: dict[tuple[str, str, str], list[datetime | None]] = defaultdict(list)
    for each in troubles:
        groups[each.owner, each.mechanism, each.said].append(each.since)
    namespace = systems.settings.service.namespace
    for (of, mechanism, said), times in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        yield self.bad(
            systems, mechanism, f"{len(times)} of {total} pods: {said}", object=of.replace("/", f"/{namespace}/"),
            since=min((each for each in times if each), default=None),
            next=f"firstwatch run investigate/logs; kubectl describe pods -n {namespace}",
        )  # fmt: skip


def _begun(
    self: Probe, systems: Systems, starting: list[Json], complaints: dict[str, tuple[str, ...]], total: int
) -> Iterable[Finding]:
    """
    Yield one finding a workload whose pods have just begun, with what its kubelet says of one so far.

    It is UNKNOWN whether that lasts. What follows when the rollout is stuck, `conclusions` says.
    """
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for pod in starting:
        groups[owner(pod)].append(_unready(pod, complaints.get(pod["metadata"]["name"], ())))
    for of, told in sorted(groups.items()):
        mechanism, said = max(told, key=lambda each: (each[0] == "readiness-probe-wrong", each[1]))
        heard = f": {said}" if "probe failed" in said else ""
        yield self.says(
            systems.settings.service, Verdict.UNKNOWN, f"{len(told)} of {total} pods are starting{heard}",
            mechanism=mechanism, next="look again in 30 s",
            object=of.replace("/", f"/{systems.settings.service.namespace}/"),
        )  # fmt: skip


def trouble(pod: Json, complaints: Iterable[str], now: datetime) -> Trouble | None:
    """Return what is wrong with *pod*, or None; *complaints* are the kubelet's, in words."""
    of, told = owner(pod), tuple(complaints)
    for each in statuses(pod):
        if found := _of_container(pod, each, told, now):
            return Trouble(of, *found)
    ready = condition(pod, "Ready")
    since = moment(ready.get("lastTransitionTime"))
    if pod.get("status", {}).get("phase") == "Pending":
        return _pending(pod, of, told, now)
    if holds(pod, "Ready") or _starting(pod, now):
        return None
    mechanism, said = _unready(pod, told)
    return Trouble(of, mechanism, said, since)


def _of_container(
    pod: Json, status: Json, told: tuple[str, ...], now: datetime
) -> tuple[str, str, datetime | None] | None:  # fmt: skip
    """Return mechanism, sentence and since when, if a container waits, restarts, or was killed of late."""
    waiting = status.get("state", {}).get("waiting", {})
    ended = status.get("lastState", {}).get("terminated") or status.get("state", {}).get("terminated") or {}
    name, reason = status["name"], waiting.get("reason", "")
    since = moment(ended.get("finishedAt"))
    if reason in WAITING and WAITING[reason] != "crash-loop":
        return WAITING[reason], f"container {name} {reason}{_why(waiting)}", moment(_created(pod))
    if reason in WAITING or (_failed(ended) and not status.get("ready")):
        mechanism = _ending(pod, status, ended, told)
        return mechanism, f"container {name} {reason or 'restarts'}{_exit(ended)}", since
    if since and now - since <= RECENT and status.get("restartCount", 0):
        mechanism = _ending(pod, status, ended, told)
        if mechanism != "crash-loop":
            return mechanism, f"container {name} was restarted{_exit(ended)}", since
    return None


def _failed(ended: Json) -> bool:
    return bool(ended) and bool(ended.get("exitCode"))


def _ending(pod: Json, status: Json, ended: Json, told: tuple[str, ...]) -> str:
    """Return the mechanism by which a container ended: for want of memory, killed by its liveness probe, by itself."""
    if ended.get("reason") == "OOMKilled":
        began, finished = moment(ended.get("startedAt")), moment(ended.get("finishedAt"))
        return "memory-limit" if began and finished and finished - began < AT_ONCE else "out-of-memory"
    spec: Json = next((each for each in containers(pod) if each["name"] == status["name"]), {}) if "spec" in pod else {}
    killed = "livenessProbe" in spec and any("Liveness probe failed" in each for each in told)
    return "liveness-probe-wrong" if killed else "crash-loop"


def _exit(ended: Json) -> str:
    reason = ended.get("reason", "")
    named = f" ({reason})" if reason and reason not in ("Error", "Completed") else ""
    return f", last exit code {ended['exitCode']}{named}" if "exitCode" in ended else ""


def _why(waiting: Json) -> str:
    return f": {waiting['message']}" if waiting.get("message") else ""


def _pending(pod: Json, of: str, told: tuple[str, ...], now: datetime) -> Trouble | None:
    scheduled = condition(pod, "PodScheduled")
    created = moment(_created(pod))
    if not holds(pod, "PodScheduled"):
        why = scheduled.get("message") or next((each for each in told), "the scheduler has not said why")
        return Trouble(of, "not-scheduled", f"waits for a node: {why}", created)
    missing = next((each for each in told if any(words in each for words in ABSENT)), "")
    if missing:
        return Trouble(of, "configuration-missing", f"cannot be set up: {missing}", created)
    age = now - created if created else 5 * STARTING
    blocked = next(((m, each) for each in reversed(told) for words, m in BLOCKING.items() if words in each), None)
    if blocked and age > STARTING:
        return Trouble(of, blocked[0], f"cannot be set up: {blocked[1]}", created)
    return Trouble(of, "not-ready", "its containers are not created", created) if age > 4 * STARTING else None


def _unready(pod: Json, told: tuple[str, ...]) -> tuple[str, str]:
    """Return mechanism and sentence for a pod that runs and is not ready: the probe's fault, or the program's."""
    failing = next((each for each in reversed(told) if each.startswith("Readiness probe failed")), "")
    if _misdirected(pod, failing):
        return "readiness-probe-wrong", f"not ready, and its program runs: {failing}"
    phase = pod.get("status", {}).get("phase")
    return "not-ready", f"not ready, phase {phase}{f': {failing}' if failing else ''}"


def _misdirected(pod: Json, failing: str) -> bool:
    """Whether a readiness probe asks for a page that is not there, or on a port that no container declares."""
    if "statuscode: 404" in failing:
        return True
    asked = {
        each["readinessProbe"][kind]["port"]
        for each in pod.get("spec", {}).get("containers", ())
        for kind in ("httpGet", "tcpSocket")
        if kind in each.get("readinessProbe", {})
    }
    declared = {
        port.get(key)
        for each in pod.get("spec", {}).get("containers", ())
        for port in each.get("ports", ())
        for key in ("containerPort", "name")
    }
    return bool(failing) and bool(declared) and not asked <= declared


def _starting(pod: Json, now: datetime) -> bool:
    """Whether *pod* is not ready only because it has just begun, or has just stopped to be."""
    since = moment(condition(pod, "Ready").get("lastTransitionTime"))
    return not holds(pod, "Ready") and since is not None and now - since < STARTING


def _created(pod: Json) -> str | None:
    created: str | None = pod["metadata"].get("creationTimestamp")
    return created


def _restarts(found: list[Json]) -> str:
    counted = [each for pod in found for each in statuses(pod) if each.get("restartCount")]
    ended = [moment(each.get("lastState", {}).get("terminated", {}).get("finishedAt")) for each in counted]
    last = max((each for each in ended if each), default=None)
    when = f", the last at {last:%Y-%m-%d} {clock_time(last)}" if last else ""
    return f"{sum(each['restartCount'] for each in counted)} restarts{when}"
