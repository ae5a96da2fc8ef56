"""
What people are told: the procedures' own texts, as templates with named fields.

A template is a file in `templates/`, word for word the procedures' text with `$field` where it had a placeholder. What
fills a field is data: it is put in as it stands and never read as a template, so `{{ 7*7 }}`, `{0}` and `$severity` in
a title are shown literally. A text of one line stays on its line, and letters that cannot be seen, or that turn the
reading direction, are shown as escapes: nobody can forge a second line of a message, or hide one.
"""

import json
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Json

MOST_LETTERS = 2000  # of one field
Fields: TypeAlias = Mapping[str, str | Sequence[str]]

TEAM = (
    "declaration", "update", "resolution", "resolution-only", "page",
    "page-acknowledged", "page-resolved", "escalation", "notice", "ticket", "reminder", "action-item",
    "aws-case",
)  # fmt: skip
CUSTOMERS = (
    "investigating", "identified", "monitoring", "resolved", "customer-notice", "customer-restoration",
)  # fmt: skip
PUBLIC = (*CUSTOMERS, "ticket", "action-item")  # read outside of the response team: under a breach these wait for legal
STATES = ("investigating", "identified", "monitoring", "resolved")  # of the status page, in their order


class _Template(string.Template):
    idpattern = "(?a:[a-z_]+)"


@dataclass(frozen=True, slots=True)
class Template:
    """One text. `fields` are in the order in which they come; `json` when it is a status page's object."""

    name: str
    source: str
    json: bool

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(_Template(self.source).get_identifiers())

    @property
    def for_customers(self) -> bool:
        return self.name in CUSTOMERS


@cache
def template(name: str) -> Template:
    """Return the template called *name*; NotFound gives the nearest there is."""
    if name not in (*TEAM, *CUSTOMERS):
        raise NotFound(f"there is no text {name!r}; {nearest(name, [*TEAM, *CUSTOMERS])}")
    suffix = "json" if name in STATES else "txt"
    source = (files(__package__) / "templates" / f"{name}.{suffix}").read_text("utf-8")
    return Template(name, source.removesuffix("\n"), suffix == "json")


def render(name: str, fields: Fields) -> str:
    """
    Return the text of the template *name*, each of its fields filled.

    Args:
        name: For example `declaration`; the names are those of the files in `templates/`.
        fields: A value each; only `components` of a status page may be several.

    Raises:
        NotFound: There is no such template.
        BadParameter: A field is missing, empty, longer than 2,000 letters, or not one of the template's.
    """
    found = template(name)
    given = _checked(found, fields)
    if found.json:
        return json.dumps(_filled(json.loads(found.source), given), indent=2, ensure_ascii=False)
    return _Template(found.source).substitute({key: _joined(value) for key, value in given.items()})


def _checked(found: Template, fields: Fields) -> dict[str, str | list[str]]:
    unknown = sorted(set(fields) - set(found.fields))
    if unknown:
        raise BadParameter(
            f"the text {found.name} has no field {unknown[0]!r}; {nearest(unknown[0], list(found.fields))}"
        )
    return {field: _value(found.name, field, fields.get(field, "")) for field in found.fields}


def _value(name: str, field: str, given: str | Sequence[str]) -> str | list[str]:
    if len(given) > 10 * MOST_LETTERS:  # a megabyte is not even looked at
        raise BadParameter(f"{field} has {len(given):,} letters; {MOST_LETTERS:,} are the most")
    made = literal(given) if isinstance(given, str) else [literal(each) for each in given]
    if not made or not all(made):
        raise BadParameter(f"the text {name} needs {field}")
    if len(_joined(made)) > MOST_LETTERS:
        raise BadParameter(f"{field} has {len(_joined(made)):,} letters; {MOST_LETTERS:,} are the most")
    return made


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _filled(source: Json, given: Mapping[str, str | list[str]]) -> Json:
    """Return the status page's object with its strings filled; a list of one field becomes that field's list."""
    if isinstance(source, dict):
        return {key: _filled(value, given) for key, value in source.items()}
    if isinstance(source, list):
        value = given[source[0].removeprefix("$")]
        return [value] if isinstance(value, str) else value
    return _Template(source).substitute({key: _joined(value) for key, value in given.items()})


def literal(text: str) -> str:
    """Return *text* on one line, in one spelling (NFC), with what cannot be seen shown as escapes."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(letter if _seen(letter) else _escape(letter) for letter in line)


def _seen(letter: str) -> bool:
    """Whether *letter* shows: not a control, a format letter (zero width, direction), half a letter or no letter."""
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escape(letter: str) -> str:
    return f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"


def headed(text: str) -> tuple[str, str]:
    """Return the subject and the body of a *text* that begins with `Subject:`; else its first line and all of it."""
    first, _, rest = text.partition("\n")
    return (first.removeprefix("Subject: "), rest.lstrip("\n")) if first.startswith("Subject: ") else (first, text)
