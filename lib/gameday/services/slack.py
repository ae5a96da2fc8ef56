"""
Slack's Web API, of the methods that an incident needs.

A text is read as Slack reads it: `<!here>`, `<@U1>` and links are markup unless they are escaped, and `@here` is when
`link_names` is on. What would have mentioned somebody is kept beside it, so that a test can see that nothing does.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday.services.faults import Faults
from gameday.services.limits import Limit

ME = "U0FIRSTWATCH"
_NAME = re.compile(r"[a-z0-9_-]{1,80}")
_MARKUP = re.compile(r"<([@!#][^>\n]+)>")
_NAMED = re.compile(r"@(here|channel|everyone)\b", re.IGNORECASE)
MOST_TEXT, MOST_BLOCKS, MOST_BLOCK = 40_000, 50, 3000
PAGE = 200
Answer = dict[str, Json]


class No(Exception):
    """Slack answers `ok: false` with this word."""


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    creator: str
    created: int
    messages: list[Json] = field(default_factory=list)
    pinned: list[str] = field(default_factory=list)

    def document(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "creator": self.creator,
            "created": self.created,
            "is_archived": False,
        }


class Slack:
    """A workspace with one bot, `token`, and one channel, `#incidents`."""

    def __init__(self, token: str, clock: Clock, faults: Faults) -> None:
        self._token, self._clock, self._faults = token, clock, faults
        self._limit = Limit(clock, 10, 1.0)
        self.channels: list[Channel] = []
        self.open("incidents", "U0SOMEBODY")

    def open(self, name: str, creator: str) -> Channel:
        made = Channel(f"C{len(self.channels) + 1:08}", name, creator, int(self._clock.now().timestamp()))
        self.channels.append(made)
        return made

    def routes(self) -> list[web.RouteDef]:
        handler = self._faults.faulty("slack", (200, {"ok": False, "error": "not_allowed_token_type"}), self._answer)
        return [web.route("*", "/slack/api/{method}", handler)]

    async def _answer(self, request: web.Request) -> web.Response:
        given = dict(request.query) if request.method == "GET" else await request.json()
        try:
            if request.headers.get("Authorization") != f"Bearer {self._token}":
                raise No("invalid_auth")
            return web.json_response({"ok": True, **self._method(request.match_info["method"])(given)})
        except No as error:
            if str(error) == "ratelimited":
                return web.json_response(
                    {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"}
                )
            return web.json_response({"ok": False, "error": str(error)})

    def _method(self, name: str) -> Callable[[Json], Answer]:
        known: dict[str, Callable[[Json], Answer]] = {
            "auth.test": lambda _: {"user_id": ME, "team": "game day"}, "conversations.create": self._create,
            "conversations.list": self._list, "conversations.history": self._history,
            "chat.postMessage": self._post, "pins.add": self._pin,
        }  # fmt: skip
        if name not in known:
            raise No("unknown_method")
        return known[name]

    def _create(self, given: Json) -> Answer:
        name = str(given.get("name", ""))
        if not _NAME.fullmatch(name):
            raise No("invalid_name_specials" if name else "invalid_name_required")
        if any(each.name == name for each in self.channels):
            raise No("name_taken")
        return {"channel": self.open(name, ME).document()}

    def _list(self, given: Json) -> Answer:
        begin = int(given.get("cursor") or 0)
        most = min(int(given.get("limit", 100)), 1000)
        more = str(begin + most) if begin + most < len(self.channels) else ""
        found = [each.document() for each in self.channels[begin : begin + most]]
        return {"channels": found, "response_metadata": {"next_cursor": more}}

    def _history(self, given: Json) -> Answer:
        channel, oldest = self._channel(given), float(given.get("oldest") or 0)
        newest_first = [each for each in reversed(channel.messages) if float(each["ts"]) > oldest]
        begin = int(given.get("cursor") or 0)
        most = min(int(given.get("limit", 100)), PAGE)
        shown = [each | {"metadata": each["metadata"] or {}} for each in newest_first[begin : begin + most]]
        if given.get("include_all_metadata") not in ("true", True):
            shown = [{k: v for k, v in each.items() if k != "metadata"} for each in shown]
        more = str(begin + most) if begin + most < len(newest_first) else ""
        return {"messages": shown, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _post(self, given: Json) -> Answer:
        channel = self._channel(given)
        if not self._limit.admits(channel.id):
            raise No("ratelimited")
        _check(given)
        sequence = sum(len(each.messages) for each in self.channels) + 1
        ts = f"{int(self._clock.now().timestamp())}.{sequence:06}"
        shown = "".join(each["text"]["text"] for each in given.get("blocks") or ()) or given["text"]
        said = {
            "type": "message", "user": ME, "ts": ts, "text": given.get("text", ""), "shown": html.unescape(shown),
            "metadata": given.get("metadata"), "mentions": mentions(given),
        }  # fmt: skip
        channel.messages.append(said)
        return {"channel": channel.id, "ts": ts, "message": said}

    def _pin(self, given: Json) -> Answer:
        channel = self._channel(given)
        if given.get("timestamp") not in [each["ts"] for each in channel.messages]:
            raise No("message_not_found")
        if given["timestamp"] in channel.pinned:
            raise No("already_pinned")
        channel.pinned.append(given["timestamp"])
        return {}

    def _channel(self, given: Json) -> Channel:
        wanted = str(given.get("channel", "")).removeprefix("#")
        found = next((each for each in self.channels if wanted in (each.id, each.name)), None)
        if found is None:
            raise No("channel_not_found")
        return found


def _check(given: Json) -> None:
    blocks = given.get("blocks") or []
    if not given.get("text") and not blocks:
        raise No("no_text")
    if len(given.get("text") or "") > MOST_TEXT:
        raise No("msg_too_long")
    if len(blocks) > MOST_BLOCKS or not all(0 < len(each["text"]["text"]) <= MOST_BLOCK for each in blocks):
        raise No("invalid_blocks")


def mentions(given: Json) -> list[str]:
    """Return whom a text would call, or link to, as Slack reads it."""
    texts = [given.get("text") or "", *(each["text"]["text"] for each in given.get("blocks") or ())]
    found = [each[1] for text in texts for each in _MARKUP.finditer(text)]
    if given.get("link_names") or given.get("parse") == "full":
        found += [each[0] for text in texts for each in _NAMED.finditer(text)]
    return found
