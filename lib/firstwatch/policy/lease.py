"""
Leases: who is changing a target now, so that two responders do not act on it at once.

The intent is the lease. One event says what is about to be done, to what, by whom, and until when nobody else may: so
there is no moment in which somebody holds a target and has not said what for. It ends with the outcome, or when it was
settled what became of the change, and with its time when its holder died.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

TERM = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Lease:
    """A target, by its uid, that *holder* is changing under the key *change*, until a time."""

    uid: str
    holder: str
    change: str
    until: datetime


def held(leases: Iterable[Lease], uid: str, now: datetime) -> Lease | None:
    """Return the lease on the target *uid* that still holds at *now*, or None."""
    return next((each for each in leases if each.uid == uid and each.until > now), None)
