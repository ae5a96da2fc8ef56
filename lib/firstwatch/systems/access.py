"""
What these credentials may do in the cluster: the API is asked, and nothing is tried.

What each role needs is what `deploy/` grants it; a test compares the two.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from firstwatch.errors import Unavailable
from firstwatch.settings import Settings
from firstwatch.systems.kubernetes import Cluster

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
AT_ONCE = 8
CORE = ""
READ = ("get", "list")
# Group, resources and verbs: what a role needs.
INVESTIGATE = (
    (CORE, ("nodes", "pods", "pods/log", "events", "services", "configmaps", "resourcequotas"), READ),
    ("apps", ("deployments", "replicasets"), READ),
    ("autoscaling", ("horizontalpodautoscalers",), READ),
    ("discovery.k8s.io", ("endpointslices",), READ),
    ("networking.k8s.io", ("ingresses",), READ),
    ("policy", ("poddisruptionbudgets",), READ),
    ("metrics.k8s.io", ("nodes", "pods"), READ),
    ("argoproj.io", ("applications",), ("get",)),
    ("kustomize.toolkit.fluxcd.io", ("kustomizations",), ("get",)),
    ("helm.toolkit.fluxcd.io", ("helmreleases",), ("get",)),
)
MITIGATE = (
    ("apps", ("deployments",), ("patch",)),
    (CORE, ("configmaps",), ("patch",)),
    (CORE, ("services",), ("create", "patch", "delete")),
    ("autoscaling", ("horizontalpodautoscalers",), ("patch",)),
)
ROLES = {"investigate": INVESTIGATE, "mitigate": MITIGATE}


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that one may do. An empty namespace is the whole cluster, an empty name every object."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


EVERYTHING = Access("*", "*", "*")


def needed(role: str, settings: Settings) -> Iterator[Access]:
    """Yield what *role* needs, where the service of *settings* is; patching is for its own ConfigMap alone."""
    service = settings.service
    for group, resources, verbs in ROLES[role]:
        for resource in resources:
            place = {"nodes": "", "applications": settings.gitops.argo}.get(resource, service.namespace)
            name = service.configmap if (resource, verbs) == ("configmaps", ("patch",)) else ""
            yield from (Access(verb, group, resource, place, name) for verb in verbs)


def denied(cluster: Cluster, asked: Iterator[Access]) -> list[Access]:
    """Return those of *asked* that these credentials may not; errors as in `may`."""
    every = list(asked)
    with ThreadPoolExecutor(AT_ONCE, "access") as pool:
        answers = list(pool.map(lambda each: may(cluster, each), every))
    return [each for each, yes in zip(every, answers, strict=True) if not yes]


def may(cluster: Cluster, what: Access) -> bool:
    """
    Return whether these credentials may do *what*.

    Raises:
        Refused: They are not good, or may not even ask.
        Unavailable: No answer in time, or one that is no review: nothing is known then.
    """
    resource, _, part = what.resource.partition("/")
    attributes = {
        "verb": what.verb, "group": what.group, "resource": resource, "subresource": part,
        "namespace": what.namespace, "name": what.name,
    }  # fmt: skip
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }  # fmt: skip
    answer = cluster.review(REVIEWS, review)
    status = answer.get("status") if isinstance(answer, dict) else None
    allowed = status.get("allowed") if isinstance(status, dict) else None
    if not isinstance(allowed, bool) or (not allowed and status and status.get("evaluationError")):
        raise Unavailable(f"{cluster.host} did not say whether these credentials may {what}")
    return allowed
