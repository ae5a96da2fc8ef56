"""Each probe says OK, BAD and every kind of UNKNOWN; none says OK by mistake."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import fakes
import pytest

from firstwatch import probes
from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import Probe, ask
from firstwatch.systems import Systems
from firstwatch.systems.prometheus import Prometheus

Connect = Callable[[fakes.Server], Systems]

# What each probe asks first, so that a test can break just that.
ASKS = {
    "nodes": (probes.nodes, fakes.NODES),
    "pods": (probes.pods, fakes.PODS),
    "rollouts": (probes.rollouts, fakes.DEPLOYMENT),
    "error-rate": (probes.error_rate, fakes.QUERY),
    "health": (probes.health, fakes.HEALTH),
}
EACH = pytest.mark.parametrize(("probe", "path"), ASKS.values(), ids=ASKS)


EXCEEDED = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]


def look(probe: Probe, systems: Systems) -> Findings:
    return ask(probe, systems, datetime.now(UTC))


@EACH
def test_a_healthy_world_is_ok(systems: Connect, probe: Probe, path: str) -> None:
    assert look(probe, systems(fakes.healthy())).verdict is Verdict.OK


BROKEN = {
    "500": (500, {}),
    "403": (403, fakes.status_object(403, "no")),
    "dropped": (0, b""),
    "html": (200, b"<html>"),
    "null": (200, b"null"),
    "list": (200, b"[]"),
    "empty": (200, {}),
}
# A health check is asked for its status alone: there a 500 is an answer, and any 200 is the right one.
UNREADABLE = [
    pytest.param(probe, path, answer, id=f"{name}-{kind}")
    for name, (probe, path) in ASKS.items()
    for kind, answer in BROKEN.items()
    if name != "health" or kind == "dropped"
]


@pytest.mark.parametrize(("probe", "path", "answer"), UNREADABLE)
def test_what_cannot_be_read_is_unknown_with_the_reason(
    systems: Connect, probe: Probe, path: str, answer: tuple[int, Any]
) -> None:
    world = fakes.healthy()
    world.answers["GET", path] = answer
    found = look(probe, systems(world))
    assert found.verdict is Verdict.UNKNOWN
    assert "could not look" in found[0].observed or "lists no node" in found[0].observed


def test_a_system_that_is_gone_is_unknown_and_named(systems: Connect) -> None:
    world = fakes.healthy()
    with fakes.serving(fakes.Server()) as gone:
        dead = gone.url
    connected = systems(world)
    found = look(probes.error_rate, replace(connected, prometheus=Prometheus(dead, connected.http)))
    assert found.verdict is Verdict.UNKNOWN
    assert dead in found[0].observed


def test_a_node_that_is_not_ready_is_bad_and_named(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.NODES, 200, {"items": [fakes.node(), fakes.node("node-2", ready="Unknown")]})
    found = look(probes.nodes, systems(world))
    assert [(f.verdict, f.object, f.mechanism) for f in found] == [("BAD", "Node//node-2", "node-not-ready")]


@pytest.mark.parametrize(
    ("pod", "mechanism"),
    [
        (fakes.pod("p", waiting="CrashLoopBackOff", restarts=4, ready=False), "crash-loop"),
        (fakes.pod("p", restarts=2, ready=False), "crash-loop"),
        (fakes.pod("p", waiting="ImagePullBackOff", ready=False), "image-pull"),
        (fakes.pod("p", waiting="CreateContainerConfigError", ready=False), "configuration-missing"),
        (fakes.pod("p", ready=False), "not-ready"),
    ],
    ids=["crash loop", "between crashes", "image", "configuration", "not ready"],
)
def test_a_pod_in_trouble_is_bad_and_its_workload_named(systems: Connect, pod: Any, mechanism: str) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 200, {"items": [fakes.pod("fine"), pod]})
    first = look(probes.pods, systems(world))[0]
    assert (first.verdict, first.mechanism) == (Verdict.BAD, mechanism)
    assert first.object == f"Deployment/{fakes.NAMESPACE}/{fakes.NAME}"


def test_no_pods_is_unknown_not_ok(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 200, {"items": []})
    assert look(probes.pods, systems(world)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("change", "verdict", "mechanism"),
    [
        ({"observedGeneration": 1}, Verdict.UNKNOWN, ""),
        ({"updatedReplicas": 1}, Verdict.UNKNOWN, ""),
        ({"updatedReplicas": 1, "availableReplicas": 2}, Verdict.BAD, "rollout-stuck"),
        ({"updatedReplicas": 1, "conditions": EXCEEDED}, Verdict.BAD, "rollout-stuck"),
    ],
    ids=["not seen yet", "under way", "too few", "past its deadline"],
)  # fmt: skip
def test_a_rollout_is_judged_by_generation_and_counts(
    systems: Connect, change: dict[str, Any], verdict: Verdict, mechanism: str
) -> None:
    world = fakes.healthy()
    changed = fakes.deployment("api:2.4.0", 2)
    changed["status"] |= change
    world.on(fakes.DEPLOYMENT, 200, changed)
    found = look(probes.rollouts, systems(world))[0]
    assert (found.verdict, found.mechanism) == (verdict, mechanism)


def test_a_workload_scaled_to_zero_is_bad(systems: Connect) -> None:
    world = fakes.healthy()
    changed = fakes.deployment("api:2.4.0", 2)
    changed["spec"]["replicas"] = 0
    world.on(fakes.DEPLOYMENT, 200, changed)
    assert look(probes.rollouts, systems(world))[0].mechanism == "scaled-to-zero"


@pytest.mark.parametrize(
    ("value", "sampled_ago", "verdict"),
    [(0.0099, 1, Verdict.OK), (0.01, 1, Verdict.BAD), (None, 1, Verdict.UNKNOWN), ("NaN", 1, Verdict.UNKNOWN),
     ("+Inf", 1, Verdict.UNKNOWN), (0.0, 300, Verdict.UNKNOWN), (0.9, 300, Verdict.UNKNOWN)],
    ids=["below", "at the threshold", "no series", "no traffic", "infinite", "old and well", "old and bad"],
)  # fmt: skip
def test_an_error_rate_is_believed_only_when_it_is_a_fresh_number(
    systems: Connect, value: Any, sampled_ago: float, verdict: Verdict
) -> None:
    world = fakes.healthy()
    world.answers["GET", fakes.QUERY] = fakes.rates(value, sampled_ago)
    assert look(probes.error_rate, systems(world)).verdict is verdict


@pytest.mark.parametrize(("says", "verdict"), [("", "OK"), ('"ok"', "OK"), ("all systems go", "UNKNOWN")])
def test_a_page_that_is_not_the_services_own_is_no_health(systems: Connect, says: str, verdict: str) -> None:
    to = systems(fakes.healthy())
    own = to.settings.service.model_copy(update={"health_says": says})
    told = replace(to, settings=to.settings.model_copy(update={"service": own}))
    assert look(probes.health, told).verdict.value == verdict


def test_a_health_check_that_fails_once_of_three_is_bad(systems: Connect) -> None:
    world = fakes.healthy()
    statuses = iter((200, 503, 200))
    world.answers["GET", fakes.HEALTH] = lambda asked: (next(statuses), {})
    found = look(probes.health, systems(world))[0]
    assert (found.verdict, found.observed) == (Verdict.BAD, "answered 200, 503, 200")


DENIED = (403, fakes.status_object(403, "User cannot list"))


def test_what_is_denied_of_a_sweep_is_unknown_and_the_rest_stands(systems: Connect) -> None:
    world = fakes.healthy()
    world.answers["GET", fakes.NODES] = DENIED
    found = probes.sweep(probes.FIRST_FIVE_MINUTES, systems(world), datetime.now(UTC))
    assert {each.probe for each in found if each.verdict is not Verdict.OK} == {"nodes"}
    assert {*ASKS} <= {each.probe for each in found}
    assert "denied: get /api/v1/nodes of cluster test at http://127.0.0.1" in found[0].observed.lower()


def test_a_rollout_whose_revisions_are_denied_is_judged_all_the_same(systems: Connect) -> None:
    world = fakes.healthy()
    world.answers["GET", fakes.REPLICASETS] = DENIED
    world.answers["GET", fakes.DEPLOYMENT][1]["status"]["availableReplicas"] = 1  # type: ignore[index]
    judged, unseen = look(probes.rollouts, systems(world))
    assert (judged.verdict, judged.mechanism, unseen.verdict) == (Verdict.BAD, "not-ready", Verdict.UNKNOWN)
    assert "denied" in unseen.observed.lower()


def test_errors_whose_history_is_denied_are_bad_all_the_same(systems: Connect) -> None:
    world = fakes.failing()
    world.answers["GET", fakes.RANGE] = DENIED
    judged, unseen = look(probes.error_rate, systems(world))
    assert (judged.verdict, judged.since, unseen.verdict) == (Verdict.BAD, None, Verdict.UNKNOWN)


def test_probes_never_write(systems: Connect) -> None:
    world = fakes.failing()
    probes.sweep(probes.FIRST_FIVE_MINUTES, systems(world), datetime.now(UTC))
    assert {asked.method for asked in world.asked} == {"GET"}


def test_a_revision_that_is_released_again_is_as_old_as_its_last_release(systems: Connect) -> None:
    world = fakes.healthy()
    again = fakes.replicaset("api:2.4.0", 2, 3600)
    again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] = "1"
    changed = fakes.deployment("api:2.4.0", 2)
    changed["status"]["conditions"] = [
        {"type": "Progressing", "status": "True", "lastUpdateTime": "2026-11-24T02:03:04Z"}
    ]
    world.on(fakes.REPLICASETS, 200, {"items": [again]})
    world.on(fakes.DEPLOYMENT, 200, changed)
    assert str(look(probes.rollouts, systems(world))[0].since) == "2026-11-24 02:03:04+00:00"


def test_errors_that_began_since_the_last_step_have_an_onset_too(systems: Connect) -> None:
    world = fakes.failing()
    world.on(fakes.RANGE, 200, fakes.matrix([(600 - 5 * i, 0.0) for i in range(120)]))
    found = look(probes.error_rate, systems(world))[0]
    assert found.since is not None
    assert (datetime.now(UTC) - found.since).total_seconds() < 5
