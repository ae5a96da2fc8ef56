"""What a pod says of itself, by what became of its containers."""

from datetime import UTC, datetime, timedelta

import pytest

from gameday.kubelet import status
from gameday.kubelet.status import Container, Place, Running, Terminated, Waiting

THEN = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
NOW = THEN + timedelta(minutes=5)
PLACE = Place("10.244.1.2", "127.0.0.1", THEN)
FAILED, DONE = Terminated(1, "Error", THEN, NOW), Terminated(0, "Completed", THEN, NOW)
CREATING, BACK_OFF, RUNS = Waiting(), Waiting("CrashLoopBackOff"), Running(THEN)


def containers(*states: status.State, last: Terminated | None = None) -> list[Container]:
    return [Container(f"c{number}", "busybox:1.36", each, last) for number, each in enumerate(states)]


def told(item=None, inits=(), mains=(), policy="Always") -> dict:
    pod = {"metadata": {}, "spec": {"restartPolicy": policy}} | (item or {})
    return status.of(pod, inits, mains, PLACE, NOW)


def condition(made: dict, kind: str) -> dict:
    return next(each for each in made["conditions"] if each["type"] == kind)


@pytest.mark.parametrize(
    ("policy", "inits", "mains", "phase"),
    [
        ("Always", [], [CREATING], "Pending"),
        ("Always", [], [RUNS, CREATING], "Pending"),
        ("Always", [], [RUNS, RUNS], "Running"),
        ("Always", [], [FAILED], "Running"),
        ("Always", [], [DONE], "Running"),
        ("OnFailure", [], [FAILED], "Running"),
        ("OnFailure", [], [DONE, FAILED], "Running"),
        ("OnFailure", [], [DONE], "Succeeded"),
        ("Never", [], [DONE, DONE], "Succeeded"),
        ("Never", [], [DONE, FAILED], "Failed"),
        ("Never", [], [RUNS, FAILED], "Running"),
        ("Always", [RUNS], [CREATING], "Pending"),
        ("Always", [FAILED], [CREATING], "Pending"),
        ("OnFailure", [FAILED], [CREATING], "Pending"),
        ("Never", [FAILED], [CREATING], "Failed"),
        ("Never", [DONE], [RUNS], "Running"),
    ],
)
def test_the_phase_follows_from_policy_and_containers(policy, inits, mains, phase) -> None:
    assert status.phase(policy, containers(*inits), containers(*mains)) == phase


def test_what_waits_to_be_restarted_has_run_and_is_not_pending() -> None:
    assert status.phase("Always", [], containers(BACK_OFF, last=FAILED)) == "Running"


def test_one_container_that_is_not_ready_makes_the_pod_unready_and_is_named() -> None:
    ready, slow = Container("api", "x", RUNS, ready=True), Container("slow", "x", RUNS)
    unready = condition(told(mains=[ready, slow]), "Ready")
    assert (unready["status"], unready["reason"]) == ("False", "ContainersNotReady")
    assert unready["message"] == "containers with unready status: [slow]"
    assert condition(told(mains=[ready]), "Ready")["status"] == "True"


def test_a_pod_that_ended_is_unready_for_that_reason() -> None:
    assert condition(told(mains=containers(DONE), policy="Never"), "Ready")["reason"] == "PodCompleted"
    assert condition(told(mains=containers(FAILED), policy="Never"), "Ready")["reason"] == "PodFailed"


def test_init_containers_that_have_not_succeeded_are_named() -> None:
    made = condition(told(inits=containers(DONE, RUNS), mains=containers(CREATING)), "Initialized")
    assert (made["status"], made["message"]) == ("False", "containers with incomplete status: [c1]")
    assert condition(told(inits=containers(DONE), mains=containers(RUNS)), "Initialized")["status"] == "True"


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    before = {"lastTransitionTime": "2026-11-24T12:00:00Z"}
    conditions = [{"type": "Ready", "status": "False"} | before, {"type": "Initialized", "status": "True"} | before]
    item = {"status": {"conditions": [*conditions, {"type": "example.com/own", "status": "True"}]}}
    made = told(item, mains=[Container("api", "x", RUNS, ready=True)])
    assert condition(made, "Ready")["lastTransitionTime"] == "2026-11-24T15:35:00Z"
    assert condition(made, "Initialized")["lastTransitionTime"] == "2026-11-24T12:00:00Z"
    assert condition(made, "example.com/own")["status"] == "True"


def test_what_ran_under_an_earlier_kubelet_counts_as_killed() -> None:
    told = {"name": "api", "image": "x", "restartCount": 2, "state": {"running": {"startedAt": "2026-11-24T15:30:00Z"}}}
    found = status.restored(told, NOW)
    assert isinstance(found.state, Terminated)
    assert (found.state.exit_code, found.state.reason, found.state.started) == (137, "ContainerStatusUnknown", THEN)
    assert (found.restarts, found.ready) == (2, False)


@pytest.mark.parametrize("state", [DONE, BACK_OFF, Waiting("ImagePullBackOff", "not found")])
def test_what_had_ended_or_waited_is_restored_as_it_was_told(state) -> None:
    (container,) = told(mains=containers(state, last=FAILED))["containerStatuses"]
    found = status.restored(container, NOW)
    assert (found.state, found.last) == (state, FAILED)
