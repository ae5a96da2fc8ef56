"""Kubernetes' ways of writing a moment: to the second, in leases to the microsecond, in logs to the nanosecond."""

from datetime import UTC, datetime


def seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nano(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def parse(text: str) -> datetime:
    """Return the moment that *text* names, to the microsecond; ValueError when it names none."""
    return datetime.fromisoformat(text).astimezone(UTC)
