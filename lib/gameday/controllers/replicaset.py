"""
ReplicaSets: as many pods as they say, no more and no fewer.

Pods that ended or are on their way out do not count. When there are too many, those go first whose loss is felt least:
not yet placed, not yet running, not ready, then the youngest. What the API answers to a creation is taken in at once,
so the next look already counts it.
"""

import logging
from datetime import timedelta
from typing import ClassVar

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday import labels, timestamps
from gameday.client import ApiError, Client
from gameday.controllers import ownership, pods
from gameday.controllers.controller import Controller
from gameday.events import Recorder
from gameday.informer import Informer, Key, key_of
from gameday.kinds import POD, REPLICA_SET

log = logging.getLogger(__name__)


class ReplicaSets(Controller):
    name: ClassVar[str] = "replicaset"

    def __init__(
        self, client: Client, clock: Clock, recorder: Recorder, *, replicasets: Informer, pods: Informer
    ) -> None:
        super().__init__((replicasets, pods))
        self._client, self._clock, self._recorder = client, clock, recorder
        self._replicasets, self._pods = replicasets, pods
        self.follow(replicasets)
        pods.on_change(self._pod_changed)

    async def sync(self, key: Key) -> None:
        replicaset = self._replicasets.get(key)
        if replicaset is None:
            return
        mine = await self._claim(replicaset)
        failure = ""
        if not replicaset["metadata"].get("deletionTimestamp"):
            failure = await self._manage(replicaset, [pod for pod in mine if pods.active(pod)])
        await self._report(replicaset, failure)
        if failure:
            self.queue.retry(key)

    async def _claim(self, replicaset: Json) -> list[Json]:
        candidates = self._pods.within(replicaset["metadata"]["namespace"])
        return await ownership.claim(self._client, REPLICA_SET, replicaset, POD, candidates, self._pods)

    async def _manage(self, replicaset: Json, active: list[Json]) -> str:
        """Create or delete pods; return why it could not, or an empty text."""
        surplus = len(active) - replicaset["spec"].get("replicas", 1)
        try:
            for _ in range(-surplus):
                await self._create(replicaset)
        except ApiError as error:
            self._recorder.warning(REPLICA_SET, replicaset, "FailedCreate", f"Error creating: {error.message}")
            return error.message
        for pod in sorted(active, key=pods.dispensable)[: max(surplus, 0)]:
            await self._delete(replicaset, pod)
        return ""

    async def _create(self, replicaset: Json) -> None:
        template = replicaset["spec"]["template"]
        about = {name: template["metadata"].get(name) for name in ("labels", "annotations", "finalizers")}
        metadata = {name: value for name, value in about.items() if value} | {
            "generateName": f"{replicaset['metadata']['name']}-",
            "namespace": replicaset["metadata"]["namespace"],
            "ownerReferences": [ownership.reference(REPLICA_SET, replicaset)],
        }
        pod = await self._client.create(POD, {"metadata": metadata, "spec": template["spec"]})
        self._pods.observe(pod)
        message = f"Created pod: {pod['metadata']['name']}"
        self._recorder.normal(REPLICA_SET, replicaset, "SuccessfulCreate", message)

    async def _delete(self, replicaset: Json, pod: Json) -> None:
        """Delete *pod*; the answer is the pod on its way out, or nothing of it when it went at once."""
        answer = await self._client.delete(POD, pod)
        if answer.get("kind") == POD.kind:
            self._pods.observe(answer)
        message = f"Deleted pod: {pod['metadata']['name']}"
        self._recorder.normal(REPLICA_SET, replicaset, "SuccessfulDelete", message)

    async def _report(self, replicaset: Json, failure: str) -> None:
        namespace = replicaset["metadata"]["namespace"]
        mine = [pod for pod in self._pods.within(namespace) if ownership.owns(replicaset, pod) and pods.active(pod)]
        status = self._status(replicaset, mine) | {"conditions": self._conditions(replicaset, failure)}
        known = replicaset.get("status") or {}
        if any(known.get(name) != value for name, value in status.items() if value or known.get(name)):
            answer = await self._client.patch(REPLICA_SET, replicaset, {"status": status}, subresource="status")
            self._replicasets.observe(answer)

    def _status(self, replicaset: Json, mine: list[Json]) -> dict[str, Json]:
        wanted = replicaset["spec"]["template"]["metadata"].get("labels")
        wait = timedelta(seconds=replicaset["spec"].get("minReadySeconds") or 0)
        now = self._clock.now()
        waits = [wait - (now - pods.ready_since(pod, now)) for pod in mine if pods.ready(pod)]
        pending = [each.total_seconds() for each in waits if each > timedelta()]
        if pending:
            self.queue.add_after(key_of(replicaset), min(pending) + 0.01)
        return {
            "replicas": len(mine),
            "fullyLabeledReplicas": sum(labels.includes(wanted, pod["metadata"].get("labels")) for pod in mine),
            "readyReplicas": len(waits),
            "availableReplicas": len(waits) - len(pending),
            "observedGeneration": replicaset["metadata"].get("generation", 1),
        }

    def _conditions(self, replicaset: Json, failure: str) -> list[Json] | None:
        if not failure:
            return None
        known = (replicaset.get("status") or {}).get("conditions") or []
        if known and known[0]["message"] == failure:
            return list(known)
        now = timestamps.seconds(self._clock.now())
        told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure}
        return [told | {"lastTransitionTime": now}]

    def _pod_changed(self, former: Json, present: Json) -> None:
        pod = present or former
        namespace = pod["metadata"]["namespace"]
        for each in (former, present):
            if each is not None and (owner := ownership.controller_of(each)) and owner["kind"] == REPLICA_SET.kind:
                self.queue.add((namespace, owner["name"]))
        if ownership.controller_of(pod) is None:
            for replicaset in self._replicasets.within(namespace):
                if labels.matches(replicaset["spec"]["selector"], pod["metadata"].get("labels")):
                    self.queue.add(key_of(replicaset))
