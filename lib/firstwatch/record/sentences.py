"""Each event as one line of plain text, for the timeline and for whoever watches a run."""

from collections.abc import Callable
from typing import Any

from firstwatch.model import WORST_FIRST, Json, Verdict, finding, parse_time
from firstwatch.record import messages, people
from firstwatch.record.event import UNREADABLE, Event


def describe(event: Event) -> str:
    """Return one line of plain text that says what *event* was. What others wrote is not escaped here."""
    if event.purged:
        return f"{event.kind}: what it said was purged"
    said = _SENTENCES.get(event.kind)
    try:
        return str(said(event.body)) if said else event.kind
    except UNREADABLE:
        return f"{event.kind}: what it said cannot be read"


def _findings_said(body: Json) -> str:
    findings = [finding(each) for each in body["findings"]]
    counts = ", ".join(f"{n} {v}" for v in WORST_FIRST if (n := sum(f.verdict == v for f in findings)))
    if not findings:
        return "at nothing"
    first = findings[0]
    return counts if first.verdict is Verdict.OK else f"{counts}. First: {first.probe}: {first.seen}"


def _until(body: Json) -> str:
    return f"{parse_time(body['until']):%Y-%m-%d %H:%M UTC}"


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "opened": lambda b: f"Record opened{' (practice)' if b.get('practice') else ''}",
    "declared": lambda b: f"Declared {b['severity'] or 'without a severity'}: {b['title']}. Impact: {b['impact']}",
    "run-started": lambda b: f"Runbook {b['runbook']} started ({b['mode']})",
    "run-ended": lambda b: f"Runbook {b['runbook']} ended: {b['state']}",
    "cell": lambda b: f"Cell {b['id']}: {b['state']}{': ' + b['error'] if b.get('error') else ''}",
    "looked": lambda b: f"Looked: {_findings_said(b)}",
    "verified": lambda b: f"Looked again: {_findings_said(b)}",
    "planned": lambda b: f"Planned {b['plan']['action']} of {b['plan']['target']['name']}, plan {b['hash']}",
    "approved": lambda b: (
        f"Approved plan {b['plan']} until {_until(b)}{', self-approved' if b.get('self_approved') else ''}"
    ),
    "gate": lambda b: f"Gate {b['state']} for plan {b['plan']}{': ' + '; '.join(b['missing']) if b['missing'] else ''}",
    "intent": lambda b: f"About to {b['plan']['action']} {b['plan']['target']['name']}, plan {b['hash']}",
    "outcome": lambda b: f"Outcome of plan {b['plan']}: {b['result']}{': ' + b['detail'] if b.get('detail') else ''}",
    "break-glass": lambda b: f"BREAK-GLASS for plan {b['plan']} until {_until(b)}: {b['reason']}",
    "settled": lambda b: f"Asked what became of change {b['key']}: {b['result']}. {b['detail']}",
    "accepted": lambda b: f"Change {b['key']} is accepted until {_until(b)}; {b['owner']} answers for it",
    "resolved": lambda b: f"Resolved: {b['summary']}",
    "measured": lambda b: f"Measured {b['name']}: {len(b['points'])} points",
    "attached": lambda b: f"Attached {b['path']}",
    "skewed": lambda b: b["text"],
    "repaired": lambda b: f"Cut a torn line of {b['cut_bytes']} bytes, left by a crash",
    "anchored": lambda b: f"Anchored event {b['seq']}: {', '.join(b['where'])}",
    "purged": lambda b: f"Purged {', '.join([*(f'event {n}' for n in b['events']), *b['attachments']])}: {b['reason']}",
    **messages.SENTENCES,
    **people.SENTENCES,
}
