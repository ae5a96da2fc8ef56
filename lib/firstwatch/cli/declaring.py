"""`declare`: from what somebody saw to an incident with a severity, its answers and its clocks."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen, telling
from firstwatch.cli.acting import kept, moment, needed
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter
from firstwatch.model import severity as parse_severity
from firstwatch.model import timestamp
from firstwatch.record import conduct
from firstwatch.record.conduct import SOURCES, TEAM

if TYPE_CHECKING:
    from firstwatch.policy.levels import Proposal
    from firstwatch.policy.tables import Policy
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record

MOST_LETTERS = 200


@app.command(rich_help_panel="Incidents")
def declare(
    title: Annotated[str, typer.Argument(help="What is wrong, in a few words.")] = "",
    impact: Annotated[str, typer.Option(help="What customers feel. It must not be empty.")] = "",
    severity: Annotated[str, typer.Option(help="SEV1 to SEV4; else it is proposed.", metavar="SEVn")] = "",
    source: Annotated[str, typer.Option(help=f"Who noticed: {', '.join(SOURCES)}; else {TEAM}.")] = "",
    answer: Annotated[
        list[str] | None,
        typer.Option(help="An answer of triage: breach, data-loss, payments, down, many-customers, core; yes or no.",
                     metavar="NAME=yes"),
    ] = None,
    detected_at: Annotated[str, typer.Option(help="When it was noticed: 02:03, 10m, 2026-11-24T02:03Z.")] = "",
    reason: Annotated[str, typer.Option(help="Why the severity is lower than what is proposed.")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:  # fmt: skip
    """
    Declare an incident, on the record that is open, or on a new one. In a terminal it asks what is missing.

    Without a severity, answers and what was measured propose one; a lower one needs a reason.

    Example:

        firstwatch declare "API errors" --impact "6 of 10 requests fail" --source alert --answer down=no
    """
    from firstwatch.policy import tables
    from firstwatch.policy.levels import propose
    from firstwatch.record.evidence import evidence

    here = office(acting_as)
    policy = tables.load(here.path)
    body = _declaration(*_asked(title, impact, source))
    kept("--reason", reason, MOST_LETTERS)
    if severity:
        parse_severity(severity)
    answers = _answers(policy, answer or [], ask=not severity and sys.stdin.isatty())
    now = here.now()
    body["detected_at"] = timestamp(moment("--detected-at", detected_at, now)) if detected_at else ""
    with here.store.alone():
        record = _open(here, incident)
        state = record.incident() if record else None
        proposal = propose(policy, answers, *evidence(state)) if state else propose(policy, answers)
        said = {"severity": proposal.severity, "rule": proposal.rule, "path": proposal.path}
        body |= {
            "severity": conduct.graded(proposal, severity, reason),
            "answers": answers,
            "proposed": said,
            "reason": reason,
        }
        record = record or _opened(here)
        _record(here, record, policy, body)
    telling.declared(here, record)
    _told(record, proposal, policy, json=json)
    raise typer.Exit(telling.told(record, json=json))


def _asked(title: str, impact: str, source: str) -> tuple[str, str, str]:
    """Return all three, asked for where they are missing and somebody sits at the terminal."""
    if sys.stdin.isatty():
        title = title or typer.prompt("What is wrong, in a few words", err=True)
        impact = impact or typer.prompt("What do customers feel", err=True)
        source = source or typer.prompt(f"Who noticed: {', '.join(SOURCES)}", default=TEAM, err=True)
    return title, impact, source or TEAM


def _declaration(title: str, impact: str, source: str) -> dict[str, Any]:
    for name, text in (("title", title), ("--impact", impact)):
        if not text.strip():
            raise BadParameter(f"{name} is empty: people act on it")
        kept(name, text, MOST_LETTERS)
    return {"title": title.strip(), "impact": impact.strip(), "source": conduct.noticed(source)}


def _answers(policy: "Policy", given: list[str], *, ask: bool) -> dict[str, bool]:
    """Return the answers of triage; with *ask*, the questions that decide are asked in their order."""
    from firstwatch.policy import triage

    answers = dict(triage.answer(policy, each) for each in given)
    for each in triage.questions(policy) if ask else ():
        if each.answer not in answers:
            answers[each.answer] = typer.confirm(each.question, err=True)
        if answers[each.answer]:
            break
    return answers


def _open(here: Office, incident: str) -> "Record | None":
    """Return the record that is open and not declared yet; None when there is none."""
    if not incident and not here.store.unresolved():
        return None
    record = here.store.single(incident)
    conduct.undeclared(record.incident())
    return record


def _opened(here: Office) -> "Record":
    from firstwatch.runs.scene import opening
    from firstwatch.systems import connect

    settings = here.configured()
    with connect(settings) as systems:
        return here.store.open(here.writer, opening(settings, systems.cluster.context))


def _record(here: Office, record: "Record", policy: "Policy", body: dict[str, Any]) -> None:
    """Record the declaration, after the flags that its answers set: a breach holds texts back from the first one on."""
    journal = here.writer.journal(record)
    for flagged in conduct.answered(record.incident(), policy, body["answers"]):
        journal.append("flagged", flagged)
    journal.append("declared", body)


def _told(record: "Record", proposal: "Proposal", policy: "Policy", *, json: bool) -> None:
    from firstwatch.cli.incidents import changed

    state = record.incident()
    changed(record, json=json, text=f"declared {state.severity}: {screen.safe(state.title)}")
    if not json:
        for each in (*proposal.path, *proposal.reasons, f"principles: {', '.join(policy.principles)}"):
            screen.say(f"  [dim]{screen.safe(each)}[/]")


@app.command(rich_help_panel="Incidents")
def severity(
    severity: Annotated[str, typer.Argument(help="SEV1 to SEV4.", metavar="SEVn")],
    reason: Annotated[str, typer.Option(help="Why it is another now.")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Change the severity. Every clock is reckoned anew from the declaration; what is late now is shown.

    Example:

        firstwatch severity SEV1 --reason "payments fail too"
    """
    from firstwatch.cli import duties
    from firstwatch.cli.acting import acting

    to, why = parse_severity(severity), needed("--reason", reason)
    at = acting(incident, acting_as)

    def change(state: "State") -> dict[str, Any]:
        if conduct.declared(state).severity == to:
            raise BadParameter(f"incident {state.id} is {to} already; {_last_change(state)}")
        return {"from": state.severity, "to": to, "reason": why}

    before = at.event("severity", change).body["from"]
    telling.declared(at.here, at.record)
    at.say(f"severity {before} → {to}", json=json)
    if not json:
        late = [each for each in duties.owed(at.record.incident(), at.now) if "makes it late" in each.why]
        duties.show(tuple(late), at.now)
    raise typer.Exit(telling.told(at.record, json=json))


def _last_change(state: "State") -> str:
    last = next((e for e in reversed(state.timeline) if e.kind in ("severity", "declared")), None)
    return f"{last.who} said so at {screen.when(last.time)}" if last else "nobody said so"
