"""PodDisruptionBudgets: how many pods may be evicted now. The API refuses an eviction for which there is no room."""

import math
from typing import ClassVar

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday import labels, timestamps
from gameday.client import Client
from gameday.controllers import ownership, pods
from gameday.controllers.controller import Controller
from gameday.informer import Informer, Key, key_of
from gameday.kinds import DISRUPTION_BUDGET


class DisruptionBudgets(Controller):
    name: ClassVar[str] = "disruption"

    def __init__(
        self, client: Client, clock: Clock, *, budgets: Informer, pods: Informer, replicasets: Informer
    ) -> None:
        super().__init__((budgets, pods, replicasets))
        self._client, self._clock = client, clock
        self._budgets, self._pods, self._replicasets = budgets, pods, replicasets
        self.follow(budgets)
        for informer in (pods, replicasets):
            informer.on_change(lambda former, present: self._touched((present or former)["metadata"]["namespace"]))

    async def sync(self, key: Key) -> None:
        budget = self._budgets.get(key)
        if budget is None:
            return
        status = self._status(budget)
        known = budget.get("status") or {}
        if any(known.get(name) != value for name, value in status.items()):
            status["conditions"] = [self._condition(status)]
            change = {"status": status}
            self._budgets.observe(await self._client.patch(DISRUPTION_BUDGET, budget, change, subresource="status"))

    def _status(self, budget: Json) -> dict[str, Json]:
        selector, namespace = budget["spec"].get("selector"), budget["metadata"]["namespace"]
        mine = [pod for pod in self._pods.within(namespace) if labels.matches(selector, pod["metadata"].get("labels"))]
        mine = [pod for pod in mine if not pods.ended(pod)]
        expected = self._expected(namespace, mine)
        healthy = sum(pods.ready(pod) and not pods.leaving(pod) for pod in mine)
        least = _least(budget["spec"], expected)
        return {
            "currentHealthy": healthy,
            "desiredHealthy": least,
            "expectedPods": expected,
            "disruptionsAllowed": max(healthy - least, 0),
            "observedGeneration": budget["metadata"].get("generation", 1),
        }

    def _expected(self, namespace: str, mine: list[Json]) -> int:
        """Return how many pods there should be: what their ReplicaSets say, and each pod without one."""
        owners = [ownership.controller_of(pod) for pod in mine]
        names = {owner["name"] for owner in owners if owner and owner["kind"] == "ReplicaSet"}
        found = [self._replicasets.get((namespace, name)) for name in names]
        single = sum(owner is None or owner["kind"] != "ReplicaSet" for owner in owners)
        return sum((int(each["spec"].get("replicas", 1)) for each in found if each), single)

    def _condition(self, status: Json) -> Json:
        enough = status["disruptionsAllowed"] > 0
        told = {"type": "DisruptionAllowed", "status": "True" if enough else "False", "message": ""}
        told |= {"reason": "SufficientPods" if enough else "InsufficientPods"}
        told |= {"observedGeneration": status["observedGeneration"]}
        return told | {"lastTransitionTime": timestamps.seconds(self._clock.now())}

    def _touched(self, namespace: str) -> None:
        for budget in self._budgets.within(namespace):
            self.queue.add(key_of(budget))


def _least(spec: Json, expected: int) -> int:
    """Return how many must stay healthy; a share is rounded up, in either field."""
    if spec.get("maxUnavailable") is not None:
        return max(expected - _part(spec["maxUnavailable"], expected), 0)
    return _part(spec.get("minAvailable", 1), expected)


def _part(value: int | str, whole: int) -> int:
    return value if isinstance(value, int) else math.ceil(int(value.rstrip("%")) * whole / 100)
