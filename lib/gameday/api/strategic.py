"""
Strategic merge: Kubernetes' own patch, which finds the elements of a list by their key.

What it can say besides: `$patch: delete` or `replace` in a map or an element, `$retainKeys`, the order of a list's
elements (`$setElementOrder/…`), and values to take from a list (`$deleteFromPrimitiveList/…`). `null` removes.
"""

from collections.abc import Callable
from typing import TypeAlias

from firstwatch.model import Json
from gameday.api import errors, lists
from gameday.api.lists import Place

PATCH, RETAIN = "$patch", "$retainKeys"
ORDER, WITHOUT = "$setElementOrder/", "$deleteFromPrimitiveList/"

Identity: TypeAlias = Callable[[Json], Json]


def merged(original: Json, patch: Json, place: Place = ()) -> Json:
    """Return the map *original* with *patch* merged into it; neither is changed."""
    if patch.get(PATCH) == "replace":
        return {name: each for name, each in patch.items() if name != PATCH}
    if patch.get(PATCH) == "delete":
        return {}
    result = _retained(original, patch)
    for name, change in patch.items():
        if not name.startswith("$"):
            _set(result, name, change, (*place, name))
    for name, values in patch.items():
        if name.startswith(WITHOUT):
            field = name.removeprefix(WITHOUT)
            result[field] = [each for each in result.get(field) or [] if each not in values]
    for name, order in patch.items():
        if name.startswith(ORDER):
            _reorder(original, result, name.removeprefix(ORDER), order, place)
    return result


def _retained(original: Json, patch: Json) -> dict[str, Json]:
    if RETAIN not in patch:
        return dict(original)
    return {name: each for name, each in original.items() if name in patch[RETAIN]}


def _set(result: dict[str, Json], name: str, change: Json, place: Place) -> None:
    known = result.get(name)
    if change is None:
        result.pop(name, None)
    elif isinstance(change, dict):
        result[name] = merged(known if isinstance(known, dict) else {}, change, place)
    elif isinstance(change, list) and (lists.merge_key(place) or lists.is_set(place)):
        result[name] = _elements(known if isinstance(known, list) else [], change, place)
    else:
        result[name] = change


def _elements(original: list[Json], patch: list[Json], place: Place) -> list[Json]:
    key = lists.merge_key(place)
    if not key:
        both = [*original, *(each for each in patch if each not in original)]
        return _ordered(both, patch, original, lambda each: each)
    if any(each.get(PATCH) == "replace" for each in patch):
        return [each for each in patch if PATCH not in each]
    identity = _identity(key, place)
    gone = [identity(each) for each in patch if each.get(PATCH) == "delete"]
    left = [each for each in original if each.get(key) not in gone]
    changes = [each for each in patch if each.get(PATCH) != "delete"]
    return _ordered(_joined(left, changes, identity, place), changes, left, identity)


def _joined(original: list[Json], changes: list[Json], identity: Identity, place: Place) -> list[Json]:
    result, where = list(original), {}
    for index in reversed(range(len(result))):
        where[result[index].get(lists.merge_key(place))] = index
    for change in changes:
        key = identity(change)
        if key in where:
            result[where[key]] = merged(result[where[key]], change, place)
        else:
            where[key] = len(result)
            result.append(merged({}, change, place))
    return result


def _identity(key: str, place: Place) -> Identity:
    def identity(element: Json) -> Json:
        if not isinstance(element, dict) or element.get(key) is None:
            field = ".".join(place)
            raise errors.bad_request(f"map: {element} does not contain declared merge key: {key} (in {field})")
        return element[key]

    return identity


def _reorder(original: Json, result: dict[str, Json], name: str, order: list[Json], place: Place) -> None:
    if name in result:
        key = lists.merge_key((*place, name))
        identity = _identity(key, (*place, name)) if key else lambda each: each
        result[name] = _ordered(result[name], order, original.get(name) or [], identity)


def _ordered(items: list[Json], wanted: list[Json], known: list[Json], identity: Identity) -> list[Json]:
    """
    Return *items* in the order of *wanted*; those that it does not name go in where *known* had them.

    One that *wanted* does not name comes before the first that it preceded in *known*, else at the end.
    """
    order, before = ([identity(each) for each in some] for some in (wanted, known))
    named = sorted((each for each in items if identity(each) in order), key=lambda each: order.index(identity(each)))
    others = [each for each in items if identity(each) not in order]
    result = []
    while named and others:
        ours, theirs = identity(others[0]), identity(named[0])
        earlier = ours in before and theirs in before and before.index(ours) < before.index(theirs)
        result.append((others if earlier else named).pop(0))
    return [*result, *named, *others]
