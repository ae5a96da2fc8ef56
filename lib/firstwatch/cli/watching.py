"""`monitor`: watch a resolved incident through its monitoring window."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch.cli import screen, telling
from firstwatch.cli.app import As, Json, Office, app, office, stoppable
from firstwatch.clock import duration
from firstwatch.errors import BadParameter
from firstwatch.model import Verdict

if TYPE_CHECKING:
    from firstwatch.model import Findings
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record
    from firstwatch.runs.stability import Window
    from firstwatch.systems import Systems

NOT_WELL = 8
DEADLINE_S = 30.0
ASK = "What do customers report now? In words, or none"


@app.command(rich_help_panel="Incidents")
def monitor(
    incident: Annotated[
        str, typer.Argument(help="Its id; else the one that was resolved last.", metavar="[INCIDENT]")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Look once and end: for cron.")] = False,
    every: Annotated[str, typer.Option(help="How often to look: 30s, 1m.")] = "1m",
    reports: Annotated[str, typer.Option(help="What customers report now, in words, or none.", metavar="TEXT")] = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Watch a resolved incident until its monitoring window is over: SEV1 2 hours, SEV2 1 hour, SEV3 30 minutes.

    Six conditions are measured again and again; the seventh, what customers report, you are asked. UNKNOWN keeps the
    window open (8). Anything BAD opens the incident again with the reason (8), and its window begins anew. Stopped and
    started again, it goes on from the record.

    Examples:

        firstwatch monitor

        firstwatch monitor --once --reports none
    """
    from firstwatch.cli.closing import after
    from firstwatch.systems import connect

    span, here = _span(every), office(acting_as)
    record = after(here, incident)
    _resolved(record.incident())
    stoppable()
    with connect(here.configured()) as systems:
        raise typer.Exit(Watcher(here, record, systems, json).watch(timedelta(0) if once else span, reports))


def _span(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise BadParameter(f"--every: {error}") from error


def _resolved(state: "State") -> None:
    if state.status != "resolved":
        raise BadParameter(f"incident {state.id} is {state.status}: only a resolved one is monitored")


class Watcher:
    """Whoever watches one incident."""

    def __init__(self, here: Office, record: "Record", systems: "Systems", json: bool) -> None:
        self.here, self.record, self.systems, self.json = here, record, systems, json

    def watch(self, every: timedelta, reports: str) -> int:
        """Look until nothing is left to do; without *every*, once. Return the exit code."""
        while True:
            found, stands = self._look(reports)
            if found.verdict is Verdict.BAD or self.record.incident().status != "resolved":
                return self._reopened()
            if not every:
                return 0 if found.verdict is Verdict.OK else NOT_WELL
            if stands.over:
                return 0
            reports = ""
            if not stands.asked and (stands.watched or stands.ends is None):
                reports = self._asked()
                if not reports:
                    return NOT_WELL
            else:
                self._rest(stands, every)

    def _look(self, reports: str) -> "tuple[Findings, Window]":
        from firstwatch.cli import duties
        from firstwatch.publish import pages
        from firstwatch.runs import stability

        found = stability.look(self.systems, self.record, self.here.writer, reports, DEADLINE_S)
        pages.write(self.record)
        state = self.record.incident()
        stands = stability.window(duties.policy(), state, self.here.now(state))
        self._show(found, stands, state)
        return found, stands

    def _show(self, found: "Findings", stands: "Window", state: "State") -> None:
        if self.json:
            return screen.line(
                {"incident": state.id, "at": self.here.now(state), "verdict": found.verdict, "status": state.status,
                 "ends": stands.ends, "watched": stands.watched, "asked": stands.asked, "findings": found}
            )  # fmt: skip
        bad = [each for each in found if each.verdict is not Verdict.OK]
        ends = f", until {screen.when(stands.ends)}" if stands.ends else ""
        screen.say(f"{screen.when(self.here.now(state))}  {screen.verdict(found.verdict)}{ends}")
        return screen.findings(bad)

    def _reopened(self) -> int:
        state = self.record.incident()
        if state.status in ("resolved", "closed"):  # somebody closed it meanwhile
            return 0
        telling.reopened(self.here, self.record)
        screen.err.print(f"[bold red]incident {state.id} is open again[/]: firstwatch status {state.id}")
        telling.told(self.record, json=self.json)
        return NOT_WELL

    def _asked(self) -> str:
        """Return what a person says that customers report; empty where nobody can be asked."""
        if sys.stdin.isatty():
            return str(typer.prompt(ASK, err=True))
        again = f"firstwatch monitor {self.record.id} --reports none"
        screen.err.print(f"all is measured; ask whoever talks to customers, then: {again}", soft_wrap=True)
        return ""

    def _rest(self, stands: "Window", every: timedelta) -> None:
        state = self.record.incident()
        world = stands.rest(self.here.now(state), every * state.pace.rate)
        self.here.writer.clock.sleep(max(0.05, world.total_seconds() / state.pace.rate))
