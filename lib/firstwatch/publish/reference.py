"""Reference pages made from the library's own data: the probes, and what answers each item of the procedures."""

import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from firstwatch import probes

Row = Sequence[str]


def fill(folder: Path) -> None:
    """Put the tables into their pages in *folder*."""
    for name, made in (("probes", _probes()), ("coverage", _answers())):
        page = folder / f"{name}.md"
        page.write_text(page.read_text("utf-8").replace(f"{name.upper()}_TABLE", made), "utf-8")


def parts() -> dict[str, dict[str, list[str]]]:
    """Return the rows of each part of the procedures: what it is, what answers it, probes or actions, test."""
    found: dict[str, dict[str, list[str]]] = _known()["parts"]
    return found


def coverage() -> dict[str, list[str]]:
    """Return the rows of all parts, by their items."""
    return {item: row for rows in parts().values() for item, row in rows.items()}


def lacking() -> dict[str, str]:
    """Return the items that are answered in part only, with what there is and what there is not."""
    found: dict[str, str] = _known()["lacking"]
    return found


def _known() -> dict[str, Any]:
    return tomllib.loads((files("firstwatch.publish") / "coverage.toml").read_text("utf-8"))


def _probes() -> str:
    asked = [each for name in probes.__all__ if isinstance(each := getattr(probes, name), probes.Probe)]
    rows = [(f"`{each.name}`", each.question, each.expected, each.setting or "nothing") for each in asked]
    return _table(("Probe", "Question", "Expected", "Needs the setting"), rows)


def _answers() -> str:
    sections = [f"## {part}\n\n{_part([_row(*each) for each in rows.items()])}" for part, rows in parts().items()]
    if lacking():
        sections.append(f"## In part only\n\n{_table(('Item', 'What there is, and what not'), lacking().items())}")
    return "\n\n".join(sections)


def _part(rows: list[Row]) -> str:
    """Return a part's table; where no probe or action answers anything there is no column of them."""
    head = ("Item", "What", "Answered by", "Probe or action", "Test")
    shown = [place for place in range(len(head)) if head[place] != "Probe or action" or any(row[place] for row in rows)]
    return _table([head[place] for place in shown], ([row[place] for place in shown] for row in rows))


def _row(item: str, row: Row) -> Row:
    what, by, words, test = row
    return item, what, ", ".join(f"`{each}`" for each in by.split(", ")), words, _sentence(test)


def _sentence(test: str) -> str:
    """Return the name of a test, which is a sentence, as one, with the file that has it."""
    file, _, name = test.partition("::")
    return f"{name.removeprefix('test_').replace('_', ' ')} (`{file}`)"


def _table(head: Row, rows: Iterable[Row]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
