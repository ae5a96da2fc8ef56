"""
The scheduler: which node runs a pod.

A node fits when it is ready, not cordoned, has no taint that the pod does not tolerate, the labels that the pod asks
for, and room for what the pod requests. Of those that fit, the one with the fewest pods. When none fits, the pod says
why, in Kubernetes' words, and is looked at again whenever a node changes or a pod goes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from firstwatch.clock import Clock
from firstwatch.model import Json
from firstwatch.systems import quantity
from gameday import labels, timestamps
from gameday.client import STRATEGIC, Client
from gameday.controllers import pods
from gameday.controllers.controller import Controller
from gameday.events import Recorder
from gameday.informer import Informer, Key, key_of
from gameday.kinds import POD

NAME = "default-scheduler"
RESOURCES = ("cpu", "memory", "ephemeral-storage")


class Scheduler(Controller):
    name: ClassVar[str] = "scheduler"

    def __init__(self, client: Client, clock: Clock, recorder: Recorder, *, nodes: Informer, pods: Informer) -> None:
        super().__init__((nodes, pods))
        self._client, self._clock, self._recorder = client, clock, recorder
        self._nodes, self._pods = nodes, pods
        self._placed: dict[str, str] = {}
        pods.on_change(self._pod_changed)
        nodes.on_change(lambda *_: self._again())

    async def sync(self, key: Key) -> None:
        pod = self._pods.get(key)
        if pod is None or not self._waits(pod):
            return
        nodes = list(self._nodes)
        objections = {each["metadata"]["name"]: objection(pod, each, self._on(each)) for each in nodes}
        fitting = [name for name, reason in objections.items() if not reason]
        if fitting:
            await self._bind(pod, min(fitting, key=lambda name: (len(self._named(name)), name)))
        else:
            await self._explain(pod, refusal(list(objections.values())))

    async def _bind(self, pod: Json, node: str) -> None:
        about = pod["metadata"]
        metadata = {"name": about["name"], "namespace": about["namespace"], "uid": about["uid"]}
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        await self._client.create(POD, body, "binding")
        self._placed[about["uid"]] = node
        message = f"Successfully assigned {about['namespace']}/{about['name']} to {node}"
        self._recorder.normal(POD, pod, "Scheduled", message)

    async def _explain(self, pod: Json, message: str) -> None:
        known = pods.condition(pod, "PodScheduled")
        if known and known.get("message") == message:
            return
        now = timestamps.seconds(self._clock.now())
        told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        change = {"status": {"conditions": [told | {"lastTransitionTime": now}]}}
        answer = await self._client.patch(POD, pod, change, form=STRATEGIC, subresource="status")
        self._pods.observe(answer)
        self._recorder.warning(POD, pod, "FailedScheduling", message)

    def _waits(self, pod: Json) -> bool:
        ours = pod["spec"].get("schedulerName", NAME) == NAME
        placed = pod["spec"].get("nodeName") or pod["metadata"]["uid"] in self._placed
        return ours and not placed and pods.active(pod)

    def _on(self, node: Json) -> list[Json]:
        return self._named(node["metadata"]["name"])

    def _named(self, node: str) -> list[Json]:
        """Return the pods that are on *node*, or were just sent there and have not been seen there yet."""
        return [
            pod for pod in self._pods
            if (pod["spec"].get("nodeName") or self._placed.get(pod["metadata"]["uid"])) == node and not pods.ended(pod)
        ]  # fmt: skip

    def _pod_changed(self, former: Json, present: Json) -> None:
        if present is None or pods.ended(present):
            self._placed.pop((present or former)["metadata"]["uid"], None)
            self._again()
        elif self._waits(present):
            self.queue.add(key_of(present))

    def _again(self) -> None:
        for pod in self._pods:
            if self._waits(pod):
                self.queue.add(key_of(pod))


def objection(pod: Json, node: Json, others: Iterable[Json]) -> str:
    """Return why *node*, which has the pods *others*, cannot run *pod*; an empty text when it can."""
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    if _forbidding(pod, node):
        return "node(s) had untolerated taint(s)"
    if not labels.includes(pod["spec"].get("nodeSelector"), node["metadata"].get("labels")):
        return "node(s) didn't match Pod's node affinity/selector"
    if not pods.ready(node):
        return "node(s) were not ready"
    return _lacking(pod, node["status"].get("allocatable") or {}, list(others))


def refusal(reasons: Sequence[str]) -> str:
    """Return what an unschedulable pod says: how many nodes object, and why."""
    if not reasons:
        return "no nodes available to schedule pods"
    told = sorted(f"{count} {reason}" for reason, count in Counter(reasons).items())
    return f"0/{len(reasons)} nodes are available: {', '.join(told)}."


def requests(pod: Json, resource: str) -> Decimal:
    """Return how much of *resource* all containers of *pod* ask for, in its base unit."""
    asked = [(each.get("resources") or {}).get("requests") or {} for each in pod["spec"]["containers"]]
    return sum((quantity.parse(each.get(resource, 0)) for each in asked), Decimal())


def _lacking(pod: Json, allocatable: Json, others: list[Json]) -> str:
    if len(others) >= quantity.parse(allocatable.get("pods", 110)):
        return "Too many pods"
    for resource in RESOURCES:
        wanted = requests(pod, resource)
        used = sum((requests(each, resource) for each in others), Decimal())
        if wanted and used + wanted > quantity.parse(allocatable.get(resource, 0)):
            return f"Insufficient {resource}"
    return ""


def _forbidding(pod: Json, node: Json) -> bool:
    taints = [each for each in node["spec"].get("taints") or [] if each["effect"] in {"NoSchedule", "NoExecute"}]
    tolerations = pod["spec"].get("tolerations") or []
    return any(not any(_tolerates(each, taint) for each in tolerations) for taint in taints)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if not toleration.get("key"):
        return bool(toleration.get("operator") == "Exists")
    if toleration["key"] != taint["key"]:
        return False
    return bool(toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", ""))
