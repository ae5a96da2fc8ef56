"""What the commands of the people's side share: one incident, the policy and the roster that apply, one event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from firstwatch.cli.app import Office, office
from firstwatch.clock import duration
from firstwatch.errors import BadParameter
from firstwatch.model import parse_time

if TYPE_CHECKING:
    from firstwatch.policy.roster import Roster
    from firstwatch.policy.tables import Policy
    from firstwatch.record.event import Event
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record

MOST_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody acts on one incident."""

    here: Office
    record: "Record"
    policy: "Policy"
    roster: "Roster"

    @property
    def me(self) -> str:
        return self.here.writer.actor.name

    @property
    def now(self) -> datetime:
        """Return the time in the incident's world."""
        return self.here.now(self.record.incident())

    def event(self, kind: str, decide: "Callable[[State], dict[str, Any]]") -> "Event":
        """Add one event, whose body *decide* makes of the state that nobody changes meanwhile."""
        from firstwatch.record.incident import fold

        return self.here.writer.journal(self.record).decided(kind, lambda events: _typed(decide(fold(events))))

    def say(self, text: str, *, json: bool, **more: Any) -> None:
        from firstwatch.cli.incidents import changed

        changed(self.record, json=json, text=text, **more)


def acting(incident: str, acting_as: str) -> Acting:
    """Return who acts on *incident*, else on the only open one."""
    from firstwatch.policy import roster, tables

    here = office(acting_as)
    policy = tables.load(here.path)
    return Acting(here, here.store.single(incident), policy, roster.load(here.path, policy))


def _typed(body: "dict[str, Any]") -> "dict[str, Any]":
    """Return *body* when all of its texts can be kept; BadParameter names the one that cannot."""
    for name, text in body.items():
        if isinstance(text, str):
            kept(name, text)
    return body


def kept(name: str, text: str, most: int = 4000) -> str:
    """Return *text*; BadParameter when it is too long, or holds bytes that are no letters."""
    if len(text) > most:
        raise BadParameter(f"{name} has {len(text)} letters; {most} are the most")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadParameter(f"{name} holds bytes that are not UTF-8, at letter {error.start + 1}") from error
    return text


def needed(name: str, text: str) -> str:
    """Return *text* without its edges; BadParameter when nothing is left, or more than is read."""
    if not text.strip():
        raise BadParameter(f"{name} is empty: say why in a few words" if "reason" in name else f"{name} is empty")
    return kept(name, text, MOST_LETTERS).strip()


def moment(name: str, text: str, now: datetime, *, future: bool = False) -> datetime:
    """
    Return the moment that *text* names: `2026-11-24T02:03Z`, `02:03` (the last one, UTC), `10m` ago, `+2h` from now.

    Raises:
        BadParameter: It names none, or one in the future where only the past makes sense.
    """
    try:
        found = _moment(text.strip(), now)
    except (ValueError, OverflowError) as error:
        raise BadParameter(f"{name} {text!r} is not a time such as 2026-11-24T02:03Z, 02:03, 10m or +2h") from error
    if found > now and not future:
        raise BadParameter(f"{name} {text} is in the future")
    return found


def _moment(text: str, now: datetime) -> datetime:
    if text[-1:] in tuple("smhd"):
        return now + duration(text[1:]) if text.startswith("+") else now - duration(text)
    if "-" not in text and ":" in text:
        clock = datetime.strptime(text, "%H:%M" if text.count(":") == 1 else "%H:%M:%S").time()  # noqa: DTZ007  # a time
        found = datetime.combine(now.date(), clock, now.tzinfo)
        return found if found <= now else found - timedelta(days=1)
    return parse_time(text if text[-1:] == "Z" or "+" in text[10:] else f"{text}Z")
