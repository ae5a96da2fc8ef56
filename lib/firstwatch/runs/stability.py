"""
The monitoring window: the conditions of stability, looked at again and again after an incident was resolved.

Six are measured, the last is for a person to say. UNKNOWN is no OK: the window does not end on it. Anything BAD opens
the incident again with the reason, and then the window begins anew with the next resolution.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.model import Findings, Verdict
from firstwatch.policy.duties import duties
from firstwatch.policy.tables import Policy
from firstwatch.probes import STABILITY, customers, sweep
from firstwatch.probes.probe import ask
from firstwatch.probes.ranking import rank
from firstwatch.record.incident import Incident
from firstwatch.record.store import Record, Writer
from firstwatch.systems import Systems

DUTY = "monitor"
REPORTS = "customers"


@dataclass(frozen=True, slots=True)
class Window:
    """How a window stands. `ends` is None where the severity asks for none; `asked`: a person said that none report."""

    ends: datetime | None
    watched: bool
    asked: bool

    @property
    def over(self) -> bool:
        """Whether nothing is left to do: watched to its end, as far as there is one, and customers were asked."""
        return self.asked and (self.watched or self.ends is None)

    def rest(self, now: datetime, every: timedelta) -> timedelta:
        """Return how long until the next look: *every* so often, and at the window's end."""
        left = self.ends - now if self.ends else every
        return min(every, left) if left > timedelta(0) else every


def look(systems: Systems, record: Record, writer: Writer, reports: str, deadline_s: float) -> Findings:
    """
    Look at every condition once, record it, and return what was found. What is BAD opens a resolved incident again.

    Args:
        systems: Whom to ask.
        record: The incident's.
        writer: Who looks.
        reports: What customers report, in words, or `none`; empty when nobody has asked.
        deadline_s: Each probe's, in seconds; one that is not back by then is UNKNOWN.

    Raises:
        RecordNotWritable: It could not be recorded.
    """
    now = writer.clock.now()
    said = ask(customers(reports), systems, now) if reports.strip() else Findings()
    found = rank([*said, *sweep(STABILITY, systems, now, deadline_s=deadline_s)])
    journal = writer.journal(record)
    journal.append("verified", {"findings": found, "verdict": found.verdict, "plan": ""})
    if found.verdict is Verdict.BAD and record.incident().status == "resolved":
        journal.append("reopened", {"reason": reason(found)})
    return found


def reason(found: Findings) -> str:
    """Return why *found* opens an incident again: each BAD finding, the first one first."""
    bad = [each for each in found if each.verdict is Verdict.BAD]
    return "in the monitoring window: " + "; ".join(f"{each.probe}: {each.seen}" for each in bad)[:900]


def window(policy: Policy, state: Incident, now: datetime) -> Window:
    """Return how the window of *state*, which is resolved, stands at *now*."""
    owed = next((each for each in duties(policy, state.people, now) if each.id == DUTY), None)
    over = state.people.turns[-1].at if state.people.turns else now
    heard = [each for each in state.people.looks if each.at >= over and REPORTS in each.probes]
    return Window(
        owed.due if owed else None, owed is not None and owed.done_at is not None,
        bool(heard) and heard[-1].probes[REPORTS] == Verdict.OK,
    )  # fmt: skip
