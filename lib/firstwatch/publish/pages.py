"""
A record's page: Markdown made from the journal, written whenever the record changes.

It is made from the journal alone, so a run by hand and a headless one leave the same page. Everything that somebody
else wrote is escaped and capped by `model.cell`; no HTML of theirs reaches the page. The heading's alphabet is narrow,
because themes put a title where escapes are undone.
"""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firstwatch.errors import RecordUnreadable
from firstwatch.model import Findings, cell, table
from firstwatch.policy.course import between, course
from firstwatch.publish.around import Around
from firstwatch.record.incident import Incident
from firstwatch.record.store import Record, inside
from firstwatch.record.verify import verify

if TYPE_CHECKING:
    from jinja2 import Template

PLOT = "attachments/error-rate.png"
# Kinds whose line in the timeline would only repeat another: cells, and what the sections below show.
QUIET = {
    "cell", "measured", "attached", "gate", "planned",
    "message", "delivering", "delivered", "undelivered", "released-message",
}  # fmt: skip


def write(record: Record) -> Path:
    """Render the page of *record* and return its path; a record that cannot be read gets a page that says so."""
    path = record.folder / "page.md"
    try:
        incident = record.incident()
    except RecordUnreadable as error:
        return _replace(path, f"# Record {record.id}\n\nThis record cannot be read: {cell(str(error))}\n")
    plotted = _plot(record, incident)
    return _replace(path, markdown(record, incident, plotted=plotted))


def markdown(record: Record, incident: Incident, *, plotted: bool, around: Around | None = None) -> str:
    """Return the page of *record*, which adds up to *incident*, as Markdown; `plotted` when its plot is there."""
    return render(incident, plotted=plotted, verified=str(verify(record.folder)), around=around or Around.here())


def _replace(path: Path, text: str) -> Path:
    draft = path.with_suffix(".tmp")
    draft.write_text(text, "utf-8")
    os.replace(draft, path)  # noqa: PTH105  # atomically: a reader sees the old page or the new one
    return path


def title(incident: Incident) -> str:
    """Return a heading from an alphabet that no theme can take for markup."""
    kept = re.sub(r"[^\w ,.:;%()+/-]", " ", incident.title or "not declared")
    return " ".join(kept.split())[:120]


def render(incident: Incident, *, plotted: bool, verified: str, around: Around) -> str:
    """Return the page of *incident* as Markdown."""
    plot = PLOT if plotted else ""
    return _template().render(
        i=incident, title=title(incident), plot=plot, verified=verified, **_tables(incident), **_told(incident, around)
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("firstwatch.publish", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # Markdown: every value goes through `cell`, which escapes both markups
    )
    environment.filters["cell"] = lambda value: cell(str(value))
    return environment.get_template("page.md.jinja")


def _tables(incident: Incident) -> dict[str, Any]:
    told = [entry for entry in incident.timeline if entry.kind not in QUIET]
    day = incident.opened_at
    moments = list(_moments(incident))
    return {
        "moments": table(("Moment", "Time (UTC)", "After", "Source"), moments) if moments else "",
        "findings": _seen(incident.findings),
        "bad_before": _bad_before(incident, day),
        "timeline": table(("Time (UTC)", "Who", "What"), [
            (clock(each.time, day), each.who, each.text) for each in told
        ]),
        "texts": _texts(incident),
        "runs": table(("Started (UTC)", "Runbook", "Mode", "By", "State"), [
            (clock(run.started, day), run.runbook, run.mode, run.by, run.state) for run in incident.runs
        ]),
    }  # fmt: skip


def _told(incident: Incident, around: Around) -> dict[str, Any]:
    """Return where to look, and who owed what by when; a game day's own places are gone when it is read."""
    day = incident.opened_at and incident.pace.world(incident.opened_at)
    rows = [
        (
            each.id,
            clock(each.due, day),
            each.owner,
            each.state,
            clock(each.done_at, day) if each.done_at else "",
            each.why,
        )
        for each in around.owed(incident)
    ]
    return {
        "links": () if incident.practice else around.links(incident),
        "duties": table(("What", "By (UTC)", "Who", "State", "Done (UTC)", "Why"), rows) if rows else "",
    }  # fmt: skip


def _moments(incident: Incident) -> Iterator[tuple[str, str, str, str]]:
    """Yield the key moments, each with how long after the detection it came and where its time is from."""
    after = between(incident.people)
    for step in course(incident.people):
        gap = _span(after[step.id]) if step.id in after else ""
        yield step.text, clock(step.at, incident.opened_at), gap, step.source


def _texts(incident: Incident) -> str:
    """Return each text as a line: when it was there, or why it is not."""
    rows = [
        (
            clock(each.delivered_at or each.at, incident.opened_at), each.channel, each.to, each.template,
            "waits for an approval" if each.held else ": ".join(filter(None, (each.state, each.error))),
        )
        for each in sorted(incident.messages, key=lambda each: each.delivered_at or each.at)
    ]  # fmt: skip
    return table(("Time (UTC)", "Where", "To", "Text", "State"), rows) if rows else ""


def _bad_before(incident: Incident, day: datetime | None) -> str:
    rows = [(clock(each.at, day), each.finding.probe, each.finding.seen) for each in incident.bad_before]
    return table(("Seen at (UTC)", "Probe", "BAD then"), rows) if rows else ""


def _seen(findings: Findings) -> str:
    """Return *findings* as a table; what comes next is left out when nothing does."""
    rows = [(f.verdict, f.probe, f.seen, f.expected, "; ".join(filter(None, (f.why_here, f.next)))) for f in findings]
    head = ("Verdict", "Probe", "Seen", "Expected", "Why, and what next")
    width = 5 if any(row[-1] for row in rows) else 4
    return table(head[:width], [row[:width] for row in rows]) if rows else ""


def clock(moment: datetime, day: datetime | None) -> str:
    """Return the time of *moment*, with its date when it is another than that of *day*."""
    return f"{moment:%H:%M:%S}" if day and moment.date() == day.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def _span(gap: timedelta) -> str:
    seconds = round(gap.total_seconds())
    if seconds < 600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    return f"{seconds // 3600} h {seconds // 60 % 60} min" if seconds >= 3600 else f"{seconds // 60} min"


def _plot(record: Record, incident: Incident) -> bool:
    """Draw the error rate with the incident's events on it; False when nothing was measured."""
    if incident.measured is None or not incident.measured.points:
        return False
    from firstwatch.publish.plot import draw

    path = inside(record.folder, PLOT)
    path.parent.mkdir(exist_ok=True)
    draw(incident, path)
    return True
