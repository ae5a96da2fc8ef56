"""Every name that somebody may search for, as a page of the site: commands, texts, alerts."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any

from typer.main import get_command

from firstwatch.model import table
from firstwatch.runs.catalog import Runbook


def commands() -> list[tuple[str, str]]:
    """Return each command as it is typed, and the first sentence of its help; those of the game day too."""
    from firstwatch import cli
    from firstwatch.cli.app import app

    for each in iter_modules(cli.__path__):
        import_module(f"firstwatch.cli.{each.name}")
    found = list(_below("firstwatch", get_command(app)))
    for entry in entry_points(group="firstwatch.commands"):
        found += _below(f"firstwatch {entry.name}", get_command(entry.load()))
    return sorted(dict(found).items())


def _below(typed: str, command: Any) -> Iterator[tuple[str, str]]:
    within = getattr(command, "commands", {})
    for name, each in within.items():
        yield from _below(f"{typed} {name}", each)
    if not within:
        first = (command.help or "").strip().split("\n\n")[0]
        yield typed, " ".join(first.split())


def texts() -> list[tuple[str, str]]:
    """Return each text that people are sent: its name, and how it begins."""
    folder = files("firstwatch.channels") / "templates"
    found = [(each.name.rpartition(".")[0], each.read_text("utf-8").strip()) for each in folder.iterdir()]
    return sorted((name, " ".join(text.split())[:80]) for name, text in found)


def alerts(books: Iterable[Runbook]) -> list[tuple[str, str]]:
    """Return each alert that a runbook of *books* names, and the runbooks that do."""
    found: dict[str, list[str]] = {}
    for book in books:
        for alert in book.metadata.get("alerts", ()):
            found.setdefault(str(alert), []).append(book.name)
    return [(alert, ", ".join(names)) for alert, names in sorted(found.items())]


def fill(markdown: str, books: Iterable[Runbook]) -> str:
    """Return *markdown* with the tables in their places."""
    made = {
        "COMMANDS_TABLE": table(("Command", "What it does"), commands()),
        "TEXTS_TABLE": table(("Text", "It begins"), texts()),
        "ALERTS_TABLE": table(("Alert", "Runbooks"), alerts(books)),
    }
    for place, rows in made.items():
        markdown = markdown.replace(place, rows)
    return markdown
