"""
Nodes: one whose kubelet no longer renews its lease is not ready, takes no new pods, and its pods get no requests.

The lease counts by this machine's clock, from when its renewal was seen, so a node with a wrong clock is not lost.
"""

import asyncio
from typing import ClassVar

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday import timestamps
from gameday.client import STRATEGIC, Client
from gameday.controllers import pods
from gameday.controllers.controller import Controller
from gameday.informer import Informer, Key, key_of
from gameday.kinds import NODE, POD

GRACE_S = 8.0
NOT_READY, UNREACHABLE, CORDONED = (
    f"node.kubernetes.io/{each}" for each in ("not-ready", "unreachable", "unschedulable")
)
OURS = {NOT_READY, UNREACHABLE, CORDONED}
SILENT = "Kubelet stopped posting node status."


class NodeLifecycle(Controller):
    name: ClassVar[str] = "nodelifecycle"

    def __init__(self, client: Client, clock: Clock, *, nodes: Informer, leases: Informer, pods: Informer) -> None:
        super().__init__((nodes, leases, pods))
        self._client, self._clock = client, clock
        self._nodes, self._pods = nodes, pods
        self._renewed: dict[str, float] = {}
        self.follow(nodes)
        leases.on_change(lambda _, present: self._lease_changed(present))

    async def sync(self, key: Key) -> None:
        node = self._nodes.get(key)
        if node is None:
            return
        heard = self._renewed.setdefault(key[1], asyncio.get_running_loop().time())
        left = heard + GRACE_S - asyncio.get_running_loop().time()
        if left <= 0 and (pods.condition(node, "Ready") or {}).get("status") != "Unknown":
            node = await self._lost(node)
        elif left > 0:
            self.queue.add_after(key, left + 0.1)
        await self._taint(node)

    async def _lost(self, node: Json) -> Json:
        now = timestamps.seconds(self._clock.now())
        told = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": SILENT}
        change = {"status": {"conditions": [told | {"lastTransitionTime": now}]}}
        node = await self._client.patch(NODE, node, change, form=STRATEGIC, subresource="status")
        self._nodes.observe(node)
        for pod in self._pods:
            if pod["spec"].get("nodeName") == node["metadata"]["name"] and pods.ready(pod):
                unready = {"type": "Ready", "status": "False", "lastTransitionTime": now}
                await self._client.patch(
                    POD, pod, {"status": {"conditions": [unready]}}, form=STRATEGIC, subresource="status"
                )
        return node

    async def _taint(self, node: Json) -> None:
        taints = node["spec"].get("taints") or []
        wanted = [each for each in taints if each["key"] not in OURS] + _taints(node)
        if {(each["key"], each["effect"]) for each in wanted} != {(each["key"], each["effect"]) for each in taints}:
            bound = {"resourceVersion": node["metadata"]["resourceVersion"]}
            change = {"metadata": bound, "spec": {"taints": wanted or None}}
            self._nodes.observe(await self._client.patch(NODE, node, change))

    def _lease_changed(self, lease: Json) -> None:
        if lease is not None and lease["metadata"]["namespace"] == "kube-node-lease":
            self._renewed[lease["metadata"]["name"]] = asyncio.get_running_loop().time()
            node = self._nodes.get(("", lease["metadata"]["name"]))
            if node is not None and not pods.ready(node):
                self.queue.add(key_of(node))


def _taints(node: Json) -> list[Json]:
    status = str((pods.condition(node, "Ready") or {}).get("status"))
    taints = {"True": [], "Unknown": [UNREACHABLE]}.get(status, [NOT_READY])
    cordoned = [CORDONED] if node["spec"].get("unschedulable") else []
    return [{"key": key, "effect": "NoSchedule"} for key in (*taints, *cordoned)]
