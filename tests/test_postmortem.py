"""The post-mortem: written from the record, never over what people wrote, final only when nothing is missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from exchange import Exchange
from test_closing import Told, mended, told  # fixtures  # noqa: F401
from test_people_commands import Phone, typed  # noqa: F401  # a fixture
from test_telling import Desk, bare, desk, world  # noqa: F401  # fixtures

from firstwatch.policy import tables
from firstwatch.policy.facts import Conclusion
from firstwatch.publish import postmortem
from firstwatch.publish.postmortem import Report
from firstwatch.publish.proofread import HEADINGS, LABELS, OPTIONS, section
from firstwatch.publish.shelf import Shelf
from firstwatch.record.journal import read
from firstwatch.record.store import Record
from firstwatch.record.verify import verify
from firstwatch.settings import Sla

KNOWN = (
    "--direct", "1.5.0 answers 500 when the catalog is slow", "--factor", "no test covers a slow catalog",
    "--safeguards", "the readiness probe does not touch the catalog", "--lesson", "readiness touches what it needs",
    "--customers", "120 of 4000 customers", "--money", "EUR 1200", "--reputation", "none", "--source", "support",
)  # fmt: skip
ITEM = ("action", "Add a timeout", "--owner", "responder-2", "--due", "14d", "--priority", "high")


@pytest.fixture
def over(typed: Phone) -> Phone:  # noqa: F811
    """An incident that was resolved."""
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV2")
    typed("assign", "incident-commander", "responder-2")
    typed("resolve", "rolled back", "--cause", "a bad release")
    return typed


def file_of(over: Phone) -> Path:
    (path,) = (over.folder / "incidents").glob("*/post-mortem.md")
    return path


def draft(over: Phone, *words: str, code: int = 0) -> Any:
    return json.loads(over("postmortem", *words, "--json", code=code).out)


def test_the_first_draft_has_every_heading_and_says_which_option_fills_what_is_missing(over: Phone) -> None:
    said = draft(over)
    text = file_of(over).read_text()
    places = [text.index(f"\n{each}" if each != HEADINGS[0] else each) for each in HEADINGS]
    assert places == sorted(places)
    assert all(f"- **{label}**: " in text for label in LABELS)
    assert {each["rule"] for each in said["complaints"]} == {"placeholder", "meeting"}
    asked = {each["advice"] for each in said["complaints"]} - {"firstwatch postmortem --held TIME"}
    assert asked == set(OPTIONS.values()) - {"--cause TEXT", "--well TEXT"}
    assert (said["state"], said["version"]) == ("draft", 1)


@pytest.mark.parametrize("own", ["", 'principles = ["Ask <first>", "Write it down"]'], ids=["shipped", "own"])
def test_the_principles_of_the_policy_are_shown_with_the_declaration_and_at_the_head(typed: Phone, own: str) -> None:  # noqa: F811
    (typed.folder / "policy.toml").write_text(own)
    kept = "Ask <first>, Write it down" if own else ", ".join(tables.load().principles)
    said = typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV2").out
    assert [each.strip() for each in said.splitlines()].count(f"principles: {kept}") == 1
    typed("resolve", "rolled back")
    typed("postmortem")
    head, _, _ = file_of(typed).read_text().partition("## Incident Summary")
    assert f"Principles: {kept.replace('<', '&lt;')}." in head.replace("&gt;", ">")


def test_what_only_people_know_fills_every_heading_and_then_it_is_final(over: Phone) -> None:
    assert "is not final: placeholder" in over("postmortem", "--final", code=3).err
    over(*ITEM)
    said = draft(over, *KNOWN, "--held", "0m", "--final")
    assert (said["state"], said["complaints"]) == ("final", [])
    text = file_of(over).read_text()
    assert "**Final**" in text
    assert "Factor 1" not in text
    for heading in HEADINGS[1:]:
        assert len(section(text, heading).strip()) > 10, heading
    assert verify(file_of(over).parent).whole
    assert over.duties(said["id"])["post-mortem"]["state"] == "met"
    assert f"| Post-mortem | [final, version {said['version']}](post-mortem.md) |" in (
        file_of(over).with_name("page.md").read_text()
    )


def test_a_refused_final_leaves_a_draft_with_what_was_said(over: Phone) -> None:
    over("postmortem", *KNOWN, "--final", code=3)
    assert "EUR 1200 (source: support)" in file_of(over).read_text()
    assert over.state().people.written[-1].state == "draft"


def test_a_serious_incident_is_not_final_before_its_meeting(over: Phone) -> None:
    over(*ITEM)
    assert over("postmortem", *KNOWN, "--final", code=3).err.endswith(
        "not final: meeting: 'not held'; firstwatch postmortem --held TIME"
    )


def test_what_people_wrote_stays_byte_for_byte_and_the_made_parts_are_made_anew(over: Phone) -> None:
    draft(over)
    path = file_of(over)
    mine = path.read_text().replace(
        "### Direct Cause\n\n[Immediate technical cause]", "### Direct Cause\n\n  mine  \t\n"
    )
    path.write_text(mine)
    draft(over, "--customers", "7 customers", "--source", "billing")
    text = path.read_text()
    assert "### Direct Cause\n\n  mine  \t\n" in text
    assert "7 customers (source: billing)" in text
    assert text.replace(section(text, "## Impact Assessment"), section(mine, "## Impact Assessment")) != mine  # agenda
    assert section(text, "## Root Cause Analysis") == section(mine, "## Root Cause Analysis")


def test_a_made_part_that_somebody_edited_is_theirs(over: Phone) -> None:
    draft(over)
    path = file_of(over)
    path.write_text(path.read_text().replace("Initial detection", "Initial detection, by a customer"))
    said = draft(over)
    assert said["kept"] == ["timeline"]
    assert "Initial detection, by a customer" in path.read_text()


def test_what_somebody_took_out_does_not_come_back(over: Phone) -> None:
    draft(over, "--lesson", "one thing", "--lesson", "another")
    path = file_of(over)
    assert "1. one thing\n2. another\n" in path.read_text()
    path.write_text(path.read_text().replace("1. one thing\n", "").replace("2. another", "1. another"))
    draft(over, "--lesson", "third")
    assert "1. another\n2. third\n" in path.read_text()
    assert "one thing" not in path.read_text()


def test_what_has_no_place_in_the_file_is_said(over: Phone) -> None:
    draft(over)
    path = file_of(over)
    path.write_text(path.read_text().replace("## Lessons Learned", "## What we take home"))
    said = draft(over, "--lesson", "a thing")
    assert said["lost"] == ["a thing"]
    assert ("heading", "## Lessons Learned") in {(each["rule"], each["found"]) for each in said["complaints"]}


def test_a_file_that_is_no_text_is_left_alone(over: Phone) -> None:
    draft(over)
    file_of(over).write_bytes(b"\xff\xfe")
    assert "cannot read" in over("postmortem", code=2).err
    assert file_of(over).read_bytes() == b"\xff\xfe"


def test_each_version_is_attached_and_the_older_hashes_stay(over: Phone) -> None:
    first, same, second = draft(over), draft(over), draft(over, "--well", "the alert was early")
    assert (first["version"], same["version"], second["version"]) == (1, 1, 2)
    kept = [e.body["sha256"] for e in read(file_of(over).with_name("journal.jsonl"))
            if e.kind == "attached" and e.body["path"] == "post-mortem.md"]  # fmt: skip
    assert kept == [first["sha256"], second["sha256"]]


def test_an_edit_shows_in_the_verification_until_it_is_taken_up(over: Phone) -> None:
    draft(over)
    path = file_of(over)
    path.write_text(path.read_text() + "\nmy own words\n")
    assert not verify(path.parent).whole
    assert draft(over)["version"] == 2
    assert verify(path.parent).whole


def test_a_final_one_stays_final_and_takes_no_blame(over: Phone) -> None:
    over(*ITEM)
    draft(over, *KNOWN, "--held", "0m", "--final")
    assert draft(over, "--lesson", "a second look helps")["state"] == "final"
    path = file_of(over)
    path.write_text(path.read_text() + "\nresponder-2 broke it.\n")
    before = path.read_bytes()
    assert "blame: 'responder-2 broke'" in over("postmortem", code=3).err
    assert path.read_bytes() == before


def test_a_secret_in_it_keeps_it_from_being_final(over: Phone) -> None:
    draft(over)
    path = file_of(over)
    path.write_text(path.read_text() + "\npassword=hunter2-and-more\n")
    assert "secret" in {each["rule"] for each in draft(over)["complaints"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--factor", "responder-2 forgot it"), "--factor: blame: 'forgot'"),
        (("--direct", "TBD"), "--direct: placeholder: 'TBD'"),
        (("--money", "EUR 1200"), "need --source"),
        (("--source", "billing"), "need --source"),
        (("--money", "much", "--source", "x"), "a number with its unit"),
        (("--customers", "120", "--source", "x"), "a number with its unit"),
        (("--scheduled", "10m"), "is past"),
        (("--held", "+2h"), "in the future"),
        (("--cause", "  "), "--cause is empty"),
    ],
    ids=["blame", "placeholder", "no-source", "only-source", "no-number", "no-unit", "past", "future", "empty"],
)
def test_what_cannot_be_said_is_refused_and_nothing_is_recorded(over: Phone, words: tuple[str, ...], said: str) -> None:
    before = len(over.state().timeline)
    assert said in over("postmortem", *words, code=2).err
    assert len(over.state().timeline) == before


def test_a_meeting_is_scheduled_and_is_not_held_by_that(over: Phone) -> None:
    said = draft(over, "--scheduled", "+20h")
    assert over.duties(said["id"])["post-mortem"]["state"] == "due"
    assert over.state().people.meetings[-1].state == "scheduled"


def test_a_meeting_is_an_entry_that_a_calendar_takes_and_a_later_one_takes_its_place(over: Phone) -> None:
    said = draft(over, "--scheduled", "2999-01-02T10:00Z")
    path = file_of(over).parent / "attachments" / "post-mortem.ics"
    first = path.read_bytes().decode()
    assert "\r\nDTSTART:29990102T100000Z\r\nDTEND:29990102T105000Z\r\n" in first
    assert "SUMMARY:Post-mortem of SEV2 API errors\r\n" in first
    assert max(len(line.encode()) for line in first.splitlines()) <= 75
    assert "Summary 5 min\\, Technical Deep Dive 15 min" in first.replace("\r\n ", "")
    draft(over, "--scheduled", "2999-01-03T10:00Z")
    second = path.read_bytes().decode()
    assert ("SEQUENCE:0\r\n" in first, "SEQUENCE:1\r\n" in second) == (True, True)
    assert f"UID:post-mortem-{said['id']}@firstwatch\r\n" in first
    assert f"UID:post-mortem-{said['id']}@firstwatch\r\n" in second
    assert verify(path.parents[1]).whole


def report(state: Any, minute: int = 60) -> Report:
    from test_closing import T0, M

    return Report(state, tables.load(), Sla(target=99.9), T0 + minute * M)


def test_a_report_tells_the_four_moments_durations_promise_roles_and_changes(told: Told) -> None:  # noqa: F811
    mended(told)("assigned", 21, role="incident-commander", person="responder-2")
    text = report(told.state()).version("", "draft").text
    for words in (
        "| 11:58 | Initial detection (alert) |", "| 12:05 | Incident declared (as SEV1) |",
        "| 12:10 | Mitigation applied (rollback of Deployment/api) |", "| 12:12 | Service restored (verified) |",
        "declared 0 hours 7 minutes after it, mitigated 0 hours 12 minutes after it",
        "**Duration**: 0 hours 14 minutes",
        "kept: 14 minutes of the 43 minutes that 99.9 % allow in 30 days, 32 %", "**Root Cause**: a bad release",
        "| Incident Commander (IC) | responder-2 |", "| 12:10 | rollback of Deployment/prod/api | ok |",
        "50 minutes in all.", "(15 minutes, 05–20)",
    ):  # fmt: skip
        assert words in text, words


def test_one_that_goes_over_midnight_has_its_dates(told: Told) -> None:  # noqa: F811
    mended(told)("note", 1000, text="seen again")
    text = report(told.state(), 1001).version("", "draft").text
    assert "| 2026-11-24 11:58 | Initial detection" in text
    assert "| 2026-11-25 04:40 | seen again |" in text


def test_what_others_wrote_is_no_markup_and_cannot_end_a_part(told: Told) -> None:  # noqa: F811
    evil = "x\n\n[//]: # (firstwatch: summary ends 000000000000)\n\n# mine <script>"
    mended(told)("concluded", 30, part="cause", text=evil)("concluded", 31, part="lesson", text=evil)
    made = report(told.state()).version("", "draft").text
    assert "<script>" not in made
    assert report(told.state()).version(made, "draft").text == made


def test_what_a_dead_program_had_written_is_not_written_twice(told: Told) -> None:  # noqa: F811
    mended(told)("concluded", 30, part="factor", text="no test")
    made = report(told.state()).version("", "draft").text  # it died before it recorded the version
    assert report(told.state()).version(made, "draft").text.count("- no test\n") == 1


def test_addresses_can_be_followed_and_nothing_else_is_a_link() -> None:
    said = Conclusion(at=None, part="direct", text="see https://git.example.com/c/1 and [x](javascript:alert(1))")  # type: ignore[arg-type]
    assert postmortem.linked(said.text) == "see <https://git.example.com/c/1> and \\[x\\](javascript:alert(1))"


def test_the_site_shows_it_beside_its_record_and_each_leads_to_the_other(over: Phone) -> None:
    draft(over)
    record = Record(file_of(over).parent)
    shown = Shelf(over.folder / "kept").shown(record)
    assert shown.post_mortem is not None
    assert f'href="{record.id}-post-mortem.html"' in shown.page.html
    assert f'href="{record.id}.html"' in shown.post_mortem.html
    assert "firstwatch: " not in shown.post_mortem.html
    assert "☐ Present to broader engineering team" in shown.post_mortem.html


def test_an_action_item_is_filed_once_and_followed_until_it_is_done(desk: Desk, world: Exchange) -> None:  # noqa: F811
    begun = desk.declared()
    desk("resolve", "rolled back")
    made = desk(*ITEM)
    assert made["id"] == f"{begun['id']}/1"
    assert world.tracker.tickets[-1]["title"] == "Add a timeout"
    desk("action", "Add a timeout and a test", *ITEM[2:], "--corrects", made["id"])
    assert len(world.tracker.tickets) == 2  # the incident's, and this one
    desk("postmortem")
    (item,) = desk("actions")
    assert (item["action"], item["state"]) == ("Add a timeout and a test", "open")
    assert item["ticket"].startswith("http")
    desk("actions", "--done", made["id"], "--evidence", "https://git.example.com/c/4f2a9c1")
    assert desk("actions") == []
    assert desk("actions", "--all")[0]["state"] == "done"
    text = (desk.folder / "incidents" / begun["id"] / "post-mortem.md").read_text()
    assert f"(done, [ticket](<{item['ticket']}>), [what shows it](<https://git.example.com/c/4f2a9c1>))" in text
    assert "- [x] Create tickets for all action items" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--owner", " ", "--due", "14d"), "--owner is empty"),
        (("--owner", "team", "--due", "2020-01-01"), "is past"),
        (("--owner", "team", "--due", "soon"), "not a day"),
        (("--owner", "team", "--due", "14d", "--priority", "urgent"), "there is: High, Low, Medium"),
        (("--owner", "team", "--due", "14d", "--corrects", "2026-11-24-020304/1"), "there is no incident"),
    ],
)
def test_an_item_without_owner_or_day_is_none(over: Phone, words: tuple[str, ...], said: str) -> None:
    assert said in over("action", "Add a timeout", *words, code=2).err
    assert not over.state().people.items


def test_what_is_overdue_comes_first_and_an_unreadable_record_is_said(over: Phone, told: Told) -> None:  # noqa: F811
    body = {"owner": "team", "priority": "High", "state": "open"}
    told("action-item", 1, id="1", action="late", due="2026-11-20", **body)
    told("action-item", 2, id="2", action="later", due="2999-01-01", **body)
    root = over.folder / "incidents"
    told.path.parent.rename(root / "2026-11-24-120000")
    broken = root / "2026-11-24-000000"
    broken.mkdir()
    (broken / "journal.jsonl").write_bytes(b"[1]\n")
    said = over("actions")
    assert "UNKNOWN 2026-11-24-000000" in said.err
    assert said.out.index("late") < said.out.index("later")
    assert "overdue" in said.out.splitlines()[1]
    assert "belong together" in over("actions", "--done", "x", code=2).err
    assert "there is no action item" in over(
        "actions", "--done", "2026-11-24-120000/9", "--evidence", "x", code=2
    ).err  # fmt: skip


def test_what_answered_it_is_linked_from_the_report(over: Phone) -> None:
    commit = "https://git.example.com/runbooks/commit/4f2a9c1"
    over("check", "automation-enhanced", "--reason", commit, "-i", over.state().id)
    draft(over)
    (line,) = [each for each in file_of(over).read_text().splitlines() if "Enhance automation" in each]
    assert line.startswith("- [x] ")
    assert f"<{commit}>" in line
    assert "- [ ] Update monitoring and alerting" in file_of(over).read_text()
