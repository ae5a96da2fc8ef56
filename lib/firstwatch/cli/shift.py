"""What one looks at before a shift, and when chat is down: `contacts` and `readiness`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch import environment
from firstwatch.cli import screen
from firstwatch.cli.app import Json, app, office
from firstwatch.clock import WallClock
from firstwatch.model import Findings, Verdict

if TYPE_CHECKING:
    from firstwatch.policy.freshness import Standing
    from firstwatch.policy.roster import Roster

EXIT_NOT_READY, EXIT_NOT_KNOWN = 8, 4
COLOURS = {"fresh": "green", "stale": "bold yellow", "unchecked": "yellow", "unreachable": "bold red"}


@app.command(rich_help_panel="Before a shift")
def contacts(json: Json = False) -> None:
    """
    Show whom to call and how, and whether anybody has tried it lately. It needs neither an incident nor a network.

    Stale ones are marked, with what to do.

    Example:

        firstwatch contacts
    """
    from firstwatch.policy import freshness, roster, tables

    path = environment.find(os.environ, Path.cwd())
    known = roster.load(path, tables.load(path))
    found = freshness.standings(known, WallClock().now().date())
    if json:
        return screen.document(_document(path, known, found))
    if not (found or known.vendors):
        return screen.say(f"nobody is in {roster.FILE}{f' beside {path}' if path else ''}: put people there")
    _show(found)
    return _outside(known)


def _document(path: Path | None, known: "Roster", found: "tuple[Standing, ...]") -> dict[str, Any]:
    from firstwatch.policy.roster import FILE

    lines = [each.person.model_dump(mode="json") | {"state": each.state, "next": each.next} for each in found]
    file, outside = str(path.parent / FILE) if path else "", [each.model_dump() for each in known.vendors]
    return {"file": file, "fresh_days": known.fresh_days, "contacts": lines, "vendors": outside}


def _show(found: "tuple[Standing, ...]") -> None:
    """Print the contacts, the first level first, and beneath them what to do about those that are not fresh."""
    ranked = sorted(found, key=lambda each: each.person.level or "L9")
    screen.rows(("STATE", "LEVEL", "WHO", "NAME", "HOW", "TOLD FOR"), map(_row, ranked))
    left: dict[tuple[str, str], list[str]] = {}
    for each in ranked:
        left.setdefault((each.state, each.next), []).append(each.person.name)
    for (state, todo), names in left.items():
        if todo:
            screen.say(f"[{COLOURS[state]}]{state}[/] {screen.safe(', '.join(names))}: {screen.safe(todo)}")


def _outside(known: "Roster") -> None:
    """Print whom to call outside, and what was agreed with them."""
    from firstwatch.policy.roster import NO_SLA

    lines = [
        (each.name, each.what, " · ".join(filter(None, (each.contact, each.portal))), each.sla or NO_SLA, each.when)
        for each in known.vendors
    ]
    if lines:
        screen.rows(("VENDOR", "FOR", "HOW", "AGREED", "CALL THEM"), lines)


def _row(standing: "Standing") -> tuple[str, ...]:
    who = standing.person
    ways = " · ".join(filter(None, (who.phone, who.email, who.slack, who.portal)))
    return (
        standing.state.upper(), who.level or "-", who.title or who.name, who.name, ways or "-", ", ".join(who.notices)
    )  # fmt: skip


@app.command(rich_help_panel="Before a shift")
def readiness(
    page: Annotated[bool, typer.Option("--page", help="Send a test page too, and say whether it rang.")] = False,
    json: Json = False,
) -> None:
    """
    See before a shift whether you can work: contacts, credentials, access, VPN, tools, kernel, records, addresses.

    It changes nothing. It ends with 0 when all is OK, with 8 when something is BAD, and with 4 when nothing is BAD but
    something could not be looked at. UNKNOWN is never taken for OK.

    Example:

        firstwatch readiness --page
    """
    from firstwatch.policy import roster, tables
    from firstwatch.runs.readiness import Shift, judged, waived

    here = office()
    policy = tables.load(here.path)
    asks = page and not json and sys.stdin.isatty()
    shift = Shift(
        here.configured(), policy, roster.load(here.path, policy), here.store.root, here.writer.clock.now(), page,
        (lambda: typer.confirm("Did the test page ring", err=True)) if asks else None,
    )  # fmt: skip
    left_out = waived(shift)
    if asks:
        found = judged(shift)
    else:
        with screen.busy("looking at everything that a shift needs"):
            found = judged(shift)
    not_asked = () if page else ("test-page",)
    if json:
        screen.document(_found(found, left_out, not_asked))
    else:
        _report(found, left_out, not_asked)
    raise typer.Exit(_code(found))


def _code(found: Findings) -> int:
    return {Verdict.OK: 0, Verdict.BAD: EXIT_NOT_READY}.get(found.verdict, EXIT_NOT_KNOWN)


def _found(found: Findings, left_out: tuple[str, ...], not_asked: tuple[str, ...]) -> dict[str, Any]:
    checks = [
        {"check": f.probe, "verdict": f.verdict, "expected": f.expected, "observed": f.observed, "next": f.next}
        for f in found
    ]
    return {"ready": found.verdict is Verdict.OK, "checks": checks, "waived": left_out, "not_asked": not_asked}


def _report(found: Findings, left_out: tuple[str, ...], not_asked: tuple[str, ...]) -> None:
    screen.findings(found)
    if left_out:
        screen.say(f"[yellow]waived[/], so not looked at: {screen.safe(', '.join(left_out))}")
    if not_asked:
        screen.say("[dim]not asked for: a test page; firstwatch readiness --page[/]")
    counts = {verdict: sum(each.verdict is verdict for each in found) for verdict in Verdict}
    if found.verdict is Verdict.OK:
        return screen.say(f"[bold green]READY[/]: {counts[Verdict.OK]} of {len(found)} are OK")
    bad, unknown = counts[Verdict.BAD], counts[Verdict.UNKNOWN]
    return screen.say(f"[bold red]NOT READY[/]: {bad} BAD, {unknown} UNKNOWN, {counts[Verdict.OK]} OK")
