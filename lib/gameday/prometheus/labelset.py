"""
What names a series: its labels, as a sorted tuple of pairs, so that they can be compared, hashed and ordered.

A label without a value is no label, here as in Prometheus: `of` leaves it out, `get` returns the empty text.
"""

from collections.abc import Collection, Mapping
from typing import TypeAlias

Labels: TypeAlias = tuple[tuple[str, str], ...]

NAME = "__name__"

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def of(mapping: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in mapping.items() if value))


def get(labels: Labels, name: str) -> str:
    for each, value in labels:
        if each == name:
            return value
    return ""


def keep(labels: Labels, names: Collection[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] in names)


def drop(labels: Labels, names: Collection[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in names)


def nameless(labels: Labels) -> Labels:
    return drop(labels, (NAME,))


def update(labels: Labels, changes: Mapping[str, str]) -> Labels:
    return of({**dict(labels), **changes})


def quote(text: str) -> str:
    """Return *text* as a literal of the query language and of the text format alike."""
    return f'"{text.translate(_ESCAPES)}"'


def show(labels: Labels) -> str:
    """Return *labels* as a selector: `up{job="api"}`."""
    inside = ", ".join(f"{name}={quote(value)}" for name, value in nameless(labels))
    name = get(labels, NAME)
    return f"{name}{{{inside}}}" if inside or not name else name
