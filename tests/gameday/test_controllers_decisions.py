"""What the controllers decide from counts, templates, labels and times, without asking anybody."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from firstwatch.errors import BadParameter
from firstwatch.systems import quantity
from gameday import labels, scheduler, timestamps
from gameday.controllers import pods, progress, revision, rollout
from gameday.controllers.rollout import Limits, Size

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)


# --- how far a rollout may go


def rolling(surge, unavailable, replicas=10) -> Limits:
    strategy = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return rollout.limits({"replicas": replicas, "strategy": strategy})


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "allowed"),
    [
        ("25%", "25%", 10, (10, 3, 2)),
        ("25%", "25%", 1, (1, 1, 0)),
        ("25%", "25%", 3, (3, 1, 0)),
        (1, 0, 3, (3, 1, 0)),
        (0, 0, 3, (3, 0, 1)),
        ("0%", "1%", 3, (3, 0, 1)),
        (0, "100%", 4, (4, 0, 4)),
        (2, 9, 4, (4, 2, 4)),
        ("25%", "25%", 0, (0, 0, 0)),
    ],
)
def test_a_surge_is_rounded_up_and_what_may_be_unavailable_down(surge, unavailable, replicas, allowed) -> None:
    assert rolling(surge, unavailable, replicas) == Limits(*allowed)


def test_a_recreate_may_lose_all_and_add_none() -> None:
    assert rollout.limits({"replicas": 3, "strategy": {"type": "Recreate"}}) == Limits(3, 0, 0)


@pytest.mark.parametrize(
    ("new", "old", "allowed", "wanted"),
    [
        (0, 3, Limits(3, 1, 0), 1),
        (1, 3, Limits(3, 1, 0), 1),
        (1, 2, Limits(3, 1, 0), 2),
        (0, 10, Limits(10, 3, 2), 3),
        (2, 0, Limits(3, 9, 0), 3),
        (5, 0, Limits(3, 1, 0), 3),
        (1, 9, Limits(3, 1, 0), 1),
    ],
)
def test_the_new_set_grows_into_the_room_that_there_is(new, old, allowed, wanted) -> None:
    fresh = Size("new", new, new)
    assert rollout.grown(fresh, [Size("old", old, old), fresh], allowed) == wanted


@pytest.mark.parametrize(
    ("old", "new", "allowed", "kept"),
    [
        ([(3, 3)], (1, 0), Limits(3, 1, 0), {}),
        ([(3, 3)], (1, 1), Limits(3, 1, 0), {"old-0": 2}),
        ([(3, 3)], (0, 0), Limits(3, 0, 1), {"old-0": 2}),
        ([(3, 1)], (1, 0), Limits(3, 1, 1), {"old-0": 2}),
        ([(1, 0), (3, 3)], (0, 0), Limits(3, 1, 0), {"old-0": 0}),
        ([(2, 2), (3, 3)], (0, 0), Limits(3, 0, 0), {"old-0": 0}),
        ([(1, 1)], (3, 3), Limits(3, 1, 0), {"old-0": 0}),
    ],
)
def test_old_sets_lose_the_unavailable_first_and_never_what_must_stay(old, new, allowed, kept) -> None:
    sizes = [Size(f"old-{number}", *each) for number, each in enumerate(old)]
    assert rollout.shrunk(sizes, Size("new", *new), allowed) == kept


def test_a_new_count_during_a_rollout_is_shared_out_in_proportion() -> None:
    sizes = [Size("old", 8, 8, 10, 13), Size("new", 4, 2, 10, 13)]
    assert rollout.proportional(sizes, rolling("30%", 0, 20)) == {"old": 18, "new": 8}


# --- memory of templates


def template(image: str, **more) -> dict:
    return {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": image}]} | more}


def replicaset(number: int, image: str = "x", replicas: int = 0, **annotations: str) -> dict:
    about = {"name": f"api-{number}", "creationTimestamp": f"2026-11-24T15:0{number}:00Z", "annotations": annotations}
    about["annotations"] |= {revision.REVISION: str(number)}
    return {"metadata": about, "spec": {"replicas": replicas, "template": template(image)}}


def deployment(image: str = "x", **status) -> dict:
    return {"metadata": {"name": "api"}, "spec": {"replicas": 3, "template": template(image)}, "status": status}


def test_the_same_template_is_found_again_whatever_hash_nulls_and_empty_lists_it_has() -> None:
    held = replicaset(1, "a")
    held["spec"]["template"]["metadata"]["labels"] |= {revision.HASH_LABEL: "bcdfg"}
    held["spec"]["template"]["spec"] |= {"volumes": [], "nodeName": None}
    assert revision.current(deployment("a"), [replicaset(2, "b"), held]) is held
    assert revision.current(deployment("c"), [held]) is None


def test_of_two_sets_with_the_same_template_the_older_is_used() -> None:
    older, younger = replicaset(1), replicaset(2)
    assert revision.current(deployment(), [younger, older]) is older


def test_a_template_has_one_name_until_names_collide() -> None:
    assert revision.digest(deployment("a")) == revision.digest(deployment("a"))
    assert revision.digest(deployment("a")) != revision.digest(deployment("b"))
    assert revision.digest(deployment("a")) != revision.digest(deployment("a", collisionCount=1))


def test_a_set_used_again_gets_the_highest_number_and_remembers_its_own() -> None:
    again = revision.annotations(deployment(), replicaset(2, **{revision.HISTORY: "1"}), [replicaset(3), replicaset(4)])
    assert (again[revision.REVISION], again[revision.HISTORY]) == ("5", "1,2")
    first = revision.annotations(deployment(), {"metadata": {}}, [])
    assert first == {revision.REVISION: "1"}


def test_the_history_drops_its_lowest_revisions_but_none_that_has_pods() -> None:
    old = [replicaset(number) for number in (3, 1, 2)]
    assert [revision.of(each) for each in revision.superfluous(old, 1)] == [1, 2]
    old[1]["spec"]["replicas"] = 1
    assert [revision.of(each) for each in revision.superfluous(old, 1)] == [2]
    assert revision.superfluous(old, 3) == []


# --- what a Deployment says of its progress


def under_way(seconds: float, reason: str = "ReplicaSetUpdated", **spec) -> dict:
    moment = timestamps.seconds(NOW - timedelta(seconds=seconds))
    told = progress.condition("Progressing", "True", reason, "", timestamps.parse(moment))
    item = deployment(conditions=[told], replicas=4, updatedReplicas=1, availableReplicas=3, readyReplicas=3)
    return item | {"spec": item["spec"] | {"progressDeadlineSeconds": 60} | spec}


@pytest.mark.parametrize(
    ("seconds", "status", "reason"),
    [
        (59, {}, "ReplicaSetUpdated"),
        (61, {}, "ProgressDeadlineExceeded"),
        (61, {"updatedReplicas": 2}, "ReplicaSetUpdated"),
        (61, {"availableReplicas": 4}, "ReplicaSetUpdated"),
        (61, {"replicas": 3, "updatedReplicas": 3}, "NewReplicaSetAvailable"),
    ],
)
def test_a_rollout_that_stands_still_for_too_long_says_so(seconds, status, reason) -> None:
    item = under_way(seconds)
    told = progress.progressing(item, item["status"] | status, replicaset(2), NOW)
    assert (told["reason"], told["status"]) == (reason, "False" if "Exceeded" in reason else "True")


def test_a_rollout_that_ended_does_not_begin_again_because_a_pod_fails() -> None:
    item = under_way(9999, progress.DONE)
    status = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}
    assert progress.progressing(item, status, None, NOW)["reason"] == progress.DONE


def test_a_rollout_without_a_deadline_is_never_late() -> None:
    item = under_way(9999, progressDeadlineSeconds=rollout.NEVER)
    assert progress.progressing(item, item["status"], None, NOW)["reason"] == "ReplicaSetUpdated"
    assert progress.due(item, progress.found(item, "Progressing"), NOW) is None


def test_it_is_available_while_no_more_is_missing_than_may_be() -> None:
    allowed = Limits(3, 1, 1)
    assert progress.available({"availableReplicas": 2}, allowed, NOW)["status"] == "True"
    assert progress.available({"availableReplicas": 1}, allowed, NOW)["reason"] == "MinimumReplicasUnavailable"


# --- which pod can be spared


def pod(name: str, *, node="node-1", phase="Running", ready=True, since="15:00", born="15:00", restarts=0, **more):
    moment = {"lastTransitionTime": f"2026-11-24T{since}:00Z"}
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)} | moment]}
    status["containerStatuses"] = [{"restartCount": restarts}]
    about = {"name": name, "creationTimestamp": f"2026-11-24T{born}:00Z"} | more
    return {"metadata": about, "spec": {"nodeName": node, "containers": []}, "status": status}


@pytest.mark.parametrize(
    "goes",
    [
        pod("goes", node="", phase="Pending", ready=False),
        pod("goes", phase="Pending", ready=False),
        pod("goes", ready=False),
        pod("goes", annotations={pods.DELETION_COST: "-1"}),
        pod("goes", since="15:01"),
        pod("goes", restarts=1),
        pod("goes", born="15:01"),
    ],
    ids=["unplaced", "pending", "unready", "cheap", "ready later", "restarted", "younger"],
)
def test_the_pod_whose_loss_is_felt_least_goes_first(goes) -> None:
    stays = pod("stays", annotations={pods.DELETION_COST: "0"})
    assert min([stays, goes], key=pods.dispensable) is goes


def test_each_reason_to_go_outweighs_all_that_follow_it() -> None:
    order = [
        pod("unplaced", node="", phase="Pending", ready=False, born="14:00"),
        pod("pending", phase="Pending", ready=False, born="14:00"),
        pod("unready", ready=False, born="14:00"),
        pod("cheap", since="14:00", born="14:00", annotations={pods.DELETION_COST: "-1"}),
        pod("late", since="15:01", born="14:00"),
        pod("restarted", restarts=1, born="14:00"),
        pod("younger"),
    ]
    order.reverse()
    assert sorted(order, key=pods.dispensable) == order[::-1]


# --- where a pod fits


def node(**spec) -> dict:
    status = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "1", "memory": "1Gi"}}
    return {"metadata": {"name": "node-1", "labels": {"disk": "fast"}}, "spec": spec, "status": status}


def asking(cpu: str = "0", **spec) -> dict:
    return {"spec": {"containers": [{"resources": {"requests": {"cpu": cpu}}}]} | spec}


UNTOLERATED = "node(s) had untolerated taint(s)"
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("asked", "where", "others", "reason"),
    [
        (asking("1"), node(), [], ""),
        (asking("600m"), node(), [asking("500m")], "Insufficient cpu"),
        (asking("500m"), node(), [asking("0.5")], ""),
        (asking(), node(), [asking()] * 110, "Too many pods"),
        (asking(), node(unschedulable=True), [], "node(s) were unschedulable"),
        (asking(), node(taints=[TAINT]), [], UNTOLERATED),
        (asking(), node(taints=[TAINT | {"effect": "PreferNoSchedule"}]), [], ""),
        (asking(tolerations=[{"key": "gpu", "value": "yes"}]), node(taints=[TAINT]), [], ""),
        (asking(tolerations=[{"key": "gpu", "value": "no"}]), node(taints=[TAINT]), [], UNTOLERATED),
        (asking(tolerations=[{"operator": "Exists"}]), node(taints=[TAINT]), [], ""),
        (asking(nodeSelector={"disk": "fast"}), node(), [], ""),
        (asking(nodeSelector={"disk": "slow"}), node(), [], "node(s) didn't match Pod's node affinity/selector"),
    ],
)  # fmt: skip
def test_a_node_objects_to_a_pod_in_kubernetes_words(asked, where, others, reason) -> None:
    assert scheduler.objection(asked, where, others) == reason


def test_a_refusal_counts_the_objections() -> None:
    told = scheduler.refusal(["Insufficient cpu", "node(s) were unschedulable", "Insufficient cpu"])
    assert told == "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."
    assert scheduler.refusal([]) == "no nodes available to schedule pods"


# --- labels, quantities, moments


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "api"}}, True),
        ({"matchLabels": {"app": "web"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["api"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"app": "api"}, "matchExpressions": [{"key": "none", "operator": "Exists"}]}, False),
    ],
)
def test_a_selector_selects(selector, selects) -> None:
    assert labels.matches(selector, {"app": "api"}) is selects


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", "0.25"), ("1.5", "1.5"), (2, "2"), ("64Mi", "67108864"), ("2G", "2000000000"), ("1e3", "1000"),
     ("1k", "1000"), ("100n", "1E-7"), ("1Ei", "1152921504606846976"), ("1E", "1000000000000000000"), ("-1", "-1")],
)  # fmt: skip
def test_a_quantity_is_a_number(text, value) -> None:
    assert quantity.parse(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "m", "much", "1KB", "1 000", "NaN", "Infinity", "1_000", "１"])
def test_what_is_no_quantity_is_refused(text) -> None:
    with pytest.raises(BadParameter):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T15:30:00Z", NOW),
        ("2026-11-24T16:30:00+01:00", NOW),
        ("2026-11-24T15:30:00.123456789Z", NOW + timedelta(microseconds=123456)),
        ("2026-11-24T15:30:00.5Z", NOW + timedelta(microseconds=500000)),
    ],
)
def test_a_moment_is_read_in_every_way_that_kubernetes_writes_it(text, moment) -> None:
    assert timestamps.parse(text) == moment


def test_a_moment_is_written_in_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=1)))
    written = [write(elsewhere) for write in (timestamps.seconds, timestamps.micro, timestamps.nano)]
    assert written == [f"2026-11-24T15:30:00{rest}Z" for rest in ("", ".000000", ".000000000")]
