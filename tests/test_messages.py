"""What the events say of each text: queued, in doubt, delivered once and for all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firstwatch.record.event import Event
from firstwatch.record.incident import Incident, fold
from firstwatch.record.messages import State, last_public, pending
from firstwatch.record.sentences import describe

NOW = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
TEXT = {"id": "m-1", "channel": "slack", "template": "update", "to": "incident", "text": "📊", "fields": {"eta": "?"}}


def told(*said: tuple[str, dict[str, Any]], by: str = "on-call") -> Incident:
    return fold(event(number, kind, body, by) for number, (kind, body) in enumerate(said))


def event(number: int, kind: str, body: dict[str, Any], by: str = "on-call") -> Event:
    at = (NOW + timedelta(seconds=number)).isoformat()
    return Event(1, number, "", "2026-11-24-020304", "", {"name": by}, "", at, 0, kind, "", body, "")


SENDING = ("delivering", {"id": "m-1", "attempt": 1})
FAILED = ("undelivered", {"id": "m-1", "attempt": 1, "error": "no answer", "pending": True})
ARRIVED = ("delivered", {"id": "m-1", "attempt": 2, "receipt": "C1/1700.1"})


@pytest.mark.parametrize(
    ("after", "state", "is_pending"),
    [
        ([], State.QUEUED, True),
        ([SENDING], State.DOUBT, True),
        ([SENDING, FAILED], State.WAITING, True),
        ([SENDING, FAILED, SENDING, ARRIVED], State.DELIVERED, False),
        ([SENDING, ARRIVED, SENDING, FAILED], State.DELIVERED, False),
        ([("undelivered", FAILED[1] | {"pending": False})], State.REFUSED, False),
        ([("undelivered", FAILED[1] | {"pending": False, "state": "to paste"})], State.PASTE, False),
    ],
)
def test_a_text_is_what_its_last_event_says_until_it_has_arrived(after: list, state: State, is_pending: bool) -> None:
    incident = told(("message", TEXT), *after)
    assert (incident.messages[0].state, bool(pending(incident.messages))) == (state, is_pending)


def test_a_text_that_waits_for_a_person_is_not_pending_until_they_said_yes() -> None:
    held = ("message", TEXT | {"approval": "needed"})
    assert pending(told(held).messages) == ()
    assert pending(told(held, ("released-message", {"id": "m-1"})).messages)[0].approval == "on-call"


def test_the_last_text_that_customers_saw_is_an_approved_and_delivered_one() -> None:
    approved = [("message", TEXT | {"approval": "needed"}), ("released-message", {"id": "m-1"})]
    internal = [("message", TEXT | {"id": "m-2"}), ("delivered", ARRIVED[1] | {"id": "m-2"})]
    assert last_public(told(*approved, *internal).messages) is None
    shown = last_public(told(*approved, ARRIVED, *internal).messages)
    assert shown
    assert shown.id == "m-1"


def test_a_second_text_of_the_same_id_changes_nothing() -> None:
    assert [each.text for each in told(("message", TEXT), ("message", TEXT | {"text": "other"})).messages] == ["📊"]


def test_what_a_channel_made_is_known() -> None:
    made = told(("channel-made", {"channel": "slack", "reference": "C1", "url": "https://x"})).made
    assert (made["slack"].reference, made["slack"].url) == ("C1", "https://x")


@pytest.mark.parametrize("kind", ["message", "released-message", "delivering", "delivered", "undelivered"])
def test_each_event_has_a_sentence_and_one_without_a_body_changes_nothing(kind: str) -> None:
    body = TEXT | SENDING[1] | FAILED[1] | ARRIVED[1]
    assert "m-1" in describe(event(1, kind, body))
    assert told((kind, {})).messages == ()
