"""What a request's path names: a kind of object, where, which one, and which part of it."""

from dataclasses import dataclass

from gameday.api import resources
from gameday.api.resources import Resource
from gameday.kinds import Kind

OWN_PART = "status"  # of a namespace, whose other parts are the kinds that live in it


@dataclass(frozen=True, slots=True)
class Target:
    """One object, a part of it, or without `name` all objects of a kind, in `namespace` or everywhere."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    part: str = ""


def parse(path: str) -> Target | None:
    """Return what *path* names, or None when this server has no such thing."""
    match path.strip("/").split("/"):
        case ["api", version, *rest]:
            return _target("", version, rest)
        case ["apis", group, version, *rest]:
            return _target(group, version, rest)
    return None


def _target(group: str, version: str, rest: list[str]) -> Target | None:
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] != OWN_PART:
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3 or not all(rest):
        return None
    plural, name, part = (*rest, "", "")[:3]
    resource = resources.by_path(group, version, plural)
    if resource is None or (part and part not in resource.subresources):
        return None
    misplaced = resource.kind.namespaced != bool(namespace) if name else bool(namespace) > resource.kind.namespaced
    return None if misplaced else Target(resource, namespace, name, part)


def of(kind: Kind, namespace: str, name: str) -> Target:
    """Return the target that is one object of *kind*."""
    return Target(resources.of(kind), namespace, name)
