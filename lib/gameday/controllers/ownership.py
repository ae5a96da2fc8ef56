"""
Who owns what: a controller's objects are those whose owner reference names it, never merely those whose labels fit.

An object whose labels fit and that nobody controls is adopted; one that is owned but whose labels no longer fit is
released. Both are a change of its owner references, bound to its uid.
"""

from collections.abc import Iterable

from firstwatch.model import Json
from gameday import labels
from gameday.client import Client
from gameday.informer import Informer
from gameday.kinds import Kind


def controller_of(item: Json) -> Json:
    """Return the owner reference that says `controller: true`, or None."""
    references = item["metadata"].get("ownerReferences") or []
    return next((each for each in references if each.get("controller")), None)


def owns(owner: Json, item: Json) -> bool:
    reference = controller_of(item)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def reference(kind: Kind, owner: Json) -> Json:
    """Return the owner reference of what *owner* controls."""
    about = owner["metadata"]
    named = {"apiVersion": kind.api, "kind": kind.kind, "name": about["name"], "uid": about["uid"]}
    return named | {"controller": True, "blockOwnerDeletion": True}


async def claim(
    client: Client, kind: Kind, owner: Json, owned: Kind, candidates: Iterable[Json], known: Informer
) -> list[Json]:
    """Return those of *candidates* that *owner* controls, after adopting and releasing what has to be."""
    mine = []
    for item in candidates:
        fits = labels.matches(owner["spec"]["selector"], item["metadata"].get("labels"))
        if owns(owner, item) and not fits:
            known.observe(await _refer(client, owned, item, _others(owner, item)))
        elif owns(owner, item):
            mine.append(item)
        elif fits and _free(owner, item):
            adopted = await _refer(client, owned, item, [*_others(owner, item), reference(kind, owner)])
            known.observe(adopted)
            mine.append(adopted)
    return mine


def _free(owner: Json, item: Json) -> bool:
    """Tell whether *owner* may adopt *item*: what is being deleted neither adopts nor is adopted."""
    leaving = item["metadata"].get("deletionTimestamp") or owner["metadata"].get("deletionTimestamp")
    return controller_of(item) is None and not leaving


def _others(owner: Json, item: Json) -> list[Json]:
    references = item["metadata"].get("ownerReferences") or []
    return [each for each in references if each["uid"] != owner["metadata"]["uid"]]


async def _refer(client: Client, kind: Kind, item: Json, references: list[Json]) -> Json:
    about = item["metadata"]
    bound = {"uid": about["uid"], "resourceVersion": about["resourceVersion"]}
    return await client.patch(kind, item, {"metadata": bound | {"ownerReferences": references}})
