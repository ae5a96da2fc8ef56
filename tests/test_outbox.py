"""The outbox: nothing lost, nothing twice, in order, and a channel that is down delays nobody."""

import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exchange
import pytest
from exchange import NOTICE, PAGED, STATUS, TEXT, TICKET, UPDATE, Exchange, draft, state

from firstwatch.channels import switchboard
from firstwatch.channels.channel import Case
from firstwatch.channels.outbox import Outbox, exit_code
from firstwatch.errors import BadParameter, RecordNotWritable
from firstwatch.record.journal import read
from firstwatch.record.messages import State


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Exchange]:
    with exchange.exchange(tmp_path) as made:
        yield made


def update(number: int) -> Any:
    return draft("slack", "update", UPDATE | {"number": str(number)}, key=f"update-{number}")


def queue_all(box: Outbox) -> None:
    """Queue a text for every channel, and approve those that customers read."""
    ids = box.queue(
        draft("slack", "declaration", TEXT), draft("slack", "declaration", TEXT, "#incidents"),
        draft("pager", "page", PAGED, "on-call"), draft("pager", "page", PAGED, "manager"),
        draft("mail", "notice", NOTICE, "manager@example.com"), draft("tracker", "ticket", TICKET),
        *(draft("statuspage", each, STATUS[each], "page") for each in STATUS), *(update(n) for n in range(1, 6)),
        draft("tracker", "update", UPDATE),
    )  # fmt: skip
    for each, message in zip(ids, box.record.incident().messages, strict=True):
        if message.held:
            box.approve(each)


def events(box: Outbox, kind: str) -> list[Any]:
    return [each.body for each in read(box.record.journal) if each.kind == kind]


def test_with_all_dead_nothing_is_lost_and_when_they_return_each_arrives_once_in_order(world: Exchange) -> None:
    world.fail("down")
    box = world.outbox()
    queue_all(box)
    for _ in range(3):
        box.deliver()
    messages = box.record.incident().messages
    assert {each.state for each in messages} <= {State.WAITING, State.QUEUED}
    assert all(each.text for each in messages)
    assert exit_code(box.record.incident()) == 9
    world.fail("")
    for _ in range(3):
        world.clock.sleep(60)
        box.deliver()
    assert [each for each in box.record.incident().messages if each.state is not State.DELIVERED] == []
    assert exit_code(box.record.incident()) == 0
    assert [text.partition(" - ")[0][2:] for text in world.posts()] == [
        "INCIDENT DECLARED", *(f"INCIDENT UPDATE #{n}" for n in range(1, 6)),
    ]  # fmt: skip
    (shown,) = world.statuspage.incidents
    assert [each["status"] for each in shown["incident_updates"]] == list(reversed(STATUS))
    assert sorted(alert["rings"] for alert in world.pager.alerts.values()) == [1, 1]
    assert [letter["copies"] for letter in world.mail.document()] == [1]
    assert [len(each["comments"]) for each in world.tracker.tickets] == [1]


def test_texts_arrive_in_order_whichever_of_them_fails(world: Exchange) -> None:
    box = world.outbox()
    box.deliver(room=True)
    for number, fault in enumerate(["429", "drop", "500", "", "down", "drop", "refuse", ""]):
        world.fail(fault, "slack")
        box.queue(update(number))
        box.deliver()
    world.fail("", "slack")
    box.deliver()
    assert [text.partition(" ")[2][:18] for text in world.posts()] == [f"INCIDENT UPDATE #{n}" for n in range(8)]


@pytest.mark.parametrize("posted", [True, False])
def test_after_a_crash_between_sending_and_hearing_of_it_a_text_is_there_once(world: Exchange, posted: bool) -> None:
    box = world.outbox()
    box.deliver(room=True)
    box.queue(update(1))
    incident = box.record.incident()
    message = incident.messages[0]
    box.writer.journal(box.record).append("delivering", {"id": message.id, "attempt": 1})
    if posted:
        case = Case(incident.id, incident.opened_at, dict(incident.made), lambda *_: None)
        box.channels["slack"].send(message, case)
    assert state(box).state is State.DOUBT
    assert exit_code(box.record.incident()) == 9
    box.deliver()
    assert (state(box).state, len(world.posts())) == (State.DELIVERED, 1)
    assert len(events(box, "delivering")) == (1 if posted else 2)


def test_sending_is_in_the_record_before_the_request_leaves(world: Exchange) -> None:
    box = world.outbox()
    box.deliver(room=True)
    box.queue(update(1))
    seen: list[str] = []
    real = box.channels["slack"]

    class Watched(type(real)):  # type: ignore[misc]  # the real client, that notes what is on the disk when it is used
        def send(self, message: Any, case: Any) -> str:
            seen.extend(each.kind for each in read(box.record.journal))
            return super().send(message, case)

    watched = Watched(real.wire, real.announce)
    Outbox(box.record, box.writer, dict(box.channels) | {"slack": watched}).deliver()
    assert seen[-1] == "delivering"


def test_what_cannot_be_recorded_is_not_sent(world: Exchange) -> None:
    box = world.outbox()
    box.deliver(room=True)
    box.queue(update(1))
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (box.record.journal.stat().st_size, usual[1]))
    try:
        with pytest.raises(RecordNotWritable):
            box.deliver()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert state(box).state is State.QUEUED
    assert world.posts() == []


def test_a_channel_that_hangs_delays_neither_the_others_nor_the_responder(world: Exchange) -> None:
    box = world.outbox(within_s=2.5, slack=world.channels()["slack"] | {"url": exchange.silent()})
    box.queue(draft("pager", "page", PAGED, "on-call"), draft("slack", "declaration", TEXT))
    began = time.monotonic()
    box.deliver()
    assert time.monotonic() - began < 10
    assert [each.state for each in box.record.incident().messages] == [State.DELIVERED, State.DOUBT] or (
        state(box).state is State.QUEUED
    )
    assert exit_code(box.record.incident()) == 9


def test_two_that_deliver_at_once_send_each_text_once(world: Exchange) -> None:
    boxes = [world.outbox() for _ in range(4)]
    queue_all(boxes[0])
    threads = [threading.Thread(target=box.deliver) for box in boxes]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    world.clock.sleep(60)
    boxes[0].deliver()
    assert len(world.posts()) == 6
    assert len(world.mail.letters) == 1
    assert max(body["attempt"] for body in events(boxes[0], "delivered")) <= 2


def test_asked_twice_for_the_same_occasion_it_is_one_text(world: Exchange) -> None:
    box = world.outbox()
    assert box.queue(update(1)) == box.queue(update(1))
    assert box.queue(update(2)) != box.queue(draft("slack", "update", UPDATE, "#incidents", "update-2"))
    assert len(box.record.incident().messages) == 3


def test_a_draft_without_a_field_queues_none_of_them(world: Exchange) -> None:
    box = world.outbox()
    with pytest.raises(BadParameter, match="the text declaration needs impact"):
        box.queue(update(1), draft("slack", "declaration", {k: v for k, v in TEXT.items() if k != "impact"}))
    assert box.record.incident().messages == ()


def test_a_text_for_customers_leaves_only_after_somebody_read_it(world: Exchange) -> None:
    box = world.outbox()
    (id_,) = box.queue(draft("statuspage", "investigating", STATUS["investigating"], "page"))
    box.deliver()
    assert (state(box).state, world.statuspage.incidents) == (State.QUEUED, [])
    assert exit_code(box.record.incident()) == 0
    world.outbox(actor="responder-2").approve(id_)
    box.deliver()
    assert (state(box).approval, len(world.statuspage.incidents)) == ("responder-2", 1)


def test_an_unread_state_of_the_page_keeps_the_later_ones_and_no_letter_waiting(world: Exchange) -> None:
    box = world.outbox()
    first, second = box.queue(*(draft("statuspage", each, STATUS[each], "page") for each in list(STATUS)[:2]))
    box.queue(draft("mail", "customer-notice", exchange.CUSTOMER, "customer@example.com"))
    box.queue(draft("mail", "notice", NOTICE, "customer@example.com"))
    box.approve(second)
    box.deliver()
    assert world.statuspage.incidents == []
    assert [letter["subject"] for letter in world.mail.document()] == ["SEV1: API errors"]
    box.approve(first)
    box.deliver()
    assert world.statuspage.incidents[0]["status"] == "identified"


def test_under_a_breach_nothing_is_published_until_it_is_released(world: Exchange) -> None:
    box = world.outbox()
    journal = box.writer.journal(box.record)
    journal.append("declared", {"title": "t", "impact": "i", "severity": "SEV1", "source": "team"})
    journal.append("flagged", {"flag": "breach", "value": True, "reason": "a key was found"})
    queue_all(box)
    box.deliver()
    published = (world.statuspage.incidents, world.tracker.tickets)
    assert published == ([], [])
    assert len(world.posts()) == 6  # the team is told all the same
    assert len(world.mail.letters) == 1
    assert len(world.pager.alerts) == 2
    journal.append("released", {"reason": "legal agrees"})
    world.clock.sleep(60)
    box.deliver()
    assert (len(world.statuspage.incidents), len(world.tracker.tickets)) == (1, 1)


def test_without_any_channel_every_text_is_there_to_paste_and_nothing_is_pending(world: Exchange) -> None:
    box = world.outbox()
    bare = Outbox(box.record, box.writer, switchboard.connect(None))
    queue_all(bare)
    bare.queue(draft("phone", "page", PAGED, "manager"))
    bare.deliver()
    messages = bare.record.incident().messages
    assert {each.state for each in messages} == {State.PASTE}
    assert messages[0].error == "not configured: there is no [channels.slack]"
    assert exit_code(bare.record.incident()) == 0
    bare.pasted(messages[0])
    assert bare.record.incident().messages[0].receipt == "by hand, on-call"


def test_a_place_that_refuses_keeps_its_texts_in_order_and_no_other_place_waiting(world: Exchange) -> None:
    box = world.outbox()
    elsewhere = [draft("slack", "update", UPDATE | {"number": str(n)}, "#war-room", f"w{n}") for n in range(3)]
    box.queue(*elsewhere, update(1))
    box.deliver()
    assert len(world.posts()) == 1
    assert [len(events(box, "delivering")), state(box, 0).attempts, state(box, 1).attempts] == [2, 1, 0]
    world.slack.open("war-room", "U0SOMEBODY")
    box.deliver()
    assert [text.partition(" ")[2][:18] for text in world.posts("war-room")] == [
        f"INCIDENT UPDATE #{n}" for n in range(3)
    ]


def test_a_dropped_text_is_not_sent_and_keeps_nobody_waiting(world: Exchange) -> None:
    world.fail("down", "slack")
    box = world.outbox()
    box.queue(update(1), update(2))
    box.deliver()
    box.drop(box.record.incident().messages[0], "said in the call")
    world.fail("", "slack")
    box.deliver()
    assert [each.state for each in box.record.incident().messages] == [State.DROPPED, State.DELIVERED]


def test_a_text_is_sent_as_it_is_stored_with_its_secrets_taken_out(world: Exchange) -> None:
    box = world.outbox()
    box.queue(draft("slack", "update", UPDATE | {"summary": "password=hunter2hunter2 was in the log"}))
    box.deliver()
    assert world.posts() == [state(box).text]
    assert "hunter2" not in world.posts()[0]


@pytest.mark.parametrize("nonsense", [b"", b"[]", b"null", b'{"ok": true}', b"<html>", b'{"ok":', b"[" * 5000])
def test_a_nonsense_answer_is_a_sentence_and_the_text_waits(world: Exchange, nonsense: bytes) -> None:
    url = exchange.saying(nonsense)
    for channel in ("slack", "statuspage", "pager", "tracker"):
        box = world.outbox(**{channel: world.channels()[channel] | {"url": url}})
        (id_,) = box.queue(exchange.ONE[channel])
        box.approve(id_)
        box.deliver()
        assert state(box).state is State.WAITING, state(box)
        assert state(box).error
