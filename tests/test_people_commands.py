"""The commands of the people's side, as they are typed: what they record, refuse, and say."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest

from firstwatch.cli import main
from firstwatch.cli.acting import moment
from firstwatch.errors import BadParameter
from firstwatch.policy import roster, tables
from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.store import Store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PEOPLE = Path(__file__).parents[1] / "contacts.toml"


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Phone:
    """Somebody types; everything happens in *folder*, beside a configuration whose cluster answers."""

    folder: Path
    patch: pytest.MonkeyPatch
    read: Any

    def __call__(self, *words: str, code: int = 0, acting_as: str = "on-call") -> Said:
        self.patch.setenv("FIRSTWATCH_ACTOR", acting_as)
        self.patch.setattr(sys, "argv", ["firstwatch", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.read.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return Said(code, out, " ".join(err.split()))

    def state(self) -> Incident:
        (journal,) = (self.folder / "incidents").glob("*/journal.jsonl")
        return fold(read(journal))

    def duties(self, *words: str) -> dict[str, dict[str, str]]:
        return {each["id"]: each for each in json.loads(self("status", *words, "--json").out)["duties"]}


@pytest.fixture
def typed(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Phone:
    config = fakes.configuration(tmp_path, serve(fakes.failing()).url)
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    return Phone(tmp_path, monkeypatch, capsys)


@pytest.fixture
def declared(typed: Phone) -> Phone:
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV2")
    return typed


def test_a_declaration_proposes_and_says_by_which_rule(typed: Phone) -> None:
    said = typed("declare", "API errors", "--impact", "some", "--answer", "down=no", "--answer", "many-customers=yes")
    assert "declared SEV2" in said.out
    assert "Are multiple customers affected? yes" in said.out
    assert typed.state().severity == "SEV2"


def test_a_declaration_shows_the_principles_to_people_and_not_to_programs(typed: Phone) -> None:
    words = ("declare", "x", "--impact", "y", "--severity", "SEV3")
    kept = "Customer First, Communicate Early and Often, Blameless Culture, Documentation, Continuous Improvement"
    assert f"principles: {kept}" in typed(*words).out
    typed("resolve", "gone")
    said = typed(*words, "--json")
    assert "Customer First" not in said.out + said.err


def test_a_lower_severity_than_proposed_needs_a_reason_and_opens_nothing_without(typed: Phone) -> None:
    words = ("declare", "leak", "--impact", "tokens", "--answer", "breach=yes", "--severity", "SEV3")
    assert "lower than what is proposed, SEV1" in typed(*words, code=2).err
    assert not list((typed.folder / "incidents").glob("*"))
    typed(*words, "--reason", "a drill of the scanner")
    state = typed.state()
    assert (state.severity, state.people.held_back) == ("SEV3", True)
    typed("declare", "again", "--impact", "x", code=2)


def test_what_was_measured_before_counts_for_the_proposal(typed: Phone) -> None:
    typed("declare", "x", "--impact", "y", "--answer", "single-customer=yes")
    typed("resolve", "gone")
    store = Store(typed.folder / "incidents")
    record = store.resolved_last()
    journal = Journal(record.journal, _Wall(), _actor(), "t@here")
    journal.append(
        "measured", {"name": "errors", "unit": "share of requests", "points": [[1.0, 0.2], [2.0, 0.6]], "limit": 0.01}
    )
    from firstwatch.policy.levels import propose
    from firstwatch.record.evidence import evidence

    proposal = propose(tables.load(), {}, *evidence(record.incident()))
    assert (proposal.severity, proposal.rule) == ("SEV1", "most-requests-fail")


class _Wall:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return 1

    def sleep(self, seconds: float) -> None: ...


def _actor() -> Any:
    from firstwatch.model import Actor

    return Actor("on-call")


def test_a_declaration_keeps_when_it_was_detected_apart(typed: Phone) -> None:
    typed("declare", "x", "--impact", "y", "--detected-at", "10m", "--source", "customer")
    (event,) = [
        each for each in read(next((typed.folder / "incidents").glob("*/journal.jsonl"))) if each.kind == "declared"
    ]
    gap = event.time - datetime.fromisoformat(event.body["detected_at"])
    assert timedelta(minutes=9) < gap < timedelta(minutes=11)
    assert event.body["proposed"] == {"severity": "SEV2", "rule": "unknown", "path": []}


def test_on_a_terminal_it_asks_what_is_missing(typed: Phone) -> None:
    typed.patch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter(["API errors", "all of it", "customer"])
    asked: list[str] = []

    def prompt(question: str, **_: object) -> str:
        asked.append(question)
        return next(answers)

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return question.startswith("Is service")

    typed.patch.setattr("typer.prompt", prompt)
    typed.patch.setattr("typer.confirm", confirm)
    typed("declare")
    state = typed.state()
    assert (state.title, state.severity, state.source) == ("API errors", "SEV1", "customer")
    assert asked[2] == "Who noticed: alert, customer, team, third-party"
    assert asked[3].startswith("Is there a security breach")
    assert asked[-1] == "Is service completely down?"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_source_that_was_typed_is_not_asked_and_a_wrong_one_is_refused_with_the_nearest(
    typed: Phone, *, terminal: bool
) -> None:
    typed.patch.setattr("sys.stdin.isatty", lambda: terminal)
    words = ("declare", "x", "--impact", "y", "--severity", "SEV3", "--source")
    assert "source 'custmer' is not one of alert" in typed(*words, "custmer", code=2).err
    assert "did you mean customer?" in typed(*words, "custmer", code=2).err
    assert not list((typed.folder / "incidents").glob("*"))
    typed(*words, "third-party")
    assert typed.state().source == "third-party"


def test_without_a_terminal_the_team_noticed(typed: Phone) -> None:
    typed("declare", "x", "--impact", "y", "--severity", "SEV3")
    assert typed.state().source == "team"


def test_two_who_declare_at_once_leave_one_record_and_the_second_is_told(typed: Phone) -> None:
    command = [sys.executable, "-c", "from firstwatch.cli import main; main()", "declare", "x", "--impact", "y"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate(timeout=60)[1] for each in both]
    assert sorted(each.returncode for each in both) == [0, 2]
    assert any("declared already by on-call" in " ".join(each.split()) for each in said)
    assert len(list((typed.folder / "incidents").glob("*/journal.jsonl"))) == 1


def test_an_acknowledgement_is_given_once_and_the_second_is_told(declared: Phone) -> None:
    declared("ack")
    assert declared.duties()["acknowledge"]["state"] == "met"
    assert "on-call acknowledged incident" in declared("ack", code=2, acting_as="responder-2").err


def test_the_severity_changes_with_a_reason_and_shows_what_that_makes_late(declared: Phone) -> None:
    assert "--reason" in declared("severity", "SEV1", code=2).err
    said = declared("severity", "sev1", "--reason", "payments fail too")
    assert "notify-manager" in said.out
    assert "makes it late" in said.out
    assert "is SEV1 already" in declared("severity", "SEV1", "--reason", "x", code=2).err
    assert declared.state().people.grades[-1].reason == "payments fail too"


def test_status_of_another_moment_past_or_future(declared: Phone) -> None:
    assert declared.duties()["escalate-l2"]["state"] == "due"
    assert declared.duties("--at", "+121m")["escalate-l2"]["state"] == "overdue"
    assert "not declared" in declared("status", "--at", "10m").out
    assert "OVERDUE" in declared("status", "--at", "+121m").out
    found = declared.duties()["update"]
    assert set(found) >= {"id", "owner", "due", "state", "why", "done_at", "by"}
    assert found["due"].endswith("Z")


def test_there_is_one_commander_who_hands_over_to_who_accepts(declared: Phone) -> None:
    declared("assign", "incident-commander", "on-call")
    assert (
        "hand-over incident-commander --to responder-2"
        in declared("assign", "incident-commander", "responder-2", code=2).err
    )
    declared("hand-over", "incident-commander", "--to", "responder-2")
    assert declared.state().people.roles == {"incident-commander": "on-call"}
    assert "you are on-call" in declared("hand-over", "incident-commander", "--accept", code=2).err
    said = declared("hand-over", "incident-commander", "--accept", acting_as="responder-2")
    assert "Impact" in said.out
    assert declared.state().people.roles == {"incident-commander": "responder-2"}
    declared("assign", "incident-commander", "responder-3", "--reason", "responder-2 lost the line")
    assert declared.state().people.roles == {"incident-commander": "responder-3"}


def test_an_offer_can_be_taken_back_and_then_nobody_accepts_it(declared: Phone) -> None:
    declared("assign", "scribe", "on-call")
    declared("hand-over", "scribe", "--to", "responder-2")
    declared("hand-over", "scribe", "--withdraw")
    assert "offered to nobody" in declared("hand-over", "scribe", "--accept", code=2, acting_as="responder-2").err
    assert "one of --to" in declared("hand-over", "scribe", code=2).err


def test_an_empty_roster_allows_anybody_and_says_so(declared: Phone) -> None:
    assert "nobody is in contacts.toml, so anybody may" in declared("assign", "scribe", "somebody").out


def test_the_roster_says_who_may_hold_a_role_and_who_is_near(declared: Phone) -> None:
    (declared.folder / "contacts.toml").write_text(PEOPLE.read_text())
    assert "did you mean on-call?" in declared("assign", "scribe", "on-cal", code=2).err
    assert "did you mean scribe?" in declared("assign", "scrib", "on-call", code=2).err
    refused = declared("assign", "communications-lead", "on-call", code=2).err
    assert "on-call is not listed for communications-lead; responder-2" in refused
    declared("assign", "communications-lead", "On-Call", "--reason", "nobody else is awake")
    assert declared.state().people.roles == {"communications-lead": "on-call"}


def test_the_ladder_is_climbed_at_any_time_but_only_up(declared: Phone) -> None:
    (declared.folder / "contacts.toml").write_text(PEOPLE.read_text())
    assert "escalated to L2: responder-2, manager" in declared("escalate", "--reason", "stuck").out
    assert "is on L2 already" in declared("escalate", "--level", "l2", "--reason", "x", code=2).err
    assert "level 'L9'" in declared("escalate", "--level", "L9", "--reason", "x", code=2).err
    declared("escalate", "--level", "L4", "--reason", "it is in the news")
    assert declared.duties()["escalate-l3"]["state"] == "met"
    assert "is on L4 already" in declared("escalate", "--reason", "x", code=2).err


def test_a_notice_and_a_call_meet_their_clocks(declared: Phone) -> None:
    (declared.folder / "contacts.toml").write_text(PEOPLE.read_text())
    assert "+1-555-0125" in declared("notify", "manager", "--how", "phone", "--acknowledged").out
    assert "did you mean manager?" in declared("notify", "manger", code=2).err
    declared("call", "director", "--result", "no answer", "--number", "+1-555-0199")
    assert declared.duties()["notify-director"]["state"] == "due"
    declared("call", "director", "--result", "reached", "--number", "+1-555-0199")
    found = declared.duties()
    assert [found[each]["state"] for each in ("notify-manager", "notify-director")] == ["met", "met"]
    assert "no number of director" in declared("call", "director", "--result", "reached", code=2).err
    declared("call", "manager", "--result", "reached")
    assert declared.state().people.calls[-1].number == "+1-555-0125"


def test_a_breach_runs_the_clock_of_legal_and_holds_texts_until_legal_or_the_commander_releases(
    declared: Phone,
) -> None:
    assert "firstwatch assign legal PERSON" in declared("flag", "breach", "--reason", "a token was used").out
    assert declared.duties()["legal"]["state"] == "overdue"
    assert "set already" in declared("flag", "breach", code=2).err
    assert "only legal or the commander" in declared("release", "--reason", "told", code=3).err
    declared("assign", "legal", "counsel", "--reason", "a token was used")
    declared("release", "--reason", "the authority is told", acting_as="counsel")
    assert not declared.state().people.held_back
    declared("notify", "legal")
    assert declared.duties()["legal"]["done_at"]


def test_a_flag_is_taken_off_only_with_a_reason(declared: Phone) -> None:
    assert "did you mean regulatory?" in declared("flag", "regulatry", code=2).err
    declared("flag", "regulatory")
    assert "--reason" in declared("flag", "regulatory", "--off", code=2).err
    declared("flag", "regulatory", "--off", "--reason", "no such data is there")
    assert "dismissed by on-call: no such data is there" in declared.duties()["compliance"]["why"]
    assert "off already" in declared("flag", "regulatory", "--off", "--reason", "x", code=2).err


def test_notes_of_earlier_and_corrections_append(declared: Phone) -> None:
    declared("note", "slow since noon", "--at", "20m")
    declared("note", "since one", "--corrects", "3")
    texts = [each.text for each in declared.state().timeline]
    assert texts[-2].endswith("slow since noon")
    assert texts[-1] == "Corrects event 3: since one"
    assert "has events up to" in declared("note", "x", "--corrects", "99", code=2).err
    assert "in the future" in declared("note", "x", "--at", "+5m", code=2).err


def test_checklists_tick_themselves_and_a_measured_line_needs_a_reason(declared: Phone) -> None:
    shown = json.loads(declared("check", "--json").out)
    assert [each["ticked"] for each in shown["first-response"]] == [False, True, False, False, False, False]
    declared("ack")
    declared("check", "no-alerts", "--reason", "the pager is quiet")
    assert "--reason" in declared("check", "errors-normal", code=2).err
    declared("check", "errors-normal", "--reason", "seen in the vendor's panel")
    shown = json.loads(declared("check", "--json").out)
    assert shown["first-response"][0]["ticked"]
    lines = {each["id"]: each for each in shown["stabilization"]}
    assert [lines[each]["ticked"] for each in ("errors-normal", "no-alerts", "health-passing")] == [True, True, False]
    assert "seen in the vendor's panel" in lines["errors-normal"]["how"]
    assert "did you mean no-alerts?" in declared("check", "no-alert", code=2).err


def test_a_reopening_needs_a_reason_and_takes_the_one_that_was_resolved_last(declared: Phone) -> None:
    assert "no incident of" in declared("reopen", "--reason", "x", code=2).err
    declared("resolve", "rolled back")
    declared("reopen", "--reason", "errors again")
    assert declared.state().status == "investigating"
    incident = declared.state().id
    assert "is open already" in declared("reopen", incident, "--reason", "x", code=2).err


def test_after_a_resolution_status_says_where_the_watch_goes_on(declared: Phone) -> None:
    declared("resolve", "rolled back")
    incident = declared.state().id
    assert f"no incident is open; firstwatch status {incident}" in declared("status").out
    found = declared.duties(incident)
    assert {found[each]["state"] for each in ("monitor", "post-mortem")} == {"due"}


def test_the_brief_says_what_somebody_needs_who_takes_over(declared: Phone) -> None:
    declared("hypothesis", "the pool")
    declared("hypothesis", "the cache")
    declared("hypothesis", "the cache", "--state", "eliminated")
    declared("flag", "breach")
    brief = json.loads(declared("brief", "--json").out)["brief"]
    assert (brief["Open hypotheses"], brief["Eliminated hypotheses"]) == (["the pool"], ["the cache"])
    assert brief["Impact"] == ["6 of 10 requests fail"]
    assert "flag breach is set" in brief["State"]
    assert "Incident Commander (IC): nobody" in brief["Roles"]
    assert any("overdue legal" in each for each in brief["Owed"])
    assert "Eliminated hypotheses" in declared("brief").out
    assert "did you mean" in declared("hypothesis", "x", "--state", "elminated", code=2).err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T02:03Z", NOW.replace(hour=2, minute=3)),
        ("2026-11-24T02:03", NOW.replace(hour=2, minute=3)),
        ("2026-11-24T03:03+01:00", NOW.replace(hour=2, minute=3)),
        ("11:59", NOW - timedelta(minutes=1)),
        ("12:01", NOW - timedelta(hours=24) + timedelta(minutes=1)),
        ("10m", NOW - timedelta(minutes=10)),
        ("+2h", NOW + timedelta(hours=2)),
    ],
)
def test_a_moment_is_named_in_several_ways(text: str, expected: datetime) -> None:
    assert moment("--at", text, NOW, future=True) == expected


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:00:00:00", "m", "+", "9999999d", "-5m", "2026-13-01T00:00Z"])
def test_a_moment_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameter, match="--at"):
        moment("--at", text, NOW, future=True)


def test_the_committed_contacts_hold_the_procedures_own(tmp_path: Path) -> None:
    people = {each.name: each for each in roster.load(PEOPLE.parent / "firstwatch.toml", tables.load()).people}
    assert (people["on-call"].phone, people["manager"].phone) == ("+1-555-0123", "+1-555-0125")
    assert (people["security"].email, people["aws-support"].portal) == (
        "security@company.com",
        "Enterprise Support Portal",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [("[[people]]\nname = 'a'\nphon = '1'", "did you mean phone?"), ("[[peple]]", "did you mean people?"),
     ("[[people]]\nname = 'a'\nroles = ['scrib']", "did you mean scribe?"), ("no toml", "cannot read the contacts"),
     ("[[people]]\nname = 'a'\nlevel = 'L7'", "people.0.level")],
)  # fmt: skip
def test_contacts_that_are_wrong_are_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "contacts.toml").write_text(text)
    with pytest.raises(BadParameter) as refused:
        roster.load(tmp_path / "firstwatch.toml", tables.load())
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("declare", "x" * 1_000_000, "--impact", "y"), "title has 1000000 letters"),
        (("declare", "\udcff", "--impact", "y"), "title holds bytes that are not UTF-8, at letter 1"),
        (("declare", " ", "--impact", "y"), "title is empty"),
        (("declare", "x", "--impact", "y\udcff"), "--impact holds bytes"),
    ],
    ids=["long", "bytes", "spaces", "impact"],
)
def test_a_title_that_nobody_can_read_is_refused_and_opens_nothing(
    typed: Phone, words: tuple[str, ...], said: str
) -> None:
    assert said in typed(*words, code=2).err
    assert not (typed.folder / "incidents").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("assign", "scribe", "x" * 9000),
        ("notify", "manager", "--how", "\udcff"),
        ("hypothesis", "\udcff"),
        ("flag", "breach", "--reason", "x" * 9000),
        ("escalate", "--reason", "\udcff"),
        ("note", "\udcff"),
        ("assign", "scribe", " "),
    ],
    ids=lambda words: words[0],
)
def test_a_text_that_cannot_be_kept_is_refused_by_name(declared: Phone, words: tuple[str, ...]) -> None:
    before = len(declared.state().timeline)
    assert "cannot do that" in declared(*words, code=2).err
    assert len(declared.state().timeline) == before


def test_markup_in_a_title_is_shown_as_it_is(typed: Phone) -> None:
    typed("declare", "[red]<!channel>[/] \u202e", "--impact", "y")
    assert "[red]<!channel>[/] \\u202e" in typed("status").out or "[red]<!channel>[/] \\x202e" in typed("status").out
