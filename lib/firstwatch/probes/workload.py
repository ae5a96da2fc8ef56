"""
The workload as Kubernetes reports it: nodes, pods, rollouts.

All containers of all pods are looked at, also those of a rollout that has not finished. Pods are named by their
workload, because a pod's own name means nothing to a reader an hour later.
"""

from collections import Counter
from datetime import datetime

from firstwatch.model import Findings, Json, Verdict, parse_time
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import images, revision, revisions

# What a container's waiting reason says of the mechanism. Any other reason is shown, and is not one of these.
WAITING = {
    "CrashLoopBackOff": "crash-loop",
    "ErrImagePull": "image-pull",
    "ImagePullBackOff": "image-pull",
    "InvalidImageName": "image-pull",
    "CreateContainerConfigError": "configuration-missing",
}


@probe(
    "Are the nodes ready?",
    about="Node//",
    expected="every node ready",
    command="kubectl get nodes -o wide",
)
def nodes(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = systems.cluster.list("Node")
    service = systems.settings.service
    if not found:
        return Findings((self.says(service, Verdict.UNKNOWN, "the cluster lists no node"),))
    unready = sorted(node["metadata"]["name"] for node in found if not _condition(node, "Ready"))
    if not unready:
        return Findings((self.says(service, Verdict.OK, f"{len(found)} of {len(found)} ready"),))
    return Findings(
        self.says(
            service, Verdict.BAD, "not ready", object=f"Node//{name}", mechanism="node-not-ready",
            next=f"kubectl describe node {name}",
        )
        for name in unready
    )  # fmt: skip


def _condition(thing: Json, kind: str) -> bool:
    conditions = thing.get("status", {}).get("conditions", ())
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


@probe(
    "Do the pods run?",
    about="Deployment/{namespace}/{deployment}",
    expected="every pod ready, no container waiting",
    command="kubectl get pods -n {namespace} -o wide",
)
def pods(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    found = [
        pod for pod in systems.cluster.list("Pod", service.namespace) if "deletionTimestamp" not in pod["metadata"]
    ]
    found = [pod for pod in found if pod.get("status", {}).get("phase") != "Succeeded"]
    if not found:
        return Findings((self.says(service, Verdict.UNKNOWN, f"no pods in {service.namespace}"),))
    troubles = Counter(trouble for pod in found if (trouble := _trouble(pod)))
    if not troubles:
        restarts = sum(_restarts(pod) for pod in found)
        return Findings((self.says(service, Verdict.OK, f"{len(found)} of {len(found)} ready, {restarts} restarts"),))
    return Findings(
        self.says(
            service, Verdict.BAD, f"{count} of {len(found)} pods: {text}",
            object=f"{owner.replace('/', f'/{service.namespace}/')}", mechanism=mechanism,
            next=f"kubectl logs -n {service.namespace} --previous --tail=100 -l app",
        )
        for (owner, mechanism, text), count in sorted(troubles.items(), key=lambda item: (-item[1], item[0]))
    )  # fmt: skip


def _trouble(pod: Json) -> tuple[str, str, str] | None:
    """Return the workload, the mechanism and a sentence when *pod* is not as it should be."""
    status = pod.get("status", {})
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting", {}).get("reason", "")
        ended = container.get("lastState", {}).get("terminated")
        if waiting in WAITING:
            return _owner(pod), WAITING[waiting], f"container {container['name']} {waiting}{_exit(ended)}"
        if ended and not container.get("ready") and ended.get("exitCode"):
            return _owner(pod), "crash-loop", f"container {container['name']} restarts{_exit(ended)}"
    if status.get("phase") == "Pending" and not _condition(pod, "PodScheduled"):
        return _owner(pod), "not-scheduled", "waits for a node"
    return None if _condition(pod, "Ready") else (_owner(pod), "not-ready", f"not ready, phase {status.get('phase')}")


def _exit(ended: Json) -> str:
    return f", last exit code {ended['exitCode']}" if ended else ""


def _restarts(pod: Json) -> int:
    return sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses", ()))


def _owner(pod: Json) -> str:
    """Return `Kind/name` of what *pod* belongs to: the Deployment, where a ReplicaSet carries its hash in its name."""
    owner = next((each for each in pod["metadata"].get("ownerReferences", ()) if each.get("controller")), None)
    if owner is None:
        return f"Pod/{pod['metadata']['name']}"
    suffix = "-" + pod["metadata"].get("labels", {}).get("pod-template-hash", "")
    if owner["kind"] == "ReplicaSet" and suffix != "-" and owner["name"].endswith(suffix):
        return f"Deployment/{owner['name'].removesuffix(suffix)}"
    return f"{owner['kind']}/{owner['name']}"


@probe(
    "What was deployed?",
    about="Deployment/{namespace}/{deployment}",
    expected="the newest revision fully rolled out",
    command="kubectl rollout history deployment/{deployment} -n {namespace}",
)
def rollouts(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    deployment = systems.cluster.get("Deployment", service.namespace, service.deployment)
    owned = revisions(deployment, systems.cluster.list("ReplicaSet", service.namespace))
    history = _history(owned)
    since = parse_time(owned[-1]["metadata"]["creationTimestamp"]) if owned else None
    verdict, mechanism, state = rollout_state(deployment)
    advice = "firstwatch run mitigate/rollback" if verdict is Verdict.BAD else ""
    says = self.says(service, verdict, f"{history}; {state}", mechanism=mechanism, since=since, next=advice)
    return Findings((says,))


def _history(owned: list[Json]) -> str:
    if not owned:
        return "no revision"
    newest = owned[-1]
    image = images(newest["spec"]["template"])
    if len(owned) == 1:
        return f"revision {revision(newest)}, {image}"
    return f"revision {revision(newest)}, {images(owned[-2]['spec']['template'])} → {image}"


def rollout_state(deployment: Json) -> tuple[Verdict, str, str]:
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
    if updated >= wanted and available >= wanted and status.get("replicas", 0) == updated:
        return Verdict.OK, "", counts
    if _deadline_exceeded(status) or available < wanted:
        return Verdict.BAD, "rollout-stuck", counts
    return Verdict.UNKNOWN, "", f"rolling out: {counts}"


def _deadline_exceeded(status: Json) -> bool:
    return any(each.get("reason") == "ProgressDeadlineExceeded" for each in status.get("conditions", ()))
