"""Columns, and the ways of writing that many of them share: ages, selectors, long lists cut short."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from firstwatch.model import Json
from gameday import timestamps

NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"
MOST_LISTED = 3

Cells: TypeAlias = Callable[[Json, datetime], list[Json]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A *wide* one is shown with `-o wide` only."""

    name: str
    type: str = "string"
    wide: bool = False

    def json(self) -> Json:
        """Return its definition; by its format, kubectl writes `KIND/` before a name when it lists many kinds."""
        form = "name" if self.name == "Name" else ""
        return {
            "name": self.name, "type": self.type, "format": form, "description": "", "priority": int(self.wide)
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind, and what is in each of them for an object."""

    columns: tuple[Column, ...]
    cells: Cells


def columns(text: str) -> tuple[Column, ...]:
    """Return the columns that *text* names, as in `Name, Ready:integer, Images*`: a type, and a star if it is wide."""
    return tuple(_column(each.strip()) for each in text.split(","))


def _column(text: str) -> Column:
    name, _, kind = text.rstrip("*").partition(":")
    return Column(name, kind or "string", wide=text.endswith("*"))


def name(item: Json) -> str:
    return str(item["metadata"].get("name", ""))


def age(item: Json, now: datetime) -> str:
    return since(item["metadata"].get("creationTimestamp"), now)


def since(moment: str | None, now: datetime) -> str:
    """Return how long ago *moment* was, as kubectl writes it."""
    return duration((now - timestamps.parse(moment)).total_seconds()) if moment else UNKNOWN


def duration(seconds: float) -> str:
    """
    Return *seconds* to the two units that matter: `95s`, `3m12s`, `45m`, `5h7m`, `2d3h`, `30d`, `2y40d`.

    A clock that is up to two seconds behind sees the future as now.
    """
    if int(seconds) < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 2:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    return _long(hours, days)


def _long(hours: int, days: int) -> str:
    years = days // 365
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if years < 2:
        return f"{days}d"
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"


def pairs(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector(wanted: Json) -> str:
    """Return a `LabelSelector` as kubectl would take it for `-l`."""
    if wanted is None:
        return NONE
    parts = {key: f"{key}={value}" for key, value in (wanted.get("matchLabels") or {}).items()}
    parts |= {each["key"]: _expression(each) for each in wanted.get("matchExpressions") or []}
    return ",".join(parts[key] for key in sorted(parts)) or NONE


def _expression(expression: Json) -> str:
    key, values = expression["key"], ",".join(sorted(expression.get("values") or []))
    match expression["operator"]:
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
        case _:
            return f"!{key}"


def listed(values: list[str], empty: str = UNSET) -> str:
    """Return the first three of *values*, and how many there are more."""
    more = len(values) - MOST_LISTED
    shown = ",".join(values[:MOST_LISTED]) or empty
    return f"{shown} + {more} more..." if more > 0 else shown


def containers(template: Json) -> list[Json]:
    """Return the names and the images of a pod template's containers: two cells."""
    several = template["spec"].get("containers") or []
    return [",".join(each.get(key, "") for each in several) for key in ("name", "image")]
