"""Each channel against its service: what arrives, what is refused, and that nothing is sent twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exchange
import pytest
from exchange import NOTICE, PAGED, STATUS, TEXT, UPDATE, Exchange, draft, state
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstwatch.channels import slack
from firstwatch.channels.outbox import Draft, exit_code
from firstwatch.errors import NotFound
from firstwatch.record.messages import State
from gameday.services.slack import mentions

INCIDENT = "2026-11-24-020304"
EACH = exchange.ONE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Exchange]:
    with exchange.exchange(tmp_path) as made:
        yield made


def arrived(world: Exchange, channel: str) -> int:
    """Return how many texts *channel*'s service holds, as its readers see them."""
    incidents = world.statuspage.incidents
    return {
        "slack": len(world.posts()), "pager": sum(e["rings"] for e in world.pager.alerts.values()),
        "mail": len(world.mail.document()), "statuspage": sum(len(e["incident_updates"]) for e in incidents),
        "tracker": len(world.tracker.tickets),
    }[channel]  # fmt: skip


def sent(world: Exchange, channel: str, **changed: Any) -> exchange.Outbox:
    box = world.outbox(**changed)
    (name,) = box.queue(EACH[channel])
    if EACH[channel].template in STATUS:
        box.approve(name)
    box.deliver()
    return box


@pytest.mark.parametrize("channel", EACH)
def test_a_text_arrives_once_and_its_receipt_is_recorded(world: Exchange, channel: str) -> None:
    box = sent(world, channel)
    assert (state(box).state, arrived(world, channel)) == (State.DELIVERED, 1), state(box).error
    assert state(box).receipt
    assert exit_code(box.record.incident()) == 0
    box.deliver()
    assert arrived(world, channel) == 1


@pytest.mark.parametrize("fault", ["down", "429", "500", "refuse", "drop"])
@pytest.mark.parametrize("channel", EACH)
def test_a_text_that_failed_is_kept_and_arrives_once_when_its_channel_is_back(
    world: Exchange, channel: str, fault: str
) -> None:
    world.outbox().deliver(room=True)
    world.fail(fault, channel)
    box = sent(world, channel)
    refused = (channel, fault) == ("mail", "refuse")  # 554: the server will never take it
    assert state(box).state is (State.REFUSED if refused else State.WAITING)
    assert state(box).error
    assert exit_code(box.record.incident()) == 9
    box.deliver()
    assert arrived(world, channel) == (1 if fault == "drop" else 0)
    world.fail("", channel)
    world.clock.sleep(60)
    box.deliver()
    assert arrived(world, channel) == (0 if refused else 1)
    assert state(box).state is (State.REFUSED if refused else State.DELIVERED), state(box).error


@pytest.mark.parametrize("channel", ["slack", "statuspage", "tracker"])
def test_a_text_that_may_have_arrived_is_not_sent_again_while_that_cannot_be_seen(
    world: Exchange, channel: str
) -> None:
    world.outbox().deliver(room=True)
    world.fail("drop", channel)
    box = sent(world, channel)
    assert arrived(world, channel) == 1
    world.fail("500", channel)
    box.deliver()
    assert state(box).state is State.WAITING
    assert "cannot be seen now" in state(box).error
    assert arrived(world, channel) == 1


@pytest.mark.parametrize(
    ("channel", "changed"),
    [
        ("slack", {"credential": "file:/nowhere"}), ("statuspage", {"credential": "env:NOT_SET"}),
        ("pager", {"keys": {"on-call": "env:NOT_SET"}}), ("tracker", {"credential": "file:/dev/null"}),
    ],
)  # fmt: skip
def test_a_missing_credential_is_named_and_the_text_waits(world: Exchange, channel: str, changed: Any) -> None:
    settings_ = {channel: world.channels()[channel] | changed}
    box = sent(world, channel, **settings_)
    assert state(box).state is State.WAITING
    assert "the credential" in state(box).error
    box = world.outbox()
    box.deliver()
    assert state(box).state is State.DELIVERED


def test_a_wrong_credential_is_refused_and_is_in_no_event(world: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "0123456789abcdef-wrong")
    box = sent(world, "slack", slack=world.channels()["slack"] | {"credential": "env:OTHER"})
    assert "invalid_auth" in state(box).error
    journal = box.record.journal.read_text()
    secrets = [path.read_text() for path in world.folder.iterdir() if path.is_file()]
    assert not [each for each in ["0123456789abcdef-wrong", *secrets] if each in journal]


def test_a_credential_that_was_used_is_kept_out_of_texts(world: Exchange) -> None:
    box = sent(world, "slack")
    box.queue(draft("slack", "update", UPDATE | {"summary": f"the log says {(world.folder / 'slack').read_text()}"}))
    assert "Summary: the log says [redacted]" in state(box).text


def test_a_github_issue_is_made_and_commented_once(world: Exchange) -> None:
    box = world.outbox(tracker=world.github())
    box.queue(EACH["tracker"], draft("tracker", "update", UPDATE))
    world.fail("drop", "tracker")
    for _ in range(3):
        box.deliver()
    world.fail("", "tracker")
    box.deliver()
    (ticket,) = world.tracker.tickets
    assert (ticket["title"], len(ticket["comments"])) == ("SEV1: API errors", 1)
    assert box.record.incident().made["tracker"].url.endswith("/issues/1")


def test_jira_s_comments_are_made_once(world: Exchange) -> None:
    box = world.outbox()
    box.queue(EACH["tracker"])
    box.deliver()
    box.queue(draft("tracker", "update", UPDATE))
    world.fail("drop", "tracker")
    box.deliver()
    world.fail("", "tracker")
    box.deliver()
    assert [len(each["comments"]) for each in world.tracker.tickets] == [1]
    assert state(box).receipt == "OPS-1#1"


def test_the_incident_has_a_channel_of_its_own_and_its_declaration_is_pinned(world: Exchange) -> None:
    box = sent(world, "slack")
    made = next(each for each in world.slack.channels if each.name == f"incident-{INCIDENT}")
    assert made.pinned == [made.messages[0]["ts"]]
    assert box.record.incident().made["slack"].url == f"#incident-{INCIDENT}"
    assert made.messages[0]["shown"] == state(box).text


def test_a_taken_name_leads_to_the_next_one(world: Exchange) -> None:
    world.slack.open(f"incident-{INCIDENT}", "U0SOMEBODY")
    box = sent(world, "slack")
    assert box.record.incident().made["slack"].url == f"#incident-{INCIDENT}-2"


def test_a_channel_that_we_made_and_never_heard_of_is_used(world: Exchange) -> None:
    world.fail("drop", "slack")
    box = sent(world, "slack")
    assert box.record.incident().made == {}
    world.fail("", "slack")
    box.deliver()
    assert [each.name for each in world.slack.channels] == ["incidents", f"incident-{INCIDENT}"]
    assert arrived(world, "slack") == 1


def test_a_text_in_the_room_of_all_is_found_again_too(world: Exchange) -> None:
    box = world.outbox()
    box.queue(draft("slack", "declaration", TEXT, "#incidents"))
    world.fail("drop", "slack")
    box.deliver()
    world.fail("", "slack")
    box.deliver()
    assert (len(world.posts("incidents")), state(box).state) == (1, State.DELIVERED)


def test_the_status_page_goes_through_its_states_and_its_components_recover(world: Exchange) -> None:
    box = world.outbox()
    for name in STATUS:
        (id_,) = box.queue(draft("statuspage", name, STATUS[name], "page"))
        box.approve(id_)
        box.deliver()
        assert state(box).state is State.DELIVERED, state(box).error
        shown = world.statuspage.components["c0mp0nent0001"]
        assert shown == ("major_outage" if name in ("investigating", "identified") else "operational")
    (incident,) = world.statuspage.incidents
    assert [each["status"] for each in incident["incident_updates"]] == list(reversed(STATUS))
    assert (incident["status"], incident["name"]) == ("resolved", "API errors")


def test_the_status_page_never_goes_back_and_never_begins_in_the_middle(world: Exchange) -> None:
    box = world.outbox()
    for number, (name, said) in enumerate((
        ("identified", "has no incident yet"), ("investigating", ""), ("monitoring", ""), ("monitoring", ""),
        ("identified", "says monitoring already"), ("resolved", ""), ("monitoring", "says resolved already"),
    )):  # fmt: skip
        (id_,) = box.queue(draft("statuspage", name, STATUS[name], "page", f"{number}"))
        box.approve(id_)
        box.deliver()
        assert said in state(box).error
        assert state(box).state is (State.REFUSED if said else State.DELIVERED)


def test_an_unknown_component_gives_the_nearest_name(world: Exchange) -> None:
    box = world.outbox()
    (id_,) = box.queue(draft("statuspage", "investigating", STATUS["investigating"] | {"components": ["apl"]}, "page"))
    box.approve(id_)
    box.deliver()
    assert "no component 'apl'; did you mean api?" in state(box).error


def test_a_page_is_triggered_acknowledged_and_resolved_by_one_key(world: Exchange) -> None:
    box = world.outbox()
    seen = []
    for template, fields in (("page", PAGED), ("page-acknowledged", {"by": "on-call"}),
                             ("page-resolved", {"severity": "SEV1", "summary": "rolled back"})):  # fmt: skip
        box.queue(draft("pager", template, fields, "on-call"))
        box.deliver()
        ((key, alert),) = world.pager.alerts.items()
        seen.append((alert["state"], alert["rings"]))
    assert key == f"firstwatch-{INCIDENT}-on-call"
    assert seen == [("triggered", 1), ("acknowledged", 1), ("resolved", 1)]
    assert world.pager.alerts[key]["severity"] == "critical"


def test_an_unknown_person_to_page_gives_the_nearest(world: Exchange) -> None:
    box = world.outbox()
    box.queue(draft("pager", "page", PAGED, "manger"))
    box.deliver()
    assert "no key for 'manger'; did you mean manager?" in state(box).error


def test_a_letter_is_sent_again_under_the_same_id(world: Exchange) -> None:
    world.fail("drop", "mail")
    box = sent(world, "mail")
    world.fail("", "mail")
    box.deliver()
    (letter,) = world.mail.document()
    assert letter["copies"] == 2
    assert (letter["id"], letter["subject"]) == (state(box).receipt, "SEV1: API errors")
    assert letter["text"].replace("\r\n", "\n") == state(box).text.partition("\n\n")[2] + "\n"


@pytest.mark.parametrize(
    "to", ["nobody@example.com", "no address", "a@b\nBcc: c@d", "A <a@b.example>, c@d.example", "@"]
)
def test_a_letter_to_what_is_no_address_is_refused_for_good(world: Exchange, to: str) -> None:
    box = world.outbox()
    box.queue(draft("mail", "notice", NOTICE, to))
    box.deliver()
    assert (state(box).state, world.mail.letters) == (State.REFUSED, [])


def test_the_wiki_s_page_is_one_file_that_replaces_itself(world: Exchange) -> None:
    box = world.outbox()
    for text in ("first", "second"):
        box.queue(Draft(text, "page-acknowledged", "wiki", "incident", {"by": text}))
        box.deliver()
    assert [path.name for path in (world.folder / "wiki").iterdir()] == [f"{INCIDENT}.md"]
    assert (world.folder / "wiki" / f"{INCIDENT}.md").read_text() == "Acknowledged by second\n"


TEXTS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("<>@!#|&;:/\n")), max_size=400
) | st.sampled_from(
    ["<!channel>", "<@U1>", "@here", "@channel @everyone", "<http://x|y>", "<#C1>", "<!subteam^S1>", "&lt;!here&gt;",
     "@HERE", "\u202e@here", "<!date^1^{date}|x>"]
)  # fmt: skip


@given(TEXTS, TEXTS)
@settings(max_examples=400)
def test_no_text_mentions_anybody_or_links_anywhere(title: str, impact: str) -> None:
    message = _message(f"{title}\n{impact}@{title}")
    post = slack._post(message, "C1")
    assert mentions(post) == []
    assert not [text for text in _texts(post) if "<" in text or ">" in text]
    assert mentions(post | {"link_names": True}) == []  # not even for a reader who looks for words
    assert not post["link_names"]
    assert (post["mrkdwn"], post["unfurl_links"], post["parse"]) == (False, False, "none")


@given(st.text(st.sampled_from("&<>@a \n\U0001f6a8"), max_size=300).map(lambda text: text * 67))
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_a_long_text_is_split_into_blocks_and_nothing_is_lost_but_with_a_notice(text: str) -> None:
    import html

    parts = slack.parts(text)
    assert len(parts) <= 50
    assert all(0 < len(each) <= slack.BLOCK for each in parts)
    whole = "".join(html.unescape(each).replace("@\u200d", "@") for each in parts)
    if len(text) <= slack.MOST:
        assert whole == (text or " ")
    else:
        assert f"[cut: {len(text):,} letters; all of it is in the record]" in whole


def test_the_longest_text_is_taken(world: Exchange) -> None:
    box = world.outbox()
    long = dict.fromkeys(("summary", "impact", "eta", "actions"), "&" * 1990)
    box.queue(draft("slack", "update", UPDATE | long))
    box.deliver()
    assert state(box).state is State.DELIVERED
    assert world.posts() == [state(box).text]


def _texts(post: Any) -> list[str]:
    return [post["text"], *(each["text"]["text"] for each in post["blocks"])]


def _message(text: str) -> Any:
    from exchange import DECLARED

    from firstwatch.record.messages import Message

    return Message("m", "slack", "update", "incident", text, {}, DECLARED, "on-call")


def test_a_status_page_text_is_json_whatever_is_in_its_fields(world: Exchange) -> None:
    box = world.outbox()
    fields = STATUS["investigating"] | {"symptom": '", "status": "resolved'}
    (id_,) = box.queue(draft("statuspage", "investigating", fields, "page"))
    assert json.loads(state(box).text)["status"] == "investigating"
    box.approve(id_)
    box.deliver()
    assert world.statuspage.incidents[0]["status"] == "investigating"


def test_an_unknown_channel_gives_the_nearest_name(world: Exchange) -> None:
    with pytest.raises(NotFound, match="did you mean slack"):
        world.outbox().queue(draft("slak", "declaration", TEXT))
