"""How Kubernetes ties its objects together: facts about raw objects that probes and actions share."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from firstwatch.model import Json, parse_time

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


def revisions(deployment: Json, replicasets: Iterable[Json]) -> list[Json]:
    """Return the ReplicaSets that *deployment* owns, by revision, the newest last."""
    uid = deployment["metadata"]["uid"]
    owned = [rs for rs in replicasets if any(o["uid"] == uid for o in rs["metadata"].get("ownerReferences", ()))]
    return sorted(owned, key=revision)


def revision(replicaset: Json) -> int:
    """Return the revision of a ReplicaSet; 0 when it carries none yet."""
    return int(replicaset["metadata"].get("annotations", {}).get(REVISION, 0))


def images(template: Json) -> str:
    """Return the images of a pod template, in order, as one text."""
    return ", ".join(container["image"] for container in template["spec"]["containers"])


def condition(thing: Json, kind: str) -> Json:
    """Return the condition of *kind* in an object's status; empty when it has none."""
    conditions = thing.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == kind), {})


def holds(thing: Json, kind: str) -> bool:
    return bool(condition(thing, kind).get("status") == "True")


def living(pods: Iterable[Json]) -> list[Json]:
    """Return the pods that are neither on their way out nor done."""
    kept = [each for each in pods if "deletionTimestamp" not in each["metadata"]]
    return [each for each in kept if each.get("status", {}).get("phase") != "Succeeded"]


def owner(thing: Json) -> str:
    """Return `Kind/name` of what a pod belongs to: the Deployment, where a ReplicaSet carries its hash."""
    metadata = thing["metadata"]
    found = next((each for each in metadata.get("ownerReferences", ()) if each.get("controller")), None)
    if found is None:
        return f"{thing.get('kind', 'Pod')}/{metadata['name']}"
    suffix = "-" + metadata.get("labels", {}).get(HASH, "")
    if found["kind"] == "ReplicaSet" and suffix != "-" and found["name"].endswith(suffix):
        return f"Deployment/{found['name'].removesuffix(suffix)}"
    return f"{found['kind']}/{found['name']}"


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether *labels* have all that *selector* wants; an empty selector selects nothing, as a Service's does."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def statuses(pod: Json) -> list[Json]:
    """Return the statuses of all containers of *pod*, those that run first in time first."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def containers(template: Json) -> list[Json]:
    """Return all containers of a pod or pod template, those that run first in time first."""
    spec = template["spec"]
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


def moment(text: str | None) -> datetime | None:
    """Return the moment that a field names; None when it is not set."""
    return parse_time(text) if text else None


def written(thing: Json) -> tuple[datetime | None, str]:
    """Return when *thing* was last written and by which program; its status does not count."""
    entries = [each for each in thing["metadata"].get("managedFields", ()) if each.get("subresource") != "status"]
    told: Json = max((each for each in entries if each.get("time")), key=lambda each: str(each["time"]), default={})
    return moment(told.get("time") or thing["metadata"].get("creationTimestamp")), str(told.get("manager", ""))
