"""
Who wrote which fields: the `managedFields` of an object.

A plain write takes the fields that it changes, from whoever had them. An apply owns what it says, together with others
who say the same; `apply` finds out what that means before it is noted here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from firstwatch.model import Json
from gameday import timestamps
from gameday.api import fieldsets
from gameday.api.fieldsets import Path

UPDATE, APPLY = "Update", "Apply"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: its name, in which version, how, and to which part of the object."""

    name: str
    api: str
    operation: str = UPDATE
    part: str = ""

    def __str__(self) -> str:
        """Return how a conflict names this writer."""
        part = f' with subresource "{self.part}"' if self.part else ""
        return f'"{self.name}"{part}' + (f" using {self.api}" if self.operation == UPDATE else "")

    @property
    def same(self) -> "Writer":
        """Return what makes it the same writer again; an apply is, in whatever version it comes."""
        return replace(self, api="") if self.operation == APPLY else self


@dataclass(frozen=True, slots=True)
class Share:
    """What one writer owns, and when that changed last."""

    writer: Writer
    time: str
    fields: frozenset[Path]


Shares: TypeAlias = Mapping[Writer, Share]


def shares(item: Json) -> dict[Writer, Share]:
    """Return who owns what in *item*, by `Writer.same`."""
    entries = (item or {"metadata": {}})["metadata"].get("managedFields") or []
    found = [_share(each) for each in entries if each.get("manager") and each.get("operation")]
    return {each.writer.same: each for each in found}


def updated(before: Json, after: Json, writer: Writer, now: datetime) -> Json:
    """Return *after*, which takes the place of *before* (or of nothing), with its changes noted as *writer*'s."""
    status = writer.part == "status"
    old = fieldsets.fields(before, status=status) if before is not None else {}
    new = fieldsets.fields(after, status=status)
    gone = old.keys() - new.keys()
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    known = shares(after) or shares(before)
    if changed or gone:
        own = known.pop(writer.same, None)
        known = taken(known, changed | gone)
        fields = ((own.fields if own else frozenset()) - gone) | changed
        if fields:
            known[writer.same] = Share(writer, timestamps.seconds(now), fields)
    return noted(after, known)


def taken(known: Shares, fields: Iterable[Path]) -> dict[Writer, Share]:
    """Return *known* without *fields*; who has nothing left is gone."""
    lost = frozenset(fields)
    left = {same: replace(each, fields=each.fields - lost) for same, each in known.items()}
    return {same: each for same, each in left.items() if each.fields}


def noted(item: Json, known: Shares) -> Json:
    """Return *item* with *known* as its `managedFields`, in the API's order."""
    ordered = sorted(known.values(), key=lambda each: (each.writer.operation, each.time, each.writer.name))
    metadata = {name: each for name, each in item["metadata"].items() if name != "managedFields"}
    return {**item, "metadata": metadata | {"managedFields": [_entry(each) for each in ordered]}}


def _share(entry: Json) -> Share:
    part = entry.get("subresource") or ""
    writer = Writer(entry["manager"], entry.get("apiVersion") or "", entry["operation"], part)
    return Share(writer, entry.get("time") or "", frozenset(fieldsets.read(entry.get("fieldsV1"))))


def _entry(share: Share) -> Json:
    writer = share.writer
    entry = {"manager": writer.name, "operation": writer.operation, "apiVersion": writer.api, "time": share.time}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fieldsets.written(share.fields)}
    return entry | ({"subresource": writer.part} if writer.part else {})
