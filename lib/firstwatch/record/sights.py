"""
What an incident's probes last said, whichever run asked them.

A run shows what it saw itself. What an earlier one saw to be BAD, and nobody has asked again since, is not well for
that: it is shown beside, with its time.
"""

from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import Finding, Findings, Verdict


@dataclass(frozen=True, slots=True)
class Sight:
    """A finding, and when it was made."""

    at: datetime
    finding: Finding


def after(earlier: tuple[Sight, ...], found: Findings, at: datetime) -> tuple[Sight, ...]:
    """Return what each probe last said, now that *found* was said at *at*."""
    again = {each.probe for each in found}
    return (*(each for each in earlier if each.finding.probe not in again), *(Sight(at, each) for each in found))


def bad_before(sights: tuple[Sight, ...], shown: Findings) -> tuple[Sight, ...]:
    """Return those of *sights* that are BAD and of probes that are not among those *shown*, the oldest first."""
    asked = {each.probe for each in shown}
    return tuple(each for each in sights if each.finding.verdict is Verdict.BAD and each.finding.probe not in asked)
