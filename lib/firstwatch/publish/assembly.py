"""
Puts records into a site that mkdocs has built: their pages, the list of them, and the search's entries.

What one more record costs does not grow with the records already there, but for the list, which has a line for each.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from firstwatch.errors import NotFound
from firstwatch.model import Json
from firstwatch.publish import shelf as shelves
from firstwatch.publish.shelf import Line, Shelf, Shown
from firstwatch.publish.shell import CONTENT, Shell
from firstwatch.record.store import Record

HERE = "incidents"
FRAME = f"{HERE}/frame.html"  # what mkdocs made of `shell.PAGE`
LINES = f"{HERE}/records.json"
INDEX = "search/search_index.json"


@dataclass(frozen=True, slots=True)
class Site:
    """A built site, and where the pages of its records are kept."""

    folder: Path
    shelf: Shelf

    @property
    def built(self) -> bool:
        return (self.folder / FRAME).is_file()

    def frame(self) -> Shell:
        """Return the frame that mkdocs left; NotFound when there is no site."""
        if not self.built:
            raise NotFound(f"there is no site in {self.folder}; firstwatch publish builds it")
        return Shell((self.folder / FRAME).read_text("utf-8"))

    def begin(self) -> None:
        """Keep the frame that mkdocs has just made in the place of the list."""
        made = self.folder / HERE / "index.html"
        if made.is_file() and CONTENT in made.read_text("utf-8"):
            made.replace(self.folder / FRAME)

    def put(self, records: Iterable[Record]) -> tuple[Line, ...]:
        """Write the pages of *records*, renew the list and the search, and return their lines."""
        frame = self.frame()
        lines = tuple(self._page(frame, record) for record in records)
        listed = {each.id: each for each in (*self.lines(), *lines)}
        _write(self.folder / LINES, json.dumps([asdict(each) for _, each in sorted(listed.items())]))
        _write(self.folder / HERE / "index.html", frame.filled(shelves.table(listed.values())))
        self._search(lines)
        return lines

    def lines(self) -> tuple[Line, ...]:
        """Return the records that are in the site."""
        path = self.folder / LINES
        return tuple(Line(**each) for each in json.loads(path.read_text("utf-8"))) if path.is_file() else ()

    def _page(self, frame: Shell, record: Record) -> Line:
        shown = self.shelf.shown(record)
        folder = self.folder / HERE
        _write(folder / f"{record.id}.html", frame.filled(shown.page))
        if shown.post_mortem:
            _write(folder / f"{record.id}-post-mortem.html", frame.filled(shown.post_mortem))
        self._plot(record, shown)
        return shown.line

    def _plot(self, record: Record, shown: Shown) -> None:
        picture = None if shown.line.unreadable else shelves.plot(record)
        if picture:
            path = self.folder / HERE / record.id / "error-rate.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(picture)

    def _search(self, lines: Iterable[Line]) -> None:
        """Let the search find *lines*: by their titles, since what all of them say would bury the runbooks."""
        path = self.folder / INDEX
        if not path.is_file():
            return
        index = json.loads(path.read_text("utf-8"))
        added = [entry for line in lines for entry in _entries(line)]
        fresh = {each["location"] for each in added}
        index["docs"] = [each for each in index["docs"] if each["location"] not in fresh] + added
        _write(path, json.dumps(index, separators=(",", ":")))


def _entries(line: Line) -> list[Mapping[str, Json]]:
    said = f"Incident {line.severity} {line.status}{' practice' if line.practice else ''}"
    title = f"{line.title}, {line.id}"  # whoever types the id looks for this, and not for a date elsewhere
    found = [(f"{HERE}/{line.id}.html", title)]
    if line.post_mortem:
        found.append((f"{HERE}/{line.id}-post-mortem.html", f"Post-mortem: {title}"))
    return [{"location": where, "title": title, "text": said} for where, title in found]


def _write(path: Path, text: str) -> None:
    """Write *text* so that a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, "utf-8")
    os.replace(draft, path)  # noqa: PTH105  # atomically
