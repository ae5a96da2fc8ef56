"""Whom to call: what is known of each, whether it can be believed, and what to do when not."""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firstwatch.cli import main
from firstwatch.policy.freshness import standing
from firstwatch.policy.roster import Person

TODAY = date(2026, 11, 26)
ROOT = Path(__file__).parents[1]


def known(days_ago: int | None, **ways: str) -> Person:
    return Person(name="on-call", checked=None if days_ago is None else TODAY - timedelta(days_ago), **ways)


@pytest.mark.parametrize(
    ("days_ago", "ways", "state"),
    [
        (90, {"phone": "+1-555-0123"}, "fresh"),
        (91, {"phone": "+1-555-0123"}, "stale"),
        (-1, {"phone": "+1-555-0123"}, "stale"),
        (None, {"email": "a@example.com"}, "unchecked"),
        (0, {}, "unreachable"),
        (0, {"portal": "Enterprise Support Portal"}, "fresh"),
    ],
    ids=["on the last day", "a day later", "a date to come", "never", "no way", "a portal"],
)
def test_a_contact_is_believed_only_when_somebody_tried_it_lately(
    days_ago: int | None, ways: dict[str, str], state: str
) -> None:
    found = standing(known(days_ago, **ways), TODAY, fresh_days=90)
    assert found.state == state
    assert bool(found.next) is (state != "fresh")


def test_what_to_do_names_the_way_and_the_date_to_set() -> None:
    said = standing(known(None, phone="+1-555-0123"), TODAY, 90).next
    assert "+1-555-0123" in said
    assert "checked = 2026-11-26" in said


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Type `firstwatch contacts`, offline, beside a configuration whose contacts are the text given."""
    (tmp_path / "firstwatch.toml").write_text((ROOT / "firstwatch.toml").read_text())
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(tmp_path / "firstwatch.toml"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(people: str, *words: str, code: int = 0) -> str:
        (tmp_path / "contacts.toml").write_text(people)
        monkeypatch.setattr(sys, "argv", ["firstwatch", "contacts", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return str(out + err)

    return run


def test_the_procedures_own_contacts_are_all_there(typed: Any) -> None:
    said = typed((ROOT / "contacts.toml").read_text())
    for way in ("+1-555-0123", "+1-555-0125", "security@company.com", "Enterprise Support Portal"):
        assert way in said


def test_a_stale_one_is_marked_with_what_to_do(typed: Any) -> None:
    today = datetime.now(UTC).date()
    people = f"""
fresh_days = 7
[[people]]
name = "old"
phone = "+1-555-0001"
checked = {today - timedelta(8)}
[[people]]
name = "new"
phone = "+1-555-0002"
checked = {today}
"""
    assert "stale old: checked 8 days ago, and 7 are the most" in typed(people)
    found = json.loads(typed(people, "--json"))
    assert [(each["name"], each["state"]) for each in found["contacts"]] == [("old", "stale"), ("new", "fresh")]


def test_what_somebody_wrote_moves_no_cursor_and_is_no_markup(typed: Any) -> None:
    said = typed('[[people]]\nname = "x"\nphone = "\\u001b[2J[bold]+1[/]"\n')
    assert "\x1b[2J" not in said
    assert "[bold]+1[/]" in said


def test_nobody_is_said_and_a_date_that_is_none_is_refused(typed: Any) -> None:
    assert "nobody is in contacts.toml" in typed("")
    assert "people.0.checked" in typed('[[people]]\nname = "x"\nchecked = "soon"\n', code=2)
