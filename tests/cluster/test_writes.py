"""Writes against both APIs, ours and a real one: one of two acts, what has moved is refused, and it can be asked."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, opened
from faults import bench

from firstwatch import settings
from firstwatch.actions import change, rollback, settle
from firstwatch.actions.undo import undo
from firstwatch.errors import Conflict
from firstwatch.model import Plan, plain
from firstwatch.record.store import Record, Store
from firstwatch.runs.applying import carry_out
from firstwatch.systems import Systems, connect

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(4000)]
ROUNDS = int(os.environ.get("FIRSTWATCH_ROUNDS", "5"))  # 500 for the published figure


@pytest.fixture(scope="module", params=["ours", "real"])
def desk(request: Any, binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    real = ("--control-plane", str(binaries)) if request.param == "real" else ()
    with opened(tmp_path_factory.mktemp("desk"), *real) as made:
        made("gameday", "bad-release")
        _emptied(made)
        yield made


def _emptied(desk: Desk) -> None:
    """Let no pods follow what is written: it is the writes that are looked at, and a rollout takes seconds."""
    service = settings.load(desk.world / "firstwatch.toml").service
    with desk.cluster() as api:
        api.patch_namespaced_deployment(service.deployment, service.namespace, {"spec": {"replicas": 0}})


@pytest.fixture(scope="module")
def systems(desk: Desk) -> Systems:
    return connect(settings.load(desk.world / "firstwatch.toml"))


@pytest.fixture
def incident(systems: Systems, tmp_path: Path) -> Callable[[], Record]:
    """Return what opens a new record."""
    return lambda: Store(tmp_path / "incidents").open(bench.writer(), {"cluster": systems.cluster.context})


@pytest.fixture
def record(incident: Callable[[], Record]) -> Record:
    return incident()


def live(systems: Systems) -> Any:
    service = systems.settings.service
    return systems.cluster.get("Deployment", service.namespace, service.deployment)


def settled(systems: Systems) -> Any:
    """Return the deployment once its controller has nothing left to note: it writes too, and a note is a generation."""
    service = systems.settings.service
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        found = live(systems)
        sets = systems.cluster.list("ReplicaSet", service.namespace)
        if found["status"].get("observedGeneration") == found["metadata"]["generation"] and revision(found) == max(
            revision(each) for each in sets if each["metadata"]["name"].startswith(service.deployment)
        ):
            return found
        time.sleep(0.05)
    raise TimeoutError("its controller did not come to rest in 30 s")


def revision(thing: Any) -> int:
    return int(thing["metadata"]["annotations"]["deployment.kubernetes.io/revision"])


@pytest.fixture
def writes(request: Any, desk: Desk, systems: Systems, binaries: Path) -> Callable[[], int]:
    """Return what counts the writes of ours to deployments: the real server's own count, or the generations of ours."""
    if request.node.callspec.params["desk"] == "real":
        return lambda: _patched(desk, binaries)
    return lambda: int(settled(systems)["metadata"]["generation"]) - revision(live(systems))


def _patched(desk: Desk, binaries: Path) -> int:
    where = desk("gameday", "status")["kubeconfig"]
    asked = [os.fspath(binaries / "kubectl"), "--kubeconfig", where, "get", "--raw", "/metrics"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
    ours = ('code="200"', 'dry_run=""', 'resource="deployments"', 'subresource=""', 'verb="PATCH"')
    lines = [line for line in told.splitlines() if line.startswith("apiserver_request_total{")]
    return sum(int(float(line.split()[-1])) for line in lines if all(each in line for each in ours))


def applied(systems: Systems, record: Record, plan: Plan) -> None:
    bench.approve(record, plan)
    carry_out(plan, systems, bench.writer().journal(record), bench.STRICT)


def raced(desk: Desk, record: Record, plan: Plan) -> list[str]:
    """Let two processes apply *plan* at the same moment."""
    told, processes = [], []
    for name in ("on-call", "responder-3"):
        mine, theirs = bench.PROCESSES.Pipe()
        arguments = (desk.world, record.folder, plain(plan), name, theirs)
        processes.append(bench.PROCESSES.Process(target=bench.act, args=arguments, daemon=True))
        processes[-1].start()
        told.append(mine)
    assert [each.recv() for each in told] == ["ready", "ready"]
    for each in told:
        each.send("go")
    ends = [str(each.recv()) for each in told]
    for process in processes:
        process.kill()
    return ends


def test_of_two_at_once_exactly_one_writes(
    desk: Desk, systems: Systems, incident: Callable[[], Record], writes: Callable[[], int]
) -> None:
    settled(systems)
    before = writes()
    for _ in range(ROUNDS):
        record = incident()
        plan = rollback.plan(systems, {"to_revision": 0})
        bench.approve(record, plan)
        ends = raced(desk, record, plan)
        assert (ends.count("ok"), set(ends) <= {"ok", "again", "Conflict"}) == (1, True)
        settled(systems)
        applied(systems, record, undo(systems, plan, plan.hash))
        settled(systems)
    assert writes() == before + 2 * ROUNDS  # each plan once, and its undo


@pytest.mark.parametrize(
    ("stale", "said"),
    [({"uid": "00000000-0000-0000-0000-000000000000"}, "422"), ({"resourceVersion": "1"}, "409")],
    ids=["uid", "resourceVersion"],
)
def test_the_api_itself_refuses_a_write_to_what_has_moved(
    systems: Systems, writes: Callable[[], int], stale: dict[str, str], said: str
) -> None:
    settled(systems)
    before = writes()
    for _ in range(ROUNDS):
        plan, found = rollback.plan(systems, {"to_revision": 0}), live(systems)
        patch = change.operations(plan.changes, {**found, "metadata": found["metadata"] | stale}, "x.y")
        with pytest.raises(Conflict, match=f"answered {said}"):
            change.send(systems, plan.target, patch, dry_run=False)
    assert writes() == before


def test_a_plan_whose_target_moved_sends_nothing(
    desk: Desk, systems: Systems, record: Record, writes: Callable[[], int]
) -> None:
    settled(systems)
    plan = rollback.plan(systems, {"to_revision": 0})
    with desk.cluster() as api:
        service = systems.settings.service
        named = {"spec": {"template": {"metadata": {"annotations": {"touched": "yes"}}}}}
        api.patch_namespaced_deployment(service.deployment, service.namespace, named)
    before = writes()
    with pytest.raises(Conflict, match="moved since plan"):
        applied(systems, record, plan)
    assert writes() == before


def test_the_object_tells_what_became_of_a_change(systems: Systems, record: Record) -> None:
    settled(systems)
    applied(systems, record, rollback.plan(systems, {"to_revision": 0}))
    (done,) = record.incident().changes
    now: Callable[[], Any] = bench.Later(2).now
    assert settle.ask(systems, done, systems.cluster.context, now()).result == "done"
    after = live(systems)
    assert after["metadata"]["annotations"][change.MARK] == done.mark
