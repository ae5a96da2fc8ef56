"""
The workloads' revisions: what was put in last, what it changed, and how far it is.

The service's own Deployment is `rollouts`; the others of its namespace, which it may lean on, are `neighbours`.
"""

import math
import re
from datetime import datetime, timedelta
from functools import partial

from firstwatch.errors import NotFound, Unavailable
from firstwatch.model import Finding, Findings, Json, Verdict, parse_time
from firstwatch.probes.events import last
from firstwatch.probes.probe import Probe, probe, unknown
from firstwatch.systems import Systems
from firstwatch.systems.templates import Touched, touched
from firstwatch.systems.workloads import condition, images, moment, revision, revisions

UNDER_WAY = timedelta(seconds=30)  # how long a rollout that makes no progress is given
MISSING = "have it put back from where it is kept; or mend [service] deployment"
SHOWN = 4  # fields of a revision that are spelled out
FEWER = "fewer replicas"  # what is touched by a scaling down
MADE = "made"  # what is touched where there was nothing before
_SCALED = re.compile(r"Scaled (?P<way>up|down) replica set (?P<name>\S+) from (?P<before>\d+) to (?P<after>\d+)")


@probe(
    "What was deployed?",
    about="Deployment/{namespace}/{deployment}",
    expected="the newest revision fully rolled out",
    command="kubectl rollout history deployment/{deployment} -n {namespace}",
)
def rollouts(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    try:
        deployment = systems.cluster.get("Deployment", service.namespace, service.deployment)
    except NotFound:
        said = f"there is no Deployment {service.deployment} in {service.namespace}"
        return Findings((self.bad(systems, "workload-missing", said, next=MISSING),))
    verdict, mechanism, state = rollout_state(deployment, now)
    advice = "firstwatch run mitigate/rollback" if verdict is Verdict.BAD else ""
    told = partial(self.says, service, verdict, mechanism=mechanism, next=advice)
    try:
        owned = revisions(deployment, systems.cluster.list("ReplicaSet", service.namespace))
    except Unavailable as error:  # how far the rollout is, is known all the same
        unseen = unknown(self, systems, error, object=f"ReplicaSet/{service.namespace}/")
        return Findings((told(f"its revisions are not known; {state}"), unseen))
    since = _released(deployment, owned[-1]) if owned else None
    return Findings((told(f"{_history(owned)}; {state}", since=since, touched=_touched(owned)),))


@probe(
    "Do the other workloads of the namespace run as asked?",
    about="Deployment/{namespace}/",
    expected="every other Deployment fully rolled out",
    command="kubectl get deployments -n {namespace}",
)
def neighbours(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    found = systems.cluster.list("Deployment", service.namespace)
    others = sorted(
        (each for each in found if each["metadata"]["name"] != service.deployment),
        key=lambda each: str(each["metadata"]["name"]),
    )
    if not others:
        return self.ok(systems, "there is no other Deployment")
    replicasets = systems.cluster.list("ReplicaSet", service.namespace)
    return Findings(_neighbour(self, systems, each, revisions(each, replicasets), now) for each in others)


def _neighbour(self: Probe, systems: Systems, deployment: Json, owned: list[Json], now: datetime) -> Finding:
    service = systems.settings.service
    verdict, mechanism, state = rollout_state(deployment, now)
    if mechanism == "scaled-to-zero":  # of another workload: somebody may well want that
        verdict, mechanism = Verdict.OK, ""
    since = _released(deployment, owned[-1]) if owned else None
    return self.says(
        service, verdict, f"{_history(owned)}; {state}", mechanism=mechanism, since=since, touched=_touched(owned),
        object=f"Deployment/{service.namespace}/{deployment['metadata']['name']}",
    )  # fmt: skip


@probe(
    "When was it scaled?",
    about="Deployment/{namespace}/{deployment}",
    expected="no change of the number of pods just before the harm",
    command="kubectl get deployment {deployment} -n {namespace} -o yaml --show-managed-fields",
)
def scaling(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    deployment = systems.cluster.get("Deployment", service.namespace, service.deployment)
    wanted = f"{deployment['spec'].get('replicas', 1)} pods are asked for"
    lowered = _lowered(systems, deployment)
    if lowered:
        at, before = lowered
        return self.ok(systems, f"{wanted}, fewer than the {before} before", since=at, touched=(FEWER,))
    entries = [each for each in deployment["metadata"].get("managedFields", ()) if each.get("subresource") == "scale"]
    told: Json = max(entries, key=lambda each: str(each.get("time")), default={})
    said = f"{wanted}, last scaled by {told['manager']}" if told else f"{wanted}, never scaled on its own"
    return self.ok(systems, said, since=moment(told.get("time")))


def _lowered(systems: Systems, deployment: Json) -> tuple[datetime, str] | None:
    """
    Return when the newest revision was last given fewer pods, and how many it had; None when its last change was more.

    Kubernetes' events say so, and nobody else tells how many there were before.
    """
    namespace = systems.settings.service.namespace
    owned = revisions(deployment, systems.cluster.list("ReplicaSet", namespace))
    events = systems.cluster.list("Event", namespace)
    if not owned:
        return None
    name, released = owned[-1]["metadata"]["name"], _released(deployment, owned[-1])
    told = [(at, found) for each in events if (found := _scaled(each, name)) and (at := last(each)) and at > released]
    if not told:
        return None
    at, found = max(told, key=lambda each: each[0])
    return (at, found["before"]) if found["way"] == "down" else None


def _scaled(event: Json, replicaset: str) -> re.Match[str] | None:
    """Return what *event* says of a scaling of *replicaset*, or None."""
    found = _SCALED.match(str(event.get("message", "")))
    return found if found and found["name"] == replicaset else None


def _released(deployment: Json, newest: Json) -> datetime:
    """
    Return when the newest revision was put in.

    A ReplicaSet is as old as its first release; one that is released again says so by its history, and then only the
    Deployment's progress tells when.
    """
    again = newest["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision-history")
    progress = condition(deployment, "Progressing").get("lastUpdateTime") if again else None
    return parse_time(progress or newest["metadata"]["creationTimestamp"])


def _touched(owned: list[Json]) -> tuple[str, ...]:
    first = len(owned) == 1 and revision(owned[0]) == 1  # of a later one the earlier may have been cleared away
    return (MADE,) if first else tuple(each.field for each in _changes(owned))


def _changes(owned: list[Json]) -> tuple[Touched, ...]:
    """Return what the newest revision changed; nothing when it is the first."""
    return touched(owned[-2]["spec"]["template"], owned[-1]["spec"]["template"]) if len(owned) > 1 else ()


def _history(owned: list[Json]) -> str:
    if not owned:
        return "no revision"
    newest = owned[-1]
    if len(owned) == 1:
        return f"revision {revision(newest)}, {images(newest['spec']['template'])}"
    changes = _changes(owned)
    more = f" and {len(changes) - SHOWN} more fields" if len(changes) > SHOWN else ""
    said = ", ".join(map(str, changes[:SHOWN])) + more
    return f"revision {revision(newest)}, {said or 'the same template'}"


def rollout_state(deployment: Json, now: datetime) -> tuple[Verdict, str, str]:
    """
    Return verdict, mechanism and a sentence on how far the newest revision is.

    It waits on observedGeneration and the counts: the Progressing condition is stale for seconds after an undo.
    """
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    counts = f"{updated} of {wanted} updated, {available} available"
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return Verdict.UNKNOWN, "", "the controller has not seen the newest change yet"
    if wanted == 0:
        return Verdict.BAD, "scaled-to-zero", "asked to run no pods"
    done = updated >= wanted and status.get("replicas", 0) == updated
    if done and available >= wanted:
        return Verdict.OK, "", counts
    if _exceeded(deployment) or (available < least(deployment) and not _moves(deployment, now)):
        return Verdict.BAD, "not-ready" if done else "rollout-stuck", counts
    return Verdict.UNKNOWN, "", f"rolling out: {counts}"


def least(deployment: Json) -> int:
    """Return how many pods a rollout must leave available: a rolling one may take a quarter away, unless told."""
    wanted: int = deployment["spec"].get("replicas", 1)
    strategy = deployment["spec"].get("strategy", {})
    if strategy.get("type") == "Recreate":
        return 0
    allowed = strategy.get("rollingUpdate", {}).get("maxUnavailable", "25%")
    share = math.floor(wanted * int(allowed[:-1]) / 100) if isinstance(allowed, str) else int(allowed)
    return wanted - share


def _exceeded(deployment: Json) -> bool:
    return bool(condition(deployment, "Progressing").get("reason") == "ProgressDeadlineExceeded")


def _moves(deployment: Json, now: datetime) -> bool:
    """Whether the controller has made progress of late."""
    progress = moment(condition(deployment, "Progressing").get("lastUpdateTime"))
    return progress is not None and now - progress < UNDER_WAY
