"""How Kubernetes ties a Deployment to its revisions: facts about raw objects that probes and actions share."""

from collections.abc import Iterable

from firstwatch.model import Json

REVISION = "deployment.kubernetes.io/revision"


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
