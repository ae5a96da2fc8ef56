"""What bounds a number of pods: an autoscaler that sets it, a quota that refuses more, the configuration's own cap."""

from collections.abc import Iterator
from decimal import Decimal

from firstwatch.actions.stick import checked, says
from firstwatch.errors import BadParameter
from firstwatch.model import Finding, Json, Target, Verdict
from firstwatch.systems import Systems, quantity


def sensible(wanted: int, now: int, most: int, what: str) -> None:
    """Refuse a number that is none, no change, or above the cap *most*; BadParameter."""
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise BadParameter(f"{what} {wanted!r} is not a number from 1 on")
    if wanted > most:
        raise BadParameter(f"{what} {wanted} is above the cap of {most}, [limits] replicas")
    if wanted == now:
        raise BadParameter(f"{what} is {now} already; nothing would change")


def scaler(systems: Systems, target: Target) -> Json | None:
    """Return the autoscaler that sets the replicas of *target*, or None."""
    found = systems.cluster.list("HorizontalPodAutoscaler", target.namespace)
    aims = ((each["spec"]["scaleTargetRef"], each) for each in found)
    return next((each for aim, each in aims if (aim["kind"], aim["name"]) == (target.kind, target.name)), None)


def replicas(systems: Systems, target: Target, deployment: Json, wanted: int) -> tuple[Finding, ...]:
    """Return whether *wanted* replicas would last, and whether a quota leaves room for them."""
    now = deployment["spec"].get("replicas", 1)
    set_by = checked(target, lambda: (_set_by(systems, target, now, wanted),))
    return (*set_by, *room(systems, target, deployment, wanted - now))


def _set_by(systems: Systems, target: Target, now: int, wanted: int) -> Finding:
    found = scaler(systems, target)
    if found is None:
        return says(target, Verdict.OK, "no autoscaler sets its replicas")
    low, high = found["spec"].get("minReplicas", 1), found["spec"]["maxReplicas"]
    name = f"the autoscaler {found['metadata']['name']} ({low} to {high})"
    if low <= wanted <= high and (now == 0 or _blind(found)):
        return says(target, Verdict.OK, f"{name} lets it be")
    raised = f"firstwatch run mitigate/autoscaler -p minimum={wanted}"
    return says(target, Verdict.BAD, f"{name} sets the replicas and would take it back; raise its minimum: {raised}")


def _blind(found: Json) -> bool:
    conditions = found.get("status", {}).get("conditions", ())
    return any(each["type"] == "ScalingActive" and each["status"] == "False" for each in conditions)


def room(systems: Systems, target: Target, deployment: Json, more: int) -> tuple[Finding, ...]:
    """Return whether the namespace's quotas leave room for *more* pods of *deployment*; nothing when they do."""
    if more <= 0:
        return ()
    return checked(target, lambda: tuple(_short(systems, target, deployment["spec"]["template"], more)))


def _short(systems: Systems, target: Target, template: Json, more: int) -> Iterator[Finding]:
    for each in systems.cluster.list("ResourceQuota", target.namespace):
        status = each.get("status", {})
        for resource, most in sorted(status.get("hard", {}).items()):
            left = quantity.parse(most) - quantity.parse(status.get("used", {}).get(resource, 0))
            needs = more * asked(template, resource)
            if needs > left:
                said = (
                    f"the quota {each['metadata']['name']} leaves {left} {resource}, and {more} more pods need {needs}"
                )
                yield says(target, Verdict.BAD, f"{said}; raise it first, or ask for fewer")


def asked(template: Json, resource: str) -> Decimal:
    """Return how much of a quota's *resource* (`pods`, `requests.cpu`, `limits.memory`, `cpu`) one pod takes."""
    if resource in ("pods", "count/pods"):
        return Decimal(1)
    kind, _, name = resource.rpartition(".")
    wants = [each.get("resources", {}).get(kind or "requests", {}) for each in template["spec"]["containers"]]
    return sum((quantity.parse(each.get(name, 0)) for each in wants), Decimal(0))
