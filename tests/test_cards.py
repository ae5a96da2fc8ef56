"""The policy's pages: each word and each time on them is the one that the clocks run by."""

import re
from pathlib import Path

import pytest

from firstwatch.model import Severity, cell
from firstwatch.policy import tables
from firstwatch.publish import cards, site

POLICY = tables.load()
PAGES = cards.pages(POLICY)


@pytest.mark.parametrize("severity", list(Severity))
def test_a_severity_has_its_page_with_its_criteria_and_clocks(severity: Severity) -> None:
    title, text = PAGES[f"severities/{severity.lower()}.md"]
    level = POLICY.levels[severity]
    assert title == f"{severity}: {level.name}"
    assert all(cell(each.text) in text for each in (*level.rules,))
    assert f"| acknowledge | {cell(level.response)} | {cards.within(level.within)} |" in text


@pytest.mark.parametrize("role", POLICY.roles)
def test_a_role_has_its_card(role: str) -> None:
    _, text = PAGES[f"roles/{role}.md"]
    said = POLICY.roles[role]
    assert all(cell(each) in text for each in (*said.responsibilities, *said.selection, said.extended))
    assert f"firstwatch assign {role} PERSON" in text


def test_the_schedule_says_what_extended_means() -> None:
    _, text = PAGES["reference/communication-schedule.md"]
    assert "| SEV1 | Immediate | Every 15 minutes | Yes | Yes |" in text
    assert "| SEV2 | customer e-mail | 1 hour: beyond 2 update periods |" in text
    assert "| SEV3 | status page | 2 hours: beyond 2 update periods |" in text


def test_the_ladder_and_the_notices_are_the_procedures_own() -> None:
    _, text = PAGES["reference/escalation.md"]
    assert "| L3 | Engineering Director + CTO |" in text
    assert cell("For SEV1 incidents lasting >2 hours") in text
    assert "| SEV2 | 30 minutes | 2 hours | 4 hours |" in text
    assert "| Data Breach | Immediate notification to legal team | breach | at once |" in text


def test_a_page_follows_a_policy_of_ones_own(tmp_path: Path) -> None:
    own = '[schedule.SEV1.update]\ntext = "Every 10 minutes"\nwithin = "10m"\n[extended]\nupdate_periods = 3'
    (tmp_path / "policy.toml").write_text(own)
    made = cards.pages(tables.load(tmp_path / "firstwatch.toml"))
    assert "| update | Every 10 minutes | 10 minutes |" in made["severities/sev1.md"][1]
    assert "1 hour 30" not in made["severities/sev2.md"][1]
    assert "90 minutes: beyond 3 update periods" in made["severities/sev2.md"][1]


def test_what_is_derived_takes_its_place_in_the_navigation_at_any_depth(tmp_path: Path) -> None:
    staged = site.Staged(
        tmp_path, (("Roll back", "runbooks/mitigate/rollback.ipynb"),), (("SEV1", "severities/sev1.md"),)
    )
    nav = [{"Home": "index.md"}, {"Runbooks": "runbooks/"}, {"People": [{"Severities": "severities/"}]}]
    assert site.navigation(nav, staged) == [
        {"Home": "index.md"},
        {"Runbooks": [{"Roll back": "runbooks/mitigate/rollback.ipynb"}]},
        {"People": [{"Severities": [{"SEV1": "severities/sev1.md"}]}]},
    ]


def test_the_page_to_print_has_only_commands_that_there_are() -> None:
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "first-ten-minutes.md").read_text("utf-8")
    from typer.main import get_command

    from firstwatch.cli import approving, declaring, incidents, notes, people, runbooks  # noqa: F401  # each adds commands
    from firstwatch.cli.app import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group
    typed = set(re.findall(r"firstwatch ([a-z-]+)", page))
    assert typed <= known


def test_each_principle_of_the_policy_is_on_the_overview() -> None:
    page = Path(__file__).parents[1] / "docs" / "procedures" / "overview.md"
    assert re.findall(r"^- \*\*(.+?)\*\*", page.read_text(), re.MULTILINE) == list(POLICY.principles)
