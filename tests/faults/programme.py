"""
What a row of the programme is, and how the rows are run.

A row tries one thing many times and counts what was bad: an event lost, a second write, a green that was false. Its
randomness comes from one seed, printed with the figure, so that whoever doubts a figure can make it again. A full run
takes hours: results are kept in a file as they come, and a run goes on where the last one ended.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from random import Random

SEED = 20261125


@dataclass(frozen=True, slots=True)
class Figure:
    """What a row found: how many were tried, how many were bad, and what a reader should know besides."""

    tried: int
    bad: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a row is run with: how often, its randomness, a folder of its own, and whom to tell how far it is."""

    count: int
    random: Random
    folder: Path
    tell: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """
    One thing that is tried. `full` is how often in a soak; `least` how often at the very least, so that a twentieth of
    few is still worth something. `needs` names the tool without which it cannot run.
    """

    id: str
    fault: str
    expected: str
    full: int
    run: Callable[[Trial], Figure]
    least: int = 1
    needs: str = ""


def rows() -> list[Row]:
    """Return the rows of every module of this package that has `ROWS`, by their ids."""
    package = Path(__file__).parent
    modules = [import_module(f"faults.{each.name}") for each in iter_modules([str(package)])]
    found = [row for module in modules for row in getattr(module, "ROWS", ())]
    return sorted(found, key=lambda row: row.id)


def tried(row: Row, fraction: float, tell: Callable[[int], None], seed: str = "") -> Figure:
    """Run *row* at *fraction* of its full count, with *seed*, or its own."""
    count = max(row.least, round(row.full * fraction))
    with tempfile.TemporaryDirectory(prefix=f"firstwatch-{row.id}-") as name:
        return row.run(Trial(count, Random(seed or f"{SEED} {row.id}"), Path(name), tell))  # repeatable, no secret


def run(
    some: Iterable[Row], fraction: float, kept: Path, say: Callable[[str], None]
) -> dict[str, Mapping[str, object]]:
    """Run *some* rows that *kept* has no figure of yet, keep each figure as it comes, and return all of them."""
    done: dict[str, Mapping[str, object]] = json.loads(kept.read_text()) if kept.exists() else {}
    for row in some:
        if row.id in done:
            continue
        began = time.monotonic()
        figure = tried(row, fraction, lambda number, row=row: say(f"{row.id}: {number}"))
        done[row.id] = asdict(figure) | {"seconds": round(time.monotonic() - began, 1), "seed": f"{SEED} {row.id}"}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(done, indent=2))
    return done


def table(some: Iterable[Row], done: Mapping[str, Mapping[str, object]]) -> str:
    """Return the figures as a Markdown table, in the order of the rows."""
    head = ["| Row | Fault | Expected | Tried | Bad | Seconds | Note |", "| --- | --- | --- | --- | --- | --- | --- |"]
    return "\n".join(head + [_line(row, done[row.id]) for row in some if row.id in done])


def _line(row: Row, figure: Mapping[str, object]) -> str:
    cells = (row.id, row.fault, row.expected, figure["tried"], figure["bad"], figure["seconds"], figure["note"])
    return "| " + " | ".join(str(each).replace("|", "\\|") for each in cells) + " |"
