"""
The story of an incident: what happened, in the order of time, for those who learn from it. Pure.

It names no person: who did what is in the record, and a story is about what happened. A note that somebody back-dated
stands where it belongs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from firstwatch.policy.course import MITIGATED, Step, course
from firstwatch.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened; `key` when it is one of the four key moments."""

    at: datetime
    text: str
    key: bool = False


def story(facts: Facts) -> tuple[Line, ...]:
    """Return what happened, oldest first; a key moment comes before what else happened then."""
    steps = course(facts)
    lines = [*(Line(each.at, f"{each.text} ({each.source})", True) for each in steps), *_others(facts, steps)]
    return tuple(sorted(lines, key=lambda each: (each.at, not each.key)))


def _others(facts: Facts, steps: tuple[Step, ...]) -> Iterator[Line]:
    for grade in facts.grades[1:]:
        yield Line(grade.at, f"Severity {grade.severity}{_why(grade.reason)}")
    for flag in facts.flags:
        yield Line(flag.at, f"Flag {flag.flag} {'set' if flag.value else 'taken off'}{_why(flag.reason)}")
    for climb in facts.escalations:
        yield Line(climb.at, f"Escalated to {climb.level}{_why(climb.reason)}")
    for update in facts.updates:
        yield Line(update.at, f"Update {update.number}, {update.status}: {update.summary}")
    for thought in facts.hypotheses:
        yield Line(thought.at, f"Hypothesis {thought.state}: {thought.text}")
    for note in facts.notes:
        yield Line(note.at, note.text)
    for turn in facts.turns:
        yield Line(turn.at, f"{'Resolved' if turn.resolved else 'Reopened'}{_why(turn.reason)}")
    mitigated = {each.at for each in steps if each.id == MITIGATED}
    for change in facts.mitigations:
        if change.at not in mitigated:
            yield Line(change.at, f"Changed: {change.reason}")


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""
