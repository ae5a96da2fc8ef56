"""Each kind of change: what it plans from the live world, what is sent, that undo restores, and what it refuses."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest
from jsonpatch import JsonPatch

from firstwatch import actions, settings
from firstwatch.actions import change, settle
from firstwatch.actions.consumption import Consumed, consumed
from firstwatch.actions.undo import undo
from firstwatch.errors import BadParameter, Conflict, NotFound
from firstwatch.model import Plan, Verdict
from firstwatch.record.incident import Applied
from firstwatch.systems import Systems, connect

Connect = Callable[[fakes.Server], Systems]
CORE = f"/api/v1/namespaces/{fakes.NAMESPACE}"
CONFIG = f"{CORE}/configmaps/flags"
SCALERS = f"/apis/autoscaling/v2/namespaces/{fakes.NAMESPACE}/horizontalpodautoscalers"
QUOTAS = f"{CORE}/resourcequotas"
BUDGETS = f"/apis/policy/v1/namespaces/{fakes.NAMESPACE}/poddisruptionbudgets"
SERVICES = f"{CORE}/services"
PAGE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "front"},
    "spec": {"selector": {"app": "maintenance-page"}},
}


def holding(world: fakes.Server, path: str, found: dict[str, Any]) -> None:
    """Store *found* at *path*: read, patched with its uid and version tested, and deleted."""
    inside = path.partition("/namespaces/")[2].partition("/")[0]
    namespaced = {"namespace": inside} if inside else {}
    own = {"uid": "u-1", "resourceVersion": "7", **namespaced, **found["metadata"]}
    world.on(path, 200, {**found, "metadata": own})

    def patched(asked: fakes.Asked) -> fakes.Answer:
        current = world.answers["GET", path][1]  # type: ignore[index]
        made = JsonPatch(asked.body).apply(deepcopy(current))
        if made["metadata"]["resourceVersion"] != current["metadata"]["resourceVersion"]:
            return 409, fakes.status_object(409, "the object has been modified")
        if "dryRun" not in asked.query:
            made["metadata"]["resourceVersion"] = str(int(made["metadata"]["resourceVersion"]) + 1)
            world.on(path, 200, made)
        return 200, made

    def deleted(asked: fakes.Asked) -> fakes.Answer:
        own = world.answers["GET", path][1]["metadata"]  # type: ignore[index]
        if asked.body["preconditions"] != {"uid": own["uid"], "resourceVersion": own["resourceVersion"]}:
            return 409, fakes.status_object(409, "the precondition does not hold")
        del world.answers["GET", path]
        return 200, {"kind": "Status", "status": "Success"}

    world.answers["PATCH", path] = patched
    world.answers["DELETE", path] = deleted


def making(world: fakes.Server, path: str) -> None:
    """Make what is posted to the collection at *path*, with what an API server adds."""

    def posted(asked: fakes.Asked) -> fakes.Answer:
        name = asked.body["metadata"]["name"]
        if ("GET", f"{path}/{name}") in world.answers:
            return 409, fakes.status_object(409, f"{name} already exists")
        made = deepcopy(asked.body)
        made["metadata"] |= {"uid": "made", "resourceVersion": "1", "creationTimestamp": fakes.ago(0)}
        made["spec"] |= {"type": "ClusterIP"}
        if "dryRun" not in asked.query:
            holding(world, f"{path}/{name}", made)
        return 201, made

    world.answers["POST", path] = posted


def world(**data: str) -> fakes.Server:
    """Return a healthy world with the flags *data*, and with nothing that bounds a change."""
    made = fakes.healthy()
    for path in (SCALERS, QUOTAS, BUDGETS):
        made.on(path, 200, {"items": []})
    holding(made, CONFIG, {"kind": "ConfigMap", "metadata": {"name": "flags"}, **({"data": data} if data else {})})
    return made


@pytest.fixture
def desk(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Connect:
    """Connect with a ConfigMap and a maintenance page configured."""

    def to(server: fakes.Server) -> Systems:
        found = settings.load(fakes.configuration(tmp_path, serve(server).url))
        service = found.service.model_copy(update={"configmap": "flags"})
        page = settings.Maintenance(manifest="page.yaml", object=PAGE)
        return connect(found.model_copy(update={"service": service, "maintenance": page}))

    return to


def template(made: fakes.Server) -> Any:
    return made.answers["GET", fakes.DEPLOYMENT][1]["spec"]["template"]  # type: ignore[index]


def done(systems: Systems, plan: Plan) -> Plan:
    change.apply(systems, plan, "i.k", [].append)
    return plan


def undone(systems: Systems, plan: Plan) -> None:
    change.apply(systems, undo(systems, plan, plan.hash), "i.u", [].append)


def stored(made: fakes.Server, path: str) -> Any:
    found = deepcopy(made.answers["GET", path][1])  # type: ignore[index]
    found["metadata"].pop("annotations", None)
    for key in ("resourceVersion", "generation"):
        found["metadata"].pop(key, None)
    return found


EVERY = [
    pytest.param(actions.scale, {"replicas": 10}, fakes.DEPLOYMENT, id="scale"),
    pytest.param(actions.circuit_breaker, {}, CONFIG, id="circuit breaker, absent before"),
    pytest.param(actions.feature_toggle, {"key": "feature-xyz-enabled"}, CONFIG, id="feature toggle"),
    pytest.param(actions.cordon, {"node": "node-1"}, f"{fakes.NODES}/node-1", id="cordon"),
    pytest.param(actions.autoscaler, {"minimum": 6}, f"{SCALERS}/api", id="autoscaler"),
]


def full() -> fakes.Server:
    """Return a world in which every kind of change has something to change."""
    made = world(**{"feature-xyz-enabled": "true"})
    node = {"kind": "Node", **fakes.node(), "spec": {"podCIDR": "10.0.0.0/24"}}
    holding(made, f"{fakes.NODES}/node-1", node)
    made.on(fakes.NODES, 200, {"items": [stored_node(made), fakes.node("node-2")]})
    scaled = scaler(2, 4)
    holding(made, f"{SCALERS}/api", scaled)
    made.on(SCALERS, 200, {"items": [made.answers["GET", f"{SCALERS}/api"][1]]})  # type: ignore[index]
    return made


def stored_node(made: fakes.Server) -> Any:
    return made.answers["GET", f"{fakes.NODES}/node-1"][1]  # type: ignore[index]


def scaler(low: int, high: int, *, active: str = "True") -> dict[str, Any]:
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "api"},
        "spec": {"minReplicas": low, "maxReplicas": high, "scaleTargetRef": {"kind": "Deployment", "name": fakes.NAME}},
        "status": {"conditions": [{"type": "ScalingActive", "status": active}]},
    }


@pytest.mark.parametrize(("action", "parameters", "path"), EVERY)
def test_planning_writes_nothing(desk: Connect, action: actions.Action, parameters: Any, path: str) -> None:
    made = full()
    action.plan(desk(made), parameters)
    assert made.writes == []
    assert [asked.path for asked in made.asked if asked.method != "GET"] == [path]


@pytest.mark.parametrize(("action", "parameters", "path"), EVERY)
def test_undo_restores_what_was_there(desk: Connect, action: actions.Action, parameters: Any, path: str) -> None:
    made = full()
    connected, before = desk(made), stored(made, path)
    plan = done(connected, action.plan(connected, parameters))
    assert stored(made, path) != before
    undone(connected, plan)
    assert stored(made, path) == before
    assert [asked.path for asked in made.writes] == [path, path]


def test_an_autoscaler_would_take_a_scale_back_and_what_to_raise_is_named(desk: Connect) -> None:
    made = world()
    made.on(SCALERS, 200, {"items": [scaler(2, 4)]})
    stick = actions.scale.plan(desk(made), {"replicas": 10}).sticks[1]
    assert stick.verdict is Verdict.BAD
    assert "mitigate/autoscaler -p minimum=10" in stick.observed


def test_an_autoscaler_that_cannot_see_lets_a_number_in_its_range_be(desk: Connect) -> None:
    made = world()
    made.on(SCALERS, 200, {"items": [scaler(2, 12, active="False")]})
    assert actions.scale.plan(desk(made), {"replicas": 10}).sticks.verdict is Verdict.OK


def test_an_autoscaler_that_may_not_be_asked_is_unknown(desk: Connect) -> None:
    made = world()
    made.on(SCALERS, 403, fakes.status_object(403, "no"))
    plan = actions.scale.plan(desk(made), {"replicas": 10})
    assert plan.sticks.verdict is Verdict.UNKNOWN


def test_a_quota_without_room_closes_the_gate(desk: Connect) -> None:
    made = world()
    template(made)["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "250m"}}
    quota = {"metadata": {"name": "q"}, "status": {"hard": {"requests.cpu": "2"}, "used": {"requests.cpu": "750m"}}}
    made.on(QUOTAS, 200, {"items": [quota]})
    connected = desk(made)
    assert actions.scale.plan(connected, {"replicas": 8}).sticks.verdict is Verdict.OK
    (short,) = [f for f in actions.scale.plan(connected, {"replicas": 9}).sticks if f.verdict is Verdict.BAD]
    assert "6 more pods need 1.500" in short.observed


@pytest.mark.parametrize("replicas", [0, -1, 51, 3, "10", True], ids=str)
def test_a_number_that_makes_no_sense_is_refused_before_anything_is_sent(desk: Connect, replicas: Any) -> None:
    made = world()
    with pytest.raises(BadParameter):
        actions.scale.plan(desk(made), {"replicas": replicas})
    assert all(asked.method == "GET" for asked in made.asked)


def test_without_an_autoscaler_its_range_cannot_be_raised(desk: Connect) -> None:
    with pytest.raises(NotFound, match="scale-out"):
        actions.autoscaler.plan(desk(world()), {"minimum": 4})


def test_a_feature_that_is_not_there_is_refused_with_the_nearest(desk: Connect) -> None:
    with pytest.raises(NotFound, match="did you mean feature-xyz-enabled"):
        actions.feature_toggle.plan(desk(full()), {"key": "feature-xzy-enabled"})


def test_a_flag_in_an_empty_configmap_is_made_and_its_absence_restored(desk: Connect) -> None:
    made = world()
    connected, before = desk(made), stored(made, CONFIG)
    plan = done(connected, actions.circuit_breaker.plan(connected, {}))
    assert stored(made, CONFIG)["data"] == {"circuit-breaker-enabled": "true"}
    undone(connected, plan)
    assert stored(made, CONFIG) == before


@pytest.mark.parametrize("key", ["", "a b", "../x", "a/b", "x" * 254])
def test_a_key_that_no_configmap_can_have_is_refused(desk: Connect, key: str) -> None:
    with pytest.raises(BadParameter, match="is not a key"):
        actions.circuit_breaker.plan(desk(full()), {"key": key})


def spec(**container: Any) -> dict[str, Any]:
    volumes = [{"name": "v", "configMap": {"name": "flags"}}]
    return {"spec": {"containers": [{"name": "api", **container}], "volumes": volumes}}


@pytest.mark.parametrize(
    ("container", "how"),
    [
        pytest.param({"volumeMounts": [{"name": "v"}]}, Consumed.FILES, id="volume"),
        pytest.param({"volumeMounts": [{"name": "v", "subPath": "k"}]}, Consumed.START, id="one file of a volume"),
        pytest.param({"envFrom": [{"configMapRef": {"name": "flags"}}]}, Consumed.START, id="whole environment"),
        pytest.param(
            {"env": [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "k"}}}]},
            Consumed.START, id="one variable",
        ),
        pytest.param(
            {"env": [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "other"}}}]},
            Consumed.NOWHERE, id="another key",
        ),
        pytest.param({}, Consumed.NOWHERE, id="not at all"),
    ],
)  # fmt: skip
def test_how_a_key_is_read_decides_whether_a_restart_follows(container: Any, how: Consumed) -> None:
    assert consumed(spec(**container), "flags", "k") is how


def test_a_key_in_the_environment_wants_a_restart_and_one_in_files_nothing(desk: Connect) -> None:
    made = full()
    connected = desk(made)
    template(made)["spec"] |= spec(volumeMounts=[{"name": "v"}])["spec"]
    assert actions.reload.plan(connected, {"key": "k"}).changes == ()
    template(made)["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "flags"}}]
    assert actions.reload.plan(connected, {"key": "k"}).changes


def test_a_restart_makes_every_pod_anew_and_says_that_it_has_no_undo(desk: Connect) -> None:
    made = world()
    budget = {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"app": fakes.NAME}}}}
    made.on(BUDGETS, 200, {"items": [{**budget, "status": {"disruptionsAllowed": 1}}]})
    connected = desk(made)
    before = deepcopy(template(made))
    plan = done(connected, actions.restart.plan(connected, {}))
    assert template(made) != before
    assert any("there is no undo" in line for line in plan.summary)
    assert any("the budget b allows 1 disruptions" in line for line in plan.summary)
    with pytest.raises(BadParameter, match="has no undo"):
        undo(connected, plan, plan.hash)


def test_a_restart_planned_twice_is_the_same_until_it_is_done(desk: Connect) -> None:
    connected = desk(world())
    first, again = (actions.restart.plan(connected, {}) for _ in range(2))
    assert first.hash == again.hash
    done(connected, first)
    assert actions.restart.plan(connected, {}).hash != first.hash


def test_a_rollback_to_an_image_that_cannot_be_pulled_would_not_stick(desk: Connect) -> None:
    made = world()
    stuck = fakes.pod("p", waiting="ImagePullBackOff")
    stuck["status"]["containerStatuses"][0]["image"] = "api:2.3.0"
    made.on(fakes.PODS, 200, {"items": [stuck]})
    assert actions.rollback.plan(desk(made), {}).sticks.verdict is Verdict.BAD


def serving_page(made: fakes.Server, *, ready: bool = True) -> fakes.Server:
    page = fakes.pod("maintenance-1", ready=ready)
    page["metadata"]["labels"] = {"app": "maintenance-page"}
    made.on(fakes.PODS, 200, {"items": [page]})
    return made


def test_a_maintenance_page_is_made_and_its_undo_deletes_it(desk: Connect) -> None:
    made = serving_page(world())
    making(made, SERVICES)
    connected = desk(made)
    plan = actions.maintenance.plan(connected, {})
    assert made.writes == []
    done(connected, plan)
    assert stored(made, f"{SERVICES}/front")["spec"]["selector"] == {"app": "maintenance-page"}
    undone(connected, plan)
    assert ("GET", f"{SERVICES}/front") not in made.answers
    assert [asked.method for asked in made.writes] == ["POST", "DELETE"]


def test_a_service_that_is_there_is_pointed_at_the_page_and_back(desk: Connect) -> None:
    made = serving_page(world())
    found = {"kind": "Service", "metadata": {"name": "front"}, "spec": {"selector": {"app": fakes.NAME}, "ports": []}}
    holding(made, f"{SERVICES}/front", found)
    connected, before = desk(made), stored(made, f"{SERVICES}/front")
    plan = done(connected, actions.maintenance.plan(connected, {}))
    assert [(each.path, each.before, each.after) for each in plan.changes] == [
        ("/spec/selector/app", fakes.NAME, "maintenance-page")
    ]
    undone(connected, plan)
    assert stored(made, f"{SERVICES}/front") == before


def test_a_page_that_no_ready_pod_serves_closes_the_gate(desk: Connect) -> None:
    made = serving_page(world(), ready=False)
    making(made, SERVICES)
    assert actions.maintenance.plan(desk(made), {}).sticks.verdict is Verdict.BAD


def test_a_page_that_somebody_made_meanwhile_is_not_made_again(desk: Connect) -> None:
    made = serving_page(world())
    making(made, SERVICES)
    connected = desk(made)
    plan = actions.maintenance.plan(connected, {})
    holding(made, f"{SERVICES}/front", {"kind": "Service", **PAGE})
    with pytest.raises(Conflict, match="there is one now"):
        change.apply(connected, plan, "i.k", [].append)
    assert made.writes == []


def test_undo_leaves_a_page_that_somebody_changed(desk: Connect) -> None:
    made = serving_page(world())
    making(made, SERVICES)
    connected = desk(made)
    plan = done(connected, actions.maintenance.plan(connected, {}))
    made.answers["GET", f"{SERVICES}/front"][1]["spec"]["selector"]["app"] = "other"  # type: ignore[index]
    with pytest.raises(Conflict, match="other"):
        undo(connected, plan, plan.hash)


def doubt(plan: Plan, seconds_ago: float) -> Applied:
    mark = "i.u" if plan.undoes else "i.k"
    return Applied("k", plan, datetime.now(UTC) - timedelta(seconds=seconds_ago), "on-call", mark=mark, version="")


def asked(systems: Systems, plan: Plan, seconds_ago: float = 120) -> str:
    return settle.ask(systems, doubt(plan, seconds_ago), "", datetime.now(UTC)).result


def test_what_became_of_a_page_that_was_to_be_made_can_be_asked(desk: Connect) -> None:
    made = serving_page(world())
    making(made, SERVICES)
    connected = desk(made)
    plan = actions.maintenance.plan(connected, {})
    assert (asked(connected, plan, 5), asked(connected, plan)) == ("unknown", "not done")
    done(connected, plan)
    assert asked(connected, plan) == "done"
    back = undo(connected, plan, "k")
    assert asked(connected, back) == "not done"
    change.apply(connected, back, "i.u", [].append)
    assert asked(connected, back) == "done"


def test_a_page_that_somebody_else_made_is_not_ours(desk: Connect) -> None:
    made = serving_page(world())
    making(made, SERVICES)
    connected = desk(made)
    plan = actions.maintenance.plan(connected, {})
    holding(made, f"{SERVICES}/front", {"kind": "Service", **PAGE})
    assert asked(connected, plan) == "not done"


def test_what_became_of_a_flag_can_be_asked_though_it_has_no_generation(desk: Connect) -> None:
    made = full()
    connected = desk(made)
    plan = actions.circuit_breaker.plan(connected, {})
    assert asked(connected, plan) == "not done"
    made.answers["GET", CONFIG][1]["data"]["circuit-breaker-enabled"] = "maybe"  # type: ignore[index]
    assert asked(connected, plan) == "unknown"


def test_the_last_node_that_takes_pods_is_not_cordoned(desk: Connect) -> None:
    made = full()
    made.on(fakes.NODES, 200, {"items": [stored_node(made), fakes.node("node-2", ready="False")]})
    assert actions.cordon.plan(desk(made), {"node": "node-1"}).sticks.verdict is Verdict.BAD


@pytest.mark.parametrize(
    ("mark", "path", "before", "after"),
    [
        pytest.param(
            {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:x/y"},
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop",
            {"syncPolicy": {"automated": {"selfHeal": True}}}, {"syncPolicy": {}}, id="Argo CD",
        ),
        pytest.param(
            {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
            "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/shop",
            {"interval": "1m"}, {"interval": "1m", "suspend": True}, id="Flux",
        ),
    ],
)  # fmt: skip
def test_a_paused_sync_lets_a_change_stick_and_is_resumed_by_undo(
    desk: Connect, mark: Any, path: str, before: Any, after: Any
) -> None:
    made = world()
    made.answers["GET", fakes.DEPLOYMENT][1]["metadata"]["labels"] = mark  # type: ignore[index]
    holding(made, path, {"metadata": {"name": "shop"}, "spec": before})
    connected = desk(made)
    scale = {"replicas": 5}
    assert actions.scale.plan(connected, scale).sticks.verdict is Verdict.BAD
    plan = done(connected, actions.pause_sync.plan(connected, {}))
    assert stored(made, path)["spec"] == after
    assert actions.scale.plan(connected, scale).sticks.verdict is Verdict.OK
    undone(connected, plan)
    assert stored(made, path)["spec"] == before


def test_nothing_is_paused_where_nobody_owns_it(desk: Connect) -> None:
    with pytest.raises(NotFound, match="no GitOps controller"):
        actions.pause_sync.plan(desk(world()), {})
