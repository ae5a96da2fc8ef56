"""What coordinate runbooks call: the same record and texts as the commands leave; observing, nothing at all."""

import json
from collections.abc import Callable
from pathlib import Path

import fakes
import pytest
from test_people_commands import Phone, declared, typed  # noqa: F401  # fixtures

from firstwatch import begin, people
from firstwatch.errors import BadParameter, NotFound
from firstwatch.publish.people import Said, Shown
from firstwatch.runs.watch import Watch

SAID = {"title": "API errors", "impact": "6 of 10 requests fail"}
NO = "breach=no data-loss=no payments=no down=no"
RECORDINGS = Path(__file__).parents[1] / "runbooks" / "recordings" / "coordinate"
Began = Callable[..., Watch]


@pytest.fixture
def began(typed: Phone) -> Began:  # noqa: F811
    """Begin the runbook *name* beside the configuration of the test, as `on-call` or somebody else."""

    def watch(name: str, mode: str = "apply", acting_as: str = "on-call") -> Watch:
        typed.patch.setenv("FIRSTWATCH_ACTOR", acting_as)
        return begin(f"coordinate/{name}", service=fakes.NAME, mode=mode)

    return watch


def texts(said: Said) -> list[tuple[str, str, str]]:
    return [(each.channel, each.to, each.text) for each in said.texts]


def kinds(phone: Phone) -> list[str]:
    return [each.kind for each in phone.state().timeline]


def test_a_declaration_is_recorded_and_told_as_by_the_command(typed: Phone, began: Began) -> None:  # noqa: F811
    said = people.declare(began("declare"), **SAID, answers=f"{NO} many-customers=yes")
    state = typed.state()
    assert (state.severity, state.title, said.real) == ("SEV2", "API errors", True)
    assert [(m.channel, m.to) for m in state.messages] == [(channel, to) for channel, to, _ in texts(said)]
    typed("resolve", "gone")
    typed("declare", SAID["title"], "--impact", SAID["impact"], "--severity", "SEV2")
    other = typed.folder / "incidents"
    newest = max(other.glob("*/journal.jsonl"))
    told = [e["body"] for e in map(json.loads, newest.read_text().splitlines()) if e["kind"] == "message"]
    assert {(m["channel"], m["to"], m["template"]) for m in told} == {(m.channel, m.to, m.template) for m in said.texts}


def test_observing_shows_every_text_and_records_and_sends_nothing(typed: Phone, began: Began) -> None:  # noqa: F811
    watch = began("declare", mode="observe")
    said = people.declare(watch, **SAID, answers="down=yes")
    people.assign(watch, "incident-commander", "responder-2")
    assert "Rehearsed, so nothing is recorded or sent" in repr(said)
    assert any("INCIDENT DECLARED - SEV1" in text for _, _, text in texts(said))
    assert ("assign-commander", "met") in [(row[0], row[3]) for row in people.owed(watch).rows]
    assert set(kinds(typed)) == {"opened", "run-started"}


@pytest.mark.parametrize("mode", ["observe", "apply"])
def test_what_is_not_given_is_refused_and_no_example_is_told(typed: Phone, began: Began, mode: str) -> None:  # noqa: F811
    with pytest.raises(BadParameter, match="title is empty: people read it; give it by -p title=TEXT"):
        people.declare(began("declare", mode=mode))
    assert set(kinds(typed)) == {"opened", "run-started"}


def test_a_lower_severity_than_proposed_needs_a_reason(began: Began) -> None:
    watch = began("declare")
    with pytest.raises(BadParameter, match="lower than what is proposed, SEV1"):
        people.declare(watch, **SAID, answers="down=yes", severity="SEV3")
    people.declare(watch, **SAID, answers="down=yes", severity="SEV3", reason="a drill")
    with pytest.raises(BadParameter, match="declared already"):
        people.declare(watch, **SAID)


def test_a_breach_among_the_answers_holds_every_text_back_from_the_first_one_on(typed: Phone, began: Began) -> None:  # noqa: F811
    watch = began("declare")
    people.declare(watch, **SAID, answers="breach=yes")
    found = kinds(typed)
    assert found.index("flagged") < found.index("declared") < found.index("message")
    assert "a breach: nothing is published until it is released" in repr(people.waiting(watch))


def test_an_update_numbers_itself_and_is_late_at_no_time(declared: Phone, began: Began) -> None:  # noqa: F811
    watch = began("update")
    words = {"summary": "2.4.1 is bad", "eta": "10 minutes", "actions": "rolling back"}
    for number in (1, 2):
        said = people.update(watch, status="mitigating", **words)
        assert f"Update {number}, MITIGATING: 2.4.1 is bad" in said.sentence
    with pytest.raises(BadParameter, match="at SEV2 people are told every 30 minutes"):
        people.update(watch, **words, following="31m")
    with pytest.raises(NotFound, match="MITIGATING"):
        people.update(watch, status="MITIGATIN", **words)
    with pytest.raises(BadParameter, match="eta is empty"):
        people.update(watch, summary="x", actions="y")
    assert kinds(declared).count("update") == 2


def test_escalating_climbs_one_level_and_never_twice_to_the_same(declared: Phone, began: Began) -> None:  # noqa: F811
    watch = began("escalate")
    said = people.escalate(watch, reason="it does not recover")
    assert "Escalated to L2" in said.sentence
    assert ("slack", "escalation") in [(each.channel, each.template) for each in said.texts]
    with pytest.raises(BadParameter, match="on L2 already"):
        people.escalate(watch, reason="again", level="L2")
    with pytest.raises(NotFound, match="L4"):
        people.escalate(watch, reason="again", level="L5")
    assert "Escalated to L3" in people.escalate(watch, reason="again").sentence


def test_a_breach_is_flagged_once_and_legal_told(declared: Phone, began: Began) -> None:  # noqa: F811
    watch = began("breach")
    people.flag(watch, "breach", reason="tokens are used from outside")
    people.notify(watch, "legal", how="phone")
    assert {row[0]: row[3] for row in people.owed(watch).rows}["legal"] in ("met", "missed")  # at once, to the second
    with pytest.raises(BadParameter, match="set already"):
        people.flag(watch, "breach", reason="again")
    with pytest.raises(NotFound, match="did you mean breach"):
        people.flag(watch, "breech", reason="again")


def test_a_role_changes_hands_only_when_the_other_accepts(declared: Phone, began: Began) -> None:  # noqa: F811
    declared("assign", "incident-commander", "on-call")
    people.hand_over(began("hand-over"), to="responder-2")
    assert declared.state().people.roles["incident-commander"] == "on-call"
    with pytest.raises(BadParameter, match="offered to responder-2, and you are manager"):
        people.hand_over(began("hand-over", acting_as="manager"), step="accept")
    people.hand_over(began("hand-over", acting_as="responder-2"), step="accept")
    assert declared.state().people.roles["incident-commander"] == "responder-2"


def test_a_held_role_is_not_taken_by_chance(declared: Phone, began: Began) -> None:  # noqa: F811
    watch = began("declare")
    people.assign(watch, "incident-commander", "responder-2")
    with pytest.raises(BadParameter, match="responder-2 is incident-commander; firstwatch hand-over"):
        people.assign(watch, "incident-commander", "manager")


def test_the_end_is_told_to_all_who_were_told_of_the_beginning(declared: Phone, began: Began) -> None:  # noqa: F811
    before = {(m.channel, m.to) for m in declared.state().messages if m.template in ("declaration", "page")}
    said = people.resolve(began("resolve"), summary="2.4.1 was rolled back")
    assert before <= {(channel, to) for channel, to, _ in texts(said)}
    assert declared.state().status == "resolved"


def test_a_run_that_told_people_ends_with_9_while_chat_is_dead_and_the_record_has_it(declared: Phone) -> None:  # noqa: F811
    config = declared.folder / "firstwatch.toml"
    config.write_text(config.read_text() + '[channels]\ndeadline_s = 1\n[channels.slack]\nurl = "http://127.0.0.1:9"\n')
    declared.patch.setenv("SLACK_BOT_TOKEN", "x-for-tests")
    said = [f"-p{word}" for word in ("summary=2.4.1 is bad", "eta=10 minutes", "actions=rolling back")]
    declared("run", "coordinate/update", "--apply", *said, code=9)
    state = declared.state()
    assert [each.summary for each in state.people.updates] == ["2.4.1 is bad"]
    assert [each.state for each in state.runs] == ["done"]
    assert ("slack", "not delivered") in [(each.channel, str(each.state)) for each in state.messages]


def test_what_others_wrote_is_text_in_every_face(began: Began) -> None:
    title = "<script>alert(1)</script> | `x` ![i](http://x) \x1b[2J"
    said = people.declare(began("declare"), title=title, impact="y")
    page = said._repr_markdown_()
    assert "<script" not in page
    assert "![i]" not in page
    assert "\x1b" not in page + repr(said)


def test_an_empty_table_says_so() -> None:
    assert repr(Shown(("A",), (), "Nothing is owed.")) == Shown(("A",), (), "Nothing is owed.")._repr_markdown_()


@pytest.mark.parametrize("name", ["declare", "update", "escalate", "breach", "hand-over", "resolve"])
def test_a_recording_begins_before_its_run_and_names_no_machine(name: str) -> None:
    text = (RECORDINGS / name / "tape.jsonl").read_text()
    header = json.loads(text.splitlines()[0])
    assert header["before"][0]["kind"] == "opened"
    assert all(each["at"] < header["at"] for each in header["before"])
    assert header["settings"]["gameday"]
    assert not {"channels", "readiness", "credentials"} & set(header["settings"])
    assert "/home" not in text
    assert "/tmp" not in text


def test_somebody_of_the_extended_team_joins_by_a_runbook_too_only_with_a_reason(typed: Phone, began: Began) -> None:  # noqa: F811
    watch = began("declare")
    people.declare(watch, **SAID, answers="down=yes")
    with pytest.raises(BadParameter, match="sme is of the extended team: give the reason why"):
        people.assign(watch, "sme", "somebody")
    people.assign(watch, "sme", "somebody", reason="knows the pool")
    assert typed.state().people.roles == {"sme": "somebody"}
