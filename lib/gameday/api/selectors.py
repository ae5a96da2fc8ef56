"""
Which objects a list or a watch is about: the selector strings of `labelSelector` and `fieldSelector`.

A label selector knows sets (`tier in (a, b)`) and presence (`tier`, `!tier`); a field selector only `=`, `==` and `!=`,
and only of fields that the kind offers. An absent field counts as empty.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from firstwatch.model import Json
from gameday.api import errors
from gameday.api.resources import Resource

Selects: TypeAlias = Callable[[Json], bool]

EVERY = ("metadata.name", "metadata.namespace")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase",),
    "ReplicaSet": ("status.replicas",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "Job": ("status.successful",),
}  # fmt: skip
PLACES = {"source": "source.component"}
EMPTY = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0", "status.successful": "0"}

# One requirement is a comma's worth of text, but for the commas within the parentheses of a set.
_PARTS = re.compile(r",(?![^()]*\))")
_KEY = r"(?P<key>(?:[A-Za-z0-9][-A-Za-z0-9_.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)"
_SET = re.compile(_KEY + r"\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(_KEY + r"\s*(?P<operator>==|=|!=)\s*(?P<values>[-A-Za-z0-9_.]*)")
_PRESENT = re.compile(r"(?P<operator>!?)\s*" + _KEY)
_FIELD = re.compile(r"(?P<key>[^=!]+)(?P<operator>==|=|!=)(?P<values>.*)")


@dataclass(frozen=True, slots=True)
class _Requirement:
    key: str
    operator: str
    values: frozenset[str]

    def holds(self, labels: Mapping[str, str]) -> bool:
        match self.operator:
            case "in" | "=" | "==":
                return labels.get(self.key) in self.values
            case "notin" | "!=":
                return labels.get(self.key) not in self.values
            case "!":
                return self.key not in labels
            case _:
                return self.key in labels


def selects(resource: Resource, labels: str, fields: str) -> Selects:
    """
    Return what tells whether an object is selected by both selectors.

    Raises:
        Refusal: A selector cannot be read, or names a field that *resource* does not offer (400).
    """
    by_label = [_label(each.strip()) for each in _PARTS.split(labels) if each.strip()]
    by_field = [_field(resource, each.strip()) for each in fields.split(",") if each.strip()]
    return lambda item: (
        all(each.holds(item["metadata"].get("labels") or {}) for each in by_label)
        and all(each.holds({each.key: value(item, each.key)}) for each in by_field)
    )


def value(item: Json, field: str) -> str:
    """Return what *item* has in *field*, as selectors see it."""
    found = item
    for name in PLACES.get(field, field).split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if found is not None else EMPTY.get(field, "")


def _label(text: str) -> _Requirement:
    for form in (_SET, _EQUAL, _PRESENT):
        if found := form.fullmatch(text):
            parts = found.groupdict()
            values = frozenset(each.strip() for each in parts.get("values", "").split(","))
            return _Requirement(parts["key"], parts["operator"], values)
    raise errors.bad_request(f"unable to parse requirement: found '{text}', which is no label selector")


def _not_offered(resource: Resource, key: str) -> str:
    if resource.kind.kind in FIELDS:
        return f"field label not supported: {key}"
    return f'"{key}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _field(resource: Resource, text: str) -> _Requirement:
    found = _FIELD.fullmatch(text)
    if not found:
        raise errors.bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    key = found["key"].strip()
    if key not in EVERY and key not in FIELDS.get(resource.kind.kind, ()):
        raise errors.bad_request(_not_offered(resource, key))
    return _Requirement(key, found["operator"], frozenset({found["values"].strip()}))
