"""What Kubernetes says, judged: pods, nodes, ways in, limits, events and configuration."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import fakes
import pytest

from firstwatch import probes
from firstwatch.model import Findings, Verdict
from firstwatch.probes.limits import quantity
from firstwatch.probes.probe import Probe, ask
from firstwatch.systems import Systems
from firstwatch.systems.snapshot import Snapshot

Connect = Callable[[fakes.Server], Systems]
IN = f"{fakes.NAMESPACE}/"

# Each probe, and what it cannot do without.
READS = {
    "neighbours": (probes.neighbours, fakes.DEPLOYMENTS),
    "services": (probes.services, fakes.SERVICES),
    "endpoints": (probes.services, fakes.SLICES),
    "ingresses": (probes.ingresses, fakes.INGRESSES),
    "events": (probes.events, fakes.EVENTS),
    "autoscalers": (probes.autoscalers, fakes.AUTOSCALERS),
    "quotas": (probes.quotas, fakes.QUOTAS),
    "budgets": (probes.budgets, fakes.BUDGETS),
    "usage": (probes.usage, fakes.METRICS),
    "references": (probes.references, fakes.CONFIGMAPS),
    "settings": (probes.settings, fakes.CONFIGMAPS),
}
BROKEN = {
    "500": (500, {}), "403": (403, fakes.status_object(403, "no")), "absent": (404, fakes.status_object(404, "no")),
    "dropped": (0, b""), "html": (200, b"<html>"), "null": (200, b"null"), "no items": (200, {}),
    "odd items": (200, {"items": [{"metadata": {"name": "x"}, "spec": []}]}),
}  # fmt: skip


def look(probe: Probe, systems: Systems) -> Findings:
    return ask(probe, systems, datetime.now(UTC))


def said(found: Findings) -> list[tuple[str, str, str]]:
    return [(each.verdict.value, each.mechanism, each.object) for each in found]


@pytest.mark.parametrize("probe", [each for each, _ in READS.values()], ids=READS)
def test_in_a_healthy_world_it_is_ok(systems: Connect, probe: Probe) -> None:
    found = look(probe, systems(fakes.healthy()))
    assert found.verdict is Verdict.OK, found


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(("probe", "path"), READS.values(), ids=READS)
def test_what_cannot_be_read_is_unknown(systems: Connect, probe: Probe, path: str, answer: Any) -> None:
    world = fakes.healthy()
    world.answers["GET", path] = answer
    found = look(probe, systems(world))
    assert said(found)[0][:2] == ("UNKNOWN", "blind")
    assert "could not look" in found[0].observed


@pytest.mark.parametrize(
    ("probe", "path"),
    [(probes.services, fakes.SERVICES), (probes.references, fakes.DEPLOYMENTS), (probes.usage, fakes.METRICS)],
    ids=["services", "references", "usage"],
)
def test_an_empty_list_where_there_must_be_something_is_unknown(systems: Connect, probe: Probe, path: str) -> None:
    world = fakes.healthy()
    world.on(path, 200, {"items": []})
    assert look(probe, systems(world)).verdict is Verdict.UNKNOWN


# Pods.


def ended(reason: str = "Error", code: int = 1, ran_s: float = 300, ago_s: float = 60) -> dict[str, Any]:
    times = {"startedAt": fakes.ago(ago_s + ran_s), "finishedAt": fakes.ago(ago_s)}
    return {"terminated": {"reason": reason, "exitCode": code, **times}}


def troubled(world: fakes.Server, **status: Any) -> None:
    """Let the first pod's container be as *status* says."""
    pods = deepcopy(world.answers["GET", fakes.PODS][1]["items"])  # type: ignore[index]
    pods[0]["status"]["containerStatuses"][0] |= status
    world.on(fakes.PODS, 200, {"items": pods})


@pytest.mark.parametrize(
    ("status", "mechanism"),
    [
        ({"ready": False, "restartCount": 3, "lastState": ended("OOMKilled", 137, ran_s=5)}, "memory-limit"),
        ({"ready": False, "restartCount": 3, "lastState": ended("OOMKilled", 137, ran_s=900)}, "out-of-memory"),
        ({"restartCount": 1, "lastState": ended("OOMKilled", 137, ran_s=900)}, "out-of-memory"),
    ],
    ids=["at once", "after a while", "and runs again"],
)
def test_a_container_that_was_out_of_memory_of_late_is_bad(systems: Connect, status: Any, mechanism: str) -> None:
    world = fakes.healthy()
    troubled(world, **status)
    first = look(probes.pods, systems(world))[0]
    assert (first.mechanism, "137 (OOMKilled)" in first.observed) == (mechanism, True)


def test_a_restart_of_yesterday_is_told_and_is_ok(systems: Connect) -> None:
    world = fakes.healthy()
    troubled(world, restartCount=2, lastState=ended("OOMKilled", 137, ago_s=86400))
    found = look(probes.pods, systems(world))[0]
    assert found.verdict is Verdict.OK
    assert "2 restarts, the last at" in found.observed


def test_an_init_container_that_fails_is_bad_and_named(systems: Connect) -> None:
    world = fakes.healthy()
    pods = deepcopy(world.answers["GET", fakes.PODS][1]["items"])  # type: ignore[index]
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    pods[0]["status"] |= {
        "phase": "Pending",
        "initContainerStatuses": [{"name": "migrate", "ready": False, "state": state, "lastState": ended(code=2)}],
    }
    world.on(fakes.PODS, 200, {"items": pods})
    first = look(probes.pods, systems(world))[0]
    assert (first.mechanism, "container migrate CrashLoopBackOff, last exit code 2" in first.observed) == (
        "crash-loop",
        True,
    )


def unready(world: fakes.Server, message: str, since_s: float = 120, **probe: Any) -> None:
    """Let the first pod be not ready since *since_s*, with *message* from its kubelet."""
    pod = fakes.pod("p-1", ready=False)
    pod["status"]["conditions"][0]["lastTransitionTime"] = fakes.ago(since_s)
    pod["spec"] = deepcopy(pod["spec"])
    pod["spec"]["containers"][0] |= probe
    world.on(fakes.PODS, 200, {"items": [fakes.pod("p-0"), pod]})
    world.on(fakes.EVENTS, 200, {"items": [fakes.event("Unhealthy", message, about="p-1")]})


@pytest.mark.parametrize(
    ("message", "mechanism"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "readiness-probe-wrong"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", "not-ready"),
        ("Container image is there", "not-ready"),
    ],
    ids=["no such page", "it says no", "nothing to complain of"],
)
def test_of_a_pod_that_is_starting_nothing_is_known_yet_and_what_it_says_is_kept(
    systems: Connect, message: str, mechanism: str
) -> None:
    world = fakes.healthy()
    unready(world, message, since_s=5)
    found = look(probes.pods, systems(world))
    assert said(found) == [("UNKNOWN", mechanism, f"Deployment/{IN}{fakes.NAME}")]
    assert found[0].observed.startswith("1 of 2 pods are starting")


@pytest.mark.parametrize(
    ("message", "port", "mechanism"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", 8080, "readiness-probe-wrong"),
        ("Readiness probe failed: dial tcp 10.0.0.1:9090: connect: connection refused", 9090, "readiness-probe-wrong"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", 8080, "not-ready"),
        ("Readiness probe failed: dial tcp 10.0.0.1:8080: connect: connection refused", "http", "not-ready"),
    ],
    ids=["no such page", "no such port", "it says no", "it does not listen"],
)
def test_a_readiness_probe_is_told_from_a_program_that_is_not_ready(
    systems: Connect, message: str, port: Any, mechanism: str
) -> None:
    world = fakes.healthy()
    unready(world, message, readinessProbe={"httpGet": {"path": "/ready", "port": port}})
    first = look(probes.pods, systems(world))[0]
    assert (first.mechanism, message in first.observed, first.since is not None) == (mechanism, True, True)


def test_a_pod_that_has_just_begun_is_unknown(systems: Connect) -> None:
    world = fakes.healthy()
    unready(world, "Readiness probe failed: connection refused", since_s=5)
    assert look(probes.pods, systems(world)).verdict is Verdict.UNKNOWN


def test_a_container_that_its_liveness_probe_kills_is_told_from_one_that_ends_by_itself(systems: Connect) -> None:
    world = fakes.healthy()
    unready(world, "Liveness probe failed: context deadline exceeded", livenessProbe={"httpGet": {"port": 8080}})
    pods = world.answers["GET", fakes.PODS][1]["items"]  # type: ignore[index]
    pods[1]["status"]["containerStatuses"][0] |= {"restartCount": 4, "lastState": ended("Completed", 0)}
    assert look(probes.pods, systems(world))[0].mechanism == "liveness-probe-wrong"


def test_a_pod_that_no_node_takes_tells_what_the_scheduler_said(systems: Connect) -> None:
    world = fakes.healthy()
    pod = fakes.pod("p-1", ready=False)
    pod["status"] |= {
        "phase": "Pending", "containerStatuses": [],
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: insufficient cpu"}],
    }  # fmt: skip
    world.on(fakes.PODS, 200, {"items": [pod]})
    first = look(probes.pods, systems(world))[0]
    assert (first.mechanism, "insufficient cpu" in first.observed) == ("not-scheduled", True)


@pytest.mark.parametrize(
    ("reason", "message", "age_s", "mechanism"),
    [
        ("FailedMount", 'secret "api-tls" not found', 5, "configuration-missing"),
        ("FailedMount", "MountVolume.SetUp failed: references non-existent config key: x", 5, "configuration-missing"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "data": mount failed: exit 32', 60, "volume-unavailable"),
        ("FailedMount", "Unable to attach or mount volumes: timed out waiting", 60, "volume-unavailable"),
        ("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1"', 60, "volume-unavailable"),
        ("FailedAttachVolume", "AttachVolume.Attach failed for volume", 60, "volume-unavailable"),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: no IP address is left", 60, "sandbox-failed"),
        ("FailedMount", "MountVolume.SetUp failed: failed to sync configmap cache: timed out", 5, ""),
        ("FailedKillPod", "anything else", 60, ""),
        ("FailedKillPod", "anything else", 300, "not-ready"),
    ],
)
def test_what_keeps_a_pod_from_being_set_up_is_named(
    systems: Connect, reason: str, message: str, age_s: float, mechanism: str
) -> None:
    world = fakes.healthy()
    pod = fakes.pod("p-1", ready=False)
    pod["metadata"]["creationTimestamp"] = fakes.ago(age_s)
    pod["status"] |= {"phase": "Pending", "containerStatuses": []}
    world.on(fakes.PODS, 200, {"items": [fakes.pod("p-0"), pod]})
    world.on(fakes.EVENTS, 200, {"items": [fakes.event(reason, message, about="p-1")]})
    assert [each[1] for each in said(look(probes.pods, systems(world))) if each[0] == "BAD"] == [mechanism][
        : bool(mechanism)
    ]


def test_a_volume_that_came_late_is_no_trouble_while_the_image_is_pulled(systems: Connect) -> None:
    world = fakes.healthy()
    pod = fakes.pod("p-1", ready=False)
    pod["metadata"]["creationTimestamp"] = fakes.ago(60)
    pod["status"] |= {"phase": "Pending", "containerStatuses": []}
    world.on(fakes.PODS, 200, {"items": [fakes.pod("p-0"), pod]})
    late = fakes.event("FailedMount", "MountVolume.SetUp failed: timed out", about="p-1")
    world.on(fakes.EVENTS, 200, {"items": [late, fakes.event("Pulling", "Pulling image", about="p-1")]})
    assert [each for each in said(look(probes.pods, systems(world))) if each[0] == "BAD"] == []


# Rollouts.


def test_a_revision_tells_what_it_changed(systems: Connect) -> None:
    world = fakes.healthy()
    old, new = fakes.replicaset("api:2.3.0", 1, 7200), fakes.replicaset("api:2.4.0", 2, 60)
    container = new["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [
        {"name": "RATES_URL", "value": "http://rates:9"},
        {"name": "API_TOKEN", "value": "s3cr3t-v4lue"},
    ]
    container["resources"] = {"limits": {"memory": "32Mi"}}
    world.on(fakes.REPLICASETS, 200, {"items": [old, new]})
    found = look(probes.rollouts, systems(world))[0]
    assert found.touched == ("image", "env API_TOKEN", "env RATES_URL", "limits")
    assert "image api:2.3.0 → api:2.4.0" in found.observed
    assert "env RATES_URL (absent) → http://rates:9" in found.observed
    assert "s3cr3t" not in found.observed


def test_a_rollout_that_takes_one_of_four_away_is_under_way_not_bad(systems: Connect) -> None:
    world = fakes.healthy()
    changed = fakes.deployment("api:2.4.0", 2)
    changed["spec"]["replicas"] = 4
    changed["status"] |= {"replicas": 5, "updatedReplicas": 2, "availableReplicas": 3}
    world.on(fakes.DEPLOYMENT, 200, changed)
    assert look(probes.rollouts, systems(world)).verdict is Verdict.UNKNOWN


def test_another_workload_that_is_short_of_pods_is_bad_and_one_that_is_switched_off_is_not(systems: Connect) -> None:
    world = fakes.healthy()
    short, off = fakes.deployment("rates:1", 1), fakes.deployment("batch:1", 1)
    short["metadata"] |= {"name": "rates", "uid": "d-2"}
    short["status"]["availableReplicas"] = 0
    off["metadata"] |= {"name": "batch", "uid": "d-3"}
    off["spec"]["replicas"] = 0
    world.on(fakes.DEPLOYMENTS, 200, {"items": [short, off, fakes.deployment("api:2.4.0", 2)]})
    found = look(probes.neighbours, systems(world))
    assert said(found) == [("OK", "", f"Deployment/{IN}batch"), ("BAD", "not-ready", f"Deployment/{IN}rates")]


# The ways in.


@pytest.mark.parametrize(
    ("service", "ready", "mechanism"),
    [
        (fakes.service(app="api-renamed"), 0, "selector-matches-nothing"),
        (fakes.service(target=9090), 3, "target-port-mismatch"),
        (fakes.service(target="web"), 3, "target-port-mismatch"),
        (fakes.service(), 0, "no-endpoints"),
    ],
    ids=["selector", "port", "port's name", "none ready"],
)
def test_a_service_that_contradicts_its_pods_is_bad(
    systems: Connect, service: Any, ready: int, mechanism: str
) -> None:  # fmt: skip
    world = fakes.healthy()
    world.on(fakes.SERVICES, 200, {"items": [service]})
    world.on(fakes.SLICES, 200, {"items": [fakes.endpoints(ready)]})
    assert said(look(probes.services, systems(world))) == [("BAD", mechanism, f"Service/{IN}{fakes.NAME}")]


def test_a_selector_that_takes_strangers_in_is_bad_and_names_them(systems: Connect) -> None:
    world = fakes.healthy()
    stranger = fakes.pod("batch-1")
    stranger["metadata"]["labels"] = {"app": "batch", "tier": "web"}
    own = fakes.pod("p")
    own["metadata"]["labels"]["tier"] = "web"
    world.on(fakes.PODS, 200, {"items": [own, stranger]})
    world.on(fakes.SERVICES, 200, {"items": [fakes.service(tier="web")]})
    found = look(probes.services, systems(world))
    assert said(found) == [("BAD", "selector-too-broad", f"Service/{IN}{fakes.NAME}")]


def test_a_service_of_a_workload_without_pods_has_no_wrong_selector(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 200, {"items": []})
    world.on(fakes.SLICES, 200, {"items": [fakes.endpoints(0)]})
    assert look(probes.services, systems(world))[0].mechanism == "no-endpoints"


def test_a_workload_that_is_not_there_is_bad_and_its_service_is_not_blamed_for_it(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.DEPLOYMENT, 404, {"kind": "Status", "message": "deployments.apps not found"})
    for path in (fakes.DEPLOYMENTS, fakes.PODS):
        world.on(path, 200, {"items": []})
    world.on(fakes.SLICES, 200, {"items": [fakes.endpoints(0)]})
    assert said(look(probes.rollouts, systems(world))) == [("BAD", "workload-missing", f"Deployment/{IN}{fakes.NAME}")]
    assert said(look(probes.services, systems(world))) == [("BAD", "no-endpoints", f"Service/{IN}{fakes.NAME}")]


def test_where_no_service_leads_to_the_workload_that_is_said(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.SERVICES, 200, {"items": [fakes.service("rates", app="rates")]})
    found, other = look(probes.services, systems(world))
    assert other.mechanism == "selector-matches-nothing", "what is wrong with another is not hidden by it"
    assert (found.verdict, found.mechanism, found.object) == ("BAD", "service-missing", f"Service/{IN}{fakes.NAME}")
    assert "which are app=" in found.observed


def test_a_service_of_another_name_may_lead_to_the_workload(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.SERVICES, 200, {"items": [fakes.service("front")]})
    world.on(fakes.SLICES, 200, {"items": [fakes.endpoints(2)]})
    assert look(probes.services, systems(world))[0].mechanism != "service-missing"


def ingress(service: str = fakes.NAME, **port: Any) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": port or {"number": 80}}}
    rule = {"host": "api.example", "http": {"paths": [{"path": "/", "backend": backend}]}}
    return {"metadata": {"name": "front"}, "spec": {"rules": [rule]}}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(ingress(), "OK"), (ingress(name="http"), "OK"), (ingress("gone"), "BAD"), (ingress(number=8080), "BAD")],
    ids=["number", "name", "no service", "no port"],
)
def test_an_ingress_must_lead_to_a_port_that_is_there(systems: Connect, found: Any, verdict: str) -> None:
    world = fakes.healthy()
    world.on(fakes.INGRESSES, 200, {"items": [found]})
    assert look(probes.ingresses, systems(world)).verdict == verdict


# Events, limits, configuration.

QUOTA = 'pods "x" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=3, limited: pods=3'


def short_of_pods(world: fakes.Server, running: int) -> None:
    newest = fakes.replicaset("api:2.4.0", 2, 60)
    newest["spec"]["replicas"], newest["status"] = 3, {"replicas": running}
    world.on(fakes.REPLICASETS, 200, {"items": [newest]})


@pytest.mark.parametrize(
    ("message", "mechanism", "about"),
    [
        (QUOTA, "quota-exceeded", f"ResourceQuota/{IN}compute"),
        ("admission webhook denied the request", "admission-refused", f"Deployment/{IN}{fakes.NAME}"),
    ],
    ids=["quota", "webhook"],
)
def test_a_refusal_is_bad_while_pods_are_missing(systems: Connect, message: str, mechanism: str, about: str) -> None:
    world = fakes.healthy()
    world.on(fakes.EVENTS, 200, {"items": [fakes.event("FailedCreate", message, about=f"{fakes.NAME}-h2")]})
    short_of_pods(world, 2)
    assert said(look(probes.events, systems(world))) == [("BAD", mechanism, about)]
    short_of_pods(world, 3)
    assert look(probes.events, systems(world)).verdict is Verdict.OK


def test_warnings_that_keep_nothing_from_running_are_counted_and_ok(systems: Connect) -> None:
    world = fakes.healthy()
    told = [fakes.event("BackOff", "x", about="p", count=7), fakes.event("Old", "x", about="p", seconds_ago=9999)]
    world.on(fakes.EVENTS, 200, {"items": told})
    found = look(probes.events, systems(world))[0]
    assert (found.verdict, found.observed) == (Verdict.OK, "in 15 minutes: BackOff 7 times")


def autoscaler(kind: str, status: str, reason: str) -> dict[str, Any]:
    told = {"type": kind, "status": status, "reason": reason, "message": "m", "lastTransitionTime": fakes.ago(60)}
    return {
        "metadata": {"name": "api"}, "spec": {"minReplicas": 2, "maxReplicas": 3},
        "status": {"currentReplicas": 3, "conditions": [told]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "mechanism"),
    [
        (autoscaler("ScalingActive", "False", "FailedGetResourceMetric"), "autoscaler-blind"),
        (autoscaler("ScalingActive", "False", "ScalingDisabled"), "scaled-to-zero"),
        (autoscaler("ScalingLimited", "True", "TooManyReplicas"), "autoscaler-at-maximum"),
        (autoscaler("ScalingLimited", "True", "TooFewReplicas"), ""),
    ],
    ids=["blind", "off", "at its maximum", "at its minimum"],
)
def test_an_autoscaler_is_judged_by_its_own_conditions(systems: Connect, found: Any, mechanism: str) -> None:
    world = fakes.healthy()
    world.on(fakes.AUTOSCALERS, 200, {"items": [found]})
    assert look(probes.autoscalers, systems(world))[0].mechanism == mechanism


def test_a_quota_that_is_used_up_is_bad_only_while_a_workload_is_short_of_pods(systems: Connect) -> None:
    world = fakes.healthy()
    status = {"hard": {"pods": "3", "limits.cpu": "1"}, "used": {"pods": "3", "limits.cpu": "250m"}}
    world.on(fakes.QUOTAS, 200, {"items": [{"metadata": {"name": "compute"}, "status": status}]})
    short_of_pods(world, 3)
    assert look(probes.quotas, systems(world)).verdict is Verdict.OK
    short_of_pods(world, 2)
    found = look(probes.quotas, systems(world))
    assert said(found) == [("BAD", "quota-exceeded", f"ResourceQuota/{IN}compute")]
    assert "pods 3 of 3" in found[0].observed


def test_a_budget_that_allows_nothing_is_bad_only_while_a_node_is_emptied(systems: Connect) -> None:
    world = fakes.healthy()
    budget = {
        "metadata": {"name": "api"}, "spec": {"selector": {"matchLabels": {"app": fakes.NAME}}},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 3, "desiredHealthy": 3},
    }  # fmt: skip
    world.on(fakes.BUDGETS, 200, {"items": [budget]})
    pods = deepcopy(world.answers["GET", fakes.PODS][1]["items"])  # type: ignore[index]
    for each in pods:
        each["spec"]["nodeName"] = "node-1"
    world.on(fakes.PODS, 200, {"items": pods})
    assert look(probes.budgets, systems(world)).verdict is Verdict.OK
    world.on(fakes.NODES, 200, {"items": [fakes.node() | {"spec": {"unschedulable": True}}]})
    found = look(probes.budgets, systems(world))
    assert said(found) == [("BAD", "disruption-blocked", f"PodDisruptionBudget/{IN}api")]
    assert "closed to new pods: node-1" in look(probes.nodes, systems(world))[0].observed


@pytest.mark.parametrize(
    ("cpu", "memory", "mechanism"),
    [("95m", "1Mi", "cpu-saturated"), ("1m", "60Mi", "memory-near-limit"), ("80m", "50Mi", "")],
    ids=["cpu", "memory", "below"],
)
def test_use_is_held_against_the_limits(systems: Connect, cpu: str, memory: str, mechanism: str) -> None:
    world = fakes.healthy()
    pod = fakes.pod("p")
    pod["spec"] = deepcopy(pod["spec"])
    pod["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "100m", "memory": "64Mi"}}
    world.on(fakes.PODS, 200, {"items": [pod]})
    world.on(fakes.METRICS, 200, {"items": [fakes.metrics("p", cpu, memory)]})
    assert look(probes.usage, systems(world))[0].mechanism == mechanism


@pytest.mark.parametrize(
    ("text", "amount"), [("250m", 0.25), ("1", 1), ("64Mi", 67108864), ("1k", 1000), ("12345678n", 0.012345678)]
)
def test_a_quantity_is_read_as_kubernetes_writes_it(text: str, amount: float) -> None:
    assert float(quantity(text)) == amount


@pytest.mark.parametrize("text", ["", "Mi", "1X", "1.2.3"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        quantity(text)


def test_pressure_on_a_node_is_bad_although_it_is_ready(systems: Connect) -> None:
    world = fakes.healthy()
    node = fakes.node()
    node["status"]["conditions"].append({"type": "DiskPressure", "status": "True", "message": "low on disk"})
    world.on(fakes.NODES, 200, {"items": [node]})
    assert said(look(probes.nodes, systems(world))) == [("BAD", "disk-full", "Node//node-1")]


def reading(world: fakes.Server, **container: Any) -> None:
    changed = fakes.deployment("api:2.4.0", 2)
    changed["spec"]["template"]["spec"]["containers"][0] |= container
    world.on(fakes.DEPLOYMENTS, 200, {"items": [changed]})


def variable(**reference: Any) -> dict[str, Any]:
    return {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": reference}}]}


@pytest.mark.parametrize(
    ("container", "verdict"),
    [
        (variable(name=fakes.CONFIG, key="feature-xyz-enabled"), "OK"),
        (variable(name=fakes.CONFIG, key="gone"), "BAD"),
        (variable(name="gone", key="x"), "BAD"),
        (variable(name="gone", key="x", optional=True), "OK"),
        ({"envFrom": [{"configMapRef": {"name": "gone"}}]}, "BAD"),
    ],
    ids=["there", "no key", "no map", "optional", "whole map"],
)
def test_configuration_that_is_read_must_be_there(systems: Connect, container: Any, verdict: str) -> None:
    world = fakes.healthy()
    reading(world, **container)
    assert look(probes.references, systems(world)).verdict == verdict


def test_the_last_write_of_the_settings_is_told(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.CONFIGMAPS, 200, {"items": [fakes.configmap(60)]})
    found = look(probes.settings, systems(world))[0]
    assert (found.object, found.observed) == (f"ConfigMap/{IN}{fakes.CONFIG}", "1 keys, last written by kubectl-edit")
    assert found.since is not None
    assert 55 < (datetime.now(UTC) - found.since).total_seconds() < 70


@pytest.mark.parametrize(("made_s", "touched"), [(60, ("made",)), (3600, ())], ids=["as it was made", "written since"])
def test_a_setting_that_nobody_wrote_since_it_was_made_says_so(
    systems: Connect, made_s: float, touched: tuple[str, ...]
) -> None:
    world, written = fakes.healthy(), fakes.configmap(60)
    told = written["metadata"]["managedFields"][0]["time"]
    written["metadata"]["creationTimestamp"] = told if made_s == 60 else fakes.ago(made_s)
    world.on(fakes.CONFIGMAPS, 200, {"items": [written]})
    assert look(probes.settings, systems(world))[0].touched == touched


@pytest.mark.parametrize(("number", "touched"), [(1, ("made",)), (7, ())], ids=["the first", "its history is gone"])
def test_a_first_revision_says_that_it_was_made(systems: Connect, number: int, touched: tuple[str, ...]) -> None:
    world = fakes.healthy()
    world.on(fakes.REPLICASETS, 200, {"items": [fakes.replicaset("api:2.4.0", number, 60)]})
    assert look(probes.rollouts, systems(world))[0].touched == touched


def test_a_sweep_asks_each_question_once(systems: Connect) -> None:
    world = fakes.healthy()
    together = (probes.pods, probes.services, probes.usage, probes.references, probes.neighbours, probes.events)
    probes.sweep(together, systems(world), datetime.now(UTC))
    paths = [each.path for each in world.asked]
    assert len(paths) == len(set(paths)) >= 7


def test_an_error_is_shared_as_an_answer_is(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 403, fakes.status_object(403, "no"))
    shared = Snapshot.of(systems(world).cluster)
    for _ in range(2):
        with pytest.raises(Exception, match="403"):
            shared.list("Pod", fakes.NAMESPACE)
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    ("told", "fewer"),
    [
        ([("down", "h2", 3, 1, 30)], True),
        ([("down", "h2", 3, 1, 60), ("up", "h2", 1, 3, 30)], False),
        ([("up", "h2", 1, 3, 60), ("down", "h2", 3, 2, 30)], True),
        ([("down", "h1", 3, 0, 30)], False),
        ([("down", "h2", 3, 0, 5000)], False),
        ([], False),
    ],
    ids=["scaled down", "and up again", "down again", "the old revision's pods", "before it was released", "never"],
)
def test_a_scaling_down_of_the_newest_revision_is_seen(
    systems: Connect, told: list[tuple[str, str, int, int, float]], fewer: bool
) -> None:
    world = fakes.healthy()
    items = [
        fakes.event("ScalingReplicaSet", f"Scaled {way} replica set {fakes.NAME}-{of} from {old} to {new}",
                    about=fakes.NAME, seconds_ago=ago_s) | {"type": "Normal"}
        for way, of, old, new, ago_s in told
    ]  # fmt: skip
    world.on(fakes.EVENTS, 200, {"items": items})
    found = look(probes.scaling, systems(world))[0]
    assert (found.verdict, found.touched) == (Verdict.OK, ("fewer replicas",) if fewer else ())
    assert (found.since is not None) == fewer


def test_without_events_nobody_knows_of_a_scaling_down(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.EVENTS, 403, fakes.status_object(403, "no"))
    assert said(look(probes.scaling, systems(world)))[0][:2] == ("UNKNOWN", "blind")
