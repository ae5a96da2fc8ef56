"""Times and spans as Prometheus writes them: `1h30m`, seconds with a fraction, RFC 3339. All in whole milliseconds."""

import math
import re
from datetime import UTC, datetime, timedelta

from gameday import timestamps

_SPAN = re.compile(r"(?:\d+(?:ms|[smhdwy]))+", re.ASCII)
_PART = re.compile(r"(\d+)(ms|[smhdwy])", re.ASCII)
_UNITS_MS = {
    "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000,
}  # fmt: skip
_ORDER = list(reversed(_UNITS_MS))
FURTHEST_MS = 2**53

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span(text: str) -> int:
    """Return the milliseconds of `90s`, `1h30m` or `0`; ValueError when *text* is no time span."""
    parts = _PART.findall(text) if _SPAN.fullmatch(text) else []
    units = [_ORDER.index(unit) for _, unit in parts]
    total = sum(int(count) * _UNITS_MS[unit] for count, unit in parts)
    if text != "0" and (not parts or units != sorted(set(units)) or total > FURTHEST_MS):
        raise ValueError(f"{text!r} is no time span such as 500ms, 90s or 1h30m")
    return total


def moment(text: str) -> int:
    """Return the milliseconds since 1970 of seconds or of an RFC 3339 time; ValueError when *text* is neither."""
    try:
        seconds = float(text)
    except ValueError:
        return of(timestamps.parse(text))
    return _milliseconds(seconds, text)


def step(text: str) -> int:
    """Return the milliseconds of a time span or of plain seconds."""
    try:
        seconds = float(text)
    except ValueError:
        return span(text)
    return _milliseconds(seconds, text)


def of(when: datetime) -> int:
    return round((when - EPOCH) / timedelta(milliseconds=1))


def at(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def show(milliseconds: int) -> str:
    """Return a moment as the API writes it, in RFC 3339."""
    return at(milliseconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(milliseconds: int) -> int | float:
    """Return seconds, whole where they are, for a JSON answer."""
    return milliseconds / 1000 if milliseconds % 1000 else milliseconds // 1000


def _milliseconds(number: float, text: str) -> int:
    if not math.isfinite(number) or abs(number) * 1000 > FURTHEST_MS:
        raise ValueError(f"{text!r} is out of range")
    return round(number * 1000)
