"""
The site's sources: hand-written pages, runbooks, records and the policy, staged into one folder for mkdocs.

A runbook's cells and outputs pass an allow-list, in `notebook`. For the records there is a frame, which `assembly`
fills once mkdocs is done: their pages are not mkdocs' to make.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firstwatch.environment import FILE, records
from firstwatch.errors import BadParameter
from firstwatch.mechanisms import MECHANISMS
from firstwatch.model import cell
from firstwatch.policy import roster, tables
from firstwatch.publish import cards, home, reference, scorecard, shell
from firstwatch.publish.around import Around
from firstwatch.publish.assembly import Site
from firstwatch.publish.build import offline
from firstwatch.publish.clean import heading
from firstwatch.publish.notebook import commanded, derived
from firstwatch.publish.shelf import Line, Shelf
from firstwatch.record.store import Record, Store
from firstwatch.runs import catalog
from firstwatch.settings import load

MECHANISMS_HERE = "MECHANISMS_TABLE"
FRAME = "incidents/index.md"  # where mkdocs makes the records' frame
SHOWN = (".md", ".css", ".png")  # which files of the folder are published; mkdocs would publish any


@dataclass(frozen=True, slots=True)
class Staged:
    """Where the pages are, what was derived, each as (title, path below the folder), and which runbooks are broken."""

    folder: Path
    runbooks: tuple[tuple[str, str], ...]
    cards: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[str, ...] = ()


def stage(docs_dir: str, environ: Mapping[str, str] = os.environ) -> Staged:
    """Copy *docs_dir* to `build/docs` beside it, add what is derived, and say what was added."""
    docs = Path(docs_dir)
    project = docs.parent
    folder = project / "build" / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(docs, folder, ignore=_hidden)
    _mechanisms(folder / "reference" / "mechanisms.md")
    reference.fill(folder / "reference")
    (folder / FRAME).parent.mkdir()
    (folder / FRAME).write_text(shell.PAGE, "utf-8")
    _contacts(project, folder)
    _scorecard(project, folder, environ)
    runbooks, unreadable = _runbooks(project / "runbooks", folder)
    return Staged(folder, runbooks, _cards(project, folder), unreadable)


def _hidden(folder: str, names: list[str]) -> list[str]:
    """Return those of *names* that are not for readers: programs, notebooks, the theme, whatever is not expected."""
    paths = [Path(folder) / name for name in names]
    shown = [p for p in paths if (p.is_dir() and p.name != "theme" and not p.is_symlink()) or _page(p)]
    return [path.name for path in paths if path not in shown]


def _page(path: Path) -> bool:
    return path.suffix in SHOWN and path.is_file() and not path.is_symlink()


def assembled(site_dir: str, project: Path, environ: Mapping[str, str]) -> tuple[Line, ...]:
    """Put every record of *project* into the site in *site_dir*, and return their lines."""
    store = Store(records(environ, project / FILE))
    built = Site(Path(site_dir), shelf(project))
    built.begin()
    return built.put(Record(store.root / each) for each in store.ids())


def shelf(project: Path) -> Shelf:
    """Return where *project* keeps the pages that were rendered."""
    return Shelf(project / "build" / "records", Around.beside(project / FILE))


def books(project: Path) -> tuple[catalog.Runbook, ...]:
    """Return the runbooks of *project* that can be read."""
    return tuple(home.books(project / "runbooks"))


def _contacts(project: Path, folder: Path) -> None:
    """Fill the pages that say what to run and whom to call."""
    path = project / FILE
    known, settings = roster.load(path, tables.load(path)), load(path) if path.is_file() else None
    for name in ("index.md", "procedures/tools.md", "quick-card.md", "how-to/first-ten-minutes.md"):
        if (folder / name).is_file():
            home.fill(folder / name, project / "runbooks", known, settings)


def _scorecard(project: Path, folder: Path, environ: Mapping[str, str]) -> None:
    """Fill the page of what the records add up to. Their pages are not mkdocs', so it must not check these links."""
    page, path = folder / "scorecard.md", project / FILE
    if not page.is_file():
        return
    store, known = Store(records(environ, path)), books(project)
    promise = load(path).sla if path.is_file() else None
    card = scorecard.scorecard(store, known, tables.load(path), promise, datetime.now(UTC))
    above = "" if offline(environ) else "../"
    links = {each: f'<a href="{above}incidents/{each}.html">{each}</a>' for each in store.ids()}
    links |= {each.name: f"[{cell(each.name)}](runbooks/{each.name}.ipynb)" for each in known}
    scorecard.fill(page, card, links)


def _cards(project: Path, folder: Path) -> tuple[tuple[str, str], ...]:
    """Write the pages of the policy that applies in *project*, which may have changed the shipped one."""
    made = cards.pages(tables.load(project / FILE))
    for path, (_, text) in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return tuple((title, path) for path, (title, _) in made.items())


def _mechanisms(page: Path) -> None:
    """Put the table of mechanisms into its page, from the library's own data."""
    rows = [
        (f"`{word}`", each.meaning, each.weight.name.lower(), ", ".join(each.seen_by))
        for word, each in MECHANISMS.items()
    ]
    lines = [
        "| Mechanism | Meaning | Kind | Said by |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    page.write_text(page.read_text("utf-8").replace(MECHANISMS_HERE, "\n".join(lines)), "utf-8")


def _runbooks(source: Path, folder: Path) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    staged, unreadable = [], []
    for name in catalog.names(source):
        (folder / "runbooks" / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            book = catalog.Runbook.load(source / f"{name}.ipynb", name)
            shown = commanded(derived(json.loads(book.path.read_text("utf-8"))), name)
            text, path = json.dumps(shown), f"runbooks/{name}.ipynb"
            staged.append((heading(book.title), path))
        except (BadParameter, LookupError, TypeError, ValueError) as error:
            text, path = f"# Runbook {heading(name)} unreadable\n\n{cell(str(error))}\n", f"runbooks/{name}.md"
            unreadable.append(name)
            staged.append((f"{heading(name)} unreadable", path))
        (folder / path).write_text(text, "utf-8")
    return tuple(staged), tuple(unreadable)


def navigation(nav: list[Any], staged: Staged) -> list[Any]:
    """Return mkdocs' *nav* with what was derived in its places: an entry that ends in `/` stands for a folder of it."""
    derived_pages = (*staged.runbooks, *staged.cards)
    return [_entry(entry, derived_pages) for entry in nav]


def _entry(entry: dict[str, Any], derived_pages: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    ((title, target),) = entry.items()
    if isinstance(target, list):
        return {title: [_entry(each, derived_pages) for each in target]}
    if not target.endswith("/"):
        return entry
    return {title: [{name: path} for name, path in derived_pages if path.startswith(target)]}
