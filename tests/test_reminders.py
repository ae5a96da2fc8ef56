"""Which reminders are owed, whom they go to, and that none is given twice or forgotten, whatever the clock does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch.channels import reminders, texts
from firstwatch.channels.reminders import Desk, Reminder, owed
from firstwatch.model import timestamp
from firstwatch.policy import tables
from firstwatch.policy.duties import Duty, duties
from firstwatch.policy.facts import Assigned, Facts, Grade, Moment, Turn
from firstwatch.policy.roster import Person, Roster
from firstwatch.record.event import Event
from firstwatch.record.reminded import Reminded, reminded

POLICY = tables.load()
T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND, M, H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ROSTER = Roster(
    people=(
        Person(name="manager", notices=("manager",), phone="+1-555-0125"),
        Person(name="responder-2", level="L2", email="responder-2@example.com"),
        Person(name="on-call"),
    )
)


def facts(severity: str = "SEV1", **more: Any) -> Facts:
    return Facts(declared=(Moment(at=T0),), grades=(Grade(at=T0, severity=severity),), **more)


def stage(duty: str, moment: timedelta, *given: Reminded, of: Facts | None = None) -> str:
    now = T0 + moment
    found = owed(POLICY, duties(POLICY, of or facts(), now), given, now)
    return next((each.stage for each in found if each.duty.id == duty), "")


@pytest.mark.parametrize(
    ("duty", "moment", "expected"),
    [
        ("acknowledge", 4 * M - SECOND, ""), ("acknowledge", 4 * M, "before"), ("acknowledge", 5 * M, "before"),
        ("acknowledge", 5 * M + SECOND, "overdue"), ("acknowledge", 6 * M, "escalated"),
        ("update", 12 * M - SECOND, ""), ("update", 12 * M, "before"), ("update", 15 * M + SECOND, "overdue"),
        ("update", 18 * M - SECOND, "overdue"), ("update", 18 * M, "escalated"),
        ("notify-manager", 0 * M, ""), ("notify-manager", SECOND, "overdue"), ("notify-manager", M, "escalated"),
        ("escalate-l2", 24 * M, "before"), ("escalate-l2", 36 * M, "escalated"),
    ],
)  # fmt: skip
def test_a_reminder_comes_a_fifth_ahead_when_overdue_and_a_fifth_after(
    duty: str, moment: timedelta, expected: str
) -> None:
    assert stage(duty, moment) == expected


def test_what_is_done_is_not_reminded_of() -> None:
    done = facts(acknowledged=(Moment(at=T0 + M, by="on-call"),))
    assert stage("acknowledge", 6 * M, of=done) == ""


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(24 * H - SECOND, ""), (24 * H, "before"), (40 * H, "before-2"), (48 * H + SECOND, "overdue")],
)
def test_a_post_mortem_is_reminded_of_by_the_procedures_times(moment: timedelta, expected: str) -> None:
    over = facts(turns=(Turn(at=T0, resolved=True),))
    assert stage("post-mortem", moment, of=over) == expected


def test_a_reminder_that_was_given_is_not_given_again_and_the_next_stage_is() -> None:
    before = Reminded("update", T0 + 15 * M, "before")
    assert stage("update", 13 * M, before) == ""
    assert stage("update", 16 * M, before) == "overdue"
    assert stage("update", 16 * M, replace(before, stage="escalated")) == ""


@pytest.mark.parametrize(("off", "expected"), [(M, "before"), (-M, "before"), (SECOND, ""), (-SECOND, "")])
def test_a_reminder_counts_for_the_time_that_it_named(off: timedelta, expected: str) -> None:
    assert stage("update", 13 * M, Reminded("update", T0 + 15 * M + off, "before")) == expected


def test_the_next_stage_of_any_duty_is_when_to_wake() -> None:
    now = T0 + 5 * M + SECOND
    assert reminders.wakes(POLICY, duties(POLICY, facts(), now), now) == T0 + 6 * M
    assert reminders.wakes(POLICY, (), now) is None


def event(seq: int, kind: str, at: datetime, **body: Any) -> Event:
    mono = int((seq - 1) * 60e9)
    return Event(1, seq, "", "", "", {}, "", timestamp(at), mono, kind, "", body, "")


def test_what_a_reminder_names_moves_with_the_clock_when_that_is_set_back() -> None:
    said = event(1, "reminded", T0, duty="update", due=timestamp(T0 + 15 * M), stage="before", messages=["m"])
    later, back = event(2, "note", T0 + M), event(3, "note", T0 - 5 * M)
    assert reminded([said, later]) == (Reminded("update", T0 + 15 * M, "before", ("m",)),)
    assert [each.due for each in reminded([said, later, back])] == [T0 + 8 * M]


def test_a_reminder_that_cannot_be_read_is_none() -> None:
    assert reminded([event(1, "reminded", T0), event(2, "reminded", T0, duty="x", due="soon", stage="before")]) == ()


def places(duty: str, stage: str, of: Facts, *keys: str) -> set[tuple[str, str]]:
    found = next(each for each in duties(POLICY, of, T0 + H) if each.id == duty)
    return {(each.channel, each.to) for each in Desk(POLICY, ROSTER, keys).drafts(Reminder(found, stage), of)}


def held(**roles: str) -> Facts:
    return facts(
        assignments=tuple(Assigned(at=T0, role=r.replace("_", "-"), person=person) for r, person in roles.items())
    )


CHAT = ("slack", "incident")


@pytest.mark.parametrize(
    ("duty", "stage", "of", "keys", "expected"),
    [
        ("update", "before", held(communications_lead="responder-2"), (), {CHAT}),
        ("update", "overdue", held(communications_lead="responder-2"), (), {CHAT, ("mail", "responder-2@example.com")}),
        ("update", "overdue", facts(), ("on-call",), {CHAT, ("pager", "on-call")}),
        ("update", "escalated", held(communications_lead="responder-2", incident_commander="on-call"), ("on-call",),
         {CHAT, ("mail", "responder-2@example.com"), ("pager", "on-call")}),
        ("notify-director", "escalated", held(incident_commander="on-call"), ("on-call", "manager"),
         {CHAT, ("pager", "on-call"), ("pager", "manager")}),
        ("notify-director", "escalated", held(incident_commander="on-call"), (),
         {CHAT, ("phone", "manager +1-555-0125")}),
        ("escalate-l2", "escalated", held(incident_commander="on-call"), ("on-call",),
         {CHAT, ("pager", "on-call"), ("mail", "responder-2@example.com")}),
    ],
)  # fmt: skip
def test_it_goes_to_the_chat_then_to_the_owner_then_to_whoever_is_above(
    duty: str, stage: str, of: Facts, keys: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    assert places(duty, stage, of, *keys) == expected


def test_its_text_says_who_owes_what_since_when_and_what_to_type() -> None:
    found = next(each for each in duties(POLICY, facts(), T0 + H) if each.id == "notify-manager")
    (draft, *_) = Desk(POLICY, ROSTER).drafts(Reminder(found, "escalated"), facts())
    assert texts.render(draft.template, draft.fields) == (
        "⏰ SEV1, incident-commander (manager told too): notify-manager is overdue since 2026-11-24 12:00:00 UTC. "
        "SEV1: Immediate, from the declaration at 12:00:00 UTC. Do it, or say why not: firstwatch notify manager"
    )


def test_each_duty_of_the_policy_names_a_command() -> None:
    known = {each.id for severity in ("SEV1", "SEV2") for each in duties(POLICY, facts(severity), T0)}
    outside = set(POLICY.external)
    assert known - outside <= set(reminders.COMMANDS)
    assert outside - set(reminders.COMMANDS) == {"aws", "database-vendor", "third-party", "compliance"}


STEPS = st.lists(st.integers(min_value=-3600, max_value=5400), min_size=1, max_size=30)


@given(STEPS, st.sampled_from(["SEV1", "SEV2", "SEV3"]))
def test_no_stage_is_given_twice_however_the_clock_jumps(steps: list[int], severity: str) -> None:
    now, given = T0, list[Reminded]()
    for step in steps:
        now += step * SECOND
        for each in owed(POLICY, duties(POLICY, facts(severity), now), given, now):
            given.append(Reminded(each.duty.id, each.duty.due, each.stage))
    assert len({(each.duty, each.stage) for each in given}) == len(given)


def test_a_duty_s_term_and_stages_are_in_order() -> None:
    for each in duties(POLICY, facts(), T0 + 3 * H):
        assert isinstance(each, Duty)
        moments = [at for at, _ in reminders.stages(POLICY, each)]
        assert moments == sorted(moments)
