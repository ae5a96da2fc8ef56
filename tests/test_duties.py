"""
Every clock of the procedures, one second before, at, and after it is due; and what no order of events may break.

The table holds S4 to S11, S64, S74, S77 and S89 to S102 of the procedures, severity by severity.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstwatch.model import Severity
from firstwatch.policy import tables
from firstwatch.policy.calendar import next_business_day
from firstwatch.policy.duties import AT_ONCE, Duty, duties
from firstwatch.policy.facts import (
    Assigned,
    Call,
    Checked,
    Escalated,
    Facts,
    Flag,
    Grade,
    Look,
    Made,
    Maintenance,
    Meeting,
    Moment,
    Notice,
    Told,
    Turn,
    Update,
)

POLICY = tables.load()
T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
SECOND = timedelta(seconds=1)
M, H = timedelta(minutes=1), timedelta(hours=1)
NEXT_DAY = datetime(2026, 11, 25, 17, 0, tzinfo=UTC) - T0


def declared(severity: str, **more: Any) -> Facts:
    grade = Grade(at=T0, by="on-call", severity=severity)
    return Facts(declared=(Moment(at=T0, by="on-call"),), grades=(grade,), **more)


def at(facts: Facts, moment: timedelta) -> dict[str, Duty]:
    return {each.id: each for each in duties(POLICY, facts, T0 + moment)}


def state(facts: Facts, duty: str, moment: timedelta) -> str:
    found = at(facts, moment).get(duty)
    return found.state if found else "none"


def regraded(facts: Facts, severity: str, moment: timedelta) -> Facts:
    return replace(facts, grades=(*facts.grades, Grade(at=T0 + moment, severity=severity, reason="it changed")))


L2 = Escalated(at=T0 + 10 * M, by="on-call", level="L2", to=("senior-engineer",))


def turn(moment: timedelta, *, resolved: bool = True) -> Turn:
    return Turn(at=T0 + moment, by="on-call", resolved=resolved)


def flagged(flag: str) -> dict[str, Any]:
    return {"flags": (Flag(at=T0 + 5 * M, by="on-call", flag=flag, value=True),)}


SEV_CLOCKS: list[tuple[str, str, timedelta]] = [
    # S4, S6, S8, S10
    ("SEV1", "acknowledge", 5 * M), ("SEV2", "acknowledge", 30 * M), ("SEV3", "acknowledge", 2 * H),
    ("SEV4", "acknowledge", NEXT_DAY),
    # S74
    ("SEV1", "first-response", 0 * M), ("SEV2", "first-response", 15 * M), ("SEV3", "first-response", 30 * M),
    ("SEV1", "update", 15 * M), ("SEV2", "update", 30 * M), ("SEV3", "update", H),
    ("SEV1", "status-page", 30 * M), ("SEV2", "status-page", 30 * M), ("SEV3", "status-page", 2 * H),
    ("SEV1", "customer-email", 30 * M), ("SEV2", "customer-email", H),
    # S18, S24
    ("SEV1", "assign-commander", 5 * M), ("SEV2", "assign-commander", 5 * M), ("SEV3", "assign-commander", 5 * M),
    ("SEV1", "assign-communications", 10 * M), ("SEV2", "assign-communications", 10 * M),
    ("SEV1", "channel", 5 * M), ("SEV2", "channel", 5 * M), ("SEV3", "channel", 5 * M),
    # S89
    ("SEV1", "escalate-l2", 30 * M), ("SEV2", "escalate-l2", 2 * H),
    # S91: lasting longer than two hours, when L2 was never reached
    ("SEV1", "escalate-l3", 2 * H),
    # S93 to S96
    ("SEV1", "notify-manager", 0 * M), ("SEV1", "notify-director", 30 * M), ("SEV1", "notify-executive", H),
    ("SEV2", "notify-manager", 30 * M), ("SEV2", "notify-director", 2 * H), ("SEV2", "notify-executive", 4 * H),
    ("SEV3", "notify-manager", 2 * H), ("SEV3", "notify-director", 8 * H), ("SEV3", "notify-executive", 24 * H),
    ("SEV4", "notify-manager", NEXT_DAY),
]  # fmt: skip

AFTER_SOMETHING: list[tuple[str, str, dict[str, Any], timedelta]] = [
    # S90, C7: from the arrival at level 2
    ("SEV1", "escalate-l3", {"escalations": (L2,)}, 70 * M),
    ("SEV2", "escalate-l3", {"escalations": (L2,)}, 10 * M + 4 * H),
    # S91, S92: by flag
    ("SEV2", "escalate-l3", flagged("external-communication"), 5 * M),
    ("SEV3", "escalate-l4", flagged("business-impact"), 5 * M),
    # S97 to S102
    ("SEV2", "aws", flagged("infrastructure"), 5 * M),
    ("SEV2", "database-vendor", flagged("database"), 65 * M),
    ("SEV3", "third-party", flagged("third-party"), 65 * M),
    ("SEV1", "legal", flagged("breach"), 5 * M),
    ("SEV4", "compliance", flagged("regulatory"), 65 * M),
    ("SEV3", "customer-data", flagged("customer-data"), 5 * M + 2 * H),
    # S74: from the last update
    ("SEV1", "update", {"updates": (Update(at=T0 + 4 * M, number=1, status="INVESTIGATING"),)}, 19 * M),
    # S64
    ("SEV1", "monitor", {"turns": (turn(H),)}, 3 * H),
    ("SEV2", "monitor", {"turns": (turn(H),)}, 2 * H),
    ("SEV3", "monitor", {"turns": (turn(H),)}, 90 * M),
    # S77
    ("SEV1", "post-mortem", {"turns": (turn(H),)}, 49 * H),
    ("SEV2", "post-mortem", {"turns": (turn(H),)}, 49 * H),
]
TABLE: list[tuple[str, str, dict[str, Any], timedelta]] = [(s, d, {}, t) for s, d, t in SEV_CLOCKS] + AFTER_SOMETHING
IDS = [f"{s}-{d}-{'-'.join(m)}" for s, d, m, _ in TABLE]


@pytest.mark.parametrize(("severity", "duty", "more", "due"), TABLE, ids=IDS)
def test_a_clock_is_due_to_the_second_and_overdue_after_it(
    severity: str, duty: str, more: dict[str, Any], due: timedelta
) -> None:
    facts = declared(severity, **more)
    before = "none" if due == 0 * M else "due"
    began = max((each.at for name in ("flags", "turns") for each in more.get(name, ())), default=T0) - T0
    assert state(facts, duty, due) == "due"
    assert state(facts, duty, due + SECOND) == "overdue"
    assert at(facts, due)[duty].due == T0 + due
    if due - SECOND >= began and before == "due":
        assert state(facts, duty, due - SECOND) == "due"


NONE = [
    ("SEV4", "first-response"), ("SEV4", "update"), ("SEV4", "status-page"), ("SEV4", "customer-email"),
    ("SEV3", "customer-email"), ("SEV4", "assign-commander"), ("SEV3", "assign-communications"), ("SEV4", "channel"),
    ("SEV3", "escalate-l2"), ("SEV4", "escalate-l2"), ("SEV2", "escalate-l3"), ("SEV3", "escalate-l3"),
    ("SEV1", "escalate-l4"), ("SEV4", "notify-director"), ("SEV4", "notify-executive"), ("SEV1", "legal"),
    ("SEV1", "compliance"), ("SEV1", "customer-data"), ("SEV1", "aws"), ("SEV1", "monitor"), ("SEV1", "post-mortem"),
]  # fmt: skip


@pytest.mark.parametrize(("severity", "duty"), NONE, ids=map("-".join, NONE))
def test_what_the_tables_do_not_ask_for_is_not_owed(severity: str, duty: str) -> None:
    assert state(declared(severity), duty, 100 * H) == "none"


@pytest.mark.parametrize(("severity", "duty"), [("SEV4", "monitor"), ("SEV3", "post-mortem"), ("SEV4", "post-mortem")])
def test_what_is_not_owed_after_a_resolution(severity: str, duty: str) -> None:
    assert state(declared(severity, turns=(turn(H),)), duty, 100 * H) == "none"


DONE: list[tuple[str, str, Any]] = [
    ("acknowledge", "acknowledged", lambda t: Moment(at=t, by="on-call")),
    ("first-response", "updates", lambda t: Update(at=t, by="on-call", number=1, status="INVESTIGATING")),
    ("first-response", "told", lambda t: Told(at=t, by="on-call", channel="slack", template="declaration")),
    ("first-response", "notices", lambda t: Notice(at=t, by="on-call", whom="stakeholders")),
    ("assign-commander", "assignments", lambda t: Assigned(at=t, by="on-call", role="incident-commander", person="x")),
    ("channel", "made", lambda t: Made(at=t, by="on-call", channel="tracker")),
    ("status-page", "told", lambda t: Told(at=t, by="on-call", channel="statuspage", template="investigating")),
    ("customer-email", "told", lambda t: Told(at=t, by="on-call", channel="mail", template="customer-notice")),
    ("status-page", "notices", lambda t: Notice(at=t, by="on-call", whom="status-page", how="by hand")),
    ("customer-email", "notices", lambda t: Notice(at=t, by="on-call", whom="customers", how="by hand")),
    ("escalate-l2", "escalations", lambda t: Escalated(at=t, by="on-call", level="L2", to=())),
    ("escalate-l2", "escalations", lambda t: Escalated(at=t, by="on-call", level="L3", to=())),
    ("escalate-l3", "escalations", lambda t: Escalated(at=t, by="on-call", level="L4", to=())),
    ("notify-director", "notices", lambda t: Notice(at=t, by="on-call", whom="director")),
    ("notify-director", "calls", lambda t: Call(at=t, by="on-call", whom="director", number="1", result="reached")),
]


@pytest.mark.parametrize(("duty", "field", "make"), DONE, ids=[f"{d}-{f}" for d, f, _ in DONE])
def test_done_in_time_is_met_and_done_a_second_late_is_missed_for_ever(duty: str, field: str, make: Any) -> None:
    facts = declared("SEV2", **flagged("external-communication"))
    owed = at(facts, 3 * H)[duty]
    due, at_once = owed.due, owed.due == owed.since
    met = at(replace(facts, **{field: (make(due),)}), 30 * H)[duty]
    assert (met.state, met.done_at, met.by) == ("met", due, "on-call")
    late = replace(facts, **{field: (make(due + SECOND + AT_ONCE * at_once),)})
    assert [at(late, moment)[duty].state for moment in (5 * H, 500 * H)] == ["missed", "missed"]


@pytest.mark.parametrize(("after", "expected"), [(AT_ONCE, "met"), (AT_ONCE + SECOND, "missed")])
def test_a_page_that_leaves_with_the_declaration_is_at_once(after: timedelta, expected: str) -> None:
    told = (Notice(at=T0 + after, by="on-call", whom="manager"),)
    assert state(declared("SEV1", notices=told), "notify-manager", H) == expected
    assert state(declared("SEV1"), "notify-manager", SECOND) == "overdue"


@pytest.mark.parametrize("call", [Call(at=T0, whom="director", number="1", result="no answer")])
def test_a_call_that_reached_nobody_is_no_notice(call: Call) -> None:
    assert state(declared("SEV1", calls=(call,)), "notify-director", H) == "overdue"


def test_the_next_update_counts_from_the_last_one_and_late_ones_stay_missed() -> None:
    given_at = [14 * M, 40 * M]
    facts = declared("SEV1", updates=tuple(Update(at=T0 + t, number=n, status="x") for n, t in enumerate(given_at, 1)))
    seen = at(facts, 50 * M)
    assert {d: seen[d].state for d in ("update-1", "update-2", "update")} == {
        "update-1": "met", "update-2": "missed", "update": "due",
    }  # fmt: skip
    assert seen["update"].due == T0 + 55 * M
    assert "from update 2 at 12:40:00 UTC" in seen["update"].why


def test_an_update_that_promises_the_next_one_sooner_is_held_to_it() -> None:
    promise = Update(at=T0 + M, number=1, status="INVESTIGATING", next=T0 + 6 * M)
    seen = at(declared("SEV2", updates=(promise,)), 3 * M)["update"]
    assert (seen.due, "promised" in seen.why) == (T0 + 6 * M, True)


def page(moment: timedelta, *, shown: bool = True) -> Maintenance:
    return Maintenance(at=T0 + moment, by="on-call", shown=shown)


@pytest.mark.parametrize(
    ("severity", "within"), [("SEV1", 0 * M), ("SEV2", 15 * M), ("SEV3", 30 * M), ("SEV4", 30 * M)]
)
def test_a_maintenance_page_and_its_end_are_told_as_soon_as_a_first_response(severity: str, within: timedelta) -> None:
    facts = declared(severity, maintenance=(page(6 * M), page(9 * M, shown=False)))
    due = at(facts, 10 * M)["update"]
    assert (due.state, due.due) == ("overdue" if severity == "SEV1" else "due", T0 + 6 * M + within)
    assert "customers see the maintenance page since 12:06:00 UTC" in due.why
    told = replace(facts, updates=(Update(at=T0 + 6 * M + 9 * SECOND, number=1, status="MITIGATING"),))
    seen = at(told, 10 * M)
    assert (seen["update-1"].state, seen["update"].due) == ("met", T0 + 9 * M + within)
    assert "the maintenance page is gone since 12:09:00 UTC" in seen["update"].why


def test_an_update_after_both_tells_of_both_and_the_schedule_goes_on() -> None:
    given = Update(at=T0 + 22 * M, number=1, status="MITIGATING")
    facts = declared("SEV2", maintenance=(page(6 * M), page(9 * M, shown=False)), updates=(given,))
    seen = at(facts, 23 * M)
    assert (seen["update-1"].state, seen["update-1"].due) == ("missed", T0 + 21 * M)
    assert (seen["update"].state, seen["update"].due) == ("due", T0 + 52 * M)


def test_a_page_that_came_after_an_update_is_no_reason_of_that_one() -> None:
    given = Update(at=T0 + 5 * M, number=1, status="INVESTIGATING")
    seen = at(declared("SEV2", maintenance=(page(6 * M),), updates=(given,)), 7 * M)
    assert (seen["update-1"].due, seen["update"].due) == (T0 + 30 * M, T0 + 21 * M)


def test_a_higher_severity_recomputes_every_clock_and_flags_what_it_makes_late() -> None:
    low = declared("SEV3", acknowledged=(Moment(at=T0 + 20 * M, by="on-call"),))
    assert state(low, "acknowledge", 40 * M) == "met"
    high = regraded(low, "SEV1", 40 * M)
    seen = at(high, 40 * M)
    assert {d: seen[d].state for d in ("acknowledge", "update", "escalate-l2", "notify-executive")} == {
        "acknowledge": "missed", "update": "overdue", "escalate-l2": "overdue", "notify-executive": "due",
    }  # fmt: skip
    assert seen["escalate-l2"].due == T0 + 30 * M
    assert "SEV1 since 12:40:00 UTC makes it late" in seen["escalate-l2"].why
    assert "SEV1 since 12:40:00 UTC makes it late" in seen["acknowledge"].why
    assert "makes it late" not in seen["notify-executive"].why


@pytest.mark.parametrize(("severity", "duty", "due"), SEV_CLOCKS, ids=[f"{s}-{d}" for s, d, _ in SEV_CLOCKS])
@pytest.mark.parametrize("first", ["SEV1", "SEV2", "SEV3", "SEV4"])
def test_each_clock_after_a_severity_change_in_the_middle(severity: str, duty: str, due: timedelta, first: str) -> None:
    """From the declaration still: what was due before the change is overdue at once, and says since when."""
    change = max(due // 2, M)
    facts = regraded(declared(first), severity, change)
    seen = at(facts, max(due, change))[duty]
    assert (seen.due, seen.state) == (T0 + due, "due" if due >= change else "overdue")
    later = at(facts, max(due, change) + SECOND)[duty]
    assert (later.due, later.state) == (T0 + due, "overdue")
    assert ("makes it late" in later.why) == (change > due and first != severity)


def test_a_lower_severity_takes_no_miss_back() -> None:
    facts = regraded(declared("SEV1"), "SEV3", 20 * M)
    seen = at(facts, 21 * M)
    assert (seen["acknowledge"].state, seen["acknowledge"].due) == ("due", T0 + 2 * H)
    assert "overdue under SEV1" in seen["acknowledge"].why
    assert seen["assign-communications"].state == "missed"
    acknowledged = replace(facts, acknowledged=(Moment(at=T0 + 22 * M),))
    assert state(acknowledged, "acknowledge", 23 * M) == "missed"


def test_updates_given_in_time_stay_met_when_the_severity_rises_later() -> None:
    facts = declared("SEV3", updates=(Update(at=T0 + 50 * M, number=1, status="x"),))
    assert state(regraded(facts, "SEV1", 55 * M), "update-1", 56 * M) == "met"


def test_a_resolution_stops_the_ladder_and_what_was_overdue_is_missed() -> None:
    facts = declared("SEV1", turns=(turn(40 * M),))
    seen = at(facts, 41 * M)
    assert seen["escalate-l2"].state == "missed"
    assert "never done" in seen["escalate-l2"].why
    assert "notify-executive" not in seen
    assert {seen[d].state for d in ("monitor", "post-mortem")} == {"due"}


def test_a_reopening_starts_the_clocks_anew_and_keeps_the_misses() -> None:
    facts = declared("SEV1", turns=(turn(20 * M), turn(100 * M, resolved=False)))
    seen = at(facts, 101 * M)
    assert (seen["escalate-l2"].state, seen["escalate-l2"].due) == ("due", T0 + 130 * M)
    assert "from the reopening at 13:40:00 UTC" in seen["update"].why
    assert "overdue under SEV1" in seen["acknowledge"].why
    assert "monitor" not in seen
    again = replace(facts, turns=(*facts.turns, turn(110 * M)))
    assert at(again, 111 * M)["monitor"].due == T0 + 110 * M + 2 * H


def looked(moment: timedelta, verdict: str) -> Look:
    return Look(at=T0 + moment, by="on-call", verdict=verdict)


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ((), "overdue"),
        ((looked(-M, "OK"),), "overdue"),
        ((looked(10 * M, "OK"),), "met"),
        ((looked(10 * M, "OK"), looked(20 * M, "UNKNOWN")), "overdue"),
        ((looked(10 * M, "BAD"), looked(20 * M, "OK")), "met"),
        ((looked(3 * H, "OK"),), "missed"),
    ],
    ids=["nobody looked", "before only", "looked", "unknown is not ok", "ok again", "too late"],
)
def test_a_window_is_watched_when_its_last_look_was_ok(looks: tuple[Look, ...], expected: str) -> None:
    facts = declared("SEV1", turns=(turn(0 * M),), looks=looks)
    assert state(facts, "monitor", 3 * H) == expected
    early = replace(facts, looks=tuple(each for each in looks if each.at < T0 + H))
    assert state(early, "monitor", 2 * H - SECOND) == "due"


@pytest.mark.parametrize(
    ("meeting", "expected"), [("scheduled", "overdue"), ("held", "met")], ids=["scheduled is not held", "held"]
)
def test_a_post_mortem_is_held_within_two_days(meeting: str, expected: str) -> None:
    when = T0 + 47 * H
    facts = declared("SEV1", turns=(turn(0 * M),), meetings=(Meeting(at=when, state=meeting, when=when),))
    assert state(facts, "post-mortem", 49 * H) == expected
    assert [each / H for each in POLICY.post_mortem.reminders] == [24, 40]


def test_legal_is_told_even_when_nothing_was_declared_or_all_is_resolved() -> None:
    flags = flagged("breach")
    assert state(Facts(**flags), "legal", 6 * M) == "overdue"
    assert state(declared("SEV4", **flags, turns=(turn(6 * M),)), "legal", H) == "overdue"
    assert state(declared("SEV4", **flagged("infrastructure"), turns=(turn(4 * M),)), "aws", H) == "none"


@pytest.mark.parametrize(
    ("by", "reason", "expected"),
    [("", "a drill", "overdue"), ("legal", "  ", "overdue"), ("legal", "a false alarm of the scanner", "met")],
)
def test_legal_is_not_dismissed_without_a_name_and_a_reason(by: str, reason: str, expected: str) -> None:
    off = Flag(at=T0 + 10 * M, by=by, reason=reason, flag="customer-data", value=False)
    facts = declared("SEV2", flags=(*flagged("customer-data")["flags"], off))
    seen = at(facts, 20 * H)["customer-data"]
    assert (seen.state, f"dismissed by {by}: {reason}" in seen.why) == (expected, expected == "met")


def test_a_flag_that_is_set_again_runs_again_and_its_first_time_stays() -> None:
    on = flagged("breach")["flags"][0]
    off = Flag(at=T0 + 10 * M, by="legal", reason="a drill", flag="breach", value=False)
    facts = declared("SEV2", flags=(on, off, replace(on, at=T0 + 20 * M)))
    seen = at(facts, 20 * M)
    assert (seen["legal-1"].state, seen["legal"].state, seen["legal"].due) == ("missed", "due", T0 + 20 * M)


def test_a_notice_from_before_the_flag_says_nothing_of_it() -> None:
    early = Notice(at=T0 + M, whom="legal")
    facts = declared("SEV2", **flagged("customer-data"), notices=(early,))
    assert state(facts, "customer-data", 10 * M) == "due"
    assert state(replace(facts, notices=(early, replace(early, at=T0 + 6 * M))), "customer-data", 10 * M) == "met"


def test_a_breach_hands_the_texts_to_legal_until_they_are_released() -> None:
    facts = declared("SEV1", **flagged("breach"))
    held = at(facts, 10 * M)["status-page"]
    assert (held.owner, "held back by the breach flag" in held.why) == ("legal", True)
    free = replace(facts, releases=(Moment(at=T0 + 6 * M, by="legal", reason="told the authority"),))
    assert at(free, 10 * M)["status-page"].owner == "communications-lead"


def test_who_holds_a_role_owes_what_the_role_owes() -> None:
    facts = declared("SEV1", assignments=(Assigned(at=T0, role="communications-lead", person="responder-2"),))
    assert at(facts, M)["update"].owner == "responder-2"
    assert at(facts, M)["escalate-l2"].owner == "incident-commander"


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-11-27T16:00+00:00", "UTC", "2026-11-30T17:00+00:00"),
        ("2026-11-28T09:00+00:00", "UTC", "2026-11-30T17:00+00:00"),
        ("2026-11-29T23:30+00:00", "Europe/Berlin", "2026-12-01T16:00+00:00"),
        ("2026-12-23T09:00+00:00", "UTC", "2026-12-28T17:00+00:00"),
        ("2026-03-27T09:00+00:00", "Europe/Berlin", "2026-03-30T15:00+00:00"),
        ("2026-10-23T09:00+00:00", "Europe/Berlin", "2026-10-26T16:00+00:00"),
    ],
    ids=["friday", "saturday", "monday there", "holidays", "into summer time", "out of summer time"],
)
def test_the_next_business_day(moment: str, zone: str, expected: str) -> None:
    holidays = frozenset({date(2026, 12, 24), date(2026, 12, 25)})
    calendar = POLICY.calendar.model_copy(update={"zone": ZoneInfo(zone), "holidays": holidays})
    found = next_business_day(calendar, datetime.fromisoformat(moment))
    assert found == datetime.fromisoformat(expected)


# ── What no order of events may break ────────────────────────────────────────────────────────────────────────────────

MOMENTS = st.integers(0, 6 * 3600).map(lambda s: T0 + timedelta(seconds=s))
SEVERITIES = st.sampled_from([each.value for each in Severity])
WORDS = st.sampled_from(["", "a reason"])
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "grades": st.builds(Grade, at=MOMENTS, severity=SEVERITIES),
    "acknowledged": st.builds(Moment, at=MOMENTS),
    "flags": st.builds(
        Flag, at=MOMENTS, by=WORDS, reason=WORDS, flag=st.sampled_from(POLICY.flags), value=st.booleans()
    ),
    "assignments": st.builds(Assigned, at=MOMENTS, role=st.sampled_from(list(POLICY.roles)), person=WORDS),
    "escalations": st.builds(Escalated, at=MOMENTS, level=st.sampled_from(["L2", "L3", "L4"]), to=st.just(())),
    "notices": st.builds(Notice, at=MOMENTS, whom=st.sampled_from(["manager", "director", "legal", "aws"])),
    "updates": st.builds(
        Update, at=MOMENTS, number=st.integers(0, 3), status=st.just("x"), next=st.none() | MOMENTS
    ),
    "maintenance": st.builds(Maintenance, at=MOMENTS, shown=st.booleans()),
    "looks": st.builds(Look, at=MOMENTS, verdict=st.sampled_from(["OK", "BAD", "UNKNOWN"])),
    "turns": st.builds(Turn, at=MOMENTS, resolved=st.booleans()),
    "checks": st.builds(Checked, at=MOMENTS, item=WORDS, value=st.booleans()),
}  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Moment]]:
    """A declaration, then anything, in the order of time."""
    kinds = st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), KINDS[kind]))
    return sorted(draw(st.lists(kinds, max_size=12)), key=lambda each: each[1].at)


def added(history: list[tuple[str, Moment]], severity: str = "SEV1") -> Facts:
    facts = declared(severity)
    for kind, moment in history:
        facts = replace(facts, **{kind: (*getattr(facts, kind), moment)})
    return facts


@settings(max_examples=200, deadline=None)
@given(histories(), SEVERITIES, st.integers(-7200, 8 * 3600))
def test_no_duty_is_due_before_its_beginning_and_the_same_facts_say_the_same(
    history: list[tuple[str, Moment]], severity: str, second: int
) -> None:
    facts, now = added(history, severity), T0 + timedelta(seconds=second)
    found = duties(POLICY, facts, now)
    assert found == duties(POLICY, facts, now)
    assert len({each.id for each in found}) == len(found)
    for each in found:
        back = max((facts.last or T0) - now, timedelta())
        assert each.due >= T0 - back
        assert each.state in ("due", "overdue", "met", "missed")
        assert (each.state == "overdue") <= (each.due < now)


@settings(max_examples=200, deadline=None)
@given(histories(), SEVERITIES)
def test_no_event_makes_a_late_duty_go_away(history: list[tuple[str, Moment]], severity: str) -> None:
    """Whatever was late stays in the list, and is never met. `update` becomes `update-N`; `monitor` begins anew."""
    late: set[str] = set()
    for length in range(len(history) + 1):
        facts = added(history[:length], severity)
        found = {each.id: each for each in duties(POLICY, facts, facts.last or T0)}
        assert late <= set(found)
        assert {found[each].state for each in late} <= {"overdue", "missed", "due"}
        late |= {each.id for each in found.values() if each.state in ("overdue", "missed")} - {"update", "monitor"}


@settings(max_examples=200, deadline=None)
@given(histories(), SEVERITIES, st.integers(0, 7 * 3600), st.integers(0, 3600))
def test_time_alone_loses_no_duty(history: list[tuple[str, Moment]], severity: str, second: int, more: int) -> None:
    facts = added(history, severity)
    base = (facts.last or T0) + timedelta(seconds=second)
    before = {each.id for each in duties(POLICY, facts, base)}
    after = {each.id for each in duties(POLICY, facts, base + timedelta(seconds=more))}
    assert before <= after


def test_a_clock_that_was_set_back_an_hour_makes_no_duration_negative_and_loses_no_duty() -> None:
    facts = declared("SEV1", acknowledged=(Moment(at=T0 + 3 * M),))
    seen = at(facts, 3 * M - H)
    assert seen["acknowledge"].state == "met"
    assert seen["escalate-l2"].due == T0 + 30 * M - H
    assert set(seen) == set(at(facts, 3 * M))
