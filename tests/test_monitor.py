"""The monitoring window: every condition again and again, UNKNOWN blocks, BAD reopens, the last one a person says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest
from test_closing import POLICY, T0, M, Told
from test_people_commands import Phone

from firstwatch.model import Finding, Findings, Verdict, timestamp
from firstwatch.policy.checklists import ticks
from firstwatch.runs.stability import Window, reason, window

Sit = Callable[[fakes.Server], Phone]
CONDITIONS = ("error-rate", "latency", "health", "database", "dependencies", "alerts", "customers")


@pytest.fixture
def sit(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Sit:
    """Somebody watches a game day whose time goes a thousand times as fast: half an hour in two seconds."""

    def down(world: fakes.Server) -> Phone:
        config = fakes.configuration(tmp_path, serve(world).url, practice=True)
        with config.open("a") as file:
            file.write(f"[clock]\norigin = {timestamp(datetime.now(UTC))}\nrate = 1000\n")
        monkeypatch.setenv("FIRSTWATCH_CONFIG", str(config))
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        phone = Phone(tmp_path, monkeypatch, capsys)
        phone("declare", "API errors", "--impact", "some", "--severity", "SEV3", "--reason", "few")
        phone("resolve", "rolled back")
        return phone

    return down


def test_a_window_is_watched_to_its_end_and_then_a_person_is_asked(sit: Sit) -> None:
    phone = sit(fakes.healthy())
    said = phone("monitor", code=8)
    assert "ask whoever talks to customers" in said.err
    assert phone.duties(phone.state().id)["monitor"]["done_at"]
    phone("monitor", "--reports", "none")
    assert phone.state().status == "resolved"


def test_it_looks_again_until_it_can_see(sit: Sit) -> None:
    world = fakes.healthy()
    phone = sit(world)
    well = fakes.rates(0.0)
    world.answers["GET", fakes.QUERY] = lambda asked: well(asked) if phone.state().people.looks else (503, {})
    phone("monitor", "--every", "1s", code=8)
    seen = [each.verdict for each in phone.state().people.looks]
    could = seen.index("OK")
    assert (set(seen[:could]), set(seen[could:])) == ({"UNKNOWN"}, {"OK"})


def test_what_a_person_said_early_is_not_asked_again(sit: Sit) -> None:
    phone = sit(fakes.healthy())
    phone("monitor", "--once", "--reports", "none")
    phone("monitor")
    assert phone.duties(phone.state().id)["monitor"]["done_at"]


def test_one_look_says_all_and_ends(sit: Sit) -> None:
    phone = sit(fakes.healthy())
    told = json.loads(phone("monitor", "--once", "--reports", "none", "--json").out)
    assert {"error-rate", "health", "alerts", "pods", "customers"} <= {each["probe"] for each in told["findings"]}
    assert (told["verdict"], told["asked"], told["watched"], told["status"]) == ("OK", True, False, "resolved")


def test_unknown_blocks(sit: Sit) -> None:
    world = fakes.healthy()
    phone = sit(world)
    world.on(fakes.QUERY, 503, {})
    phone("monitor", "--once", "--reports", "none", code=8)
    assert phone.state().status == "resolved"
    assert phone.state().people.looks[-1].verdict == "UNKNOWN"


def test_anything_bad_opens_it_again_with_the_reason_and_the_window_begins_anew(sit: Sit) -> None:
    world = fakes.healthy()
    phone = sit(world)
    phone("monitor", "--once")
    world.answers["GET", fakes.QUERY] = fakes.rates(0.61)
    said = phone("monitor", code=8)
    assert "is open again" in said.err
    state = phone.state()
    assert (state.status, state.people.turns[-1].resolved) == ("investigating", False)
    assert "error-rate: claude-deployment-api: 61.0 % of requests fail" in state.people.turns[-1].reason
    world.answers["GET", fakes.QUERY] = fakes.rates(0.0)
    phone("resolve", "rolled back again")
    again = window(POLICY, phone.state(), phone.state().people.turns[-1].at)
    assert (again.watched, again.asked) == (False, False)
    assert again.ends == phone.state().people.turns[-1].at + 30 * M


def test_what_customers_report_opens_it_again(sit: Sit) -> None:
    phone = sit(fakes.healthy())
    phone("monitor", "--once", "--reports", "log-in still fails", code=8)
    assert "log-in still fails" in phone.state().people.turns[-1].reason


@pytest.mark.parametrize("words", [("reopen", "--reason", "x")])
def test_only_a_resolved_incident_is_monitored(sit: Sit, words: tuple[str, ...]) -> None:
    phone = sit(fakes.healthy())
    phone(*words)
    incident = phone.state().id
    assert "only a resolved one is monitored" in phone("monitor", incident, "--once", code=2).err
    assert "--every" in phone("monitor", incident, "--every", "soon", code=2).err


@pytest.fixture
def told(tmp_path: Path) -> Told:
    body = {"title": "API errors", "impact": "some", "severity": "SEV3", "source": "alert"}
    return Told(tmp_path)("declared", 0, **body).looked(5, probes=CONDITIONS)("resolved", 10, summary="x")


def ticked(told: Told) -> list[bool]:
    state = told.state()
    return [each.ticked for each in ticks(POLICY, state.people, state.findings, "stabilization")]


def test_a_condition_ticks_itself_only_while_every_look_of_the_window_is_ok(told: Told) -> None:
    assert ticked(told) == [False] * 7
    assert ticked(told.looked(12, probes=CONDITIONS)) == [True] * 7
    assert ticked(told.looked(14, "UNKNOWN", probes=("latency",))) == [True, False, *[True] * 5]
    assert ticked(told.looked(16, probes=CONDITIONS)) == [True, False, *[True] * 5]


def test_a_new_resolution_begins_a_new_window(told: Told) -> None:
    told.looked(14, "BAD", probes=("alerts",))("reopened", 15, reason="alerts")("resolved", 20, summary="y")
    assert ticked(told) == [False] * 7
    assert ticked(told.looked(21, probes=CONDITIONS)) == [True] * 7


def test_the_window_ends_with_its_severitys_time_and_not_on_unknown(told: Told) -> None:
    assert window(POLICY, told.state(), T0 + 20 * M) == Window(T0 + 40 * M, watched=False, asked=False)
    told.looked(39, "UNKNOWN")
    assert not window(POLICY, told.state(), T0 + 41 * M).watched
    told.looked(42)
    assert window(POLICY, told.state(), T0 + 42 * M).watched


def test_the_last_word_of_a_person_counts(told: Told) -> None:
    told.looked(20, probes=("customers",))
    assert window(POLICY, told.state(), T0 + 21 * M).asked
    told.looked(22, "UNKNOWN", probes=("customers",))
    assert not window(POLICY, told.state(), T0 + 23 * M).asked


@pytest.mark.parametrize(
    ("minute", "rest"), [(0, 10), (35, 5), (41, 10)], ids=["in the middle", "to the end", "beyond the end"]
)
def test_the_next_look_is_at_the_windows_end_at_the_latest(minute: int, rest: int) -> None:
    assert Window(T0 + 40 * M, watched=False, asked=False).rest(T0 + minute * M, 10 * M) == timedelta(minutes=rest)


def test_a_reason_names_what_is_bad_and_nothing_else() -> None:
    found = [
        Finding(probe=probe, verdict=verdict, object="X//x", expected="", observed=f"{probe} seen")
        for probe, verdict in (("alerts", Verdict.BAD), ("health", Verdict.OK), ("pods", Verdict.BAD))
    ]
    assert reason(Findings(found)) == "in the monitoring window: alerts: x: alerts seen; pods: x: pods seen"
