"""
The forms in which an answer shows objects: as they are, as a table's rows, or their metadata alone.

A client asks by its Accept header. Objects are kept without their kind; one by itself says it, one in a list does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import Json
from gameday.api import accept, errors, tables
from gameday.api.resources import Resource

META = "meta.k8s.io"
PARTIAL = "PartialObjectMetadata"


@dataclass(frozen=True, slots=True)
class View:
    """How one request is answered. `include` is what a table's row has of its object."""

    resource: Resource
    table: bool
    partial: bool
    include: str
    now: datetime

    def one(self, item: Json) -> Json:
        if self.table:
            return tables.table(self.resource, [item], now=self.now, include=self.include, version=_version(item))
        return self._partial(item) if self.partial else whole(self.resource, item)

    def many(self, items: Sequence[Json], version: str, continue_: str = "", remaining: int = 0) -> Json:
        if self.table:
            return tables.table(
                self.resource, items, now=self.now, include=self.include, version=version, continue_=continue_
            )
        metadata: dict[str, Json] = {"resourceVersion": version} | ({"continue": continue_} if continue_ else {})
        metadata |= {"remainingItemCount": remaining} if remaining else {}
        if self.partial:
            items = [self._partial(each) for each in items]
        kind, api = (PARTIAL, f"{META}/v1") if self.partial else (self.resource.kind.kind, self.resource.kind.api)
        return {"kind": f"{kind}List", "apiVersion": api, "metadata": metadata, "items": items}

    def event(self, kind: str, item: Json, *, first: bool) -> Json:
        """Return one line of a watch; only the *first* table of a watch defines its columns."""
        if self.table:
            shown = tables.table(
                self.resource, [item], now=self.now, include=self.include, version=_version(item), headers=first
            )
            return {"type": kind, "object": shown}
        return {"type": kind, "object": self.one(item)}

    def bookmark(self, version: int, *, initial: bool = False) -> Json:
        """Return the line that says how far a watch is; *initial*, that all that was there has been told."""
        annotations = {"annotations": {"k8s.io/initial-events-end": "true"}} if initial else {}
        metadata = {"resourceVersion": str(version), "creationTimestamp": None} | annotations
        if self.table:
            shown = tables.table(
                self.resource, [], now=self.now, include=self.include, version=str(version), headers=False
            )
            return {"type": "BOOKMARK", "object": shown | {"metadata": {"resourceVersion": str(version)}}}
        return {"type": "BOOKMARK", "object": self.one({"metadata": metadata})}

    def _partial(self, item: Json) -> Json:
        return {"kind": PARTIAL, "apiVersion": f"{META}/v1", "metadata": item["metadata"]}


def of(resource: Resource, header: str, include: str, now: datetime) -> View:
    """Return the view that *header*, an Accept header, prefers."""
    header = header or accept.JSON
    if not any(accept.JSON in header or each in header for each in ("*/*", "application/*")):
        raise errors.not_acceptable(accept.JSON)
    partial = any(accept.prefers(header, kind, META, "v1") for kind in (PARTIAL, f"{PARTIAL}List"))
    return View(resource, tables.wants_table(header), partial, include or "Metadata", now)


def whole(resource: Resource, item: Json) -> Json:
    return {"kind": resource.kind.kind, "apiVersion": resource.kind.api, **item}


def _version(item: Json) -> str:
    return str(item["metadata"].get("resourceVersion", ""))
