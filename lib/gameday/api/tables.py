"""
Tables: what `kubectl get` shows, which the server decides, so that every client shows the same.

A row has its cells and, for what the client does besides showing them, the object's metadata, all of it, or nothing.
"""

from collections.abc import Iterable
from datetime import datetime

from firstwatch.model import Json
from gameday.api import accept as forms
from gameday.api.resources import Resource
from gameday.api.rows import layouts

GROUP = "meta.k8s.io"


def wants_table(accept: str) -> bool:
    return forms.prefers(accept, "Table", GROUP, "v1")


def table(
    resource: Resource,
    items: Iterable[Json],
    *,
    now: datetime,
    include: str,
    version: str,
    continue_: str = "",
    headers: bool = True,
) -> Json:
    """
    Return *items* as a table.

    Args:
        resource: What they are of.
        items: The objects.
        now: When ages are counted.
        include: What a row has of its object: `Metadata`, `Object` or `None`.
        version: The resourceVersion of the list, to watch from.
        continue_: Where the next page begins, if there is one.
        headers: Whether columns are defined; in a watch, only the first table needs to.
    """
    layout = layouts.of(resource.kind)
    rows = [{"cells": layout.cells(item, now), **_about(resource, item, include)} for item in items]
    metadata = {"resourceVersion": version} | ({"continue": continue_} if continue_ else {})
    defined = [column.json() for column in layout.columns] if headers else None
    return {
        "kind": "Table", "apiVersion": f"{GROUP}/v1", "metadata": metadata, "columnDefinitions": defined, "rows": rows
    }  # fmt: skip


def _about(resource: Resource, item: Json, include: str) -> dict[str, Json]:
    if include == "None":
        return {}
    if include == "Object":
        return {"object": {"kind": resource.kind.kind, "apiVersion": resource.kind.api} | item}
    partial = {"kind": "PartialObjectMetadata", "apiVersion": f"{GROUP}/v1", "metadata": item["metadata"]}
    return {"object": partial}
