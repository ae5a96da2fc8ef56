"""The command's frame: the options that all commands share, and what they resolve to."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch import settings as configuration
from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter
from firstwatch.record.store import Store, Writer

if TYPE_CHECKING:
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

    def configured(self) -> "Settings":
        if self.settings is None:
            raise BadParameter(f"no {configuration.FILE} here or above; name one with --config, or start a game day")
        return self.settings


def office(acting_as: str = "") -> Office:
    """Return the office of this command; BadParameter when the configuration that applies is wrong."""
    if acting_as:
        os.environ["FIRSTWATCH_ACTOR"] = acting_as  # so that a kernel that we start says the same
    path = configuration.find(os.environ, Path.cwd())
    settings = configuration.load(path) if path else None
    store = Store(configuration.records(os.environ, path))
    actor = configuration.actor(os.environ, settings, acting_as)
    return Office(path, settings, store, Writer(WallClock(), actor, configuration.credential()))
