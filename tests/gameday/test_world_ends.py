"""How a world ends, and how it begins when it should not: nothing is left behind, and what is wrong is named."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psutil
import pytest
from desk import Desk, opened

from gameday.world.folder import Folder, State

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Desk]:
    """A world that a test may break for good."""
    with opened(tmp_path) as made:
        yield made


def wait(holds: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def left(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that do not end, in the moment that a process takes to die."""
    return psutil.wait_procs(processes, timeout=20)[1]


def test_a_world_whose_supervisor_is_killed_leaves_no_process_and_is_mended_by_up(fresh: Desk) -> None:
    supervisor = psutil.Process(fresh("gameday", "status")["processes"]["api"]).parent()
    family = supervisor.children(recursive=True)
    os.kill(supervisor.pid, signal.SIGKILL)
    assert not left(family)
    assert fresh("gameday", "status")["state"] == "failed"
    assert fresh("gameday", "up")["state"] == "up"


def test_down_leaves_no_process_no_port_and_no_key(fresh: Desk) -> None:
    told = fresh("gameday", "status")
    supervisor = psutil.Process(told["processes"]["api"]).parent()
    family = [supervisor, *supervisor.children(recursive=True)]
    fresh("gameday", "down")
    assert not left(family)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(told["service_url"], trust_env=False, timeout=30)
    assert not (fresh.world / "api").exists()
    assert fresh("gameday", "status")["state"] == "down"
    assert fresh("gameday", "down")["ended"] is False


def test_a_part_that_ends_makes_the_world_failed_and_is_named(fresh: Desk) -> None:
    os.kill(fresh("gameday", "status")["processes"]["prometheus"], signal.SIGKILL)
    wait(lambda: fresh("gameday", "status")["state"] == "failed")
    assert "prometheus ended with -9" in fresh("gameday", "status")["why"]


def test_an_unknown_scenario_starts_nothing_and_names_the_nearest(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    said = desk.typed("gameday", "bad-relase")
    assert (said.returncode, "bad-release" in said.stderr) == (2, True)
    assert not desk.world.exists()


def test_of_two_ups_at_once_one_starts_the_world_and_both_end_well(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    both = [
        subprocess.Popen(desk.command("gameday", "up", "--json"), env=desk.environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    told = [each.communicate(timeout=240) for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert all(b'"state": "up"' in said for said, _ in told)
    desk("gameday", "down")


def listening() -> None:
    """Hear SIGINT: what a shell starts in the background ignores it, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_up_that_is_interrupted_leaves_no_world(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    starting = subprocess.Popen(
        desk.command("gameday", "up"), env=desk.environment, stderr=subprocess.DEVNULL,
        preexec_fn=listening,  # noqa: PLW1509  # one thread starts it
    )  # fmt: skip
    state = Folder(desk.world).state  # read here: a command takes as long as half of a start
    wait(lambda: State.read(state).processes)
    begun = [psutil.Process(each.pid) for each in State.read(state).processes.values()]
    starting.send_signal(signal.SIGINT)
    assert starting.wait(120) == 130
    assert desk("gameday", "status")["state"] == "down"
    assert not left(begun)


def test_a_scenario_without_a_world_starts_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    try:
        assert desk("gameday", "quiet")["state"] == "up"
    finally:
        desk("gameday", "down")
