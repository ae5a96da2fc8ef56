"""
The wiki: an incident as a Markdown page that Confluence and its like import.

**At least once**: the page is one file, named by the incident; written again, it replaces itself.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from firstwatch.channels.channel import Case
from firstwatch.errors import Unavailable
from firstwatch.model import cell, table, timestamp
from firstwatch.reach import Wiki as Settings
from firstwatch.record.incident import Incident
from firstwatch.record.messages import Message

NOISE = ("cell", "looked", "delivering", "attached", "measured")  # of the timeline: what no reader of a wiki asks for


@dataclass(frozen=True, slots=True)
class Wiki:
    folder: Path
    name: str = "wiki"
    by_hand: str = ""

    @classmethod
    def open(cls, settings: Settings) -> "Wiki":
        return cls(Path(settings.folder).expanduser())

    def arrived(self, message: Message, case: Case) -> str:
        return ""

    def send(self, message: Message, case: Case) -> str:
        """Write *message* as the incident's page; the receipt is its name in the wiki's folder."""
        path = self.folder / f"{case.incident}.md"
        draft = path.with_suffix(".tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(message.text + "\n", "utf-8")
            os.replace(draft, path)  # noqa: PTH105  # atomically
        except OSError as error:
            raise Unavailable(f"cannot write the wiki's page {path}: {error}") from error
        return path.name


def page(incident: Incident) -> str:
    """Return *incident* as a page of Markdown; what others wrote is escaped."""
    head = f"# {incident.id} {incident.severity} {cell(incident.title)}{' (PRACTICE)' if incident.practice else ''}"
    facts = (("Status", incident.status), ("Impact", incident.impact), ("Resolution", incident.resolution))
    times = (("Opened", incident.opened_at), ("Declared", incident.declared_at), ("Resolved", incident.resolved_at))
    rows = [*facts, *((name, timestamp(at)) for name, at in times if at)]
    told = [(timestamp(e.time), e.who, e.text) for e in incident.timeline if e.kind not in NOISE]
    return "\n\n".join((
        head, table(("What", ""), [row for row in rows if row[1]]), "## Timeline", table(("UTC", "Who", "What"), told),
        "## What was told", *(f"### {cell(m.channel)}, {cell(m.to)}\n\n{_fenced(m.text)}" for m in incident.messages
        if m.channel != "wiki"),
    ))  # fmt: skip


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
