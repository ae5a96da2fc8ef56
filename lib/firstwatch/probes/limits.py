"""Limits that were set, and how near to them all is: autoscalers, quotas, disruption budgets, CPU and memory."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from firstwatch.model import Finding, Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import condition, containers, living, moment, owner

FULL = Decimal("0.9")  # the share of a limit from which on it is said to be used up
_UNITS = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(1000),
          "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "Ki": Decimal(1024),
          "Mi": Decimal(1024**2), "Gi": Decimal(1024**3), "Ti": Decimal(1024**4)}  # fmt: skip


def quantity(text: str | int) -> Decimal:
    """Return what a Kubernetes quantity such as `250m` or `64Mi` amounts to; ValueError when it is none."""
    word = str(text)
    number = word.rstrip("numkKMGTi")
    unit = _UNITS.get(word[len(number) :])
    if unit is None or not number:
        raise ValueError(f"{word!r} is not a quantity")
    return Decimal(number) * unit


@probe(
    "Can the autoscalers do their work?",
    about="HorizontalPodAutoscaler/{namespace}/",
    expected="every autoscaler reads what it scales by, and is below its maximum",
    command="kubectl describe hpa -n {namespace}",
)
def autoscalers(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    found = systems.cluster.list("HorizontalPodAutoscaler", namespace)
    if not found:
        return self.ok(systems, "there is no autoscaler")
    bad = [
        self.bad(
            systems, mechanism, said, object=f"HorizontalPodAutoscaler/{namespace}/{each['metadata']['name']}",
            since=moment(since),
        )
        for each in found
        for mechanism, said, since in _scaling(each)
    ]  # fmt: skip
    return Findings(bad) if bad else self.ok(systems, "; ".join(map(_bounds, found)))


def _scaling(autoscaler: Json) -> Iterator[tuple[str, str, str | None]]:
    """Yield mechanism, sentence and since when, for all that keeps *autoscaler* from its work."""
    active, limited = condition(autoscaler, "ScalingActive"), condition(autoscaler, "ScalingLimited")
    if active.get("status") == "False" and active.get("reason") == "ScalingDisabled":
        yield "scaled-to-zero", f"{_bounds(autoscaler)}: it is off, {active.get('message', '')}", _since(active)
    elif active.get("status") == "False":
        yield "autoscaler-blind", f"{active.get('reason')}: {active.get('message', '')}", _since(active)
    if limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas":
        yield "autoscaler-at-maximum", f"{_bounds(autoscaler)}: it wants more", _since(limited)


def _since(told: Json) -> str | None:
    since: str | None = told.get("lastTransitionTime")
    return since


def _bounds(autoscaler: Json) -> str:
    spec, now = autoscaler["spec"], autoscaler.get("status", {}).get("currentReplicas", 0)
    return f"{autoscaler['metadata']['name']}: {now} of {spec.get('minReplicas', 1)} to {spec['maxReplicas']} pods"


@probe(
    "Do the quotas leave room?",
    about="ResourceQuota/{namespace}/",
    expected="no quota keeps a workload short of pods",
    command="kubectl describe quota -n {namespace}",
)
def quotas(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    found = systems.cluster.list("ResourceQuota", namespace)
    if not found:
        return self.ok(systems, "there is no quota")
    used_up = {each["metadata"]["name"]: said for each in found if (said := _used_up(each))}
    short = [each for each in systems.cluster.list("ReplicaSet", namespace) if _lacks(each)] if used_up else []
    if not short:
        return self.ok(systems, "; ".join(_spent(each) for each in found) or "the quotas limit nothing")
    lacking = ", ".join(sorted({owner(each) for each in short}))
    return Findings(
        self.bad(
            systems, "quota-exceeded", f"{said}; {lacking} is short of pods", object=f"ResourceQuota/{namespace}/{name}"
        )
        for name, said in sorted(used_up.items())
    )


def _lacks(replicaset: Json) -> bool:
    return bool(replicaset.get("status", {}).get("replicas", 0) < replicaset["spec"].get("replicas", 1))


def _used_up(quota: Json) -> str:
    hard, used = quota.get("status", {}).get("hard", {}), quota.get("status", {}).get("used", {})
    full = [each for each in sorted(hard) if each in used and quantity(used[each]) >= quantity(hard[each])]
    return ", ".join(f"{each} {used[each]} of {hard[each]}" for each in full)


def _spent(quota: Json) -> str:
    hard, used = quota.get("status", {}).get("hard", {}), quota.get("status", {}).get("used", {})
    return ", ".join(f"{each} {used.get(each, 0)} of {hard[each]}" for each in sorted(hard))


@probe(
    "May pods be moved?",
    about="PodDisruptionBudget/{namespace}/",
    expected="no budget keeps pods on a node that is being emptied",
    command="kubectl get poddisruptionbudgets -n {namespace}",
)
def budgets(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    found = systems.cluster.list("PodDisruptionBudget", namespace)
    if not found:
        return self.ok(systems, "there is no disruption budget")
    tight = [each for each in found if not each.get("status", {}).get("disruptionsAllowed", 0)]
    closed = {
        each["metadata"]["name"] for each in systems.cluster.list("Node") if each.get("spec", {}).get("unschedulable")
    }
    kept = [pod for pod in living(systems.cluster.list("Pod", namespace)) if pod["spec"].get("nodeName") in closed]
    held = [(each, count) for each in tight if (count := sum(_guards(each, pod) for pod in kept))]
    if not held:
        return self.ok(systems, "; ".join(map(_allowed, found)))
    return Findings(
        self.bad(
            systems, "disruption-blocked", f"{_allowed(each)}; it keeps {count} pods on {', '.join(sorted(closed))}",
            object=f"PodDisruptionBudget/{namespace}/{each['metadata']['name']}",
        )
        for each, count in held
    )  # fmt: skip


def _guards(budget: Json, pod: Json) -> bool:
    wanted = budget["spec"].get("selector", {}).get("matchLabels", {})
    return all(pod["metadata"].get("labels", {}).get(key) == value for key, value in wanted.items())


def _allowed(budget: Json) -> str:
    status = budget.get("status", {})
    healthy = f"{status.get('currentHealthy', 0)} healthy, {status.get('desiredHealthy', 0)} wanted"
    return f"{budget['metadata']['name']}: {status.get('disruptionsAllowed', 0)} may be moved, {healthy}"


@probe(
    "Do the containers have enough CPU and memory?",
    about="Deployment/{namespace}/{deployment}",
    expected="every container below 90 % of its limits",
    command="kubectl top pods -n {namespace} --containers",
)
def usage(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    measured = {each["metadata"]["name"]: each for each in systems.cluster.list("PodMetrics", namespace)}
    found = [each for each in living(systems.cluster.list("Pod", namespace)) if each["metadata"]["name"] in measured]
    if not found:
        return self.unknown(systems, "no pod is measured")
    loads = [load for pod in found for load in _loads(pod, measured[pod["metadata"]["name"]])]
    bad = tuple(_full(self, systems, loads))
    return Findings(bad) if bad else self.ok(systems, _highest(loads, len(found)))


def _loads(pod: Json, metrics: Json) -> Iterator[tuple[str, str, str, Decimal]]:
    """Yield owner, container, resource and the share of its limit that is used."""
    limits = {each["name"]: each.get("resources", {}).get("limits", {}) for each in containers(pod)}
    for each in metrics["containers"]:
        for resource, used in sorted(each["usage"].items()):
            limit = limits.get(each["name"], {}).get(resource)
            if limit and quantity(limit):
                yield owner(pod), each["name"], resource, quantity(used) / quantity(limit)


def _full(self: Probe, systems: Systems, loads: list[tuple[str, str, str, Decimal]]) -> Iterator[Finding]:
    namespace = systems.settings.service.namespace
    worst: dict[tuple[str, str], tuple[Decimal, str]] = {}
    for of, container, resource, share in loads:
        if share >= FULL and share > worst.get((of, resource), (Decimal(0), ""))[0]:
            worst[of, resource] = share, container
    for (of, resource), (share, container) in sorted(worst.items()):
        mechanism = "cpu-saturated" if resource == "cpu" else "memory-near-limit"
        said = f"container {container} uses {share:.0%} of its {resource} limit"
        yield self.bad(systems, mechanism, said, object=of.replace("/", f"/{namespace}/"))


def _highest(loads: list[tuple[str, str, str, Decimal]], pods: int) -> str:
    if not loads:
        return f"{pods} pods are measured, none has limits"
    _, container, resource, share = max(loads, key=lambda load: load[3])
    return f"at most {share:.0%} of a limit: {resource} of container {container}"
