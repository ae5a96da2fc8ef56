"""The service's own scripts, and the load test: deadlines, verdicts, the gate, and when load is refused or stops."""

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import fakes
import pytest

from firstwatch import probes, settings
from firstwatch.cli.loading import planned
from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter
from firstwatch.model import Finding, Verdict
from firstwatch.systems import connect, load

ROOT = Path(__file__).resolve().parents[1]
Serve = Callable[[fakes.Server], fakes.Server]


def configured(folder: Path, url: str, script: str, seconds: float = 5) -> settings.Settings:
    found = settings.load(fakes.configuration(folder, url))
    service = found.service.model_copy(update={"url": url})
    return found.model_copy(update={"service": service, "checks": settings.Checks(smoke=script, smoke_s=seconds)})


def asked(folder: Path, script: str, *, seconds: float = 5, url: str = "http://127.0.0.1:9") -> Finding:
    (finding,) = probes.ask(
        probes.smoke_tests, connect(configured(folder, url, script, seconds)), WallClock().now()
    )  # fmt: skip
    return finding


def script(folder: Path, text: str) -> str:
    path = folder / "smoke.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [("echo all well", Verdict.OK, "all well"), ("echo one failed; exit 3", Verdict.BAD, "exit code 3: one failed")],
    ids=["passes", "fails"],
)
def test_the_exit_code_decides_and_what_it_said_is_kept(tmp_path: Path, text: str, verdict: Verdict, said: str) -> None:
    finding = asked(tmp_path, script(tmp_path, text))
    assert (finding.verdict, finding.observed) == (verdict, said)


def test_a_script_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    finding = asked(tmp_path, "scripts/nowhere.sh")
    assert finding.verdict is Verdict.UNKNOWN
    assert "there is no script" in finding.observed


def test_a_script_that_does_not_end_is_ended_with_its_children_and_unknown(tmp_path: Path) -> None:
    marked = tmp_path / "child"
    finding = asked(tmp_path, script(tmp_path, f"(sleep 1.2; touch {marked}) & wait"), seconds=0.3)
    assert finding.verdict is Verdict.UNKNOWN
    assert "did not end within 0.3 s" in finding.observed
    time.sleep(1.2)
    assert not marked.exists()


def smoke(url: str) -> int:
    command = [ROOT / "scripts" / "smoke-tests.sh"]
    environment = {"SERVICE_URL": url, "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def test_our_smoke_tests_pass_and_fail_with_the_service(serve: Serve) -> None:
    world = fakes.healthy()
    world.on("/v1/deployments", 200, {"items": []})
    url = serve(world).url
    assert smoke(url) == 0
    world.on("/v1/deployments", 500, {})
    assert smoke(url) == 1


def test_load_comes_at_its_rate_and_is_counted(serve: Serve) -> None:
    world = serve(fakes.healthy())
    tally = asyncio.run(load.generate(world.url + fakes.HEALTH, 100, 0.5))
    assert (tally.sent, tally.failed, tally.stopped) == (50, 0, "")
    assert len(world.asked) == 50


def test_load_stops_when_it_does_harm(serve: Serve) -> None:
    world = fakes.healthy()
    world.on(fakes.HEALTH, 503, {})
    tally = asyncio.run(load.generate(serve(world).url + fakes.HEALTH, 100, 5))
    assert "were not good" in tally.stopped
    assert tally.sent < 100


@pytest.mark.parametrize(("rps", "seconds"), [(101, 10), (10, 301), (0, 10), (10, 0)])
def test_load_above_a_cap_is_refused(tmp_path: Path, rps: float, seconds: float) -> None:
    with pytest.raises(BadParameter, match="at most 100 requests a second for 300 s"):
        planned(configured(tmp_path, "http://127.0.0.1:9", ""), rps, seconds, "/health", "")


def test_while_a_sev1_is_open_the_gate_of_a_load_test_is_closed(tmp_path: Path) -> None:
    found = configured(tmp_path, "http://127.0.0.1:9", "")
    assert planned(found, 10, 10, "/health", "SEV1").sticks.verdict is Verdict.BAD
    assert planned(found, 10, 10, "/health", "SEV2").sticks.verdict is Verdict.OK
