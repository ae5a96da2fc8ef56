"""How a command tells people: it queues what belongs to its occasion, sends what it can, and says what waits."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from firstwatch.cli import screen
from firstwatch.cli.app import Office
from firstwatch.errors import BadParameter

if TYPE_CHECKING:
    from firstwatch.channels.announce import Desk, Ending
    from firstwatch.channels.outbox import Draft, Outbox
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.messages import Message
    from firstwatch.record.store import Record

COLOURS = {"delivered": "green", "not delivered": "bold red", "refused": "bold red", "in doubt": "bold red"}


def outbox_of(here: Office, record: "Record") -> "Outbox":
    """Return the outbox of *record*, with the channels that are configured."""
    from firstwatch.channels import switchboard
    from firstwatch.channels.outbox import Outbox

    within = here.settings.channels.deadline_s + 1 if here.settings else 1.0
    return Outbox(record, here.writer, switchboard.connect(here.settings, here.writer.clock), within)


def desk_of(here: Office) -> "Desk":
    """Return what texts are made with: the channels' settings, the policy, the roster."""
    from firstwatch.channels.announce import Desk
    from firstwatch.policy import roster, tables
    from firstwatch.reach import Channels

    policy = tables.load(here.path)
    return Desk(here.settings.channels if here.settings else Channels(), policy, roster.load(here.path, policy))


def tell(here: Office, record: "Record", drafts: "Iterable[Draft]", *, room: bool = False) -> None:
    """Queue *drafts* and try to send all that waits; a channel that fails is no error here."""
    box = outbox_of(here, record)
    box.queue(*drafts)
    box.deliver(room=room)


def told(record: "Record", *, json: bool) -> int:
    """Say what has not arrived, and return the exit code that goes with it: 9 while something is pending."""
    from firstwatch.channels.outbox import exit_code

    state = record.incident()
    left = [each for each in state.messages if each.state not in ("delivered", "dropped")]
    for each in left if not json else ():
        screen.err.print(_line(each, state), soft_wrap=True)
    if left and not json:
        screen.err.print("[dim]firstwatch outbox --show all    shows them, to paste; --retry tries again[/]")
        screen.err.print("[dim]firstwatch contacts             shows whom to call meanwhile[/]")
    return exit_code(state)


def _line(message: "Message", state: "State") -> str:
    from firstwatch.channels.outbox import waits

    why = screen.safe(waits(message, state) or message.error or "not tried yet")
    colour = COLOURS.get(message.state, "yellow")
    name = f"{message.template} for {screen.safe(message.channel)}, {screen.safe(message.to)}"
    return f"[{colour}]{message.state}[/]: {name}: {why}"


def declared(here: Office, record: "Record") -> None:
    """Tell of a declaration, or of a new severity: who should have been told and was not yet. Pages go first."""
    from firstwatch.channels import announce

    tell(here, record, announce.pages(record.incident()), room=record.incident().severity != "SEV4")
    tell(here, record, announce.declared(record.incident(), desk_of(here)))


def reopened(here: Office, record: "Record") -> None:
    """Tell that the incident is back."""
    from firstwatch.channels import announce

    tell(here, record, announce.reopened(record.incident(), desk_of(here)))


def escalated(here: Office, record: "Record") -> None:
    """Tell those of the level that was climbed to last."""
    from firstwatch.channels import announce

    state = record.incident()
    tell(here, record, announce.escalated(state, state.people.escalations[-1], desk_of(here)))


def notified(here: Office, record: "Record", whom: str) -> bool:
    """Tell *whom* by the channels that there are; False when none can."""
    from firstwatch.channels import announce

    drafts = tuple(announce.notified(record.incident(), whom, desk_of(here)))
    tell(here, record, drafts)
    return bool(drafts)


def case(here: Office, record: "Record") -> str:
    """Return the text of a case at AWS; a configuration of another service says nothing of this incident."""
    from firstwatch.channels import cases
    from firstwatch.settings import Aws

    state, settings = record.incident(), here.settings
    ours = settings is not None and state.service in ("", settings.service.name)
    return cases.case(state, settings.aws if settings and ours else Aws())


def acknowledged(here: Office, record: "Record") -> None:
    """Tell the pager that somebody is there."""
    from firstwatch.channels import announce

    tell(here, record, announce.acknowledged(record.incident(), here.writer.actor.name))


def ending(summary: str, cause: str, customers_cause: str, prevention: str) -> "Ending":
    """Return what is said of the end; BadParameter when a part of it is empty, or longer than its text can take."""
    from firstwatch.channels.announce import Ending
    from firstwatch.channels.texts import MOST_LETTERS

    said = {"the summary": summary, "--cause": cause, "--customers-cause": customers_cause, "--prevention": prevention}
    for name, text in said.items():
        if not text.strip():
            raise BadParameter(f"{name} is empty")
        if len(text) > MOST_LETTERS:
            raise BadParameter(f"{name} has {len(text):,} letters; {MOST_LETTERS:,} are the most")
    return Ending(*(text.strip() for text in said.values()))


def resolved(here: Office, record: "Record", ending: "Ending") -> None:
    """Tell of the end all who were told of the beginning; the wiki gets its page."""
    from firstwatch.channels import announce, wiki

    state = record.incident()
    tell(here, record, announce.resolved(state, ending, desk_of(here), wiki.page(state)))
