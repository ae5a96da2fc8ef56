"""The runbooks against a real control plane: what heals in our own world heals in a real one, by the same commands."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, mechanisms, opened, rolled_back, unwell, verdicts

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
FIRST = "investigate/first-five-minutes"


@pytest.fixture(scope="module")
def desk(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A game day on the real control plane, from before the first command until after the last."""
    with opened(tmp_path_factory.mktemp("desk"), "--control-plane", str(binaries)) as made:
        yield made


def kubectl(desk: Desk, binaries: Path, *arguments: str) -> str:
    environment = desk.environment | {"KUBECONFIG": desk("gameday", "status")["kubeconfig"]}
    command = [os.fspath(binaries / "kubectl"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=True).stdout


def test_the_world_says_that_its_kubernetes_is_real(desk: Desk, binaries: Path) -> None:
    assert binaries.name in desk("gameday", "status")["parts"]["kubernetes"]


def test_a_quiet_world_is_ok_but_for_what_a_control_plane_alone_cannot_measure(desk: Desk) -> None:
    deadline = time.monotonic() + 90  # the usual number of requests is known once the world is a minute old
    while unlike := {name: each for name, each in verdicts(desk("run", FIRST)).items() if each != "OK"}:
        if unlike == {"usage": "UNKNOWN"}:  # that needs metrics-server
            return
        assert time.monotonic() < deadline, unlike


def test_a_bad_release_is_found_rolled_back_after_approval_and_verified(desk: Desk) -> None:
    desk("gameday", "bad-release")
    assert "bad-release" in mechanisms(desk("run", FIRST))
    assert rolled_back(desk)["outcome"] == "ok"
    assert unwell(desk) == {"smoke-tests": "UNKNOWN"}, "a game day has none"
    assert all(each["consistent"] for each in desk("verify").values())


def test_the_same_fault_is_healed_by_hand_with_kubectl(desk: Desk, binaries: Path) -> None:
    desk("gameday", "bad-release")
    kubectl(desk, binaries, "rollout", "undo", "deployment/claude-deployment-api")
    kubectl(desk, binaries, "rollout", "status", "deployment/claude-deployment-api", "--timeout=60s")
    assert "BAD" not in verdicts(desk("run", "investigate/verify-recovery")).values()
