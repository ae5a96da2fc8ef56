"""What an outage costs of what was promised: the minutes that a target allows, and how many were spent. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from firstwatch.settings import Sla


@dataclass(frozen=True, slots=True)
class Spent:
    """So much of what `allowed` is was `spent`, of a promise of `target` per cent in `days`."""

    spent: timedelta
    allowed: timedelta
    target: float
    days: int

    @property
    def kept(self) -> bool:
        return self.spent <= self.allowed

    def __str__(self) -> str:
        share = round(100 * (self.spent / self.allowed))
        word = "kept" if self.kept else "VIOLATED"
        promise = f"the {_minutes(self.allowed)} that {self.target:g} % allow in {self.days} days"
        return f"{word}: {_minutes(self.spent)} of {promise}, {share} %"


def spent(sla: Sla, outage: timedelta, severity: str) -> Spent:
    """Return what an *outage* takes of the promise; an incident of a severity that does not count takes nothing."""
    counts = severity in sla.severities
    allowed = timedelta(days=sla.days) * ((100 - sla.target) / 100)
    return Spent(outage if counts else timedelta(), allowed, sla.target, sla.days)


def _minutes(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} minutes" if minutes >= 10 else f"{minutes:.1f} minutes"
