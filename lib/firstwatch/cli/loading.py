"""`load-test`: load on the live service, behind the gate, capped, and never while a SEV1 is open."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Incident, Json, app, office
from firstwatch.errors import BadParameter, GateClosed
from firstwatch.model import Change, Finding, Findings, Plan, Severity, Target, Verdict

if TYPE_CHECKING:
    from firstwatch.settings import Settings


@app.command("load-test", rich_help_panel="Changes")
def load_test(
    rps: Annotated[float, typer.Option(help="Requests a second.")] = 100,
    duration: Annotated[str, typer.Option(help="For how long: 30s, 5m.")] = "300s",
    path: Annotated[str, typer.Option(help="What is asked for.")] = "/health",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Put load on the live service, once somebody else has approved it.

    It stops by itself as soon as 5 % of the latest hundred answers are not good. `[limits]` caps rate and duration.
    """
    from firstwatch.policy.gate import Rule
    from firstwatch.runs.applying import admitted
    from firstwatch.systems import load

    here = office(acting_as)
    settings, record = here.configured(), here.store.single(incident)
    plan = planned(settings, rps, _seconds(duration), path, record.incident().severity)
    journal = here.writer.journal(record)
    journal.append("planned", {"hash": plan.hash, "plan": plan})
    rule = Rule(settings.approval.self and settings.practice, approvers=settings.approval.approvers)
    gate = admitted(plan, record.incident(), journal, rule)
    if not gate.open:
        raise GateClosed(gate.sentence)
    journal.append("note", {"text": f"Load test began: {plan.summary[0]}"})
    with screen.busy(plan.summary[0]):
        tally = asyncio.run(load.generate(settings.service.url + path, rps, _seconds(duration)))
    found = _finding(settings, tally)
    journal.append("looked", {"findings": Findings((found,)), "verdict": found.verdict})
    return screen.document(tally) if json else screen.findings(Findings((found,)))


def planned(settings: "Settings", rps: float, seconds: float, path: str, severity: str) -> Plan:
    """Return the plan of a load test; BadParameter above a cap. While a SEV1 is open its gate stays closed."""
    service, limits = settings.service, settings.limits
    if not 0 < rps <= limits.rps or not 0 < seconds <= limits.load_s or not path.startswith("/"):
        raise BadParameter(f"at most {limits.rps:g} requests a second for {limits.load_s:g} s, [limits], at a /path")
    target = Target("Service", service.namespace, service.name, "", 0)
    load = {"rps": rps, "seconds": seconds, "path": path}
    closed = "a SEV1 is open: more load could only harm" if severity == Severity.SEV1 else ""
    verdict = Verdict.BAD if closed else Verdict.OK
    stick = Finding(
        probe="load-test", verdict=verdict, object=str(target), expected="no SEV1 is open", observed=closed or "none is"
    )
    return Plan(
        action="load-test", target=target, changes=(Change("/load", None, load),), undo=(), destructive=False,
        summary=(f"{rps:g} requests a second to {service.url}{path} for {seconds:g} s",), sticks=Findings((stick,)),
    )  # fmt: skip


def _seconds(text: str) -> float:
    from firstwatch.clock import duration

    try:
        return duration(text).total_seconds()
    except ValueError as error:
        raise BadParameter(f"--duration: {error}") from error


def _finding(settings: "Settings", tally: object) -> Finding:
    service, said = settings.service, str(tally)
    well = "stopped" not in said and said.startswith("0 of")
    return Finding(
        probe="load-test", verdict=Verdict.OK if well else Verdict.BAD, expected="no request fails", observed=said,
        object=f"Service/{service.namespace}/{service.name}", mechanism="" if well else "errors-served",
    )  # fmt: skip
