"""The people's side of a record: what the events add up to, under clocks that jump and bodies that cannot be read."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firstwatch.errors import BadParameter
from firstwatch.model import Actor
from firstwatch.policy import tables
from firstwatch.policy.duties import duties
from firstwatch.record import people
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.record.journal import Journal, read

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
M = timedelta(minutes=1)
DECLARED = {"title": "API errors", "impact": "6 of 10 requests fail", "severity": "SEV1", "source": "alert"}


class Watch:
    """A clock that a test sets: the wall, and beside it what never goes back."""

    def __init__(self) -> None:
        self.wall, self.passed = T0, timedelta(hours=5)

    def now(self) -> datetime:
        return self.wall

    def monotonic_ns(self) -> int:
        return int(self.passed.total_seconds() * 1e9)

    def sleep(self, seconds: float) -> None: ...

    def on(self, by: timedelta) -> None:
        self.wall, self.passed = self.wall + by, self.passed + by


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def book(tmp_path: Path, clock: Watch) -> Journal:
    folder = tmp_path / "2026-11-24-120000"
    folder.mkdir()
    made = Journal(folder / "journal.jsonl", clock, Actor("on-call"), "tester@here")
    made.append("opened", {})
    made.append("declared", DECLARED)
    return made


def states(book: Journal, now: datetime) -> dict[str, str]:
    facts = fold(read(book.path)).people
    return {each.id: each.state for each in duties(tables.load(), facts, now)}


def test_events_add_up_to_the_state_of_the_people(book: Journal) -> None:
    for kind, body in [
        ("assigned", {"role": "incident-commander", "person": "on-call", "reason": ""}),
        ("severity", {"from": "SEV1", "to": "SEV2", "reason": "half of it is back"}),
        ("flagged", {"flag": "breach", "value": True, "reason": "a token was used"}),
        ("hand-over", {"state": "offered", "role": "incident-commander", "from": "on-call", "to": "responder-2"}),
    ]:
        book.append(kind, body)
    offered = fold(read(book.path)).people
    book.append(
        "hand-over", {"state": "accepted", "role": "incident-commander", "from": "on-call", "to": "responder-2"}
    )
    state = fold(read(book.path))
    assert (state.severity, state.people.severity, state.people.held_back) == ("SEV2", "SEV2", True)
    assert offered.roles == {"incident-commander": "on-call"}
    offer = offered.offered("incident-commander")
    assert (offer and offer.to, state.people.roles) == ("responder-2", {"incident-commander": "responder-2"})
    assert state.people.offered("incident-commander") is None
    book.append("released", {"reason": "the authority is told"})
    assert not fold(read(book.path)).people.held_back


@pytest.mark.parametrize(
    ("action", "told", "shown"),
    [
        ("maintenance", [("outcome", "ok")], [True]),
        ("undo-maintenance", [("outcome", "ok")], [False]),
        ("maintenance", [("outcome", "failed")], []),
        ("maintenance", [("outcome", "unknown"), ("settled", "unknown"), ("settled", "done")], [True]),
        ("maintenance", [("outcome", "unknown"), ("settled", "not done")], []),
        ("rollback", [("outcome", "ok")], []),
    ],
)  # fmt: skip
def test_customers_see_the_maintenance_page_once_it_is_known_to_be_there(
    book: Journal, action: str, told: list[tuple[str, str]], shown: list[bool]
) -> None:
    plan = {"action": action, "target": {"kind": "Service", "name": "front"}}
    book.append("intent", {"key": "k", "hash": "k", "plan": plan})
    for kind, result in told:
        book.append(kind, {"key": "k", "plan": "k", "result": result, "detail": ""})
    assert [each.shown for each in fold(read(book.path)).people.maintenance] == shown


def test_a_reopening_takes_the_resolution_back(book: Journal) -> None:
    book.append("resolved", {"summary": "rolled back"})
    book.append("update", {"number": 1, "status": "MITIGATING", "summary": "x"})
    assert fold(read(book.path)).status == "resolved"
    book.append("reopened", {"reason": "errors again"})
    state = fold(read(book.path))
    assert (state.status, state.resolved_at, state.resolution) == ("investigating", None, "")
    book.append("update", {"number": 2, "status": "MONITORING", "summary": "x"})
    assert fold(read(book.path)).status == "monitoring"


KINDS = sorted(people.READERS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [{}, {"purged": "x"}, {"flag": 7, "to": 3, "role": [], "whom": None, "number": "x", "findings": 1}],
    ids=repr,
)
def test_a_body_that_cannot_be_read_changes_nothing_else(book: Journal, kind: str, body: Any) -> None:
    book.append("acknowledged", {})
    book.append(kind, body)
    facts = fold(read(book.path)).people
    assert facts.acknowledged[0].by == "on-call"
    assert duties(tables.load(), facts, T0 + M)


@pytest.mark.parametrize("kind", sorted(people.SENTENCES))
def test_each_kind_is_told_in_a_sentence(kind: str) -> None:
    bodies = {
        "severity": {"from": "", "to": "SEV1", "reason": "it grew"}, "flagged": {"flag": "breach", "value": True},
        "assigned": {"role": "scribe", "person": "responder-2"}, "escalated": {"level": "L2", "to": ["cto"]},
        "hand-over": {"state": "offered", "role": "scribe", "from": "a", "to": "b"}, "notified": {"whom": "manager"},
        "called": {"whom": "manager", "number": "+1-555-0125", "result": "reached"},
        "hypothesis": {"state": "open", "text": "the pool"}, "checked": {"item": "no-alerts", "state": True},
        "reviewed": {"plan": "9ae3", "text": "it was right"},
        "note": {"text": "x", "at": "2026-11-24T12:00:00Z", "corrects": 7}, "post-mortem": {"state": "held"},
        "update": {"number": 1, "status": "MONITORING", "summary": "x"},
        "reminded": {"duty": "update", "due": "soon", "stage": "before"}, "credential-used": {"name": "root"},
        "impact": {"customers": "120 of 4000", "source": "support"}, "concluded": {"part": "cause", "text": "a leak"},
        "action-item": {"id": "a1", "state": "open", "action": "x", "owner": "scribe", "due": "2026-12-01"},
    }  # fmt: skip
    said = people.SENTENCES[kind](bodies.get(kind, {}))
    assert said
    assert "Corrects event 7: [of 2026-11-24 12:00:00 UTC] x" in said or kind != "note"


def test_a_clock_that_goes_back_an_hour_takes_no_miss_back_and_makes_nothing_negative(
    book: Journal, clock: Watch
) -> None:
    clock.on(8 * M)
    book.append("acknowledged", {})
    assert states(book, clock.wall)["acknowledge"] == "missed"
    clock.wall -= timedelta(hours=1)
    clock.on(M)
    book.append("note", {"text": "the clock was mended"})
    assert states(book, clock.wall)["acknowledge"] == "missed"
    assert states(book, clock.wall)["escalate-l2"] == "due"
    clock.on(22 * M)  # 31 minutes since the declaration, whatever the wall says
    assert states(book, clock.wall)["escalate-l2"] == "overdue"


def test_a_clock_that_was_a_year_ahead_for_a_while_hides_no_duty(book: Journal, clock: Watch) -> None:
    clock.wall += timedelta(days=365)
    clock.on(M)
    book.append("update", {"number": 1, "status": "INVESTIGATING", "summary": "x"})
    clock.wall -= timedelta(days=365)
    clock.on(M)
    book.append("note", {"text": "the clock was mended"})
    clock.on(15 * M)
    assert states(book, clock.wall)["update"] == "overdue"


def test_of_events_of_two_machines_none_is_later_than_the_next(book: Journal, clock: Watch) -> None:
    other = Journal(book.path, clock, Actor("responder-2"), "tester@elsewhere")
    clock.on(5 * M)
    book.append("acknowledged", {})
    clock.wall -= 3 * M
    other.append("note", {"text": "my clock is slow"})
    events = read(book.path)
    moments = people.steady(events)
    assert moments == sorted(moments)
    assert moments[-1] == events[-1].time


def test_two_who_decide_at_once_see_each_other(book: Journal) -> None:
    """The numbers of updates are the events' own: none is given twice."""

    def numbered(events: tuple[Event, ...]) -> Any:
        return {"number": 1 + sum(each.kind == "update" for each in events), "status": "MITIGATING", "summary": "x"}

    def work() -> None:
        own = Journal(book.path, Watch(), Actor("responder-2"), "tester@here")
        for _ in range(10):
            own.decided("update", numbered)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert [each.number for each in fold(read(book.path)).people.updates] == list(range(1, 41))


def test_a_decision_that_refuses_leaves_the_journal_as_it_was(book: Journal) -> None:
    def refuse(_: tuple[Event, ...]) -> Any:
        raise BadParameter("declared already")

    before = book.path.read_bytes()
    with pytest.raises(BadParameter):
        book.decided("declared", refuse)
    assert book.path.read_bytes() == before
    assert book.append("acknowledged", {}).seq == 3
