"""A replay with one system broken: what it says, and that a false OK would be noticed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults import broken
from test_runs import ROOT

from firstwatch.errors import BadParameter
from firstwatch.model import Finding, Verdict
from firstwatch.systems.broken import Broken

SWEEP = "investigate/first-five-minutes"
HEADER = {"settings": {"prometheus": {"url": "http://metrics:9090"}}}
SAID = {
    ("prometheus", "refused"): "Server disconnected without",
    ("prometheus", "slow"): "no answer within 2 s",
    ("prometheus", "denied"): "denied: ",
    ("prometheus", "garbage"): "not a Prometheus answer",
    ("kubernetes", "denied"): "denied: ",
    ("kubernetes", "garbage"): "not",
    ("http", "garbage"): "is it the service that answers?",
    ("database", "refused"): "the connection was refused",
    ("aws", "denied"): "AccessDenied",
    ("git", "denied"): "Permission denied",
}
OF = {"prometheus": "error-rate", "kubernetes": "pods", "http": "health", "database": "database",
      "aws": "targets", "git": "merges"}  # fmt: skip


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "firstwatch", *words]
    return subprocess.run(line, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=110, check=False)


@pytest.mark.parametrize(("system", "way"), SAID, ids=lambda word: word)
def test_a_system_that_is_broken_in_a_replay_is_unknown_with_the_reason(tmp_path: Path, system: str, way: str) -> None:
    ran = broken.run(SWEEP, broken.furnished(SWEEP, tmp_path), f"{system}={way}")
    assert not ran.unforeseen
    found = next(each for each in ran.findings if each.probe == OF[system])
    assert (found.verdict, SAID[system, way] in found.observed) == ("UNKNOWN", True), found.observed


def test_nothing_is_broken_unless_it_is_asked_for(tmp_path: Path) -> None:
    found = {each.probe: each.verdict for each in broken.run(SWEEP, broken.furnished(SWEEP, tmp_path)).findings}
    assert {found[each] for each in ("error-rate", "pods", "health")} <= {Verdict.OK, Verdict.BAD}


def test_the_command_breaks_a_system_of_a_replay() -> None:
    done = command("run", "investigate/logs", "--replay", "--broken", "kubernetes=denied", "--json")
    verdicts = {each["probe"]: each["verdict"] for each in json.loads(done.stdout)["findings"]}
    assert (done.returncode, verdicts["logs"], verdicts["pods"]) == (0, "UNKNOWN", "UNKNOWN")
    assert verdicts["error-rate"] != "UNKNOWN"


def test_nothing_that_is_live_can_be_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = command("run", SWEEP, "--broken", "kubernetes=denied")
    assert (done.returncode, "--replay too" in done.stderr) == (2, True)


@pytest.mark.parametrize("text", ["", "kubernetes", "kubernetes=", "moon=slow", "prometheus=sad"])
def test_only_a_known_system_is_broken_in_a_known_way(text: str) -> None:
    with pytest.raises(BadParameter, match=r"prometheus.*garbage"):
        Broken.parse(text, HEADER)


@pytest.mark.parametrize(
    ("method", "url", "system"),
    [
        ("GET", "http://kubernetes/api/v1/nodes", "kubernetes"), ("GET", "http://metrics:9090/api", "prometheus"),
        ("GET", "http://api/health", "http"), ("LOOK", "http://metrics:9090/", "outside"), ("SQL", "x://y", "database"),
        ("AWS", "aws://elbv2/x", "aws"), ("GIT", "git:clone", "git"), ("RUN", "script:smoke", "script"),
    ],
    ids=str,
)  # fmt: skip
def test_a_question_is_for_one_system(method: str, url: str, system: str) -> None:
    assert Broken.parse("git=slow", HEADER).asked(method, url) == system


def said(verdict: Verdict, **more: Any) -> Finding:
    return Finding(
        probe="pods", verdict=verdict, object="X//x", expected="", observed="5 of 5 ready", **({"next": "look"} | more)
    )


@pytest.mark.parametrize(
    ("finding", "bad"),
    [
        (said(Verdict.UNKNOWN), 0), (said(Verdict.OK), 1), (said(Verdict.BAD), 1),
        (said(Verdict.UNKNOWN, next=""), 1),
    ],
    ids=["unknown", "ok", "bad", "no next step"],
)  # fmt: skip
def test_the_matrix_would_notice_a_false_word(tmp_path: Path, finding: Finding, bad: int) -> None:
    ran, case = broken.Ran([finding]), broken.Case(SWEEP, "kubernetes", "denied")
    assert len(broken.wrong(case, ran, broken.furnished(SWEEP, tmp_path))) == bad


def test_the_matrix_would_notice_a_traceback(tmp_path: Path) -> None:
    case = broken.Case(SWEEP, "kubernetes", "denied")
    assert broken.wrong(case, broken.Ran(unforeseen="KeyError('x')"), broken.furnished(SWEEP, tmp_path))
