"""A whole incident while chat, status page, mail and pager are dead: nothing is lost, and all is told later."""

from pathlib import Path

import pytest
from exchange import Exchange
from test_telling import Desk, bare, desk, world

__all__ = ["bare", "desk", "world"]  # fixtures
STATES = ("investigating", "identified", "monitoring", "resolved")
LETTERS = ["SEV1: API errors", "Service Disruption Notice - API", "Service Restoration - API"]


def approved(desk: Desk, *templates: str) -> None:
    for each in templates:
        desk("approve-text", desk.text(each)["id"], actor="responder-2", expected=9)


def lived_through(desk: Desk) -> str:
    """Declare, mitigate and resolve; every command does its work and ends with 9, because texts wait."""
    told = desk.declared(expected=9)
    desk("ack", expected=9)
    approved(desk, "investigating", "customer-notice")
    assert desk("run", "mitigate/rollback", "--replay")["status"] == "done"
    desk.updated(expected=9)
    desk.updated("MONITORING", expected=9)
    approved(desk, "identified", "monitoring")
    desk("resolve", "Rolled back to 2.4.0", "--cause", "release 2.4.1", expected=9)
    approved(desk, "resolved", "customer-restoration")
    return str(told["id"])


@pytest.mark.timeout(600)
def test_a_game_day_with_every_channel_dead_ends_with_9_and_when_they_return_each_text_arrives_once_in_order(
    desk: Desk, world: Exchange
) -> None:
    world.fail("down")
    incident = lived_through(desk)
    waiting = [each for each in desk.texts() if each["channel"] != "wiki"]
    assert {each["state"] for each in waiting} <= {"queued", "not delivered"}
    pasted = desk.typed("outbox", "--show", "all").stdout
    assert all(each["text"].strip() in pasted for each in waiting)
    assert (world.mail.letters, world.statuspage.incidents, world.pager.alerts) == ([], [], {})
    assert desk("status", incident)["status"] == "resolved"
    assert desk.typed("verify", incident).returncode == 0
    page = Path(desk.folder / "incidents" / incident / "page.md").read_text()
    assert all(word in page for word in ("Update 2, MONITORING", "Rolled back to 2.4.0", "| not delivered: "))

    world.fail("")
    for _ in range(8):
        if desk.typed("outbox", "--retry").returncode == 0:
            break
    assert {each["state"] for each in desk.texts()} == {"delivered"}
    heads = [text.splitlines()[0] for text in world.posts(f"incident-{incident}")]
    assert heads == [
        "🚨 INCIDENT DECLARED - SEV1", "📊 INCIDENT UPDATE #1 - SEV1", "📊 INCIDENT UPDATE #2 - SEV1",
        "✅ INCIDENT RESOLVED - SEV1",
    ]  # fmt: skip
    (shown,) = world.statuspage.incidents
    assert [each["status"] for each in reversed(shown["incident_updates"])] == list(STATES)
    subjects = [each["subject"] for each in world.mail.letters]
    assert sorted(subjects) == sorted(LETTERS)
    assert subjects.index(LETTERS[1]) < subjects.index(LETTERS[2])
    assert [(each["state"], each["rings"]) for each in world.pager.alerts.values()] == [("resolved", 1)] * 2
    assert len(world.tracker.tickets) == 1
