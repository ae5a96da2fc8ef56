"""Whether an image can still be pulled: nobody but a node can tell, so those that tried and failed are asked."""

from firstwatch.actions.stick import checked, says
from firstwatch.model import Finding, Json, Target, Verdict
from firstwatch.systems import Systems
from firstwatch.systems.workloads import statuses

FAILED = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})


def pulls(systems: Systems, target: Target, template: Json) -> tuple[Finding, ...]:
    """Return a BAD finding for each image of *template* that a pod waits for now; none when none does."""
    return checked(target, lambda: tuple(_failing(systems, target, template)))


def _failing(systems: Systems, target: Target, template: Json) -> list[Finding]:
    wanted = {each["image"] for each in template["spec"]["containers"]}
    pods = systems.cluster.list("Pod", target.namespace)
    failed = {each["image"] for pod in pods for each in statuses(pod) if _waiting(each) in FAILED}
    said = "cannot be pulled: a pod waits for it now; choose another revision"
    return [says(target, Verdict.BAD, f"image {image} {said}") for image in sorted(wanted & failed)]


def _waiting(container: Json) -> str:
    return str(container.get("state", {}).get("waiting", {}).get("reason", ""))
