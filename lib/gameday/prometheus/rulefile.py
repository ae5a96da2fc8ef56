"""A rule file: groups of recording and alerting rules, each with its query already read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from firstwatch.errors import BadParameter
from firstwatch.model import Json
from gameday.prometheus import language, templates
from gameday.prometheus.sections import Section
from gameday.prometheus.syntax import Kind, Node, kind

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Recording:
    """A query whose result is kept as a series of the name."""

    name: str
    text: str
    query: Node
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alerting:
    """A query whose every result is an alert, once it has been there for `hold_ms`."""

    name: str
    text: str
    query: Node
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    hold_ms: int


Rule: TypeAlias = Recording | Alerting


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in their order, so that one may use what the former recorded."""

    name: str
    file: str
    interval_ms: int
    rules: tuple[Rule, ...]


def groups(content: Json, path: Path, interval_ms: int) -> list[Group]:
    """
    Return the groups of one file; *interval_ms* is for those that have none of their own.

    Raises:
        BadParameter: The file is wrong, or has a part that is not known here.
    """
    top = Section(content, str(path))
    found = [_group(each, str(path), interval_ms) for each in top.sections("groups")]
    top.end()
    return found


def _group(section: Section, file: str, interval_ms: int) -> Group:
    name = section.text("name")
    group = Group(name, file, section.interval("interval", interval_ms), tuple(map(_rule, section.sections("rules"))))
    section.end()
    return group


def _rule(section: Section) -> Rule:
    if section.has("record") == section.has("alert"):
        raise BadParameter(f"{section.where}: either record or alert is wanted")
    rule = _recording(section) if section.has("record") else _alerting(section)
    section.end()
    if wrong := [name for name in rule.labels if not _LABEL.fullmatch(name) or name == "__name__"]:
        raise BadParameter(f"{section.where}: labels: {wrong[0]!r} is no label name")
    return rule


def _recording(section: Section) -> Recording:
    name, (text, query) = section.text("record"), _expression(section)
    if not _METRIC.fullmatch(name):
        raise BadParameter(f"{section.where}: record: {name!r} is no metric name")
    return Recording(name, text, query, section.labels("labels"))


def _alerting(section: Section) -> Alerting:
    name, (text, query) = section.text("alert"), _expression(section)
    labels, annotations = section.labels("labels"), section.labels("annotations")
    for field, values in (("labels", labels), ("annotations", annotations)):
        for value in values.values():
            section.parsed(field, lambda value=value: templates.check(value))  # type: ignore[misc]
    hold = section.span("for", 0)
    return Alerting(name, text, query, labels, annotations, hold)


def _expression(section: Section) -> tuple[str, Node]:
    text = section.text("expr").strip()
    query = section.parsed("expr", lambda: language.parse(text))
    if kind(query) not in {Kind.SCALAR, Kind.VECTOR}:
        raise BadParameter(f"{section.where}: expr is a {kind(query)}, a rule needs an instant vector or a scalar")
    return text, query
