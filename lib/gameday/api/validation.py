"""
What an object must be like before it is kept; each complaint names its field, in the real API's words.

Only what a responder can get wrong by hand is looked at. What is more, a controller would stumble over it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from firstwatch.model import Json
from gameday import labels
from gameday.api import errors
from gameday.api.errors import Cause
from gameday.api.resources import Resource

Complaints: TypeAlias = Iterator[Cause]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?")
_DATA = re.compile(r"[-._a-zA-Z0-9]{1,253}")

NO_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
NO_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NO_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
NO_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
NO_DATA_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
FINALIZERS = {"kubernetes", "orphan", "foregroundDeletion"}
NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
UNFIT = "`selector` does not match template `labels`"
POD_FIXED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check(resource: Resource, item: Json, former: Json) -> None:
    """
    Look at *item*, which takes the place of *former*, or of nothing.

    Raises:
        Refusal: Something is wrong with it (422).
    """
    causes = list(complaints(resource.kind.kind, item, former))
    if causes:
        raise errors.invalid(resource, str(item["metadata"].get("name", "")), causes)


def complaints(kind: str, item: Json, former: Json) -> Complaints:
    """Yield what is wrong with *item*."""
    yield from _metadata(kind, item["metadata"])
    if kind in _KINDS:
        yield from _KINDS[kind](item, former)


def _metadata(kind: str, metadata: Json) -> Complaints:
    name = metadata.get("name")
    if not name:
        yield errors.required("metadata.name", "name or generateName is required")
    elif kind in {"Namespace", "Service"} and not (_LABEL.fullmatch(name) and len(name) <= 63):
        yield errors.wrong("metadata.name", name, NO_LABEL)
    elif not (_SUBDOMAIN.fullmatch(name) and len(name) <= 253):
        yield errors.wrong("metadata.name", name, NO_SUBDOMAIN)
    yield from _labels(metadata.get("labels"), "metadata.labels")
    for index, finalizer in enumerate(metadata.get("finalizers") or []):
        if "/" not in finalizer and finalizer not in FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield errors.wrong(f"metadata.finalizers[{index}]", finalizer, why)
    for key in metadata.get("annotations") or {}:
        if not _KEY.fullmatch(key.lower()):
            yield errors.wrong("metadata.annotations", key, NO_KEY)


def _labels(given: Mapping[str, str] | None, field: str) -> Complaints:
    for key, value in (given or {}).items():
        if not _KEY.fullmatch(key):
            yield errors.wrong(field, key, NO_KEY)
        if not _VALUE.fullmatch(value):
            yield errors.wrong(field, value, NO_VALUE)


def _workload(item: Json, former: Json) -> Complaints:
    """Check a Deployment, ReplicaSet, StatefulSet or DaemonSet."""
    spec = item["spec"]
    for name in ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        if spec.get(name, 0) < 0:
            yield errors.wrong(f"spec.{name}", spec[name], NOT_NEGATIVE)
    yield from _selector(spec)
    if former is not None and former["spec"].get("selector") != spec.get("selector"):
        yield errors.wrong("spec.selector", spec.get("selector"), IMMUTABLE)
    yield from _labels(spec["template"]["metadata"].get("labels"), "spec.template.metadata.labels")
    yield from _pod_spec(spec["template"]["spec"], "spec.template.spec")
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy != "Always":
        yield errors.unknown_value("spec.template.spec.restartPolicy", policy, ["Always"])


def _deployment(item: Json, former: Json) -> Complaints:
    yield from _workload(item, former)
    strategy = item["spec"]["strategy"]
    if strategy["type"] not in {"Recreate", "RollingUpdate"}:
        yield errors.unknown_value("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
    elif strategy["type"] == "Recreate" and strategy.get("rollingUpdate"):
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield errors.not_allowed("spec.strategy.rollingUpdate", why)
    yield from _rolling(strategy.get("rollingUpdate") or {})


def _rolling(rolling: Json) -> Complaints:
    if rolling and all(rolling.get(name) in {0, "0%"} for name in ("maxSurge", "maxUnavailable")):
        yield errors.wrong("spec.strategy.rollingUpdate.maxUnavailable", 0, "may not be 0 when `maxSurge` is 0")
    for name in ("maxSurge", "maxUnavailable"):
        value = rolling.get(name, 0)
        if isinstance(value, int) and value < 0:
            yield errors.wrong(f"spec.strategy.rollingUpdate.{name}", value, NOT_NEGATIVE)
        elif isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            why = (
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                "regex used for validation is '[0-9]+%')"
            )
            yield errors.wrong(f"spec.strategy.rollingUpdate.{name}", value, why)


def _selector(spec: Json) -> Complaints:
    selector = spec.get("selector")
    own = spec["template"]["metadata"].get("labels")
    if not selector:
        yield errors.required("spec.selector")
    if not labels.matches(selector, own):
        yield errors.wrong("spec.template.metadata.labels", own, UNFIT)


def _pod(item: Json, former: Json) -> Complaints:
    yield from _pod_spec(item["spec"], "spec")
    if former is not None and _fixed(item["spec"]) != _fixed(former["spec"]):
        yield errors.not_allowed("spec", POD_FIXED)


def _fixed(spec: Json) -> Json:
    """Return what of a pod's *spec* nobody may change."""
    kept = {name: each for name, each in spec.items() if name not in {"activeDeadlineSeconds", "tolerations"}}
    for field in ("containers", "initContainers"):
        kept[field] = [{**each, "image": ""} for each in spec.get(field) or []]
    return kept


def _pod_spec(spec: Json, field: str) -> Complaints:
    if not spec.get("containers"):
        yield errors.required(f"{field}.containers")
    names: set[str] = set()
    volumes = {each.get("name") for each in spec.get("volumes") or []}
    for group in ("initContainers", "containers"):
        for index, each in enumerate(spec.get(group) or []):
            yield from _container(each, f"{field}.{group}[{index}]", names, volumes)
    grace = spec.get("terminationGracePeriodSeconds", 0)
    if grace < 0:
        yield errors.wrong(f"{field}.terminationGracePeriodSeconds", grace, NOT_NEGATIVE)
    policies = ["Always", "Never", "OnFailure"]
    if spec.get("restartPolicy") not in policies:
        yield errors.unknown_value(f"{field}.restartPolicy", spec.get("restartPolicy"), policies)


def _container(container: Json, field: str, names: set[str], volumes: set[str]) -> Complaints:
    name = container.get("name")
    if not name:
        yield errors.required(f"{field}.name")
    elif not (_LABEL.fullmatch(name) and len(name) <= 63):
        yield errors.wrong(f"{field}.name", name, NO_LABEL)
    elif name in names:
        yield errors.duplicate(f"{field}.name", name)
    names.add(name or "")
    if not container.get("image"):
        yield errors.required(f"{field}.image")
    yield from _ports(container.get("ports"), f"{field}.ports", "containerPort")
    for index, each in enumerate(container.get("env") or []):
        if not each.get("name"):
            yield errors.required(f"{field}.env[{index}].name")
    for index, each in enumerate(container.get("volumeMounts") or []):
        if each.get("name") not in volumes:
            at = f"{field}.volumeMounts[{index}].name"
            yield Cause("FieldValueNotFound", at, f'Not found: "{each.get("name", "")}"')


def _ports(ports: Json, field: str, name: str) -> Complaints:
    for index, each in enumerate(ports or []):
        if name not in each:
            yield errors.required(f"{field}[{index}].{name}")
        elif not 0 < each[name] < 65536:
            yield errors.wrong(f"{field}[{index}].{name}", each[name], "must be between 1 and 65535, inclusive")


def _service(item: Json, former: Json) -> Complaints:
    spec = item["spec"]
    kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
    if spec["type"] not in kinds:
        yield errors.unknown_value("spec.type", spec["type"], kinds)
    if not spec.get("ports") and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        yield errors.required("spec.ports")
    yield from _ports(spec.get("ports"), "spec.ports", "port")
    names = [each.get("name", "") for each in spec.get("ports") or []]
    for index, name in enumerate(names):
        if not name and len(names) > 1:
            yield errors.required(f"spec.ports[{index}].name")
        elif name and name in names[:index]:
            yield errors.duplicate(f"spec.ports[{index}].name", name)
    before = former["spec"].get("clusterIP") if former is not None else None
    if before and spec["type"] != "ExternalName" and spec.get("clusterIP") != before:
        yield errors.wrong("spec.clusterIPs[0]", spec.get("clusterIP"), "may not change once set")


def _data(item: Json, former: Json) -> Complaints:
    """Check a ConfigMap or Secret."""
    for key in item.get("data") or {}:
        if not _DATA.fullmatch(key):
            yield errors.wrong(f"data[{key}]", key, NO_DATA_KEY)
    if former is not None and former.get("immutable") and former.get("data") != item.get("data"):
        yield errors.not_allowed("data", "field is immutable when `immutable` is set")


def _budget(item: Json, _: Json) -> Complaints:
    spec = item.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield errors.wrong("spec", spec, "minAvailable and maxUnavailable cannot be both set")


_KINDS: Mapping[str, Callable[[Json, Json], Complaints]] = {
    "Deployment": _deployment,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Pod": _pod,
    "Service": _service,
    "ConfigMap": _data,
    "Secret": _data,
    "PodDisruptionBudget": _budget,
}
