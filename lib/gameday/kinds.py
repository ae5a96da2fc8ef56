"""The kinds of objects that the world's parts read and write, and where the API keeps each."""

from dataclasses import dataclass

from firstwatch.model import Json


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object. `api` is its apiVersion, such as `apps/v1`."""

    api: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of one object, or without *name* of all, in one namespace or in every one."""
        root = "/apis/" if "/" in self.api else "/api/"
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return root + self.api + within + "".join(f"/{part}" for part in (self.plural, name, subresource) if part)

    def of(self, item: Json, subresource: str = "") -> str:
        """Return the URL path of *item*, which is of this kind."""
        return self.path(item["metadata"].get("namespace", ""), item["metadata"]["name"], subresource)


NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)
NODE = Kind("v1", "Node", "nodes", namespaced=False)
POD = Kind("v1", "Pod", "pods")
SERVICE = Kind("v1", "Service", "services")
ENDPOINTS = Kind("v1", "Endpoints", "endpoints")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
SECRET = Kind("v1", "Secret", "secrets")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts")
EVENT = Kind("v1", "Event", "events")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
REPLICA_SET = Kind("apps/v1", "ReplicaSet", "replicasets")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
