"""
What a record has measured: the evidence of a severity's proposal, read off the last look.

What a probe calls OK is not slow, by the team's own thresholds; what it could not tell is not known. Neither counts.
"""

from firstwatch.model import Finding, Findings, Verdict
from firstwatch.policy.levels import Measures
from firstwatch.record.incident import Incident

LATENCY = "latency"  # the probe
SHARE = "share of requests"  # the unit


def evidence(incident: Incident) -> tuple[Measures, set[str]]:
    """Return what was measured last, and the mechanisms that the last look saw."""
    bad = Findings(each for each in incident.findings if each.verdict is Verdict.BAD)
    slow = _slowest(bad)
    numbers = {"latency_s": slow.value, "baseline_s": slow.usual} if slow else {}
    return Measures(error_share=_share(incident), **numbers), {each.mechanism for each in bad if each.mechanism}


def _share(incident: Incident) -> float | None:
    rate = incident.measured
    return rate.points[-1][1] if rate and rate.unit == SHARE and rate.points else None


def _slowest(bad: Findings) -> Finding | None:
    found = [each for each in bad if each.probe == LATENCY and each.value is not None]
    return max(found, key=lambda each: each.value or 0, default=None)
