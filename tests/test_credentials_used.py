"""Shared credentials: who took one and why is in the record, what it is never is, and somebody owes its rotation."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_people_commands import Phone, declared, typed  # noqa: F401  # fixtures

from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record.journal import Journal

LISTED = """
[[credentials]]
name = "aws-root"
reference = "password manager: Emergency/aws-root"
owner = "security"
rotate_days = 2
[[credentials]]
name = "database-admin"
reference = "password manager: Emergency/database"
"""
WHY = "nobody with the mitigate role can be reached"


@pytest.fixture
def shared(declared: Phone) -> Phone:  # noqa: F811
    config = declared.folder / "firstwatch.toml"
    config.write_text(config.read_text() + LISTED)
    return declared


def journal(phone: Phone) -> str:
    (path,) = (phone.folder / "incidents").glob("*/journal.jsonl")
    return path.read_text()


def rotated(phone: Phone) -> None:
    """Record that the open rotation is done."""
    (item,) = phone.state().people.todo
    (path,) = (phone.folder / "incidents").glob("*/journal.jsonl")
    body = {"id": item.id, "action": item.action, "owner": item.owner, "due": item.due.isoformat()}
    done = {"priority": item.priority, "state": "done", "evidence": "https://example.com/rotated"}
    Journal(path, WallClock(), Actor("security"), "t@here").append("action-item", body | done)


def test_its_use_is_recorded_by_name_with_the_reason_and_an_owner_of_the_rotation(shared: Phone) -> None:
    said = shared("credential-used", "aws-root", "--reason", WHY)
    state, day = shared.state(), datetime.now(UTC).date() + timedelta(days=2)
    (item,) = state.people.todo
    assert (item.id, item.owner, item.due, item.priority) == ("rotate-aws-root.1", "security", day, "High")
    assert f"Shared credential aws-root used: {WHY}" in [each.text for each in state.timeline]
    assert f"{state.id}/rotate-aws-root.1" in said.out
    assert "password manager: Emergency/aws-root" not in journal(shared)


def test_a_ticket_asks_for_the_rotation(shared: Phone) -> None:
    shared("credential-used", "aws-root", "--reason", WHY)
    (text,) = (each for each in shared.state().messages if each.template == "action-item")
    assert (text.channel, text.state) == ("tracker", "to paste")
    assert "Rotate the shared credential aws-root" in text.text
    assert "Owner: security" in text.text


def test_two_uses_before_the_rotation_owe_one_and_a_later_one_owes_another(shared: Phone) -> None:
    for _ in range(2):
        shared("credential-used", "aws-root", "--reason", WHY)
    assert [each.id for each in shared.state().people.todo] == ["rotate-aws-root.1"]
    rotated(shared)
    shared("credential-used", "aws-root", "--reason", WHY)
    assert [each.id for each in shared.state().people.todo] == ["rotate-aws-root.1", "rotate-aws-root.2"]
    assert journal(shared).count('"kind":"credential-used"') == 3


def test_without_an_owner_whoever_used_it_rotates_it(shared: Phone) -> None:
    found = json.loads(shared("credential-used", "database-admin", "--reason", WHY, "--json", acting_as="manager").out)
    assert found["rotation"]["owner"] == "manager"


def test_another_name_is_refused_and_not_shown(shared: Phone) -> None:
    assert "did you mean aws-root?" in shared("credential-used", "aws-rot", "--reason", WHY, code=2).err
    pasted = "hunter2-was-pasted-here"
    assert pasted not in shared("credential-used", pasted, "--reason", WHY, code=2).err
    assert "--reason is empty" in shared("credential-used", "aws-root", "--reason", " ", code=2).err
    assert "credential-used" not in journal(shared)


def test_a_reference_that_is_itself_a_secret_is_refused(shared: Phone) -> None:
    config: Path = shared.folder / "firstwatch.toml"
    config.write_text(config.read_text().replace("password manager: Emergency/aws-root", "password=Xq7vR2mK9pL4wZ8t"))
    said = shared("credential-used", "aws-root", "--reason", WHY, code=2)
    assert "looks like a secret" in said.err
    assert "Xq7vR2mK9pL4wZ8t" not in said.err + said.out
