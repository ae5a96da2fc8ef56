"""
The score of a game: what was found, what healed, what did not, and what it cost the users. Pure, over the record.

Who plays is judged by the record and by the world: by the first finding of each look, by the verification after each
change, and by what is asked for in the cluster now and was asked for before. Nobody's words count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import Finding, Result, Verdict, finding
from firstwatch.policy.duties import Duty
from firstwatch.record.event import Event
from firstwatch.record.incident import Applied, Incident, fold
from gameday.scenarios.scenario import Scenario

SECONDS = 60  # a user asks once a second: sixty requests that failed are a minute of one user


@dataclass(frozen=True, slots=True)
class Score:
    """
    What came of a game. `diagnosed_s` and `cured_s` are seconds since the fault; None: never.

    `left` is what differs from before and is no change in force; `undone` and `in_force` count our own changes.
    """

    scenario: str
    diagnosed_s: float | None
    cured_s: float | None
    well: bool
    wrong: tuple[str, ...]
    left: tuple[str, ...]
    duties_met: int
    duties_missed: tuple[str, ...]
    undone: int
    in_force: int
    user_minutes: float

    @property
    def passed(self) -> dict[str, bool]:
        """Return each point that can be won, and whether it was."""
        return {
            "diagnosis": self.diagnosed_s is not None, "cure": self.well, "no wrong cure": not self.wrong,
            "nothing else changed": not self.left, "duties": not self.duties_missed,
        }  # fmt: skip

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what is behind the points, in words."""
        return (
            f"diagnosed {_in(self.diagnosed_s)}, verified as healed {_in(self.cured_s)}",
            f"users lost {self.user_minutes} minutes; they are {'well' if self.well else 'NOT well'} now",
            f"changes that healed nothing: {', '.join(self.wrong) or 'none'}",
            f"changed and left, beside our changes in force: {', '.join(self.left) or 'nothing'}",
            f"changes undone: {self.undone}, in force: {self.in_force}",
            f"duties met: {self.duties_met}; missed or overdue: {', '.join(self.duties_missed) or 'none'}",
        )


def _in(seconds: float | None) -> str:
    return "never" if seconds is None else f"after {seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class After:
    """The world now: whether users are well, what differs from before, how many requests failed since the fault."""

    well: bool
    left: tuple[str, ...]
    failed: int


def score(
    scenario: Scenario, since: datetime, events: Iterable[Event], duties: Iterable[Duty], world: After
) -> Score:  # fmt: skip
    """
    Return the score of who played *scenario*.

    Args:
        scenario: What was put in.
        since: When.
        events: The record's, in order.
        duties: As they stand now.
        world: As it is now.
    """
    events, owed = tuple(events), tuple(duties)
    incident, told = fold(events), [each for each in events if each.time >= since]
    return Score(
        scenario.name,
        _after(since, next((each.time for each in told if names(each, scenario)), None)),
        _after(since, _healed(told, incident)),
        world.well, tuple(each.plan.action for each in incident.changes if _useless(each, told)),
        tuple(each for each in world.left if not _ours(each, incident)),
        sum(each.state == "met" for each in owed),
        tuple(each.id for each in owed if each.state in ("missed", "overdue")),
        sum(bool(each.undone_by) for each in incident.changes), len(incident.in_force),
        round(world.failed / SECONDS, 1),
    )  # fmt: skip


def names(event: Event, scenario: Scenario) -> bool:
    """Whether the first finding of a look has an object and a mechanism of the scenario's truth."""
    found = _findings(event)
    first = found[0] if found else None
    bad = first is not None and first.verdict is Verdict.BAD
    return bool(bad and first and (first.object, first.mechanism) in scenario.truth)


def _findings(event: Event) -> list[Finding]:
    if event.kind not in ("looked", "verified") or event.purged:
        return []
    return [finding(each) for each in event.body["findings"]]


def _healed(told: list[Event], incident: Incident) -> datetime | None:
    """Return when a verification first passed after a change that was done."""
    first = min((each.at for each in incident.changes if each.result is Result.OK), default=None)
    passed = (each.time for each in told if _passes(each) and first is not None and each.time > first)
    return next(passed, None)


def _passes(event: Event) -> bool:
    return event.kind == "verified" and event.body["verdict"] == Verdict.OK


def _useless(change: Applied, told: list[Event]) -> bool:
    """Whether a change was done, is no undo, and the verification that followed it did not pass."""
    if change.result is not Result.OK or change.plan.undoes:
        return False
    after = next((each for each in told if each.kind == "verified" and each.time > change.at), None)
    return after is None or not _passes(after)


def _after(since: datetime, moment: datetime | None) -> float | None:
    return round((moment - since).total_seconds(), 1) if moment else None


def _ours(path: str, incident: Incident) -> bool:
    """Whether *path*, `Kind/field/field`, lies within what a change in force has changed."""
    kind, _, pointer = path.partition("/")
    return any(
        each.plan.target.kind == kind and f"/{pointer}/".startswith(f"{change.path}/")
        for each in incident.in_force
        for change in each.plan.changes
    )
