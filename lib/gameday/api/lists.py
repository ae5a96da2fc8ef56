"""
How lists and maps of objects are merged: which have keys, which are sets, and which are replaced as a whole.

A strategic merge and a server-side apply both need it, and do not agree in everything; what the API's schema says is
here as data. A place is a path of field names, without the elements of lists on the way.
"""

from typing import TypeAlias

Place: TypeAlias = tuple[str, ...]

CONTAINERS = {"containers", "initContainers", "ephemeralContainers"}
# By the last field name: the one key by which a strategic merge finds an element.
_KEYS = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "env": "name", "volumes": "name",
    "imagePullSecrets": "name", "volumeMounts": "mountPath", "volumeDevices": "devicePath", "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey", "schedulingGates": "name", "ownerReferences": "uid",
    "conditions": "type", "podIPs": "ip", "hostIPs": "ip", "secrets": "name", "resourceClaims": "name",
}  # fmt: skip
# The same for apply, where it takes more than one, or differs.
_APPLIED = {"topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"), "hostIPs": ()}
_ATOMIC_MAPS = {
    "selector", "nodeSelector", "labelSelector", "podSelector", "namespaceSelector", "matchLabels", "fieldRef",
    "configMapKeyRef", "secretKeyRef", "resourceFieldRef", "fileKeyRef", "involvedObject", "targetRef",
    "ownerReferences", "imagePullSecrets", "requiredDuringSchedulingIgnoredDuringExecution",
}  # fmt: skip


def merge_key(place: Place) -> str:
    """Return by which field a strategic merge finds an element of the list at *place*; empty when it has none."""
    if place[-1] == "ports":
        return _port(place)
    if place[-2:] == ("status", "addresses"):
        return "type"
    return _KEYS.get(place[-1], "") if _is_list(place) else ""


def is_set(place: Place) -> bool:
    """Tell whether the list at *place* holds plain values, each once, that are merged."""
    return place[-2:] == ("metadata", "finalizers")


def keys(place: Place) -> tuple[str, ...]:
    """Return which fields make an element's key in server-side apply; none when the list is one value."""
    if place[-1] in _APPLIED:
        return _APPLIED[place[-1]]
    key = merge_key(place)
    return (key, "protocol") if key and place[-1] == "ports" else (key,) if key else ()


def is_atomic(place: Place) -> bool:
    """Tell whether the map at *place*, or each in the list there, is one value in server-side apply."""
    return bool(place) and place[-1] in _ATOMIC_MAPS


def _port(place: Place) -> str:
    if len(place) > 1 and place[-2] in CONTAINERS:
        return "containerPort"
    return "port" if place == ("spec", "ports") else ""


def _is_list(place: Place) -> bool:
    """An EndpointSlice's `conditions` are a map beneath an endpoint, which is no list with keys."""
    return place[-1] != "conditions" or place == ("status", "conditions")
