"""
Whether it is too early to say that nothing is wrong: something changed, or was logged, moments ago.

A rate lags what it counts, by a scrape and by a rule. What broke seconds ago shows in no rate yet, so whoever finds
nothing BAD then has to look again.
"""

from datetime import datetime, timedelta

from firstwatch.mechanisms import Weight, weight
from firstwatch.model import Finding, Findings, Verdict

LATELY = timedelta(seconds=30)


def early(found: Findings, now: datetime) -> bool:
    """Return whether nothing of *found* is BAD and something of it began just before *now*."""
    wrong = any(each.verdict is Verdict.BAD and weight(each.mechanism) < Weight.REMARK for each in found)
    return not wrong and any(_lately(each, now) for each in found)


def _lately(each: Finding, now: datetime) -> bool:
    return each.since is not None and now - each.since <= LATELY
