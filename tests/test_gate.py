"""The gate: what opens it, and everything that must not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch.model import Approval, Change, Finding, Findings, Plan, Target, Verdict, plain
from firstwatch.policy.gate import Gate, Rule, decide

NOW = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
STRICT = Rule(self_approval=False)


def plan(**changes: object) -> Plan:
    change = Change("/spec/replicas", 3, 5)
    made = Plan(
        action="scale", target=Target("Deployment", "prod", "api", "u1", 7), changes=(change,), summary=("3 → 5",),
        undo=(change.inverse(),), destructive=True, parameters={"replicas": 5}, runbook="mitigate/scale",
        notebook_sha256="a",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def gate(*approvals: Approval, rule: Rule = STRICT, of: Plan | None = None) -> Gate:
    return decide(of or plan(), approvals, "on-call", rule, NOW, "2026-11-24-020304")


def yes(by: str = "responder-2", until: datetime = LATER, of: Plan | None = None) -> Approval:
    return Approval((of or plan()).hash, by, until)


def test_somebody_elses_yes_opens_it() -> None:
    assert gate(yes()).open


def test_without_approval_it_is_closed_and_says_what_opens_it() -> None:
    closed = gate()
    assert not closed.open
    assert f"firstwatch approve {plan().hash} -i 2026-11-24-020304" in repr(closed)


def test_the_requester_cannot_approve_too() -> None:
    assert "cannot approve it too" in repr(gate(yes("on-call")))


def test_the_requester_can_in_a_game_day_that_allows_it() -> None:
    assert gate(yes("on-call"), rule=Rule(self_approval=True)).open


def test_an_expired_approval_says_when_it_expired() -> None:
    assert "expired at 02:03:04 UTC" in repr(gate(yes(until=NOW)))


def test_a_destructive_plan_on_a_sev1_wants_two_people() -> None:
    sev1 = Rule(self_approval=False, severity="SEV1")
    assert not gate(yes(), rule=sev1).open
    assert not gate(yes(), yes(), rule=sev1).open, "the same person twice is one person"
    assert gate(yes(), yes("responder-3"), rule=sev1).open
    mild = plan(destructive=False)
    assert gate(yes(of=mild), rule=sev1, of=mild).open


def test_in_a_game_day_one_of_the_two_may_be_the_requester() -> None:
    practice = Rule(self_approval=True, severity="SEV1")
    assert not gate(yes("on-call"), rule=practice).open
    assert gate(yes("on-call"), yes(), rule=practice).open


@pytest.mark.parametrize("name", ["On-Call", " on-call ", "ｏｎ-call", "on\u200b-call", "ON-CALL", ""])
def test_another_way_to_write_a_name_is_nobody_else(name: str) -> None:
    assert not gate(yes(name)).open


def test_the_broken_glass_opens_for_whoever_broke_it_and_says_so() -> None:
    broken = replace(yes("on-call"), reason="alone on call")
    opened = gate(broken, rule=Rule(self_approval=False, severity="SEV1"))
    assert (opened.open, "BREAK-GLASS by on-call" in repr(opened)) == (True, True)
    assert not gate(replace(broken, by="responder-2")).open
    assert not gate(replace(broken, until=NOW)).open


def test_a_change_that_would_not_stick_keeps_it_closed() -> None:
    owned = Finding(probe="will-it-stick", verdict=Verdict.BAD, object="x", expected="", observed="Flux owns it")
    stuck = plan(sticks=Findings((owned,)))
    assert "would not stick: Flux owns it" in repr(gate(yes(of=stuck), of=stuck))


@pytest.mark.parametrize(
    "other",
    [
        plan(target=Target("Deployment", "prod", "api", "u2", 7)),
        plan(target=Target("Deployment", "prod", "api", "u1", 8)),
        plan(changes=(Change("/spec/replicas", 3, 6),)),
        plan(changes=(Change("/spec/replicas", 4, 5),)),
        plan(undo=()),
        plan(parameters={"replicas": 6}),
        plan(notebook_sha256="b"),
        plan(runbook="mitigate/other"),
    ],
    ids=["uid", "generation", "to", "from", "undo", "parameters", "notebook", "runbook"],
)
def test_an_approval_is_for_one_plan_only(other: Plan) -> None:
    assert not gate(yes(), of=other).open


def test_a_hash_survives_the_journal() -> None:
    assert Plan.from_json(plain(plan())).hash == plan().hash


@given(st.text(max_size=16))
def test_no_other_hash_opens_it(text: str) -> None:
    assert gate(Approval(text, "responder-2", LATER)).open == (text == plan().hash)
