"""Scale: the one number of a Deployment, ReplicaSet or StatefulSet, apart from all else of it."""

from firstwatch.model import Json
from gameday.api import errors
from gameday.api.resources import Resource
from gameday.kinds import Kind

SCALE = Resource(Kind("autoscaling/v1", "Scale", "scales"))
ABOUT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def of(item: Json) -> Json:
    """Return the Scale of *item*."""
    metadata = {name: item["metadata"][name] for name in ABOUT if name in item["metadata"]}
    status = {"replicas": (item.get("status") or {}).get("replicas", 0), "selector": _selector(item)}
    spec = {"replicas": item["spec"]["replicas"]} if item["spec"].get("replicas") else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def scaled(item: Json, scale: Json) -> Json:
    """Return *item* with the replicas that *scale* says, for the object and version that it names, if any."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise errors.bad_request('Scale in version "v1" cannot be handled as a Scale: spec.replicas is not a number')
    if replicas < 0:
        cause = errors.wrong("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid(SCALE, item["metadata"]["name"], [cause])
    given = scale.get("metadata") or {}
    bound = {name: given[name] for name in ("uid", "resourceVersion") if given.get(name)}
    return {**item, "metadata": {**item["metadata"], **bound}, "spec": {**item["spec"], "replicas": replicas}}


def _selector(item: Json) -> str:
    """Return the selector of *item* as text, sorted by key, as lists take it."""
    selector = item["spec"].get("selector") or {}
    told = {key: f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()}
    for each in selector.get("matchExpressions") or []:
        told[each["key"]] = _expression(each["key"], each["operator"], each.get("values") or [])
    return ",".join(told[key] for key in sorted(told))


def _expression(key: str, operator: str, values: list[str]) -> str:
    match operator:
        case "Exists":
            return key
        case "DoesNotExist":
            return f"!{key}"
        case _:
            return f"{key} {operator.lower()} ({','.join(sorted(values))})"
