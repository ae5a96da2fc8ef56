"""
A text of which some parts are made anew, and the rest belongs to people.

A part stands between two lines that no reader sees (Markdown takes them for the definition of a link). The second
holds the hash of what was made: a part that somebody has edited since does not match it, is theirs from then on, and
is left as it is. So is everything outside of the parts.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_PART = re.compile(
    r"^\[//\]: # \(firstwatch: (?P<name>[a-z-]+) begins\)\n\n(?P<text>.*?)\n\n"
    r"\[//\]: # \(firstwatch: (?P=name) ends (?P<hash>[0-9a-f]{12})\)$",
    re.DOTALL | re.MULTILINE,
)
MARK = re.compile(r"^\[//\]: # \(firstwatch: .*\)$", re.MULTILINE)


def part(name: str, text: str) -> str:
    """Return *text* as the part *name*."""
    return f"[//]: # (firstwatch: {name} begins)\n\n{text}\n\n[//]: # (firstwatch: {name} ends {_hash(text)})"


@dataclass(frozen=True, slots=True)
class Renewed:
    """A text with its parts made anew; `kept` are those that somebody has edited, `gone` those that are not there."""

    text: str
    kept: tuple[str, ...]
    gone: tuple[str, ...]


def renewed(text: str, parts: Mapping[str, str]) -> Renewed:
    """Return *text* with each of *parts* in its place; whatever a person wrote stays, byte for byte."""
    kept: list[str] = []
    seen: set[str] = set()

    def made(found: re.Match[str]) -> str:
        name = found["name"]
        seen.add(name)
        if name not in parts:
            return found[0]
        if found["hash"] != _hash(found["text"]):
            kept.append(name)
            return found[0]
        return part(name, parts[name])

    after = _PART.sub(made, text)
    return Renewed(after, tuple(kept), tuple(name for name in parts if name not in seen))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
