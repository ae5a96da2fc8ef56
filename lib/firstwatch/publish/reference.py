"""Reference pages made from the library's own data: the probes, and what answers each item of the procedures."""

import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from firstwatch import probes

Row = Sequence[str]


def fill(folder: Path) -> None:
    """Put the tables into their pages in *folder*."""
    for name, made in (("probes", _probes()), ("coverage", _answers())):
        page = folder / f"{name}.md"
        page.write_text(page.read_text("utf-8").replace(f"{name.upper()}_TABLE", made), "utf-8")


def coverage() -> dict[str, list[str]]:
    """Return what answers each item of the procedures: what it is, runbook, probes or actions, test."""
    text = (files("firstwatch.publish") / "coverage.toml").read_text("utf-8")
    found: dict[str, list[str]] = tomllib.loads(text)["rows"]
    return found


def _probes() -> str:
    asked = [each for name in probes.__all__ if isinstance(each := getattr(probes, name), probes.Probe)]
    rows = [(f"`{each.name}`", each.question, each.expected, each.setting or "nothing") for each in asked]
    return _table(("Probe", "Question", "Expected", "Needs the setting"), rows)


def _answers() -> str:
    rows = [(item, *row, _sentence(test)) for item, (*row, test) in coverage().items()]
    return _table(("Item", "What", "Runbook", "Probe or action", "Test"), rows)


def _sentence(test: str) -> str:
    """Return the name of a test, which is a sentence, as one, with the file that has it."""
    file, _, name = test.partition("::")
    return f"{name.removeprefix('test_').replace('_', ' ')} (`{file}`)"


def _table(head: Row, rows: Iterable[Row]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
