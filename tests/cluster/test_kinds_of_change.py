"""Each kind of change against both APIs, ours and a real one: undo restores an equal object."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import DEPLOYMENT, NAMESPACE, Desk, opened
from kubernetes import client

from firstwatch import actions, settings
from firstwatch.actions import change
from firstwatch.actions.undo import undo
from firstwatch.errors import Conflict, NotFound
from firstwatch.model import Json, Plan
from firstwatch.systems import Systems, connect

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1000)]
DOOR = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "maintenance-door"},
    "spec": {"selector": {"app": "maintenance-page"}, "ports": [{"port": 80, "targetPort": 8080}]},
}  # fmt: skip


@pytest.fixture(scope="module", params=["ours", "real"])
def desk(request: Any, binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    real = ("--control-plane", str(binaries)) if request.param == "real" else ()
    with opened(tmp_path_factory.mktemp("desk"), *real) as made:
        scaled(made)
        yield made


def scaled(desk: Desk) -> None:
    """Let an autoscaler choose between two and four pods, as the service's owner would."""
    aim = client.V2CrossVersionObjectReference(api_version="apps/v1", kind="Deployment", name=DEPLOYMENT)
    spec = client.V2HorizontalPodAutoscalerSpec(scale_target_ref=aim, min_replicas=3, max_replicas=4)
    own = client.V2HorizontalPodAutoscaler(metadata=client.V1ObjectMeta(name=DEPLOYMENT), spec=spec)
    with desk.cluster() as apps:
        client.AutoscalingV2Api(apps.api_client).create_namespaced_horizontal_pod_autoscaler(
            NAMESPACE, own, _preload_content=False
        )


@pytest.fixture(scope="module")
def systems(desk: Desk) -> Systems:
    return connect(settings.load(desk.world / "firstwatch.toml"))


def asked_for(systems: Systems, plan: Plan) -> Json:
    """Return what somebody asked for in the target of *plan*, without what the API and controllers write."""
    found = systems.cluster.get(plan.target.kind, plan.target.namespace, plan.target.name)
    return {key: found.get(key) for key in ("spec", "data")} | {"labels": found["metadata"].get("labels")}


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        pytest.param(actions.scale, {"replicas": 4}, id="scale"),
        pytest.param(actions.autoscaler, {"minimum": 5}, id="autoscaler"),
        pytest.param(actions.circuit_breaker, {}, id="circuit breaker"),
        pytest.param(actions.circuit_breaker, {"key": "not-there-yet"}, id="a key that was absent"),
        pytest.param(actions.feature_toggle, {"key": "feature-xyz-enabled", "value": "true"}, id="feature toggle"),
        pytest.param(actions.cordon, {"node": "node-1"}, id="cordon"),
        pytest.param(actions.maintenance, {}, id="maintenance page"),
    ],
)
def test_undo_restores_an_equal_object(systems: Systems, action: actions.Action, parameters: Any) -> None:
    plan = action.plan(systems, parameters)
    before = asked_for(systems, plan)
    change.apply(systems, plan, "i.k", [].append)
    assert asked_for(systems, plan) != before
    assert not change.drift(plan, systems.cluster.get(plan.target.kind, plan.target.namespace, plan.target.name))
    change.apply(systems, undo(systems, plan, plan.hash), "i.u", [].append)
    deadline = time.monotonic() + 10  # the taint of a cordon is a controller's, which takes a moment to take it back
    while asked_for(systems, plan) != before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert asked_for(systems, plan) == before


def test_an_object_is_made_once_and_its_undo_deletes_it(systems: Systems) -> None:
    page = systems.settings.maintenance.model_copy(update={"object": DOOR})
    own = Systems(
        systems.settings.model_copy(update={"maintenance": page}), systems.cluster, systems.prometheus, systems.http
    )  # fmt: skip
    plan = actions.maintenance.plan(own, {})
    with pytest.raises(NotFound):
        systems.cluster.get("Service", NAMESPACE, "maintenance-door")
    change.apply(own, plan, "i.k", [].append)
    with pytest.raises(Conflict, match="there is one now"):
        change.apply(own, plan, "i.k", [].append)
    change.apply(own, undo(own, plan, plan.hash), "i.u", [].append)
    with pytest.raises(NotFound):
        systems.cluster.get("Service", NAMESPACE, "maintenance-door")


def test_a_restart_makes_a_new_revision(systems: Systems) -> None:
    plan = actions.restart.plan(systems, {})
    written = change.apply(systems, plan, "i.k", [].append)
    assert written["metadata"]["generation"] == plan.target.generation + 1
