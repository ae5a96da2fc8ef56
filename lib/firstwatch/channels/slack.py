"""
Chat, by Slack's Web API: the incident's own channel, and the one that hears of every incident.

Texts are plain text: nothing in one becomes a mention, a link or a preview, whoever wrote it. Each carries its id in
its metadata. **At most once**: a text that may have been posted is looked for in the channel's history; while that
cannot be read it is not posted again, because a room that hears an order twice acts twice. Our own few calls and not
Slack's client: that one sends again by itself, and its deadline is not a total one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from firstwatch.channels.channel import Case, shortened
from firstwatch.channels.wire import Wire, bearer
from firstwatch.errors import BadParameter, FirstwatchError, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.reach import Slack as Settings
from firstwatch.record.messages import Made, Message

OURS = "incident"  # the `to` of a text for the incident's own channel
BLOCK, MOST = 3000, 10_000  # letters in a block, and in all: escaped and split, these stay below fifty blocks
MOST_NAMES = 9
PAGES = 20
SLACK_CLOCK = timedelta(hours=1)  # how far its clock may differ from ours
EVENT = "firstwatch_message"
_WORDS = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
_NEVER = ("msg_too_long", "no_text", "msg_blocks_too_long", "metadata_too_large", "too_many_attachments")
_TAKEN = "name_taken"
_LATER = (
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "team_added_to_org", "accesslimited",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slack:
    wire: Wire
    announce: str
    name: str = "slack"
    by_hand: str = ""

    @classmethod
    def open(cls, settings: Settings, deadline_s: float) -> "Slack":
        return cls(Wire("Slack", settings.url, deadline_s, bearer(settings.credential)), settings.announce)

    def send(self, message: Message, case: Case) -> str:
        """Post *message*, and pin it when it is the declaration; the receipt is `channel/timestamp`."""
        where = self.channel(case).reference if message.to == OURS else message.to
        said = self._call("chat.postMessage", _post(message, where))
        receipt = f"{said['channel']}/{said['ts']}"
        if message.template != "declaration" or message.to != OURS:
            return receipt
        return receipt + self._pinned(said["channel"], said["ts"])

    def arrived(self, message: Message, case: Case) -> str:
        where = self._place(message, case)
        for each in self._history(where, message) if where else ():
            payload = (each.get("metadata") or {}).get("event_payload") or {}
            if payload.get("id") == message.id:
                return f"{where}/{each['ts']}"
        return ""

    def channel(self, case: Case) -> Made:
        """Return the incident's own channel, made now unless it was; its name is the first free `incident-<id>`."""
        if self.name in case.made:
            return case.made[self.name]
        for number in range(1, MOST_NAMES + 1):
            name = f"incident-{case.incident}" + (f"-{number}" if number > 1 else "")
            found = self._create(name) or self._own(name)
            if found:
                made = Made(found, f"#{name}")
                case.keep(self.name, made)
                return made
        raise Refused(f"Slack: incident-{case.incident} and {MOST_NAMES - 1} names after it are taken")

    def _create(self, name: str) -> str:
        """Return the id of the new channel *name*, or nothing when the name is taken."""
        try:
            return str(self._call("conversations.create", {"name": name})["channel"]["id"])
        except _Taken:
            return ""

    def _own(self, name: str) -> str:
        """Return the id of the channel *name* when we made it: by an attempt of which we never heard."""
        me = self._call("auth.test", {})["user_id"]
        found = (each for each in self._channels() if each["name"] == name and each.get("creator") == me)
        return next((str(each["id"]) for each in found), "")

    def _place(self, message: Message, case: Case) -> str:
        if message.to == OURS:
            return case.made[self.name].reference if self.name in case.made else ""
        name = message.to.removeprefix("#")
        return next((str(each["id"]) for each in self._channels() if each["name"] == name), "")

    def _channels(self) -> Iterator[Json]:
        return self._pages("conversations.list", {"limit": "1000", "exclude_archived": "true"}, "channels")

    def _history(self, where: str, message: Message) -> Iterator[Json]:
        oldest = f"{(message.at - SLACK_CLOCK).timestamp():.6f}"
        query = {"channel": where, "oldest": oldest, "limit": "200", "include_all_metadata": "true"}
        return self._pages("conversations.history", query, "messages")

    def _pages(self, method: str, query: dict[str, str], key: str) -> Iterator[Json]:
        cursor = ""
        for _ in range(PAGES):
            answer = _checked(method, self.wire.read(f"/{method}", query | ({"cursor": cursor} if cursor else {})))
            yield from answer[key]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return
        raise Unavailable(f"Slack: {method} has more than {PAGES} pages")

    def _pinned(self, channel: str, ts: str) -> str:
        """Pin a text and return nothing, or why it is not pinned: it was posted all the same."""
        try:
            self._call("pins.add", {"channel": channel, "timestamp": ts})
        except FirstwatchError as error:
            return f" (not pinned: {error})"
        return ""

    def _call(self, method: str, body: Json) -> Json:
        return _checked(method, self.wire.write("POST", f"/{method}", body))


class _Taken(Refused):
    """A channel of that name exists."""


def _checked(method: str, answer: Json) -> Json:
    if isinstance(answer, dict) and answer.get("ok") is True:
        return answer
    said = str(answer.get("error", "no reason")) if isinstance(answer, dict) else "nonsense"
    if said == _TAKEN:
        raise _Taken(f"Slack: {method}: {said}")
    if said in _NEVER or said.startswith("invalid_block"):
        raise BadParameter(f"Slack: {method}: {said}")
    later = said in _LATER or said == "nonsense"
    raise (Unavailable if later else Refused)(f"Slack: {method}: {said}")


def _post(message: Message, where: str) -> Json:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": each}} for each in parts(message.text)]
    return {
        "channel": where, "text": parts(message.text)[0], "blocks": blocks, "mrkdwn": False, "parse": "none",
        "link_names": False, "unfurl_links": False, "unfurl_media": False,
        "metadata": {"event_type": EVENT, "event_payload": {"id": message.id}},
    }  # fmt: skip


def parts(text: str) -> list[str]:
    """Return *text*, escaped, in blocks of at most 3,000 letters; more than 10,000 letters are cut, with a notice."""
    made, rest = [], shortened(text, MOST) or " "
    while rest:
        piece = _first(rest)
        rest = rest[len(piece) :]
        made.append(escaped(piece))
    return made


def _first(text: str) -> str:
    """Return as much of *text* as a block holds once it is escaped, up to the end of a line if there is one."""
    size, used = 0, 0
    for letter in text:
        used += len(escaped(letter)) + (letter == "@")
        if used > BLOCK:
            break
        size += 1
    line = text.rfind("\n", 0, size) + 1
    return text[: line if line and size < len(text) else size]


def escaped(text: str) -> str:
    """Return *text* so that nothing in it is markup, and no word of it calls everybody."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _WORDS.sub("@\u200d", plain)
