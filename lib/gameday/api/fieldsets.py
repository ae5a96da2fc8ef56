"""
Sets of an object's fields, as `managedFields` writes them: who owns which.

A field is a path. Its steps are written as the API writes them: `f:spec` is a field of a map, `k:{"name":"api"}` the
element of a list with that key, `v:"x"` an element of a set. Lists without keys, and some maps, are one value.
"""

import json
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from firstwatch.model import Json
from gameday.api import lists
from gameday.api.lists import Place

Path: TypeAlias = tuple[str, ...]

SELF = "."
THERE = object()  # the value of a path that says only that there is an element, or a map or list
# These are always there, even when nobody wrote them.
_STRUCTS = {"metadata", "spec", "template", "strategy", "status", "containers"}
PROTOCOL = "TCP"
# What the API itself keeps: nobody owns it.
_SERVERS = {
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "selfLink", "managedFields",
}  # fmt: skip


def leaves(item: Json, *, status: bool) -> dict[Path, object]:
    """Return the fields of *item* that somebody can own, with their values: those of its status, or all others."""
    return {path: value for path, value in fields(item, status=status).items() if value is not THERE or _keyed(path)}


def fields(item: Json, *, status: bool) -> dict[Path, object]:
    """Return the same as `leaves`, and the maps and lists themselves: who makes one where there was none owns it."""
    found: dict[Path, object] = {}
    for name, value in item.items():
        if name == "metadata" and not status:
            kept = {key: each for key, each in value.items() if key not in _SERVERS}
            found |= {path: each for path, each in _fields(kept, ("f:metadata",), ("metadata",)) if len(path) > 1}
        elif name not in {"kind", "apiVersion", "metadata"} and (name == "status") == status:
            found |= dict(_fields(value, (f"f:{name}",), (name,)))
    return found


def merged(live: Json, wanted: Json, place: Place = ()) -> Json:
    """Return *live* with what is *wanted* in it; what *wanted* does not name stays."""
    if isinstance(live, dict) and isinstance(wanted, dict) and not lists.is_atomic(place):
        changed = {name: merged(live.get(name), each, (*place, name)) for name, each in wanted.items()}
        return {**live, **changed}
    if isinstance(live, list) and isinstance(wanted, list) and lists.is_set(place):
        return [*live, *(each for each in wanted if each not in live)]
    if isinstance(live, list) and isinstance(wanted, list) and lists.keys(place):
        return _elements(live, wanted, place)
    return wanted


def without(item: Json, gone: Iterable[Path]) -> Json:
    """Return *item* without the fields *gone*, and without the maps and lists that they leave empty."""
    result = json.loads(json.dumps(item))
    for path in sorted(gone, key=len):
        _remove(result, path, ())
    return result


def written(paths: Iterable[Path]) -> Json:
    """Return *paths* as `fieldsV1`."""
    root: dict[str, Json] = {}
    members = set(paths)
    for path in sorted(members):
        node = root
        for depth, step in enumerate(path, 1):
            node = node.setdefault(step, {})
            if path[:depth] in members and depth < len(path):
                node.setdefault(SELF, {})
    return root


def read(fields: Json) -> set[Path]:
    """Return the paths in *fields*, a `fieldsV1`."""
    return set(_read(fields or {}, ()))


def shown(path: Path) -> str:
    """Return *path* as a conflict names it: `.spec.containers[name="api"].image`."""
    return "".join(_shown(step) for step in path)


def _fields(value: Json, path: Path, place: Place) -> Iterator[tuple[Path, object]]:
    keys = lists.keys(place) if isinstance(value, list) else ()
    if isinstance(value, dict) and value and not lists.is_atomic(place):
        if place[-1] not in _STRUCTS:
            yield path, THERE
        for name, each in value.items():
            yield from _fields(each, (*path, f"f:{name}"), (*place, name))
    elif isinstance(value, list) and lists.is_set(place):
        yield path, THERE
        yield from (((*path, f"v:{_compact(each)}"), each) for each in value)
    elif value and keys:
        if place[-1] not in _STRUCTS:
            yield path, THERE
        for each in value:
            at = (*path, _step(each, keys))
            if lists.is_atomic(place):
                yield at, each
                continue
            yield at, THERE
            for name, part in each.items():
                yield from _fields(part, (*at, f"f:{name}"), (*place, name))
    else:
        yield path, value


def _keyed(path: Path) -> bool:
    return path[-1].startswith("k:")


def _elements(live: list[Json], wanted: list[Json], place: Place) -> list[Json]:
    keys = lists.keys(place)
    result = {_step(each, keys): each for each in live}
    for each in wanted:
        known = result.get(_step(each, keys))
        result[_step(each, keys)] = merged(known, each, place) if known is not None else each
    return list(result.values())


def _step(element: Json, keys: tuple[str, ...]) -> str:
    """Return the step to *element*; a port without a protocol is one of TCP."""
    given = {key: element.get(key, PROTOCOL if key == "protocol" else None) for key in sorted(keys)}
    return f"k:{_compact(given)}"


def _remove(node: Json, path: Path, place: Place) -> None:
    """Remove *path* from *node*, and what is empty after that."""
    step, rest = path[0], path[1:]
    if step.startswith("f:") and isinstance(node, dict) and (name := step[2:]) in node:
        if rest:
            _remove(node[name], rest, (*place, name))
        if not rest or node[name] in ({}, []):
            del node[name]
    elif isinstance(node, list):
        _remove_element(node, step, rest, place)


def _remove_element(node: list[Json], step: str, rest: Path, place: Place) -> None:
    for each in [*node]:
        if (f"v:{_compact(each)}" if step.startswith("v:") else _step(each, lists.keys(place))) != step:
            continue
        if rest:
            _remove(each, rest, place)
        else:
            node.remove(each)


def _read(fields: Json, path: Path) -> Iterator[Path]:
    for step, below in fields.items():
        if step == SELF:
            yield path
        elif below:
            yield from _read(below, (*path, step))
        else:
            yield (*path, step)


def _shown(step: str) -> str:
    kind, _, rest = step.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    return "[" + ",".join(f"{key}={_compact(value)}" for key, value in json.loads(rest).items()) + "]"


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
