"""
The kinds that our API server serves, as data: names, where they live, what may be done with them.

Discovery, routes, tables and checks are all made from this one list. A kind that no part of a game day reads or writes
is here only when a client asks for it on its way to another: `kubectl drain` looks for DaemonSets.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gameday import kinds
from gameday.kinds import Kind


@dataclass(frozen=True, slots=True)
class Resource:
    """
    One kind as a client finds it.

    `short` are the names that kubectl takes for it, `categories` such as `all`. `subresources` are the paths beneath
    one object: `status`, `scale`, `log`. `generations` says whether `metadata.generation` counts changes of its spec.
    """

    kind: Kind
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generations: bool = False

    @property
    def group(self) -> str:
        """Return the API group; empty for the core's."""
        return self.kind.api.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.kind.api.rpartition("/")[2]

    @property
    def qualified(self) -> str:
        """Return the name that error messages use: `deployments.apps`, and `pods` in the core group."""
        return f"{self.kind.plural}.{self.group}" if self.group else self.kind.plural


ALL, STATUS, SCALE = ("all",), ("status",), ("status", "scale")

RESOURCES = (
    Resource(kinds.NAMESPACE, ("ns",), subresources=STATUS),
    Resource(kinds.NODE, ("no",), subresources=STATUS),
    Resource(
        kinds.POD, ("po",), ALL, ("status", "log", "exec", "attach", "binding", "eviction"), generations=True
    ),
    Resource(kinds.SERVICE, ("svc",), ALL, STATUS),
    Resource(kinds.ENDPOINTS, ("ep",)),
    Resource(kinds.CONFIG_MAP, ("cm",)),
    Resource(kinds.SECRET),
    Resource(kinds.SERVICE_ACCOUNT, ("sa",)),
    Resource(kinds.EVENT, ("ev",)),
    Resource(Kind("v1", "ResourceQuota", "resourcequotas"), ("quota",), subresources=STATUS),
    Resource(Kind("v1", "LimitRange", "limitranges"), ("limits",)),
    Resource(kinds.DEPLOYMENT, ("deploy",), ALL, SCALE, generations=True),
    Resource(kinds.REPLICA_SET, ("rs",), ALL, SCALE, generations=True),
    Resource(Kind("apps/v1", "StatefulSet", "statefulsets"), ("sts",), ALL, SCALE, generations=True),
    Resource(Kind("apps/v1", "DaemonSet", "daemonsets"), ("ds",), ALL, STATUS, generations=True),
    Resource(Kind("apps/v1", "ControllerRevision", "controllerrevisions")),
    Resource(Kind("batch/v1", "Job", "jobs"), (), ALL, STATUS, generations=True),
    Resource(Kind("batch/v1", "CronJob", "cronjobs"), ("cj",), ALL, STATUS, generations=True),
    Resource(
        Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"), ("hpa",), ALL, STATUS,
        generations=True,
    ),
    Resource(Kind("networking.k8s.io/v1", "Ingress", "ingresses"), ("ing",), subresources=STATUS, generations=True),
    Resource(Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"), ("netpol",), generations=True),
    Resource(kinds.ENDPOINT_SLICE),
    Resource(kinds.LEASE),
    Resource(kinds.DISRUPTION_BUDGET, ("pdb",), subresources=STATUS, generations=True),
)  # fmt: skip


def by_path(group: str, version: str, plural: str) -> Resource | None:
    """Return the resource at `/apis/GROUP/VERSION/PLURAL`, or None when there is none."""
    return _BY_PATH.get((group, version, plural))


_BY_PATH: Mapping[tuple[str, str, str], Resource] = {
    (each.group, each.version, each.kind.plural): each for each in RESOURCES
}


def of(kind: Kind) -> Resource:
    """Return the resource of *kind*, which is one of those above."""
    return _BY_KIND[kind]


_BY_KIND: Mapping[Kind, Resource] = {each.kind: each for each in RESOURCES}
