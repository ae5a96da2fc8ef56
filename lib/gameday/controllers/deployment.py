"""
Deployments: from one pod template to the next, never below what must stay available.

One look does one step: find or make the ReplicaSet of the current template, give it as many pods as there is room for,
or else take old ones away; then report. The next step comes when a ReplicaSet's status moves. How many is arithmetic
(`rollout`), which ReplicaSet is memory (`revision`), what to say of it is `progress`.
"""

from collections.abc import Sequence
from typing import ClassVar

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday import labels
from gameday.client import ApiError, Client
from gameday.controllers import ownership, pods, progress, revision, rollout
from gameday.controllers.controller import Controller
from gameday.events import Recorder
from gameday.informer import Informer, Key, key_of
from gameday.kinds import DEPLOYMENT, REPLICA_SET


class Deployments(Controller):
    name: ClassVar[str] = "deployment"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        recorder: Recorder,
        *,
        deployments: Informer,
        replicasets: Informer,
        pods: Informer,
    ) -> None:
        super().__init__((deployments, replicasets, pods))
        self._client, self._clock, self._recorder = client, clock, recorder
        self._deployments, self._replicasets, self._pods = deployments, replicasets, pods
        self.follow(deployments)
        replicasets.on_change(self._replicaset_changed)
        pods.on_change(self._pod_changed)

    async def sync(self, key: Key) -> None:
        deployment = self._deployments.get(key)
        if deployment is None:
            return
        owned = await self._claim(deployment)
        if deployment["metadata"].get("deletionTimestamp"):
            await self._report(deployment, revision.current(deployment, owned), owned)
            return
        deployment = await self._paused(deployment)
        if deployment["spec"].get("paused") or self._resized(deployment, owned):
            await self._resize(deployment, owned)
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            await self._recreate(deployment, owned)
        else:
            await self._roll(deployment, owned)

    async def _claim(self, deployment: Json) -> list[Json]:
        candidates = self._replicasets.within(deployment["metadata"]["namespace"])
        return await ownership.claim(self._client, DEPLOYMENT, deployment, REPLICA_SET, candidates, self._replicasets)

    async def _roll(self, deployment: Json, owned: list[Json]) -> None:
        deployment, new, old = await self._revised(deployment, owned)
        if new is None:
            return
        allowed = rollout.limits(deployment["spec"])
        sizes = [_size(each) for each in old]
        wanted = rollout.grown(_size(new), [*sizes, _size(new)], allowed)
        if wanted != _size(new).wanted:
            new = await self._scale(deployment, new, wanted)
        else:
            active = [_size(each) for each in revision.by_age(old) if _size(each).wanted]
            old = await self._scale_all(deployment, old, rollout.shrunk(active, _size(new), allowed))
        await self._finish(deployment, new, old)

    async def _recreate(self, deployment: Json, owned: list[Json]) -> None:
        """Take all old pods away before there is a new one."""
        new = revision.current(deployment, owned)
        old = [each for each in owned if each is not new]
        if any(_size(each).wanted for each in old):
            old = await self._scale_all(deployment, old, {_size(each).name: 0 for each in old if _size(each).wanted})
            await self._report(deployment, new, [*old, *([new] if new else [])])
        elif any(self._running(each) for each in old):
            await self._report(deployment, new, owned)
        else:
            deployment, new, old = await self._revised(deployment, owned)
            if new is not None:
                new = await self._scale(deployment, new, deployment["spec"].get("replicas", 1))
                await self._finish(deployment, new, old)

    async def _finish(self, deployment: Json, new: Json, old: list[Json]) -> None:
        if progress.complete(deployment, deployment.get("status") or {}):
            limit = deployment["spec"].get("revisionHistoryLimit", 10)
            for each in revision.superfluous(old, limit):
                await self._client.delete(REPLICA_SET, each)
        await self._report(deployment, new, [*old, new])

    async def _resize(self, deployment: Json, owned: list[Json]) -> None:
        """Follow a new count of replicas without going on with the rollout; a paused one does no more than that."""
        new = revision.current(deployment, owned)
        if new is not None:
            deployment, new, _ = await self._revised(deployment, owned)
            owned = [new if key_of(each) == key_of(new) else each for each in owned]
        owned = await self._scale_all(deployment, owned, self._proportions(deployment, new, owned))
        fresh = revision.current(deployment, owned)
        await self._report(deployment, fresh, owned)

    def _proportions(self, deployment: Json, new: Json, owned: Sequence[Json]) -> dict[str, int]:
        allowed = rollout.limits(deployment["spec"])
        sized = {each["metadata"]["name"]: _size(each) for each in revision.by_age(owned)}
        active = [each for each in sized.values() if each.wanted]
        if len(active) <= 1:
            latest = active[0] if active else _size(new or revision.by_age(owned)[-1]) if owned else None
            return {latest.name: allowed.desired} if latest else {}
        if new is not None and _saturated(_size(new), allowed):
            return {each.name: 0 for each in active if each.name != new["metadata"]["name"]}
        growing = sum(each.wanted for each in active) < allowed.most
        ordered = sorted(reversed(active) if growing else active, key=lambda each: -each.wanted)
        return rollout.proportional(ordered, allowed)

    def _resized(self, deployment: Json, owned: Sequence[Json]) -> bool:
        desired = deployment["spec"].get("replicas", 1)
        sizes = [_size(each) for each in owned]
        return any(each.wanted and each.desired_before not in {-1, desired} for each in sizes)

    async def _revised(self, deployment: Json, owned: list[Json]) -> tuple[Json, Json, list[Json]]:
        """Return the Deployment, its current ReplicaSet, made or renumbered where needed, and the old ones."""
        new = revision.current(deployment, owned)
        old = [each for each in owned if each is not new]
        if new is None:
            deployment, new = await self._create(deployment, old)
        else:
            new = await self._renumber(deployment, new, old)
        if new is not None and revision.of(deployment) != revision.of(new):
            change = {"metadata": {"annotations": {revision.REVISION: str(revision.of(new))}}}
            deployment = await self._client.patch(DEPLOYMENT, deployment, change)
            self._deployments.observe(deployment)
        return deployment, new, old

    async def _renumber(self, deployment: Json, new: Json, old: list[Json]) -> Json:
        annotations = revision.annotations(deployment, new, old)
        change: dict[str, Json] = {}
        if annotations != (new["metadata"].get("annotations") or {}):
            change["metadata"] = {"annotations": annotations}
        wait = deployment["spec"].get("minReadySeconds") or 0
        if wait != (new["spec"].get("minReadySeconds") or 0):
            change["spec"] = {"minReadySeconds": wait}
        if change:
            new = await self._client.patch(REPLICA_SET, new, change)
            self._replicasets.observe(new)
        return new

    async def _create(self, deployment: Json, old: list[Json]) -> tuple[Json, Json]:
        body = _replicaset(deployment, old)
        try:
            new = await self._client.create(REPLICA_SET, body)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return await self._collided(deployment, body), None
            await self._refused(deployment, body, error)
            raise
        self._replicasets.observe(new)
        name = new["metadata"]["name"]
        if count := new["spec"]["replicas"]:
            self._told(deployment, f"Scaled up replica set {name} from 0 to {count}")
        told = progress.condition(
            progress.PROGRESSING, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"',
            self._clock.now(), progress.found(deployment, progress.PROGRESSING),
        )  # fmt: skip
        return await self._condition(deployment, told), new

    async def _refused(self, deployment: Json, body: Json, error: ApiError) -> None:
        message = f'Failed to create new replica set "{body["metadata"]["name"]}": {error.message}'
        self._recorder.warning(DEPLOYMENT, deployment, "ReplicaSetCreateError", message)
        known = progress.found(deployment, progress.PROGRESSING)
        if not known or known["reason"] != "ReplicaSetCreateError":
            now = self._clock.now()
            told = progress.condition(progress.PROGRESSING, "False", "ReplicaSetCreateError", message, now, known)
            await self._condition(deployment, told)

    async def _collided(self, deployment: Json, body: Json) -> Json:
        """Another object has the name: it is ours and merely not seen yet, or the name must be another one."""
        held = await self._client.get(REPLICA_SET, body["metadata"]["namespace"], body["metadata"]["name"])
        self._replicasets.observe(held)
        if not ownership.owns(deployment, held) or revision.current(deployment, [held]) is None:
            count = ((deployment.get("status") or {}).get("collisionCount") or 0) + 1
            change = {"status": {"collisionCount": count}}
            deployment = await self._client.patch(DEPLOYMENT, deployment, change, subresource="status")
            self._deployments.observe(deployment)
        self.queue.add(key_of(deployment))
        return deployment

    async def _scale_all(self, deployment: Json, owned: list[Json], sizes: dict[str, int]) -> list[Json]:
        return [
            await self._scale(deployment, each, sizes[name]) if (name := each["metadata"]["name"]) in sizes else each
            for each in owned
        ]

    async def _scale(self, deployment: Json, replicaset: Json, count: int) -> Json:
        allowed = rollout.limits(deployment["spec"])
        noted = {revision.DESIRED: str(allowed.desired), revision.MOST: str(allowed.most)}
        annotations, before = replicaset["metadata"].get("annotations") or {}, _size(replicaset).wanted
        if before == count and noted.items() <= annotations.items():
            return replicaset
        change: dict[str, Json] = {"metadata": {"annotations": noted}, "spec": {"replicas": count}}
        answer = await self._client.patch(REPLICA_SET, replicaset, change)
        self._replicasets.observe(answer)
        if count != before:
            way = "up" if count > before else "down"
            name = replicaset["metadata"]["name"]
            self._told(deployment, f"Scaled {way} replica set {name} from {before} to {count}")
        return answer

    async def _paused(self, deployment: Json) -> Json:
        """Say once that a rollout was paused, or goes on: the time that it stood still does not count."""
        if not progress.deadline(deployment):
            return deployment
        known = progress.found(deployment, progress.PROGRESSING)
        paused, said = bool(deployment["spec"].get("paused")), bool(known and known["reason"] == progress.PAUSED)
        if paused == said or (known and known["reason"] == progress.TIMED_OUT):
            return deployment
        reason = progress.PAUSED if paused else progress.RESUMED
        message = f"Deployment is {'paused' if paused else 'resumed'}"
        now = self._clock.now()
        return await self._condition(
            deployment, progress.condition(progress.PROGRESSING, "Unknown", reason, message, now, known)
        )

    async def _condition(self, deployment: Json, told: Json) -> Json:
        conditions = (deployment.get("status") or {}).get("conditions") or []
        change = {"status": {"conditions": progress.with_condition(conditions, told)}}
        answer = await self._client.patch(DEPLOYMENT, deployment, change, subresource="status")
        self._deployments.observe(answer)
        return answer

    async def _report(self, deployment: Json, new: Json, owned: Sequence[Json]) -> None:
        now, known = self._clock.now(), deployment.get("status") or {}
        allowed = rollout.limits(deployment["spec"])
        status = progress.counts(deployment, new, owned)
        told = [progress.available(status, allowed, now), _failure(owned)]
        if not deployment["spec"].get("paused"):
            told.append(progress.progressing(deployment, status, new, now))
        conditions = [each for each in known.get("conditions") or [] if each["type"] != progress.FAILURE]
        for each in filter(None, told):
            conditions = progress.with_condition(conditions, each)
        status["conditions"] = conditions
        if any(known.get(name) != value for name, value in status.items()):
            deployment = await self._client.patch(DEPLOYMENT, deployment, {"status": status}, subresource="status")
            self._deployments.observe(deployment)
        left = progress.due(deployment, progress.found(deployment, progress.PROGRESSING), now)
        if left is not None:
            self.queue.add_after(key_of(deployment), left.total_seconds() + 1)

    def _told(self, deployment: Json, message: str) -> None:
        self._recorder.normal(DEPLOYMENT, deployment, "ScalingReplicaSet", message)

    def _running(self, replicaset: Json) -> bool:
        mine = self._pods.within(replicaset["metadata"]["namespace"])
        return any(ownership.owns(replicaset, pod) and not pods.ended(pod) for pod in mine)

    def _replicaset_changed(self, former: Json, present: Json) -> None:
        replicaset = present or former
        namespace = replicaset["metadata"]["namespace"]
        for each in (former, present):
            if each is not None and (owner := ownership.controller_of(each)) and owner["kind"] == DEPLOYMENT.kind:
                self.queue.add((namespace, owner["name"]))
        if ownership.controller_of(replicaset) is None:
            for deployment in self._deployments.within(namespace):
                if labels.matches(deployment["spec"]["selector"], replicaset["metadata"].get("labels")):
                    self.queue.add(key_of(deployment))

    def _pod_changed(self, former: Json, present: Json) -> None:
        """A Recreate waits for the last of its old pods to go."""
        if present is not None and not pods.ended(present):
            return
        owner = ownership.controller_of(present or former)
        replicaset = (
            self._replicasets.get(((present or former)["metadata"]["namespace"], owner["name"])) if owner else None
        )
        if replicaset is not None:
            self._replicaset_changed(None, replicaset)


def _size(replicaset: Json) -> rollout.Size:
    annotations = replicaset["metadata"].get("annotations") or {}
    desired, most = annotations.get(revision.DESIRED, ""), annotations.get(revision.MOST, "")
    return rollout.Size(
        name=replicaset["metadata"]["name"],
        wanted=replicaset["spec"].get("replicas", 1),
        available=(replicaset.get("status") or {}).get("availableReplicas") or 0,
        desired_before=int(desired) if desired.isdigit() else -1,
        most_before=int(most) if most.isdigit() else 0,
    )


def _saturated(new: rollout.Size, allowed: rollout.Limits) -> bool:
    return new.wanted == new.available == new.desired_before == allowed.desired


def _failure(owned: Sequence[Json]) -> Json:
    """Return the first ReplicaSet's complaint that it cannot create pods, or None."""
    conditions = [told for each in owned for told in (each.get("status") or {}).get("conditions") or []]
    told = next((each for each in conditions if each["type"] == progress.FAILURE), None)
    return told | {"lastUpdateTime": told["lastTransitionTime"]} if told else None


def _replicaset(deployment: Json, old: Sequence[Json]) -> Json:
    """Return the ReplicaSet of the Deployment's current template, with as many pods as there is room for."""
    about, spec, digest = deployment["metadata"], deployment["spec"], revision.digest(deployment)
    template = spec["template"] | {"metadata": dict(spec["template"].get("metadata") or {})}
    template["metadata"]["labels"] = (template["metadata"].get("labels") or {}) | {revision.HASH_LABEL: digest}
    selector = spec["selector"] | {
        "matchLabels": (spec["selector"].get("matchLabels") or {}) | {revision.HASH_LABEL: digest}
    }
    allowed, empty = rollout.limits(spec), rollout.Size("", 0, 0)
    metadata = {
        "name": f"{about['name']}-{digest}",
        "namespace": about["namespace"],
        "labels": template["metadata"]["labels"],
        "ownerReferences": [ownership.reference(DEPLOYMENT, deployment)],
    }
    noted = {revision.DESIRED: str(allowed.desired), revision.MOST: str(allowed.most)}
    noted |= revision.annotations(deployment, {"metadata": {}}, old)
    count = rollout.grown(empty, [_size(each) for each in old], allowed)
    return {
        "metadata": metadata | {"annotations": noted},
        "spec": {
            "replicas": count,
            "minReadySeconds": spec.get("minReadySeconds") or 0,
            "selector": selector,
            "template": template,
        },
    }
