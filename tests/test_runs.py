"""Runs, through the command, papermill and the wire: what a responder gets, and what the record says."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakes
import pytest

from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import read

ROOT = Path(__file__).resolve().parents[1]


class Laptop:
    """A responder's laptop: a configuration that points at a served world, and the command."""

    def __init__(self, folder: Path, server: fakes.Server, *, practice: bool = False) -> None:
        self.folder = folder
        self.environ = os.environ | {
            "FIRSTWATCH_CONFIG": str(fakes.configuration(folder, server.url, practice=practice))
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", "from firstwatch.cli import main; main()", *words]

    def firstwatch(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*words), cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=90, check=False
        )

    def json(self, *words: str) -> Any:
        return json.loads(self.firstwatch(*words, "--json").stdout)

    def incident(self) -> Incident:
        (journal,) = (self.folder / "incidents").glob("*/journal.jsonl")
        return fold(read(journal))


@pytest.fixture
def desk(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Callable[[fakes.Server], Laptop]:
    return lambda server: Laptop(tmp_path, serve(server))


Sit = Callable[[fakes.Server], Laptop]


@pytest.mark.parametrize(("ahead_s", "said"), [(600, "(599|600) s ahead of"), (-45, "4[56] s behind"), (20, "")])
def test_a_cluster_whose_clock_differs_is_recorded_once_and_told(desk: Sit, ahead_s: float, said: str) -> None:
    world = fakes.healthy()
    world.ahead_s = ahead_s
    at = desk(world)
    ran = at.firstwatch("run", "investigate/verify-recovery")
    incident = at.incident()
    assert [entry.kind for entry in incident.timeline].count("skewed") == (1 if said else 0)
    assert re.search(said, incident.skewed)
    assert incident.skewed in ran.stderr


def recovering(world: fakes.Server) -> None:
    """Let the world heal once the Deployment is written to."""
    answer = fakes.patched(world)

    def heal(asked: fakes.Asked) -> fakes.Answer:
        status, written = answer(asked)
        if "dryRun" not in asked.query and status == 200:
            written["status"]["observedGeneration"] = written["metadata"]["generation"]
            world.answers["GET", fakes.QUERY] = fakes.rates(0.0)
        return status, written

    world.answers["PATCH", fakes.DEPLOYMENT] = heal


def test_a_sweep_names_the_fault_and_leaves_a_record(desk: Sit) -> None:
    at = desk(fakes.failing())
    ran = at.json("run", "investigate/first-five-minutes")
    assert (ran["status"], ran["exit"], ran["findings"][0]["mechanism"]) == ("done", 0, "bad-release")
    assert at.firstwatch("verify").returncode == 0
    (run,) = at.incident().runs
    assert [state for _, state in run.cells] == ["done"] * len(run.cells)
    page = (Path(ran["record"]) / "page.md").read_text()
    assert "bad release" not in page
    assert "errors began at" in page
    assert list(Path(ran["record"]).glob("notebooks/*.ipynb"))


def test_a_rollback_plans_stops_is_approved_heals_and_is_never_sent_twice(desk: Sit) -> None:
    world = fakes.failing()
    recovering(world)
    at = desk(world)
    observed = at.json("run", "mitigate/rollback")
    assert (observed["exit"], observed["outcome"], world.writes) == (0, None, [])
    stopped = at.json("run", "mitigate/rollback", "--apply")
    assert (stopped["status"], stopped["exit"], world.writes) == ("gate closed", 3, [])
    assert stopped["plan"]["hash"] == observed["plan"]["hash"]
    assert at.firstwatch("approve", stopped["plan"]["hash"], "--as", "responder-2").returncode == 0
    watched = at.json("run", "mitigate/rollback")
    assert (watched["exit"], world.writes) == (0, []), "it is approved by now, and only observed"
    applied = at.json("run", "mitigate/rollback", "--apply")
    assert (applied["exit"], applied["outcome"], len(world.writes)) == (0, "ok", 1)
    again = at.json("run", "mitigate/rollback", "--apply")
    assert (again["exit"], len(world.writes)) == (0, 1)
    assert [change.result for change in at.incident().changes] == ["ok"]


def test_approving_ones_own_plan_does_not_open_the_gate(desk: Sit) -> None:
    world = fakes.failing()
    at = desk(world)
    plan = at.json("run", "mitigate/rollback", "--apply")["plan"]["hash"]
    at.firstwatch("approve", plan)
    assert at.json("run", "mitigate/rollback", "--apply")["exit"] == 3
    assert world.writes == []


def test_a_recovery_that_does_not_come_ends_with_8(desk: Sit) -> None:
    ended = desk(fakes.failing()).json("run", "investigate/verify-recovery", "-p", "within=0s")
    assert (ended["exit"], ended["findings"][0]["verdict"]) == (8, "BAD")


def test_undo_of_a_rollback_needs_its_own_approval_and_restores(desk: Sit) -> None:
    world = fakes.failing()
    recovering(world)
    at = desk(world)
    plan = at.json("run", "mitigate/rollback", "--apply")["plan"]["hash"]
    at.firstwatch("approve", plan, "--as", "responder-2")
    at.json("run", "mitigate/rollback", "--apply")
    stopped = at.firstwatch("undo", plan, "--apply")
    assert stopped.returncode == 3
    inverse = at.incident().plans[-1].hash
    at.firstwatch("approve", inverse, "--as", "responder-2")
    assert at.firstwatch("undo", plan, "--apply").returncode == 0
    assert len(world.writes) == 2
    assert at.incident().in_force == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "mitigate/rolback"], "did you mean mitigate/rollback?"),
        (["run", "mitigate/rollback", "-p", "to_revison=1"], "did you mean to_revision?"),
        (["run", "mitigate/rollback", "-p", "to_revision=one"], "'one' is not of type int"),
        (["run", "mitigate/rollback", "-p", "to_revision"], "is not NAME=VALUE"),
        (["run", "mitigate/rollback", "--deadline", "soon"], "--deadline"),
        (["run", "mitigate/rollback", "-i", "2020-01-01-000000"], "there is no incident"),
        (["run", "mitigate/rollback", "-i", "../../etc"], "is not an id"),
        (["declare", "x", "--impact", " "], "--impact is empty"),
        (["declare", "x", "--impact", "y", "--severity", "SEV9"], "SEV1, SEV2, SEV3, SEV4"),
        (["note", "x"], "no incident is open"),
    ],
    ids=["runbook", "parameter", "value", "form", "deadline", "incident", "path", "impact", "severity", "none open"],
)
def test_bad_input_ends_with_2_names_it_and_starts_nothing(desk: Sit, words: list[str], said: str) -> None:
    at = desk(fakes.healthy())
    ended = at.firstwatch(*words)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert not (at.folder / "incidents").exists()


def test_a_wrong_context_ends_with_2(desk: Sit) -> None:
    at = desk(fakes.healthy())
    path = Path(at.environ["FIRSTWATCH_CONFIG"])
    path.write_text(path.read_text().replace("[kubernetes]", '[kubernetes]\ncontext = "prodd"'))
    ended = at.firstwatch("run", "investigate/first-five-minutes")
    assert (ended.returncode, "prodd" in ended.stderr) == (2, True)


def test_when_nothing_can_be_read_it_ends_with_4_and_no_traceback(tmp_path: Path) -> None:
    with fakes.serving(fakes.Server()) as gone:
        at = Laptop(tmp_path, gone)
    ended = at.firstwatch("run", "investigate/first-five-minutes")
    assert ended.returncode == 4
    assert "UNKNOWN" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def slow(asked: fakes.Asked) -> fakes.Answer:
    time.sleep(8)
    return 200, {"items": []}


def started(at: Laptop, *words: str) -> "subprocess.Popen[bytes]":
    """Start a run and return when it has begun to look."""
    process = subprocess.Popen(
        at.command("run", *words), cwd=ROOT, env=at.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        journals = list((at.folder / "incidents").glob("*/journal.jsonl"))
        if journals and '"id":"sweep"' in journals[0].read_text():
            return process
        time.sleep(0.05)
    raise AssertionError("the run did not begin")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_ends_with_130_and_says_so(desk: Sit, number: signal.Signals) -> None:
    world = fakes.healthy()
    world.answers["GET", fakes.NODES] = slow
    at = desk(world)
    process = started(at, "investigate/first-five-minutes")
    process.send_signal(number)
    assert process.wait(20) == 130
    (run,) = at.incident().runs
    assert (run.state, dict(run.cells)["sweep"]) == ("interrupted", "interrupted")


def test_a_run_past_its_deadline_ends_with_124(desk: Sit) -> None:
    world = fakes.healthy()
    world.answers["GET", fakes.NODES] = slow
    ended = desk(world).json("run", "investigate/first-five-minutes", "--deadline", "4s")
    assert (ended["exit"], ended["status"]) == (124, "deadline")


def test_a_run_that_is_killed_leaves_a_record_that_verifies_and_says_what_is_known(desk: Sit) -> None:
    world = fakes.healthy()
    world.answers["GET", fakes.NODES] = slow
    at = desk(world)
    process = started(at, "investigate/first-five-minutes")
    process.kill()
    process.wait()
    assert at.firstwatch("verify").returncode == 0
    assert at.json("status")["runs"][0]["state"] == "end not recorded"
    assert at.firstwatch("note", "the laptop died").returncode == 0


def test_declaring_keeps_what_was_seen_before_in_the_same_record(desk: Sit) -> None:
    at = desk(fakes.failing())
    at.json("run", "investigate/first-five-minutes")
    declared = at.json("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "sev1")
    assert (declared["severity"], declared["status"]) == ("SEV1", "investigating")
    at.firstwatch("resolve", "rolled back")
    state = at.incident()
    assert (state.status, len(state.runs), state.title) == ("resolved", 1, "API errors")


def test_a_recovery_must_stay_for_as_long_as_it_is_asked_to(desk: Sit) -> None:
    began = time.monotonic()
    ended = desk(fakes.healthy()).json("run", "investigate/verify-recovery", "-p", "within=0s", "-p", "steady=2s")
    assert ended["exit"] == 0
    assert time.monotonic() - began >= 2
