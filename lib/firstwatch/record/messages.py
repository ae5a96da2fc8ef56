"""
What people were told, as the events say: each text with what became of it.

A text is queued by `message`; `delivering` is written before it is sent, `delivered` or `undelivered` after. Between
the two nobody knows whether it arrived: it is *in doubt*, and its channel is asked before it is sent again. What is
`held` waits for a person's yes. `made` is what a channel was asked to make: the incident's chat channel, its page.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from firstwatch.model import Json
from firstwatch.record.event import Event

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident

NEEDED = "needed"  # an `approval`: somebody has to read it before it leaves


class State(StrEnum):
    """What became of a text. `to paste`: no program sends it there, or none could; a person does."""

    QUEUED = "queued"
    DOUBT = "in doubt"
    WAITING = "not delivered"
    DELIVERED = "delivered"
    PASTE = "to paste"
    REFUSED = "refused"
    DROPPED = "dropped"


PENDING = (State.QUEUED, State.DOUBT, State.WAITING)


@dataclass(frozen=True, slots=True)
class Message:
    """
    One text to one place, as it is sent.

    `approval` is none, needed, or who approved it. `receipt` is the channel's own id of it; `error` says why it is not
    there yet.
    """

    id: str
    channel: str
    template: str
    to: str
    text: str
    fields: Mapping[str, Json]
    at: datetime
    by: str
    approval: str = "none"
    state: State = State.QUEUED
    attempts: int = 0
    receipt: str = ""
    error: str = ""
    delivered_at: datetime | None = None

    @property
    def held(self) -> bool:
        return self.approval == NEEDED

    @property
    def pending(self) -> bool:
        return self.state in PENDING

    @property
    def lane(self) -> tuple[str, str]:
        """Texts of one lane arrive in their order."""
        return self.channel, self.to


@dataclass(frozen=True, slots=True)
class Made:
    """What a channel made for this incident: its own id of it, and the address for people."""

    reference: str
    url: str = ""


def pending(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the texts that a channel has still to take; those that wait for an approval are not among them."""
    return tuple(each for each in messages if each.pending and not each.held)


def last_public(messages: Iterable[Message]) -> Message | None:
    """Return the last text that customers saw: of those that somebody had to approve, the last that was delivered."""
    shown = [each for each in messages if each.delivered_at and each.approval not in ("none", NEEDED)]
    return max(shown, key=lambda each: each.delivered_at or each.at, default=None)


def _message(now: "Incident", event: Event) -> "Incident":
    body = event.body
    said: dict[str, Any] = {key: str(body[key]) for key in ("id", "channel", "template", "to", "text")}
    made = Message(
        **said, fields=dict(body.get("fields", {})), at=event.time, by=event.who,
        approval=str(body.get("approval", "none")),
    )  # fmt: skip
    known = any(each.id == made.id for each in now.messages)
    return now if known else replace(now, messages=(*now.messages, made))


def _released(now: "Incident", event: Event) -> "Incident":
    return _on(now, event, approval=event.who or "somebody")


def _delivering(now: "Incident", event: Event) -> "Incident":
    return _on(now, event, state=State.DOUBT, attempts=int(event.body["attempt"]), error="")


def _delivered(now: "Incident", event: Event) -> "Incident":
    receipt = str(event.body.get("receipt", ""))
    return _on(now, event, state=State.DELIVERED, receipt=receipt, error="", delivered_at=event.time)


def _undelivered(now: "Incident", event: Event) -> "Incident":
    body = event.body
    state = State.WAITING if body["pending"] else State(body.get("state", State.REFUSED))
    return _on(now, event, state=state, error=str(body["error"]))


def _on(now: "Incident", event: Event, **said: Any) -> "Incident":
    """Change the message that *event* speaks of. What was delivered stays so, whatever is said later."""
    wanted = event.body["id"]
    messages = tuple(
        replace(each, **said) if each.id == wanted and each.state is not State.DELIVERED else each
        for each in now.messages
    )
    return replace(now, messages=messages)


def _made(now: "Incident", event: Event) -> "Incident":
    body = event.body
    made = Made(str(body["reference"]), str(body.get("url", "")))
    return replace(now, made={**now.made, str(body["channel"]): made})


HANDLERS: dict[str, Callable[["Incident", Event], "Incident"]] = {
    "message": _message,
    "released-message": _released,
    "delivering": _delivering,
    "delivered": _delivered,
    "undelivered": _undelivered,
    "channel-made": _made,
}

SENTENCES: dict[str, Callable[[Any], str]] = {
    "message": lambda b: f"Text {b['id'][:8]} for {b['channel']}, {b['to']}: {b['template']}{_waits(b)}",
    "released-message": lambda b: f"Read and approved text {b['id'][:8]}",
    "delivering": lambda b: f"Sending text {b['id'][:8]}, attempt {b['attempt']}",
    "delivered": lambda b: f"Delivered text {b['id'][:8]}: {b['receipt']}",
    "undelivered": lambda b: f"NOT DELIVERED, text {b['id'][:8]}: {b['error']}",
    "channel-made": lambda b: f"Made in {b['channel']}: {b.get('url') or b['reference']}",
}


def _waits(body: Json) -> str:
    return "; it waits until somebody has approved it" if body.get("approval") == NEEDED else ""
