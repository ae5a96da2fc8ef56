"""Severity: each leaf of the tree, each criterion, the rules where the procedures contradict themselves."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from firstwatch.errors import BadParameter
from firstwatch.mechanisms import MECHANISMS
from firstwatch.model import Severity
from firstwatch.policy import tables
from firstwatch.policy.levels import Measures, propose
from firstwatch.policy.triage import answer, names, questions, triage

POLICY = tables.load()
NO_TO_FIRST = {"breach": False, "data-loss": False, "payments": False}
RULES = [(level, rule) for level, said in POLICY.levels.items() for rule in said.rules]
BY_ANSWER = [(level, rule.id, rule.answer) for level, rule in RULES if rule.answer]


@pytest.mark.parametrize(
    ("answers", "severity", "last"),
    [
        ({"breach": True}, "SEV1", "Is there a security breach or unauthorized access? yes"),
        ({"breach": False, "data-loss": True}, "SEV1", "Is data lost or corrupted? yes"),
        ({"breach": False, "data-loss": False, "payments": True}, "SEV1", "Is payment processing down? yes"),
        (NO_TO_FIRST | {"down": True}, "SEV1", "Is service completely down? yes"),
        ({"down": False, "many-customers": True}, "SEV2", "Are multiple customers affected? yes"),
        ({"down": False, "many-customers": False, "core": True}, "SEV3", "Is core functionality impacted? yes"),
        ({"down": False, "many-customers": False, "core": False}, "SEV4", "Is core functionality impacted? no"),
    ],
    ids=["breach", "data loss", "payments", "down", "many", "core", "neither"],
)
def test_each_leaf_of_the_tree(answers: dict[str, bool], severity: str, last: str) -> None:
    found, path = triage(POLICY, answers)
    assert (found, path[-1], len(path)) == (severity, last, len(answers))


@pytest.mark.parametrize(
    ("answers", "severity"),
    [({}, None), (NO_TO_FIRST, None), ({"down": False}, "SEV2"), ({"down": False, "many-customers": False}, "SEV3"),
     ({"core": False}, "SEV2"), ({"core": True}, "SEV3"), ({"single-customer": True}, None)],
    ids=repr,
)  # fmt: skip
def test_a_question_that_was_not_answered_is_not_a_no(answers: dict[str, bool], severity: str | None) -> None:
    assert triage(POLICY, answers)[0] == severity


@pytest.mark.parametrize(("severity", "rule", "name"), BY_ANSWER, ids=[rule for _, rule, _ in BY_ANSWER])
def test_each_criterion_fires_by_its_answer_and_not_without(severity: Severity, rule: str, name: str) -> None:
    proposal = propose(POLICY, {name: True})
    assert proposal.severity == severity
    assert any(f"({rule})" in reason for reason in proposal.reasons)
    assert not any(f"({rule})" in reason for reason in propose(POLICY, {name: False}).reasons)


@pytest.mark.parametrize(
    ("measures", "severity", "rule"),
    [
        (Measures(0.9501), "SEV1", "errors-over-95"),
        (Measures(0.95), "SEV1", "most-requests-fail"),
        (Measures(0.5001), "SEV1", "most-requests-fail"),
        (Measures(0.5), "SEV2", "errors-over-5"),
        (Measures(0.1), "SEV2", "errors-over-5"),
        (Measures(0.0501), "SEV2", "errors-over-5"),
        (Measures(0.05), "SEV3", "errors-1-5"),
        (Measures(0.01), "SEV3", "errors-1-5"),
        (Measures(0.0099), "SEV2", "unknown"),
        (Measures(latency_s=5.01), "SEV2", "latency-over-5s"),
        (Measures(latency_s=5.0), "SEV2", "unknown"),
        (Measures(latency_s=0.151, baseline_s=0.1), "SEV2", "slower-by-half"),
        (Measures(latency_s=0.15, baseline_s=0.1), "SEV2", "unknown"),
        (Measures(latency_s=1.0, baseline_s=0.0), "SEV2", "unknown"),
        (Measures(math.nan, math.inf, 1.0), "SEV2", "unknown"),
    ],
    ids=repr,
)
def test_each_metric_fires_at_its_own_threshold(measures: Measures, severity: str, rule: str) -> None:
    proposal = propose(POLICY, {}, measures)
    assert (proposal.severity, proposal.rule) == (severity, rule)


def test_the_example_of_10_to_50_percent_fires_from_10_on() -> None:
    assert any("(errors-10-50: 10.0 %)" in reason for reason in propose(POLICY, {}, Measures(0.10)).reasons)
    assert not any("errors-10-50" in reason for reason in propose(POLICY, {}, Measures(0.0999)).reasons)


@pytest.mark.parametrize("name", ["breach", "data-loss", "payments"])
def test_c1_a_breach_lost_data_or_dead_payments_are_asked_first_and_are_sev1_with_the_service_up(name: str) -> None:
    assert [each.answer for each in questions(POLICY)[:3]] == ["breach", "data-loss", "payments"]
    up = {"down": False, "many-customers": False, "core": False}
    assert propose(POLICY, up | {name: True}).severity == "SEV1"
    assert propose(POLICY, up).severity == "SEV4"


def test_c2_more_than_half_of_the_requests_failing_is_sev1_and_says_why() -> None:
    proposal = propose(POLICY, {"down": False, "many-customers": True}, Measures(error_share=0.6))
    assert (proposal.severity, proposal.rule) == ("SEV1", "most-requests-fail")
    assert "the procedures leave 50-95% open, so it is graded up (most-requests-fail: 60.0 %)" in proposal.reasons[0]


def test_c3_a_single_customer_is_sev3_by_the_criteria_though_the_tree_says_sev4() -> None:
    answers = {"down": False, "many-customers": False, "core": False, "single-customer": True}
    assert triage(POLICY, answers)[0] == "SEV4"
    assert (propose(POLICY, answers).severity, propose(POLICY, answers).rule) == ("SEV3", "single-customer")


def test_nothing_known_is_sev2_and_says_so() -> None:
    proposal = propose(POLICY, {})
    assert (proposal.severity, proposal.rule) == ("SEV2", "unknown")
    assert "nothing was answered or measured" in proposal.reasons[0]


def test_a_latency_without_a_baseline_is_said_to_be_unjudged() -> None:
    assert any("no latency baseline" in reason for reason in propose(POLICY, {}, Measures(latency_s=1)).reasons)


SEEN = [(level, rule.id, word) for level, rule in RULES for word in rule.seen]


@pytest.mark.parametrize(("severity", "rule", "mechanism"), SEEN, ids=[f"{r}-{m}" for _, r, m in SEEN])
def test_a_mechanism_that_a_probe_saw_fires_its_criterion(severity: Severity, rule: str, mechanism: str) -> None:
    assert mechanism in MECHANISMS
    proposal = propose(POLICY, {"down": False, "many-customers": False, "core": False}, seen={mechanism})
    assert proposal.severity == severity
    assert any(f"({rule}: {mechanism})" in reason for reason in proposal.reasons)


def test_another_answer_never_lowers_a_proposal() -> None:
    worst = propose(POLICY, {"breach": True}, Measures(0.99))
    for name in names(POLICY):
        assert propose(POLICY, {"breach": True, name: False} | {"breach": True}, Measures(0.001)).severity == "SEV1"
        assert propose(POLICY, {name: True}, Measures(0.99)).severity == worst.severity


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("breech=yes", "did you mean breach?"),
        ("breach=maybe", "yes or no"),
        ("breach", "yes or no"),
        ("=yes", "there is"),
    ],
)
def test_an_answer_that_is_none_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(BadParameter, match=re.escape(said)):
        answer(POLICY, text)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("[calender]", "calender is not a setting; did you mean calendar?"),
        ('[schedule.SEV1.update]\nwithn = "5m"', "schedule.SEV1.update.withn is not a setting; did you mean within?"),
        ("[levels.SEV9]", "levels.SEV9"),
        ('[calendar]\nzone = "Mars/Base"', "'Mars/Base' is not a time zone such as Europe/Berlin"),
        ("[calendar]\ndays = []", "calendar.days"),
        ('[schedule.SEV1.update]\nwithin = "soon"', "schedule.SEV1.update.within"),
        ('[ladder.levels.L3]\nflagg = "x"', "did you mean flag?"),
        ("[[levels.SEV1.criteria]]\nid = 'x'\ntext = 'y'\nmetric = 'latency'", "either over or from"),
        ("no toml", "cannot read the policy"),
    ],
)
def test_a_policy_of_ones_own_that_is_wrong_is_refused_by_name(tmp_path: Path, own: str, said: str) -> None:
    (tmp_path / "policy.toml").write_text(own)
    with pytest.raises(BadParameter, match=re.escape(said)):
        tables.load(tmp_path / "firstwatch.toml")


def test_a_policy_of_ones_own_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[schedule.SEV1.update]\ntext = "Every 10 minutes"\nwithin = "10m"')
    own = tables.load(tmp_path / "firstwatch.toml")
    assert own.schedule[Severity.SEV1].update.text == "Every 10 minutes"
    put_back: dict[str, Any] = {"schedule": POLICY.schedule}
    assert own.model_copy(update=put_back) == POLICY


def test_the_shipped_tables_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="frozen"):
        POLICY.triage.unknown = Severity.SEV4
