"""
Pod templates, compared: which fields a new revision touched, and from what to what.

A field is named as people speak of it: `image`, `env NAME`, `readinessProbe`, `limits`. A value of the environment that
looks like a secret is redacted before anybody compares or shows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from firstwatch.model import Json
from firstwatch.record.redact import redacted
from firstwatch.systems.workloads import HASH

LONGEST = 60  # a value longer than this is named, and not shown
OF_CONTAINER = ("image", "command", "args", "readinessProbe", "livenessProbe", "startupProbe", "ports", "envFrom",
                "volumeMounts", "lifecycle")  # fmt: skip
OF_POD = ("volumes", "nodeSelector", "affinity", "tolerations", "serviceAccountName", "terminationGracePeriodSeconds",
          "topologySpreadConstraints", "priorityClassName", "hostAliases", "dnsConfig")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Touched:
    """One field that differs. None means that it is not there."""

    field: str
    before: Json
    after: Json

    def __str__(self) -> str:
        return f"{self.field} {_shown(self.before, self.after)} → {_shown(self.after, self.before)}"


def touched(before: Json, after: Json) -> tuple[Touched, ...]:
    """Return the fields in which two pod templates differ, the image first, then by name."""
    old, new = dict(_fields(before)), dict(_fields(after))
    names = sorted({*old, *new}, key=lambda name: (not name.endswith("image"), name))
    return tuple(Touched(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _fields(template: Json) -> Iterator[tuple[str, Json]]:
    labels = {key: value for key, value in template.get("metadata", {}).get("labels", {}).items() if key != HASH}
    yield "labels", labels
    spec = template["spec"]
    yield from ((name, spec[name]) for name in OF_POD if name in spec)
    every = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    for each in every:
        named = f"{each['name']} " if len(every) > 1 else ""
        yield from ((named + name, value) for name, value in _of_container(each))


def _of_container(container: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    yield from ((name, container[name]) for name in OF_CONTAINER if name in container)
    yield from container.get("resources", {}).items()
    for each in container.get("env", ()):
        yield f"env {each['name']}", redacted(each).get("value", each.get("valueFrom"))


def _shown(value: Json, other: Json) -> str:
    if value is None:
        return "(absent)"
    text = value if isinstance(value, str) else _compact(value, other)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _compact(value: Json, other: Json) -> str:
    """Return in few letters what of a structure *other* has not: `httpGet.path /health, httpGet.port 8080`."""
    every, known = [*_leaves(value, "")], [*_leaves(other, "")]
    own = [each for each in every if each not in known]
    if not own and any(each not in every for each in known):
        return "(without)"
    return ", ".join(f"{path} {leaf}".strip() for path, leaf in own or every)


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, path)
    else:
        yield path, value
