"""The command's frame: the options that all commands share, and what they resolve to."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch import environment
from firstwatch import settings as configuration
from firstwatch.clock import Pace, WallClock
from firstwatch.errors import BadParameter, FirstwatchError
from firstwatch.record import redact
from firstwatch.record.store import Store, Writer

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident as State
    from firstwatch.settings import Settings

app = typer.Typer(
    name="firstwatch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""
    Runbooks that run: look first, change nothing unapproved, leave a record that can be verified.

    When something is down, begin with `firstwatch run investigate/first-five-minutes`.
    """,
)

Incident = Annotated[
    str, typer.Option("-i", "--incident", help="The record, by its id; else the only one that is open.", metavar="ID")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else, on standard output.")]
As = Annotated[
    str, typer.Option("--as", help="Who acts; else FIRSTWATCH_ACTOR, [me] name, your login.", metavar="NAME")
]


@app.callback()
def frame(
    config: Annotated[str, typer.Option("--config", help="The firstwatch.toml to use.", metavar="FILE")] = "",
) -> None:
    if config:
        os.environ["FIRSTWATCH_CONFIG"] = config


@dataclass(frozen=True, slots=True)
class Office:
    """What a command works with: the configuration that applies, the records, and who writes into them."""

    path: Path | None
    settings: "Settings | None"
    store: Store
    writer: Writer

    def now(self, state: "State | None" = None) -> datetime:
        """Return the time in the world of *state*, else in that of the configuration: a game day's may go faster."""
        pace = state.pace if state else self.settings.pace if self.settings else Pace()
        return pace.world(self.writer.clock.now())

    def configured(self) -> "Settings":
        if self.settings is None:
            raise BadParameter(f"no {environment.FILE} here or above; name one with --config, or start a game day")
        return self.settings


def office(acting_as: str = "") -> Office:
    """Return the office of this command; BadParameter when the configuration that applies is wrong."""
    if acting_as:
        os.environ["FIRSTWATCH_ACTOR"] = acting_as  # so that a kernel that we start says the same
    path = environment.find(os.environ, Path.cwd())
    settings = configuration.load(path) if path else None
    store = Store(environment.records(os.environ, path))
    redact.ask_later(lambda: _learn(settings))
    actor = environment.actor(os.environ, settings, acting_as)
    return Office(path, settings, store, Writer(WallClock(), actor, environment.credential()))


def _learn(settings: "Settings | None") -> None:
    """Make the cluster's credentials known to the redaction; what is wrong with them is said where they are used."""
    from firstwatch.systems import credentials

    if settings:
        with suppress(FirstwatchError):
            credentials.learn(settings.kubernetes)


def stoppable() -> None:
    """Let SIGINT and SIGTERM end a command that stays, with 130; in the background a shell leaves it deaf to one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
