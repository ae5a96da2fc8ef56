"""
What a review runbook's cells call: each reads the record of a watch and returns what is to be learned from it.

They change nothing. What they show is what `firstwatch close` and `firstwatch postmortem` go by.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from firstwatch import environment
from firstwatch.model import cell, table
from firstwatch.policy import assessment, tables
from firstwatch.policy.duties import duties
from firstwatch.policy.story import story as told
from firstwatch.policy.tables import Policy
from firstwatch.publish.postmortem import DRAFT, Report, hours
from firstwatch.record.closing import Closing
from firstwatch.record.closing import closing as standing
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.score import Score, score
from firstwatch.runs.watch import Watch


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, with a line of text above it."""

    line: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return "\n".join([self.line, *("  ".join(row) for row in self.rows)])

    def _repr_markdown_(self) -> str:
        return "\n\n".join([cell(self.line), *([table(self.head, self.rows)] if self.rows else [])])


def closing(watch: Watch) -> Closing:
    """Return how the closing of the incident stands: the seven points, what is in the way, what is written down."""
    report = _report(watch)
    return standing(report.policy, report.incident, report.now)


def story(watch: Watch) -> Sheet:
    """Return what happened, in the order of time, and how long it took from the detection."""
    report = _report(watch)
    lines = told(report.facts)
    spans = [f"{name} {hours(span)} after it" for name, span in report.after.items()]
    rows = tuple((f"{each.at:%H:%M:%S}", each.text) for each in lines)
    return Sheet(f"From the detection: {', '.join(spans) or 'nothing of it is over'}.", ("Time (UTC)", "Event"), rows)


def response(watch: Watch) -> Sheet:
    """Return each clock that ended: whether it was met, the latest first, and by which rule."""
    report = _report(watch)
    owed = [each for each in duties(report.policy, report.facts, report.now) if each.state in assessment.JUDGED]
    found = assessment.assess(owed)
    rows = [(each.id, each.state, f"{each.due:%H:%M:%S}", each.why) for each in owed]
    line = f"{found.in_time} of {found.judged} clocks were met."
    return Sheet(line, ("Clock", "State", "Due", "Rule"), tuple(sorted(rows, key=lambda row: row[1] == "met")))


def objectives(watch: Watch) -> Sheet:
    """Return the five objectives as numbers: downtime, customers, updates in time, completeness, SLA."""
    report = _report(watch)
    found = score(report.policy, report.promise, report.incident, report.now)
    rows = tuple(_objectives(found)) if found else ()
    return Sheet("The five objectives." if rows else "It was not declared.", ("Objective", "Number"), rows)


def _objectives(found: Score) -> Iterable[tuple[str, str]]:
    yield "Downtime", f"{found.downtime_s:.0f} s"
    yield "Customers affected", found.customers or "not assessed"
    yield "Updates in time", f"{found.updates[0]} of {found.updates[1]}"
    yield "Record complete", f"{found.complete} %"
    yield "SLA", str(found.spent) if found.spent else "no target is set"


def missing(watch: Watch) -> Sheet:
    """Return why the post-mortem cannot be final yet, with the option that says what is missing."""
    report = _report(watch)
    found = report.complaints(report.version("", DRAFT).text)
    rows = tuple((each.rule, each.found, each.advice) for each in found)
    return Sheet(f"{len(rows)} left to do." if rows else "Nothing is missing.", ("What", "Found", "Do"), rows)


def _report(watch: Watch) -> Report:
    incident = fold(read(watch.journal.path))
    return Report(incident, _policy(watch), watch.scene.settings.sla, incident.pace.world(watch.clock.now()))


def _policy(watch: Watch) -> Policy:
    """Return the policy that applies; a replay's is the shipped one, so that it shows the same anywhere."""
    return tables.load(None if watch.scene.replay else environment.find(os.environ, Path.cwd()))
