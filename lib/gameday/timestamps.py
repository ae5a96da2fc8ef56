"""Kubernetes' ways of writing a moment: to the second, in leases to the microsecond, in logs to the nanosecond."""

import re
from datetime import UTC, datetime

# Python reads at most six digits of a second, and logs have nine.
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


def seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nano(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def parse(text: str) -> datetime:
    """Return the moment that *text* names; ValueError when it names none."""
    return datetime.fromisoformat(_FRACTION.sub(r".\1", text)).astimezone(UTC)
