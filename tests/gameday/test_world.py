"""A game day on our own world: real faults, cures that heal, remedies that do not, nothing left behind."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import psutil
import pytest
from desk import DEPLOYMENT, NAMESPACE, Desk, mechanisms, opened, rolled_back, unwell, verdicts

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
def broken(desk: Desk) -> Iterator[Desk]:
    """The world with a bad release in it, and without it again afterwards."""
    desk("gameday", "bad-release")
    yield desk
    released(desk, "1.4.2")


def released(desk: Desk, version: str) -> None:
    containers = [{"name": "api", "image": f"{DEPLOYMENT}:{version}"}]
    changed(desk, {"spec": {"template": {"spec": {"containers": containers}}}})


def changed(desk: Desk, change: dict) -> None:
    """Change the Deployment as anybody may, and wait until it has been rolled out."""
    with desk.cluster() as api:
        api.patch_namespaced_deployment(DEPLOYMENT, NAMESPACE, change)
        wait(lambda: settled(api.read_namespaced_deployment(DEPLOYMENT, NAMESPACE)))


def settled(deployment) -> bool:
    status, wanted = deployment.status, deployment.spec.replicas
    counts = {status.replicas, status.updated_replicas, status.available_replicas}
    return status.observed_generation == deployment.metadata.generation and counts == {wanted}


def wait(holds, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def answers(desk: Desk, times: int = 20) -> Counter[int]:
    url = desk("gameday", "status")["service_url"] + "/v1/deployments"
    return Counter(httpx2.get(url, trust_env=False, timeout=30).status_code for _ in range(times))


def test_status_says_what_is_up_and_what_is_real(desk: Desk) -> None:
    told = desk("gameday", "status")
    assert told["state"] == "up"
    assert all(told[key] for key in ("kubeconfig", "service_url", "prometheus_url", "config"))
    assert set(told["parts"]) == {"kubernetes", "kubelet", "service", "prometheus", "services", "database"}


def test_a_second_up_says_that_a_world_is_up(desk: Desk) -> None:
    before = desk("gameday", "status")["processes"]
    said = desk.typed("gameday", "up")
    assert (said.returncode, "a world is up already" in said.stderr) == (0, True)
    assert desk("gameday", "status")["processes"] == before


def test_it_listens_on_loopback_only(desk: Desk) -> None:
    supervisor = psutil.Process(desk("gameday", "status")["processes"]["api"]).parent()
    family = [supervisor, *supervisor.children(recursive=True)]
    assert len(family) >= 9
    assert {each for process in family for each in listening(process)} == {"127.0.0.1"}


def listening(process: psutil.Process) -> set[str]:
    """Return the addresses at which *process* listens; none when it has ended meanwhile."""
    try:
        found = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return set()
    return {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}


def test_a_quiet_world_is_ok(desk: Desk) -> None:
    desk("gameday", "quiet")  # the usual number of requests is known once the world is a minute old
    wait(lambda: set(verdicts(desk("run", "investigate/first-five-minutes")).values()) == {"OK"}, 180)


def test_a_bad_release_is_found_rolled_back_after_approval_and_gone(broken: Desk) -> None:
    wait(lambda: answers(broken)[500] >= 8)  # the alert fires before the last pod is replaced
    assert "bad-release" in mechanisms(broken("run", "investigate/first-five-minutes"))
    assert rolled_back(broken)["outcome"] == "ok"
    assert unwell(broken) == {"smoke-tests": "UNKNOWN"}, "a game day has none"
    wait(lambda: answers(broken) == {200: 20})
    assert all(each["consistent"] for each in broken("verify").values())


def test_undo_puts_back_what_the_rollback_took(broken: Desk) -> None:
    rolled_back(broken)
    change = broken("status")["changes_in_force"][-1]
    planned = broken("undo", change["change"])
    broken("approve", planned["plan"], "--as", "responder-2")
    assert broken("undo", change["change"], "--apply")["result"] == "ok"
    with broken.cluster() as api:
        found = api.read_namespaced_deployment(DEPLOYMENT, NAMESPACE)
    assert found.spec.template.spec.containers[0].image.endswith(":1.5.0")


@pytest.mark.parametrize(
    "remedy",
    [
        pytest.param({"spec": {"replicas": 5}}, id="scale out"),
        pytest.param({"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}, id="restart"),
    ],
)
def test_the_wrong_remedy_leaves_the_fault_and_the_verification_says_so(broken: Desk, remedy: dict) -> None:
    changed(broken, remedy)
    assert verdicts(broken("run", "investigate/verify-recovery", "-p", "within=15s", expected=8))["error-rate"] == "BAD"
    changed(broken, {"spec": {"replicas": 3}})


def test_a_crash_loop_is_found_and_a_rollback_heals_it(desk: Desk) -> None:
    desk("gameday", "crash-loop")
    found = mechanisms(desk("run", "investigate/first-five-minutes"))
    assert {"crash-loop", "rollout-stuck"} & found
    wait(lambda: answers(desk) == {200: 20})
    assert rolled_back(desk)["outcome"] == "ok"
    assert "BAD" not in verdicts(desk("run", "investigate/verify-recovery")).values()


# A run that ends by itself only long after it has been ended by the test: all must stay well for so long.
LONG = ("run", "investigate/verify-recovery", "-p", "service=claude-deployment-api", "-p", "steady=5m")


def test_a_run_that_is_killed_leaves_a_record_that_says_so(desk: Desk) -> None:
    running = subprocess.Popen(
        desk.command(*LONG), env=desk.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait(lambda: "running" in {each["state"] for each in desk("status")["runs"]})
    running.kill()
    running.wait()
    wait(lambda: "running" not in {each["state"] for each in desk("status")["runs"]})
    assert desk("status")["runs"][-1]["state"] == "end not recorded"
    assert all(each["consistent"] for each in desk("verify").values())


def test_an_interrupted_run_ends_its_tree_and_says_so(desk: Desk) -> None:
    running = subprocess.Popen(
        desk.command(*LONG), env=desk.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait(lambda: desk("status")["runs"][-1]["state"] == "running")
    wait(lambda: psutil.Process(running.pid).children(recursive=True))
    tree = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert not [each for each in tree if lives(each)]
    assert desk("status")["runs"][-1]["state"] == "interrupted"


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_practice_is_marked_on_the_page(desk: Desk) -> None:
    desk("note", f"seen at {datetime.now(UTC):%H:%M}")
    page = next((desk.folder / "incidents").glob("*/page.md")).read_text()
    assert "Practice" in page
