"""
Discovery: what a client asks first, to learn which kinds there are, where, and what may be done with each.

It is told in two forms: a document for each group version, which every client knows, and all of them at once, which
kubectl asks for since 1.26 to spare itself the round trips. Both are made from `resources.RESOURCES`, and from the few
that this server answers without keeping objects of them: metrics and access reviews.
"""

import platform
from collections.abc import Iterable
from dataclasses import dataclass

from firstwatch.model import Json
from gameday.api import accept as forms
from gameday.api import openapi
from gameday.api.resources import RESOURCES, Resource
from gameday.kinds import NAMESPACE, Kind

GIT_VERSION = "v1.37.0-gameday"
JSON = "application/json"
AGGREGATED = f"{JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

OBJECTS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
PART = ("get", "patch", "update")
STREAM = ("create", "get")


@dataclass(frozen=True, slots=True)
class Served:
    """Something at a path of its own, and the *parts* beneath each of its objects, by name."""

    kind: Kind
    verbs: tuple[str, ...]
    parts: tuple[tuple[str, "Served"], ...] = ()
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


# What is beneath an object is of its kind, but for these.
PARTS = {
    "status": (None, PART),
    "scale": (Kind("autoscaling/v1", "Scale", ""), PART),
    "log": (None, ("get",)),
    "exec": (Kind("v1", "PodExecOptions", ""), STREAM),
    "attach": (Kind("v1", "PodAttachOptions", ""), STREAM),
    "binding": (Kind("v1", "Binding", ""), ("create",)),
    "eviction": (Kind("policy/v1", "Eviction", ""), ("create",)),
}
COMPUTED = (
    Served(
        Kind("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False),
        ("create",),
    ),
    Served(
        Kind("authorization.k8s.io/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False),
        ("create",),
    ),
    Served(Kind("metrics.k8s.io/v1beta1", "NodeMetrics", "nodes", namespaced=False), ("get", "list")),
    Served(Kind("metrics.k8s.io/v1beta1", "PodMetrics", "pods"), ("get", "list")),
)


def document(path: str, accept: str) -> tuple[str, Json | bytes] | None:
    """Return content type and body of the document at *path*, or None when there is none."""
    path = path.rstrip("/")
    if path in {"/api", "/apis"} and forms.prefers(accept, "APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2"):
        return AGGREGATED, _aggregated(core=path == "/api")
    if path.startswith("/openapi/"):
        return openapi.document(path, accept)
    told = _DOCUMENTS.get(path)
    return (JSON, told) if told is not None else None


def _served(resource: Resource) -> Served:
    parts = []
    for name in resource.subresources:
        kind, verbs = PARTS[name]
        parts.append((name, Served(kind or resource.kind, verbs)))
    # Nobody deletes all namespaces at once, not even by mistake.
    verbs = tuple(each for each in OBJECTS if resource.kind != NAMESPACE or each != "deletecollection")
    return Served(resource.kind, verbs, tuple(parts), resource.short, resource.categories)


def _aggregated(*, core: bool) -> Json:
    groups = [group for group in _GROUPS if (group == "") == core]
    items = [{"metadata": {"name": group, "creationTimestamp": None}, "versions": _versions(group)} for group in groups]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _versions(group: str) -> list[Json]:
    return [
        {"version": api.rpartition("/")[2], "freshness": "Current", "resources": [_at_once(each) for each in served]}
        for api, served in _APIS.items()
        if _group(api) == group
    ]


def _at_once(served: Served) -> Json:
    told: dict[str, Json] = {
        "resource": served.kind.plural,
        "responseKind": _kind(served.kind),
        "scope": "Namespaced" if served.kind.namespaced else "Cluster",
        "singularResource": served.kind.kind.lower(),
        "verbs": list(served.verbs),
    }
    parts = [
        {"subresource": name, "responseKind": _kind(part.kind), "verbs": list(part.verbs)}
        for name, part in served.parts
    ]
    return told | _names(served) | ({"subresources": parts} if parts else {})


def _kind(kind: Kind) -> Json:
    return {"group": _group(kind.api), "version": kind.api.rpartition("/")[2], "kind": kind.kind}


def _names(served: Served) -> dict[str, Json]:
    names = {"shortNames": list(served.short), "categories": list(served.categories)}
    return {name: value for name, value in names.items() if value}


def _list(api: str, served: Iterable[Served]) -> Json:
    resources = [each for one in served for each in _one_by_one(one)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": resources}


def _one_by_one(served: Served) -> list[Json]:
    whole = {
        "name": served.kind.plural,
        "singularName": served.kind.kind.lower(),
        "namespaced": served.kind.namespaced,
        "kind": served.kind.kind,
        "verbs": list(served.verbs),
    }
    return [whole | _names(served), *(_part(served.kind, name, part) for name, part in served.parts)]


def _part(whole: Kind, name: str, part: Served) -> Json:
    told = {
        "name": f"{whole.plural}/{name}",
        "singularName": "",
        "namespaced": whole.namespaced,
        "kind": part.kind.kind,
        "verbs": list(part.verbs),
    }
    group, version = _group(part.kind.api), part.kind.api.rpartition("/")[2]
    return told if part.kind.api == whole.api else told | {"group": group, "version": version}


def _about(group: str) -> dict[str, Json]:
    versions = [
        {"groupVersion": api, "version": api.rpartition("/")[2]} for api in _APIS if _group(api) == group
    ]  # fmt: skip
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _version() -> Json:
    """Return who we are; `goVersion` must be there, though none was used."""
    return {
        "major": "1",
        "minor": "37",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "",
        "goVersion": "",
        "compiler": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{platform.machine().lower()}",
    }


def _group(api: str) -> str:
    return api.rpartition("/")[0]


def _by_api() -> dict[str, list[Served]]:
    found: dict[str, list[Served]] = {}
    for each in (*map(_served, RESOURCES), *COMPUTED):
        found.setdefault(each.kind.api, []).append(each)
    return found


def _documents() -> dict[str, Json]:
    named = [group for group in _GROUPS if group]
    return {
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_about(group) for group in named]},
        "/version": _version(),
        **{f"/apis/{group}": {"kind": "APIGroup", "apiVersion": "v1"} | _about(group) for group in named},
        **{("/apis/" if "/" in api else "/api/") + api: _list(api, served) for api, served in _APIS.items()},
    }


_APIS = _by_api()
_GROUPS = tuple(dict.fromkeys(_group(api) for api in _APIS))
_DOCUMENTS = _documents()
