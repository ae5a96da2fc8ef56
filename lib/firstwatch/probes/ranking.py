"""
The order in which findings are shown: the first is the one to act on.

No model and no scenario: what a mechanism is (`mechanisms.Weight`) decides, a contradiction of state before what it
leads to. Then: what a probe saw itself before what a log says of it; the service's own objects before their neighbours;
the order of the list, roots before what grows from them; what began nearest to the harm. What was so long before
anybody was hurt comes last among the BAD: it was true in health too.

UNKNOWN comes before OK, because whoever is blind must know it. Among what is OK, what changed nearest to the onset
comes first.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from firstwatch.mechanisms import MECHANISMS, Weight, weight
from firstwatch.model import Finding, Findings, Verdict, clock_time
from firstwatch.probes.conclusions import NEAR, conclude, hurt, onset

KINDS = tuple(MECHANISMS)
OWN = (
    "rollouts",
    "scaling",
    "error-rate",
    "settings",
    "references",
    "health",
)  # probes whose objects are the service's own
WHOLE = ("pods", "rollouts")  # probes that speak of a workload as a whole, where another names the very object
FAR = timedelta.max
REASONS = {
    Weight.FLAW: "it contradicts itself: as it is written it cannot work",
    Weight.UPSTREAM: "the workload leans on it",
    Weight.CHANGE: "it changed just before",
    Weight.STATE: "a state that is bad, whatever brought it",
    Weight.THRESHOLD: "a limit was passed",
    Weight.HARM: "users feel it",
    Weight.REMARK: "nobody is hurt by it yet",
}


def rank(findings: Iterable[Finding]) -> Findings:
    """Return *findings*, with what follows from them, in the order in which to act on them, each with its reason."""
    seen = conclude(tuple(findings))
    began = onset(seen)
    own = {each.object for each in seen if each.probe in OWN}
    ordered = sorted(seen, key=lambda each: _place(each, own, began))
    return Findings(_lonely(tuple(_explained(each, began) for each in ordered)))


def _place(each: Finding, own: set[str], began: datetime | None) -> tuple[object, ...]:
    distance = abs(began - each.since) if began and each.since else FAR
    last = (distance, each.since.timestamp() if each.since else float("inf"), each.probe, each.object)
    if each.verdict is not Verdict.BAD:
        return (1 if each.verdict is Verdict.UNKNOWN else 2, 0, 0, 0, 0, 0, 0, *last)
    kind = KINDS.index(each.mechanism) if each.mechanism in MECHANISMS else len(KINDS)
    return (
        0,
        _old(each, began),
        weight(each.mechanism),
        each.probe == "logs",
        each.object not in own,
        kind,
        each.probe in WHOLE,
        *last,
    )


def _old(each: Finding, began: datetime | None) -> bool:
    """Whether *each* was so long before the harm began, and so in health too."""
    return bool(began and each.since and each.since < began - NEAR)


def _explained(each: Finding, began: datetime | None) -> Finding:
    """Return *each* with the reason for its place, where it does not give one."""
    if each.why_here or (each.verdict is not Verdict.BAD and not (began and each.since)):
        return each
    if each.verdict is Verdict.BAD and _old(each, began):
        assert each.since is not None
        return replace(each, why_here=f"so since {clock_time(each.since)}, long before the harm began")
    parts = [REASONS[weight(each.mechanism)]] if each.verdict is Verdict.BAD else []
    return replace(each, why_here="; ".join(filter(None, (*parts, _when(each, began)))))


def _when(each: Finding, began: datetime | None) -> str:
    if not began or not each.since or each.mechanism == "errors-served" or abs(began - each.since) > NEAR:
        return ""
    seconds = (began - each.since).total_seconds()
    return f"{abs(seconds):.0f} s {'before' if seconds >= 0 else 'after'} the harm began"


def _lonely(ranked: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Say so when users are hurt and nothing explains it: no change came before, or a source is blind."""
    if not hurt(ranked) or weight(ranked[0].mechanism) < Weight.HARM:
        return ranked
    blind = sorted({each.probe for each in ranked if each.verdict is Verdict.UNKNOWN and each.mechanism == "blind"})
    said = (
        f"blind: {', '.join(blind)} could not look"
        if blind
        else "no code cause: nothing changed in the 10 minutes before"
    )
    first = ranked[0]
    return (replace(first, why_here=f"{first.why_here}; {said}" if first.why_here else said), *ranked[1:])
