"""The commands that tell people, as they are typed: declare to resolve, with every channel alive, dead and absent."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import exchange
import fakes
import pytest
from exchange import Exchange

from firstwatch.clock import WallClock
from gameday.world import messages
from gameday.world.folder import Folder, State

CONTACTS = """
[[people]]
name = "manager"
roles = ["incident-commander"]
notices = ["manager"]
email = "manager@example.com"
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A responder's folder; called like the command."""

    folder: Path

    def __call__(self, *arguments: str, expected: int = 0, actor: str = "on-call") -> Any:
        done = self.typed(*arguments, "--json", actor=actor)
        assert done.returncode == expected, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout else done.stderr

    def typed(self, *arguments: str, actor: str = "on-call") -> "subprocess.CompletedProcess[str]":
        own = {
            "FIRSTWATCH_CONFIG": str(self.folder / "firstwatch.toml"), "HOME": str(self.folder), "NO_COLOR": "1",
            "FIRSTWATCH_ACTOR": actor, "COLUMNS": "250", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"],
        }  # fmt: skip
        if "PYTHONPATH" in os.environ:
            own["PYTHONPATH"] = os.environ["PYTHONPATH"]
        return subprocess.run(
            [sys.executable, "-m", "firstwatch", *arguments], env=own, cwd=self.folder, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def texts(self) -> list[dict[str, Any]]:
        done = self.typed("outbox", "--json")
        return json.loads(done.stdout)["messages"]

    def text(self, template: str) -> dict[str, Any]:
        return [each for each in self.texts() if each["template"] == template][-1]

    def declared(self, *more: str, expected: int = 0) -> Any:
        return self("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV1", *more,
                    expected=expected)  # fmt: skip

    def updated(self, status: str = "MITIGATING", expected: int = 0) -> Any:
        said = ("--summary", "2.4.1 is bad", "--eta", "10 minutes", "--actions", "rolling back")
        return self("update", "--status", status, *said, expected=expected)


@pytest.fixture
def bare(tmp_path: Path) -> Desk:
    """A desk without a single channel."""
    fakes.configuration(tmp_path, "http://127.0.0.1:9")
    return Desk(tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Exchange]:
    with exchange.exchange(tmp_path / "services", WallClock()) as made:
        yield made


@pytest.fixture
def desk(bare: Desk, world: Exchange) -> Desk:
    """A desk with all channels."""
    state = State(services_url=world.url, mail_port=world.smtp)
    with (bare.folder / "firstwatch.toml").open("a") as file:
        file.write(messages.configuration(Folder(bare.folder), state))
    (bare.folder / "contacts.toml").write_text(CONTACTS)
    return bare


def test_a_declaration_pages_announces_notifies_and_drafts_what_customers_read(desk: Desk, world: Exchange) -> None:
    told = desk.declared()
    room = f"incident-{told['id']}"
    assert {alert["whom"]: alert["state"] for alert in world.pager.alerts.values()} == {
        "on-call": "triggered", "manager": "triggered",
    }  # fmt: skip
    assert world.posts(room) == world.posts("incidents") == [desk.text("declaration")["text"]]
    assert "IC: not assigned yet" in world.posts(room)[0]
    assert "Next update in 15 minutes." in world.posts(room)[0]
    assert [letter["to"] for letter in world.mail.letters] == ["manager@example.com"]
    assert world.statuspage.incidents == []
    held = {each["template"] for each in desk("preview")}
    assert held == {"investigating", "customer-notice"}
    assert [each["complaints"] for each in desk("preview")] == [[], []]
    assert len(world.tracker.tickets) == 1


def test_a_whole_incident_reaches_everybody_and_ends_as_it_began(desk: Desk, world: Exchange) -> None:
    told = desk.declared()
    desk("ack")
    for template in ("investigating", "customer-notice"):
        desk("approve-text", desk.text(template)["id"][:8], actor="responder-2")
    assert world.statuspage.incidents[0]["impact"] == "critical"
    desk.updated()
    desk("approve-text", desk.text("identified")["id"])
    desk.updated("MONITORING")
    desk("approve-text", desk.text("monitoring")["id"])
    desk("resolve", "Rolled back to 2.4.0", "--cause", "release 2.4.1")
    for template in ("resolved", "customer-restoration"):
        desk("approve-text", desk.text(template)["id"])
    assert {each["state"] for each in desk.texts()} == {"delivered"}
    shown = world.statuspage.incidents[0]
    assert (shown["status"], [each["status"] for each in shown["components"]]) == ("resolved", ["operational"])
    assert {alert["state"] for alert in world.pager.alerts.values()} == {"resolved"}
    heads = [text.splitlines()[0] for text in world.posts(f"incident-{told['id']}")]
    assert heads == [
        "🚨 INCIDENT DECLARED - SEV1", "📊 INCIDENT UPDATE #1 - SEV1", "📊 INCIDENT UPDATE #2 - SEV1",
        "✅ INCIDENT RESOLVED - SEV1",
    ]  # fmt: skip
    assert "Root Cause: release 2.4.1 (pending investigation)" in world.posts("incidents")[-1]
    assert [letter["subject"] for letter in world.mail.letters][1:] == [
        "Service Disruption Notice - API", "Service Restoration - API",
    ]  # fmt: skip
    page = (desk.folder / "wiki" / f"{told['id']}.md").read_text()
    assert page.startswith(f"# {told['id']} SEV1 API errors")


def test_with_all_dead_it_ends_with_9_complete_and_when_they_return_each_arrives_once(
    desk: Desk, world: Exchange
) -> None:
    world.fail("down")
    told = desk.declared(expected=9)
    desk("approve-text", desk.text("investigating")["id"], expected=9)
    desk.updated(expected=9)
    desk("resolve", "Rolled back", expected=9)
    waiting = [each for each in desk.texts() if each["state"] in ("queued", "not delivered")]
    assert len(waiting) > 10
    pasted = desk.typed("outbox", "--show", "all").stdout
    assert all(each["text"].splitlines()[0] in pasted for each in waiting)
    world.fail("")
    for _ in range(3):
        desk.typed("outbox", "--retry")
    assert desk("outbox", "--retry")
    heads = [text.splitlines()[0] for text in world.posts(f"incident-{told['id']}")]
    assert [head[:6] for head in heads] == ["🚨 INCI", "📊 INCI", "✅ INCI"]
    assert len(world.posts("incidents")) == 2
    assert sorted(alert["rings"] for alert in world.pager.alerts.values()) == [1, 1]
    assert desk.typed("verify").returncode == 0


def test_without_channels_every_text_is_there_to_paste_and_it_ends_with_0(bare: Desk) -> None:
    done = bare.typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV2")
    assert done.returncode == 0, done.stderr
    assert "to paste: declaration for slack, incident: not configured: there is no [channels.slack]" in done.stderr
    assert "🚨 INCIDENT DECLARED - SEV2" in bare.typed("outbox", "--show", "all").stdout
    (text,) = [each for each in bare.texts() if (each["template"], each["to"]) == ("declaration", "incident")]
    bare("outbox", "--pasted", text["id"][:8])
    assert bare.typed("outbox", "--show", text["id"]).stdout.count("(delivered)") == 1


def test_what_the_schedule_says_of_each_severity_is_what_is_told(desk: Desk, world: Exchange) -> None:
    desk("declare", "A typo", "--impact", "A page has a typo", "--severity", "SEV4", "--reason", "it is only a typo")
    assert [each["template"] for each in desk.texts()] == ["ticket"]
    assert world.slack.channels[-1].name == "incidents"
    assert "update is needed: at SEV4" in desk.typed("update", "--status", "INVESTIGATING", "--summary", "s", "--eta",
                                                     "e", "--actions", "a").stderr  # fmt: skip
    desk("severity", "SEV1", "--reason", "payments fail")
    assert {"page", "declaration", "investigating", "customer-notice"} <= {each["template"] for each in desk.texts()}
    assert len(world.pager.alerts) == 2


def test_updates_number_themselves_and_set_the_next_one(desk: Desk) -> None:
    desk.declared()
    assert [desk.updated()["update"] for _ in range(2)] == [1, 2]
    assert desk.text("update")["text"].startswith("📊 INCIDENT UPDATE #2 - SEV1\n\nStatus: MITIGATING\n")
    late = desk.typed(
        "update", "--status", "MITIGATING", "--summary", "s", "--eta", "e", "--actions", "a", "--next", "1h"
    )
    assert (late.returncode, "people are told every 15 minutes" in late.stderr) == (2, True)


def test_two_updates_at_once_get_two_numbers(desk: Desk, world: Exchange) -> None:
    told = desk.declared()
    said = ("update", "--status", "MITIGATING", "--summary", "s", "--eta", "e", "--actions", "a", "--json")
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: desk.typed(*said), range(3)))
    assert {each.returncode for each in done} <= {0, 9}  # 9 when another one's text was still on its way
    assert sorted(json.loads(each.stdout)["update"] for each in done) == [1, 2, 3]
    desk("outbox", "--retry")
    assert len(world.posts(f"incident-{told['id']}")) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--summary", "s", "--eta", "e"], "--actions is empty: people wait for it"),
        (["--status", "MITIGATNG", "--summary", "s"], "did you mean MITIGATING?"),
        (["--summary", "x" * 2001, "--eta", "e", "--actions", "a"], "summary has 2,001 letters; 2,000 are the most"),
    ],
)  # fmt: skip
def test_an_update_that_cannot_be_told_is_not_recorded(desk: Desk, arguments: list[str], said: str) -> None:
    desk.declared()
    done = desk.typed("update", *arguments)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert desk.updated()["update"] == 1


def test_a_text_with_a_host_name_stops_until_somebody_else_confirms_it(desk: Desk, world: Exchange) -> None:
    desk("declare", "API errors", "--impact", "db-01 refuses 6 of 10 requests", "--severity", "SEV1")
    text = desk.text("investigating")["id"][:8]
    settings = desk.folder / "firstwatch.toml"
    settings.write_text(settings.read_text().replace("self = true", "self = false"))
    assert "host name: 'db-01'" in str(desk("preview", text)[0]["complaints"])
    done = desk.typed("approve-text", text)
    assert (done.returncode, "host name: 'db-01'" in done.stderr) == (3, True)
    assert desk.typed("approve-text", text, "--confirm", "customers know the name").returncode == 3
    assert world.statuspage.incidents == []
    desk("approve-text", text, "--confirm", "customers know the name", actor="responder-2")
    assert "db-01" in world.statuspage.incidents[0]["incident_updates"][0]["body"]


def test_under_a_breach_customers_are_not_told_until_it_is_released(desk: Desk, world: Exchange) -> None:
    desk.declared("--answer", "breach=yes")
    text = desk.text("investigating")["id"]
    desk("approve-text", text)
    assert world.statuspage.incidents == []
    assert "nothing is published until it is released" in desk.typed("outbox").stdout
    desk("assign", "incident-commander", "manager")
    desk("release", "--reason", "legal agrees to the text", actor="manager")
    desk("outbox", "--retry")
    assert len(world.statuspage.incidents) == 1


def test_an_end_that_cannot_be_told_is_not_recorded(desk: Desk) -> None:
    desk.declared()
    for arguments in (["x" * 2001], ["Rolled back", "--cause", " "], ["Rolled back", "--prevention", "y" * 2001]):
        assert desk.typed("resolve", *arguments).returncode == 2
    assert desk("status")["status"] == "investigating"


def test_an_unknown_text_gives_the_nearest(desk: Desk) -> None:
    desk.declared()
    for command in (["outbox", "--show", "zzz"], ["preview", "zzz"], ["approve-text", "zzz"]):
        done = desk.typed(*command)
        assert (done.returncode, "has no text 'zzz'" in done.stderr) == (2, True)
    assert "does not wait for an approval" in desk.typed("approve-text", desk.text("declaration")["id"]).stderr
    desk("outbox", "--drop", desk.text("investigating")["id"][:8], "--reason", "nobody noticed")
    assert desk.text("investigating")["state"] == "dropped"


RESPONDERS = (
    CONTACTS
    + """
[[people]]
name = "responder-2"
level = "L2"
email = "responder-2@example.com"

[[people]]
name = "director"
notices = ["director"]
email = "director@example.com"
"""
)


def test_an_escalation_reaches_the_level_and_rings_no_longer_than_the_incident_lasts(
    desk: Desk, world: Exchange
) -> None:
    above = RESPONDERS.replace('roles = ["incident-commander"]', 'level = "L3"')
    (desk.folder / "contacts.toml").write_text(above)
    told = desk.declared()
    desk("escalate", "--reason", "the pool does not recover")
    assert world.mail.letters[-1]["to"] == "responder-2@example.com"
    assert "SEV1 escalated to L2: API errors." in world.mail.letters[-1]["subject"]
    assert "Why: the pool does not recover" in world.posts(f"incident-{told['id']}")[-1]
    desk("escalate", "--reason", "still", "--level", "L3")
    rung = [each for each in world.pager.alerts.values() if "escalated to L3" in each["summary"]]
    assert [(each["whom"], each["state"]) for each in rung] == [("manager", "triggered")]
    desk("resolve", "Rolled back")
    assert {each["state"] for each in world.pager.alerts.values()} == {"resolved"}


def test_a_notice_is_mailed_and_meets_its_clock_only_when_it_has_arrived(desk: Desk, world: Exchange) -> None:
    (desk.folder / "contacts.toml").write_text(RESPONDERS)

    def duty(name: str) -> str:
        return next(each["state"] for each in desk("status")["duties"] if each["id"] == name)

    desk.declared()
    assert duty("notify-manager") in ("met", "missed")  # the page has reached them
    world.fail("down", "mail")
    desk("notify", "director", expected=9)
    assert duty("notify-director") == "due"
    world.fail("", "mail")
    desk("outbox", "--retry")
    assert duty("notify-director") == "met"
    assert [each["to"] for each in world.mail.letters].count("director@example.com") == 1
    letters = len(world.mail.letters)
    desk("notify", "director", "--how", "phone")
    assert len(world.mail.letters) == letters


@pytest.mark.timeout(300)
def test_an_incident_that_comes_back_is_told_and_gets_an_incident_of_its_own_on_the_page(
    desk: Desk, world: Exchange
) -> None:
    told = desk.declared()

    def approved(*templates: str) -> None:
        for each in templates:
            desk("approve-text", desk.text(each)["id"], actor="responder-2")

    approved("investigating")
    desk.updated("MONITORING")
    approved("monitoring")
    desk("resolve", "Rolled back")
    approved("resolved")
    desk("reopen", "--reason", "errors again")
    assert world.posts(f"incident-{told['id']}")[-1].startswith(
        "🚨 INCIDENT DECLARED - SEV1\n\nTitle: Reopened: API errors"
    )
    assert {alert["state"] for alert in world.pager.alerts.values()} == {"triggered"}
    approved("investigating")
    desk.updated()
    approved("identified")
    desk.updated("MONITORING")
    approved("monitoring")
    desk("resolve", "Rolled forward")
    approved("resolved")
    shown = [[each["status"] for each in page["incident_updates"]] for page in world.statuspage.incidents]
    assert shown == [["resolved", "monitoring", "investigating"],
                     ["resolved", "monitoring", "identified", "investigating"]]  # fmt: skip
    assert len(world.tracker.tickets) == 1
    left = {each["template"] for each in desk.texts() if each["state"] != "delivered"}
    assert left == {"customer-notice", "customer-restoration"}  # nobody approved them


def test_the_end_has_its_duration_and_a_post_mortem_within_two_days(bare: Desk) -> None:
    bare.declared()
    bare("resolve", "Rolled back to 2.4.0")
    text = bare.text("resolution")["text"]
    assert "Duration: less than a minute\nFinal Impact: 6 of 10 requests fail\n" in text
    assert re.search(r"\nRoot Cause: .+ \(pending investigation\)\n", text)
    said = text.splitlines()[-1].replace(" UTC", " +0000")
    meeting = datetime.strptime(said, "Post-mortem: Scheduled for %Y-%m-%d at %H:%M %z")
    assert timedelta() < meeting - datetime.now(UTC) <= timedelta(hours=48)


def test_customers_are_written_when_they_hear_again_and_at_the_end_from_when_to_when_it_was(desk: Desk) -> None:
    desk.declared()
    text = desk.text("customer-notice")["text"]
    for words in (
        "Subject: Service Disruption Notice - API\n", "Current Impact: 6 of 10 requests fail\n",
        "Estimated Resolution: We will provide updates every 30 minutes\n",
        "our status page: https://status.claude-deployment.com\n",
    ):  # fmt: skip
        assert words in text, words
    desk("resolve", "Rolled back", "--customers-cause", "A change of ours", "--prevention", "We try changes first")
    text = desk.text("customer-restoration")["text"]
    moment = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}"
    assert re.search(rf"Issue Duration: {moment} to {moment} UTC\n", text)
    assert "Root Cause: A change of ours\nPreventive Measures: We try changes first\n" in text
