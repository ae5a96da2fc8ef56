"""
One trial: a scenario with a seed in a world of its own, from a healthy start to an undo.

What heals is judged by what users get (`seen.ill`), never by our own probes; those are judged here too.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from firstwatch.model import Json
from gameday.proof.desk import Desk, opened
from gameday.scenarios import SCENARIOS, Remedy, Scenario, inject, seen
from gameday.scenarios.inject import put

HEALED_S = 60.0
HEALTHY_S = 5.0
REFUTED_S = 12.0
SWEEP = ("run", "investigate/first-five-minutes")


@dataclass(slots=True)
class Result:
    """What was seen. `first` is the first finding, `healed` by which cures; None: that was not tried."""

    scenario: str
    seed: int
    shown: str = ""
    first: str = ""
    named: bool = False
    sweep_s: float = 0.0
    heal_s: float | None = None
    gone: bool | None = None
    restored: bool | None = None
    cures: dict[str, bool] = field(default_factory=dict)
    error: str = ""


def trial(name: str, seed: int, folder: Path) -> Result:
    """Return what came of the scenario *name* with *seed* in a new world."""
    scenario, result = SCENARIOS[name], Result(name, seed)
    with opened(folder) as desk:
        result.shown = inject(scenario, desk.state(), seed)
        began = time.monotonic()
        before = _diagnosed(desk)
        result.sweep_s = round(time.monotonic() - began, 1)
        _judge(result, scenario, before)
        for remedy in scenario.cures:
            _cure(result, remedy, desk, began)
    return result


def refutation(name: str, folder: Path) -> dict[str, bool]:
    """Return of each wrong remedy of the scenario *name* whether it was refuted: users are still hurt after it."""
    scenario, refuted = SCENARIOS[name], {}
    with opened(folder) as desk:
        inject(scenario, desk.state())
        for remedy in scenario.wrong:
            put(remedy.writes, desk.state())
            refuted[remedy.name] = not _well(desk, REFUTED_S)
    return refuted


def _diagnosed(desk: Desk) -> list[Json]:
    _, document = desk.typed(*SWEEP)
    return list(document["findings"]) if document else []


def _judge(result: Result, scenario: Scenario, findings: list[Json]) -> None:
    if not scenario.truth:
        bad = [each for each in findings if each["verdict"] == "BAD"]
        result.named, result.first = not bad, _told(bad[0]) if bad else "no BAD finding"
    elif findings:
        result.first = _told(findings[0])
        result.named = (findings[0]["object"], findings[0]["mechanism"]) in scenario.truth


def _told(finding: Json) -> str:
    return f"{finding['verdict']} {finding['probe']} {finding['object']} {finding['mechanism']}"


def _cure(result: Result, remedy: Remedy, desk: Desk, began: float) -> None:
    """Try *remedy*; one that is a runbook is undone afterwards, so that the next one has something to heal."""
    spec = _spec(desk)
    if not remedy.runbook:
        put(remedy.writes, desk.state())
        result.cures[remedy.name] = _well(desk, HEALED_S)
        result.gone = _gone(result, desk)
        return
    applied = _run(desk, remedy)
    result.cures[remedy.name] = applied and _well(desk, HEALED_S)
    result.heal_s = round(time.monotonic() - began, 1)
    result.gone = _gone(result, desk)
    result.restored = _undone(desk) and _spec(desk) == spec


def _gone(result: Result, desk: Desk) -> bool:
    """Whether the first finding is no longer made; a breaker that is open leaves what is behind it as it is."""
    return not any(_told(each) == result.first for each in _diagnosed(desk))


def _run(desk: Desk, remedy: Remedy) -> bool:
    """Run the runbook of *remedy* through the gate; False when it did not apply its plan."""
    given = [word for name, value in remedy.parameters.items() for word in ("-p", f"{name}={value}")]
    command = ("run", remedy.runbook, "--apply", "-p", "within=1m", *given)
    code, document = desk.typed(*command)
    if code == 3 and document:
        desk.approved(document["plan"]["hash"])
        code, document = desk.typed(*command)
    return bool(document) and document["outcome"] == "ok"


def _undone(desk: Desk) -> bool:
    _, status = desk.typed("status")
    changes = status["changes_in_force"] if status else []
    for each in reversed(changes):
        _, planned = desk.typed("undo", each["change"])
        if not planned:
            return False
        desk.approved(planned["plan"])
        if desk.typed("undo", each["change"], "--apply")[0]:
            return False
    return bool(changes)


def _spec(desk: Desk) -> Json:
    return seen.specs(desk.state())


def _well(desk: Desk, within_s: float) -> bool:
    """Whether all is well within *within_s*, and stays so for a while."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not _ill(desk):
            time.sleep(HEALTHY_S)
            if not _ill(desk):
                return True
        time.sleep(0.5)
    return False


def _ill(desk: Desk) -> str:
    try:
        return seen.ill(desk.state())
    except httpx2.HTTPError as error:
        return str(error) or type(error).__name__
