"""
A record's page: Markdown made from the journal, written whenever the record changes.

It is made from the journal alone, so a run by hand and a headless one leave the same page. Everything that somebody
else wrote is escaped and capped by `model.cell`; no HTML of theirs reaches the page. The heading's alphabet is narrow,
because themes put a title where escapes are undone.
"""

import os
import re
from pathlib import Path
from typing import Any

from firstwatch.errors import RecordUnreadable
from firstwatch.model import cell, clock_time, table
from firstwatch.record.incident import Entry, Incident
from firstwatch.record.store import Record
from firstwatch.record.verify import verify

PLOT = "attachments/error-rate.png"
# Kinds whose line in the timeline would only repeat another: cells, and what the sections below show.
QUIET = {"cell", "measured", "attached", "gate", "planned"}


def write(record: Record) -> Path:
    """Render the page of *record* and return its path; a record that cannot be read gets a page that says so."""
    path = record.folder / "page.md"
    try:
        incident = record.incident()
    except RecordUnreadable as error:
        return _replace(path, f"# Record {record.id}\n\nThis record cannot be read: {cell(str(error))}\n")
    plotted = _plot(record, incident)
    return _replace(path, render(incident, plotted=plotted, verified=str(verify(record.folder))))


def _replace(path: Path, text: str) -> Path:
    draft = path.with_suffix(".tmp")
    draft.write_text(text, "utf-8")
    os.replace(draft, path)  # noqa: PTH105  # atomically: a reader sees the old page or the new one
    return path


def title(incident: Incident) -> str:
    """Return a heading from an alphabet that no theme can take for markup."""
    kept = re.sub(r"[^\w ,.:;%()+/-]", " ", incident.title or "not declared")
    return " ".join(kept.split())[:120]


def render(incident: Incident, *, plotted: bool, verified: str) -> str:
    """Return the page of *incident* as Markdown."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("firstwatch.publish", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # Markdown: every value goes through `cell`, which escapes both markups
    )
    environment.filters["cell"] = lambda value: cell(str(value))
    page = environment.get_template("page.md.jinja")
    plot = PLOT if plotted else ""
    return page.render(i=incident, title=title(incident), plot=plot, verified=verified, **_tables(incident))


def _tables(incident: Incident) -> dict[str, Any]:
    told = [entry for entry in incident.timeline if entry.kind not in QUIET]
    return {
        "findings": incident.findings._repr_markdown_() if incident.findings else "",
        "timeline": table(("Time (UTC)", "Who", "What"), [_row(entry) for entry in told]),
        "runs": table(("Started", "Runbook", "Mode", "By", "State"), [
            (clock_time(run.started), run.runbook, run.mode, run.by, run.state) for run in incident.runs
        ]),
    }  # fmt: skip


def _row(entry: Entry) -> tuple[str, str, str]:
    return entry.time.strftime("%H:%M:%S"), entry.who, entry.text


def _plot(record: Record, incident: Incident) -> bool:
    """Draw the error rate with the incident's events on it; False when nothing was measured."""
    if incident.measured is None or not incident.measured.points:
        return False
    from firstwatch.publish.plot import draw

    path = record.folder / PLOT
    path.parent.mkdir(exist_ok=True)
    draw(incident, path)
    return True
