"""
Prometheus' text format, version 0.0.4: what a target answers when it is scraped.

One line that cannot be read spoils the whole answer, as it does for Prometheus: half a scrape would look like a
service that lost half of its traffic.
"""

import re
from typing import NamedTuple

from gameday.prometheus import labelset, number
from gameday.prometheus.labelset import NAME, Labels

TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|(?=\}))')
_CLOSE = re.compile(r"[ \t]*\}")
_ESCAPE = re.compile(r'\\([\\"n])')


class Sample(NamedTuple):
    """One value. `at_ms` is None when the target leaves the time to who scrapes it."""

    labels: Labels
    value: float
    at_ms: int | None


def parse(text: str) -> list[Sample]:
    """Return the samples of *text* in its order; ValueError names the first line that is not of the format."""
    samples = []
    for position, line in enumerate(text.split("\n"), 1):
        try:
            if sample := _line(line.strip(" \t\r")):
                samples.append(sample)
        except ValueError as error:
            raise ValueError(f"line {position}: {error}") from error
    return samples


def _line(line: str) -> Sample | None:
    if line.startswith("#"):
        _check(line.split())
        return None
    return _sample(line) if line else None


def _check(words: list[str]) -> None:
    if words[:2] == ["#", "TYPE"] and (len(words) != 4 or words[3] not in TYPES):
        raise ValueError(f"no type of the format: {' '.join(words)!r}")


def _sample(line: str) -> Sample:
    name = _METRIC.match(line)
    if not name:
        raise ValueError(f"no metric name: {line[:80]!r}")
    labels, end = _labels(line, name.end())
    rest = line[end:].split()
    if len(rest) not in {1, 2}:
        raise ValueError(f"no value, or more than a value and a time: {line[:80]!r}")
    moment = int(rest[1]) if len(rest) == 2 else None
    return Sample(labelset.of({NAME: name[0], **labels}), number.parse(rest[0]), moment)


def _labels(line: str, position: int) -> tuple[dict[str, str], int]:
    """Return the labels that begin at *position*, if any, and where they end."""
    labels: dict[str, str] = {}
    opening = re.compile(r"[ \t]*\{").match(line, position)
    if not opening:
        return labels, position
    position = opening.end()
    while not (closing := _CLOSE.match(line, position)):
        label = _LABEL.match(line, position)
        if not label or label[1] in labels:
            raise ValueError(f"no labels: {line[:80]!r}")
        labels[label[1]] = _ESCAPE.sub(_unescape, label[2])
        position = label.end()
    return labels, closing.end()


def _unescape(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]
