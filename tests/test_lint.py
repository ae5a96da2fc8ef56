"""The linter for texts: what it finds in a corpus of sentences, and, as honestly, what it does not."""

import tomllib
from pathlib import Path

import pytest
from test_texts import ON_STATUS_PAGE, THEIRS

from firstwatch.channels import texts
from firstwatch.channels.lint import LEVELS, House, check, impacts
from firstwatch.model import Severity

CORPUS = tomllib.loads((Path(__file__).parent / "corpus" / "customer-texts.toml").read_text("utf-8"))
HOUSE = House(("status.claude-deployment.com",), ("claude-deployment-api", "claude-deployment-prod"))
BAD = [(rule, text) for rule, several in CORPUS["bad"].items() for text in several]
MISSED = [(rule, text) for rule, several in CORPUS["missed"].items() for text in several]


def rules(text: str, name: str = "identified") -> set[str]:
    return {each.rule for each in check(name, text, HOUSE)}


@pytest.mark.parametrize(("rule", "text"), BAD)
def test_what_must_not_leave_is_found_by_its_rule(rule: str, text: str) -> None:
    assert rule in rules(text)


@pytest.mark.parametrize(("rule", "text"), MISSED)
def test_what_is_known_to_be_missed_is_missed_as_the_page_says(rule: str, text: str) -> None:
    assert rule not in rules(text)


@pytest.mark.parametrize("text", CORPUS["clean"]["sentences"])
def test_a_clean_sentence_passes(text: str) -> None:
    assert check("identified", text, HOUSE) == ()


def test_the_team_may_read_host_names_and_tickets() -> None:
    assert rules("db-01 at 10.1.2.3 fails, see OPS-12. Traceback (most recent call last)", "notice") == set()


@pytest.mark.parametrize(("name", "line"), [("declaration", -1), ("update", -1), ("customer-notice", 7)])
def test_a_text_without_its_next_update_is_found(name: str, line: int) -> None:
    text = FILLED[name]
    assert check(name, text, HOUSE) == ()
    without = [each for each in text.splitlines() if "pdate" not in each or each.startswith("📊")]
    assert "next update" in {each.rule for each in check(name, "\n".join(without), HOUSE)}


FILLED = {
    "declaration": texts.render("declaration", THEIRS["declaration"] | {
        "severity": "SEV1", "title": "API errors", "channel": "incident-2026-11-24-020304"}),
    "update": texts.render("update", THEIRS["update"] | {
        "number": "2", "severity": "SEV1", "status": "MITIGATING", "updated": "02:03", "next": "02:18"}),
    "customer-notice": texts.render("customer-notice", THEIRS["customer-notice"] | {
        "service": "API", "customer": "customer", "affected": "the API", "impact": "6 of 10 requests fail",
        "estimate": "We will provide updates every 30 minutes", "company": "Our"}),
}  # fmt: skip


def test_the_same_impact_everywhere_passes_and_another_is_named() -> None:
    said = {
        "declaration": {"impact": "6 of 10 requests fail"},
        "customer-notice": {"impact": "6 of 10 requests fail."},
        "investigating": {"impact": "critical"},
    }
    assert impacts(Severity.SEV1, said) == ()
    other = said | {"customer-notice": {"impact": "Some requests are slow"}}
    assert [each.found for each in impacts(Severity.SEV1, other)] == ["customer-notice: Some requests are slow"]
    assert [str(each) for each in impacts(Severity.SEV2, said)] == ["impact: 'investigating: critical'; SEV2 is major"]


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_has_a_level_that_the_status_page_knows(severity: Severity) -> None:
    assert LEVELS[severity] in ("none", "minor", "major", "critical")


@pytest.mark.parametrize("state", texts.STATES)
def test_the_procedures_own_status_page_texts_pass(state: str) -> None:
    fields = {key: ON_STATUS_PAGE[key] for key in texts.template(state).fields}
    assert check(state, texts.render(state, fields), HOUSE) == ()


@pytest.mark.timeout(10)
@pytest.mark.parametrize("letter", [*"a0.:-/ [{<$#@", "a-", "a.", "0:", "a:a", "1."])
def test_a_long_text_is_looked_at_in_linear_time(letter: str) -> None:
    check("identified", letter * (20_000 // len(letter)), HOUSE)
