"""
The records as the site shows them: each rendered once, when its journal changed, and kept.

A page is made from the journal, never from a file beside it that anybody may have written. A record that cannot be read
becomes a page that says so, and the others are published. Of a record's files only its plot goes out, if it is a PNG.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from firstwatch.errors import FirstwatchError
from firstwatch.model import cell
from firstwatch.publish import pages
from firstwatch.publish.around import Around
from firstwatch.publish.clean import heading
from firstwatch.publish.fragment import Fragment, rendered
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.redact import redacted
from firstwatch.record.store import Record, inside

PLOTS = "attachments/"  # where a page's pictures are, beside the record
POST_MORTEM = "post-mortem.md"
LARGEST_PLOT = 4_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
# The code that renders is a part of what a page is made from.
SOURCES = ("around.py", "clean.py", "fragment.py", "page.md.jinja", "pages.py", "shelf.py")


@dataclass(frozen=True, slots=True)
class Line:
    """
    A record in the list of records, and in the search, whose words the theme takes for markup: so all are titles.

    `unreadable` is why it cannot be read, else empty; it is for the list alone.
    """

    id: str
    title: str
    severity: str = ""
    status: str = ""
    practice: bool = False
    unreadable: str = ""
    post_mortem: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A record's line, its page, and its post-mortem's when it has one."""

    line: Line
    page: Fragment
    post_mortem: Fragment | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where rendered pages are kept, by the hash of what they were made from."""

    folder: Path
    around: Around = field(default_factory=Around)

    def shown(self, record: Record) -> Shown:
        """Return *record* as it is shown; rendered now if its journal, its post-mortem or our code has changed."""
        try:
            kept = self.folder / f"{record.id}-{_digest(record, self.around)}.json"
            return _loaded(kept) if kept.is_file() else self._keep(kept, _shown(record, self.around))
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one record, the others are published
            return _unreadable(record.id, error)

    def _keep(self, path: Path, shown: Shown) -> Shown:
        self.folder.mkdir(parents=True, exist_ok=True)
        for older in self.folder.glob(f"{shown.line.id}-*.json"):
            older.unlink(missing_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(shown)), "utf-8")
        os.replace(draft, path)  # noqa: PTH105  # atomically
        return shown


def _loaded(path: Path) -> Shown:
    data = json.loads(path.read_text("utf-8"))
    fragments = (data["page"], data["post_mortem"])
    page, post_mortem = (each and Fragment(each["title"], each["html"], tuple(each["headings"])) for each in fragments)
    return Shown(Line(**data["line"]), page, post_mortem)


def _digest(record: Record, around: Around) -> str:
    own = (Path(__file__).with_name(name) for name in SOURCES)
    files = (record.journal, inside(record.folder, POST_MORTEM), *own)
    parts = [hashlib.sha256(file.read_bytes()).digest() for file in files if file.is_file()]
    return hashlib.sha256(b"".join([around.digest.encode(), *parts])).hexdigest()[:32]


def _shown(record: Record, around: Around) -> Shown:
    incident = fold(_told(event) for event in read(record.journal))
    if not incident.timeline:
        raise FirstwatchError("it has no event")
    plotted = plot(record) is not None
    page = rendered(_placed(pages.markdown(record, incident, plotted=plotted, around=around), record.id))
    post_mortem = _post_mortem(record)
    line = Line(
        record.id, pages.title(incident), heading(incident.severity), heading(incident.status), incident.practice,
        post_mortem=post_mortem is not None,
    )  # fmt: skip
    return Shown(line, page, post_mortem)


def _told(event: Event) -> Event:
    """Return *event* with its author's name looked through as well: its body was, before it reached the disk."""
    return event._replace(actor=redacted(event.actor), kind=str(redacted(event.kind)))


def _placed(text: str, name: str) -> str:
    """Return a page's *text* with what it leads to where the site has it: files of, and in a folder of, this name."""
    for beside, there in (
        (PLOTS, f"{name}/"),
        (f"{POST_MORTEM})", f"{name}-post-mortem.html)"),
        ("page.md)", f"{name}.html)"),
    ):
        text = text.replace(f"]({beside}", f"]({there}")
    return text


def _post_mortem(record: Record) -> Fragment | None:
    path = inside(record.folder, POST_MORTEM)
    return rendered(_placed(_boxed(str(redacted(path.read_text("utf-8")))), record.id)) if path.is_file() else None


def _boxed(text: str) -> str:
    """Return *text* with its lists of tasks as boxes: CommonMark knows none."""
    return re.sub(r"^- \[([ x])\] ", lambda found: "- ☑ " if found[1] == "x" else "- ☐ ", text, flags=re.MULTILINE)


def _unreadable(name: str, error: Exception) -> Shown:
    reason = f"{type(error).__name__}: {redacted(str(error))}"[:400]
    text = f"# Record {name} unreadable\n\nThis record cannot be read: {cell(reason)}\n\n    firstwatch verify {name}\n"
    return Shown(Line(name, "unreadable", unreadable=reason), rendered(text))


def plot(record: Record) -> bytes | None:
    """Return the record's plot, if it is there and really a PNG."""
    path = inside(record.folder, pages.PLOT)
    if not path.is_file() or path.stat().st_size > LARGEST_PLOT:
        return None
    data = path.read_bytes()
    return data if data.startswith(_PNG) else None


def table(lines: Iterable[Line]) -> Fragment:
    """Return the list of records, newest first."""
    rows = [_row(each) for each in sorted(lines, key=lambda line: line.id, reverse=True)]
    head = ["| Record | Incident | State | Post-mortem |", "| --- | --- | --- | --- |"]
    none = "There is no record yet. `firstwatch declare` or a run opens one.\n"
    about = "What happened, newest first. Each page is made from its record; practice is marked."
    return rendered(f"# Incidents\n\n{about}\n\n" + ("\n".join(head + rows) if rows else none))


def _row(line: Line) -> str:
    title = f"**{cell(line.unreadable)}**" if line.unreadable else cell(line.title)
    practice = " (practice)" if line.practice else ""
    written = f"[read]({line.id}-post-mortem.html)" if line.post_mortem else ""
    state = ", ".join(filter(None, (line.severity, line.status))) or "unreadable"
    cells = f"{title}{practice} | {cell(state)} | {written}"
    return f"| [{line.id}]({line.id}.html) | {cells} |"
