"""Which layout shows which kind."""

from collections.abc import Mapping
from datetime import datetime

from firstwatch.model import Json
from gameday.api.rows import networking, nodes, pods, policies, stored, workloads
from gameday.api.rows.column import Layout, age, columns, name
from gameday.kinds import Kind


def of(kind: Kind) -> Layout:
    """Return how *kind* is shown: by name and age, unless more is known."""
    return _LAYOUTS.get(kind.plural, ANY)


def _any(item: Json, now: datetime) -> list[Json]:
    return [name(item), age(item, now)]


ANY = Layout(columns("Name, Age"), _any)
_LAYOUTS: Mapping[str, Layout] = {
    **workloads.LAYOUTS, **networking.LAYOUTS, **policies.LAYOUTS, **stored.LAYOUTS, **nodes.LAYOUTS,
    "pods": pods.LAYOUT,
}  # fmt: skip
