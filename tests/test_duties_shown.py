"""`status --at` says of every clock what the table of clocks says, at the second, also when the severity changed."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import exchange
import fakes
import pytest
from test_duties import AFTER_SOMETHING, IDS, SECOND, T0, TABLE, M, at, declared, regraded
from test_people_commands import Phone

from firstwatch.model import Actor, timestamp
from firstwatch.record.store import Record, Store, Writer

EVENTS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "escalations": ("escalated", lambda e: {"level": e.level, "to": list(e.to), "reason": "x"}),
    "flags": ("flagged", lambda e: {"flag": e.flag, "value": e.value, "reason": "x"}),
    "updates": ("update", lambda e: {"number": e.number, "status": e.status, "next": ""}),
    "turns": ("resolved", lambda e: {"summary": "x"}),
}
OTHER = {"SEV1": "SEV3", "SEV2": "SEV1", "SEV3": "SEV2", "SEV4": "SEV3"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("duties")
    fakes.configuration(made, "http://127.0.0.1:9")
    return made


@pytest.fixture
def typed(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Phone:
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(folder / "firstwatch.toml"))
    monkeypatch.setenv("COLUMNS", "250")
    return Phone(folder, monkeypatch, capsys)


def middle(more: dict[str, Any], due: timedelta) -> timedelta:
    """Return when the severity changes: between what the clock counts from and when it is due, a minute at least."""
    began = max((each.at - T0 for several in more.values() for each in several), default=timedelta())
    return max(began + (due - began) // 2, began + M)


def recorded(folder: Path, severity: str, more: dict[str, Any], change: timedelta) -> Record:
    """Write a record of the row: declared under another severity, which changes to *severity* at *change*."""
    happened = [(each.at, *EVENTS[name], each) for name, several in more.items() for each in several]
    said = [(moment, kind, made(each)) for moment, kind, made, each in happened]
    said += [(T0 + change, "severity", {"from": OTHER[severity], "to": severity, "reason": "x"})]
    clock = exchange.Still(T0)
    writer = Writer(clock, Actor("on-call"), "tester@here")
    record = Store(folder / "incidents").open(writer, {"practice": True})
    writer.journal(record).append("declared", {"title": "t", "impact": "i", "severity": OTHER[severity]})
    for moment, kind, body in sorted(said, key=lambda each: each[0]):
        clock.sleep((moment - clock.now()) / SECOND)
        writer.journal(record).append(kind, body)
    return record


@pytest.mark.parametrize(("severity", "duty", "more", "due"), TABLE, ids=IDS)
def test_status_at_a_moment_prints_what_the_table_says(
    typed: Phone, severity: str, duty: str, more: dict[str, Any], due: timedelta
) -> None:
    change = middle(more, due)
    record = recorded(typed.folder, severity, more, change)
    moments = sorted({max(due, change) + step for step in (-SECOND, 0 * SECOND, SECOND)} | {due - SECOND, due})
    for moment in (each for each in moments if each >= change):
        expected = "due" if moment <= due else "overdue"
        found = typed.duties(record.id, "--at", timestamp(T0 + moment))[duty]
        assert (found["state"], found["due"]) == (expected, timestamp(T0 + due)), moment
    before = typed.duties(record.id, "--at", timestamp(T0 + change - SECOND)).get(duty)
    shown = at(declared(OTHER[severity], **_until(more, change - SECOND)), change - SECOND).get(duty)
    assert (before and (before["state"], before["due"])) == (shown and (shown.state, timestamp(shown.due)))


def _until(more: dict[str, Any], moment: timedelta) -> dict[str, Any]:
    return {name: tuple(each for each in several if each.at <= T0 + moment) for name, several in more.items()}


@pytest.mark.parametrize(("severity", "duty", "more", "due"), AFTER_SOMETHING, ids=IDS[-len(AFTER_SOMETHING) :])
@pytest.mark.parametrize("first", ["SEV1", "SEV2", "SEV3", "SEV4"])
def test_what_something_starts_is_due_as_the_new_severity_says(
    severity: str, duty: str, more: dict[str, Any], due: timedelta, first: str
) -> None:
    change = middle(more, due)
    facts = regraded(declared(first, **more), severity, change)
    steps = {step: max(due, change) + step for step in (0 * SECOND, SECOND)}
    found = {step: at(facts, moment)[duty] for step, moment in steps.items()}
    assert {each.due for each in found.values()} == {T0 + due}
    assert found[0 * SECOND].state == ("due" if due >= change else "overdue")
    assert found[SECOND].state == "overdue"


def test_status_prints_them_for_people_too(typed: Phone) -> None:
    record = recorded(typed.folder, "SEV1", {}, 2 * M)
    for moment, word in ((5 * M, "DUE"), (5 * M + SECOND, "OVERDUE")):
        lines = typed("status", record.id, "--at", timestamp(T0 + moment)).out.splitlines()
        assert [each.split()[0] for each in lines if " acknowledge " in each] == [word]
    assert json.loads(typed("status", record.id, "--json").out)["id"] == record.id
