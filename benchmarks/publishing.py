"""
Publishing: one more record into a site of 300 and into one of 3; and all 300, against mkdocs-jupyter.

The records are the example's events, written anew under other ids. Ours builds their pages from the journals, nothing
kept from before; the peer renders each record's executed notebook, the same number of pages in the same theme. Both
are `mkdocs build` in a process of its own, with a home page and nothing else.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import yaml

from benchmarks.bench import Measure, compare
from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record.journal import Journal, read

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = min((ROOT / "incidents").glob("????-??-??-??????"))  # the committed one
NOTEBOOK = max(
    (EXAMPLE / "notebooks").glob("*-mitigate-rollback.ipynb")
)  # the run that applied; the others are not rendered
MANY, FEW = 300, 3
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
THEME = {"name": "material", "font": False}


def write(root: Path, number: int) -> str:
    """Write the example's events and plot as the record of another hour; return its id."""
    name = (FIRST + timedelta(hours=number)).strftime("%Y-%m-%d-%H%M%S")
    (root / name / "attachments").mkdir(parents=True)
    book = Journal(root / name / "journal.jsonl", WallClock(), Actor("on-call"), "on-call@laptop")
    for event in read(EXAMPLE / "journal.jsonl"):
        if event.kind != "attached":
            book.append(event.kind, event.body)
    shutil.copy(EXAMPLE / "attachments" / "error-rate.png", root / name / "attachments")
    return name


def project(folder: Path, records: int) -> Path:
    """Make a project of ours with a home page and so many records."""
    (folder / "docs" / "reference").mkdir(parents=True)
    shutil.copytree(ROOT / "docs" / "theme", folder / "docs" / "theme")
    for name in ("hooks.py", "extra.css", *(f"reference/{each}.md" for each in ("mechanisms", "probes", "coverage"))):
        shutil.copy(ROOT / "docs" / name, folder / "docs" / name)
    (folder / "docs" / "index.md").write_text("# Home\n")
    (folder / "runbooks" / "investigate").mkdir(parents=True)
    told = {"site_name": "x", "theme": THEME | {"custom_dir": "docs/theme"}, "hooks": ["docs/hooks.py"]}
    told |= {"nav": [{"Home": "index.md"}, {"Incidents": "incidents/index.md"}], "extra_css": ["extra.css"]}
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(told))
    for number in range(records):
        write(folder / "incidents", number)
    return folder


def peer(folder: Path, records: int) -> Path:
    """Make a project in which mkdocs-jupyter shows the executed notebook of each record."""
    (folder / "docs" / "incidents").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text("# Home\n")
    for number in range(records):
        name = (FIRST + timedelta(hours=number)).strftime("%Y-%m-%d-%H%M%S")
        shutil.copy(NOTEBOOK, folder / "docs" / "incidents" / f"{name}.ipynb")
    jupyter = {"mkdocs-jupyter": {"include": ["*.ipynb"], "execute": False, "cache": False}}
    told = {"site_name": "x", "theme": THEME, "plugins": ["search", jupyter]}
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(told))
    return folder


def run(folder: Path, *words: str) -> float:
    """Run a command in *folder* and return its seconds."""
    environ = os.environ | {"FIRSTWATCH_RECORDS": str(folder / "incidents"), "NO_MKDOCS_2_WARNING": "1"}
    began = perf_counter()
    subprocess.run([sys.executable, "-m", *words], cwd=folder, env=environ, check=True, capture_output=True)
    return perf_counter() - began


def build(folder: Path) -> float:
    shutil.rmtree(folder / "build", ignore_errors=True)  # no page is kept from the last time
    return run(folder, "mkdocs", "build", "-q")


def adder(folder: Path) -> Measure:
    """Return a measure that adds one more record to the site of *folder*, and takes it away again."""

    def once() -> dict[str, float]:
        name = write(folder / "incidents", 100_000)
        took = run(folder, "firstwatch", "publish", name)
        assert (folder / "site" / "incidents" / f"{name}.html").is_file()
        _forget(folder, name)
        return {"one more record": took}

    return once


def _forget(folder: Path, name: str) -> None:
    shutil.rmtree(folder / "incidents" / name)
    (folder / "site" / "incidents" / f"{name}.html").unlink()
    lines = folder / "site" / "incidents" / "records.json"
    lines.write_text(json.dumps([each for each in json.loads(lines.read_text()) if each["id"] != name]))
    for kept in (folder / "build" / "records").glob(f"{name}-*"):
        kept.unlink()


def size(folder: Path, pattern: str) -> float:
    """Return the median bytes of the records' pages."""
    return statistics.median(each.stat().st_size for each in (folder / "site" / "incidents").glob(pattern))


def measure(rounds: int, say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        many, few, theirs = (
            project(Path(name) / "many", MANY),
            project(Path(name) / "few", FEW),
            peer(Path(name) / "peer", MANY),
        )
        build(few)
        title = f"{MANY} records, all of them: ours against mkdocs-jupyter"
        pair(title, lambda: _full(many), lambda: _full(theirs), min(rounds, 3), say)
        ours, other = size(many, "2026-*.html"), size(theirs, "*/index.html")
        say(f"  a page           ours {ours:,.0f} bytes   peer {other:,.0f} bytes   ours/peer {ours / other:.3f}")
        pair(f"one more record: into a site of {MANY} against a site of {FEW}", adder(many), adder(few), rounds, say)
        say(f"  the largest child of all took {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def _full(folder: Path) -> dict[str, float]:
    return {"full build": build(folder)}


def pair(title: str, one: Measure, other: Measure, rounds: int, say: Callable[[str], None]) -> None:
    say(title)
    for row in compare(one, other, rounds, lambda text: print(text, file=sys.stderr)):
        say(f"  {row}")


if __name__ == "__main__":
    measure(int(os.environ.get("ROUNDS", "7")), print)
