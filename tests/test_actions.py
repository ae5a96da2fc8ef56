"""Actions: what planning sends, what applying sends, that undo restores, and when each refuses."""

from collections.abc import Callable
from typing import Any

import fakes
import pytest

from firstwatch import actions
from firstwatch.actions import change
from firstwatch.actions.undo import undo
from firstwatch.errors import BadParameter, Conflict, NotFound, OutcomeUnknown, Refused, Unavailable
from firstwatch.model import Plan, Verdict
from firstwatch.systems import Systems

Connect = Callable[[fakes.Server], Systems]
TEMPLATE = "/spec/template"


def rollback(systems: Systems, to_revision: int = 0) -> Plan:
    return actions.rollback.plan(systems, {"to_revision": to_revision})


def running(world: fakes.Server) -> Any:
    return world.answers["GET", fakes.DEPLOYMENT][1]  # type: ignore[index]


def bumped(world: fakes.Server, **metadata: Any) -> None:
    """Let somebody else touch the Deployment."""
    running(world)["metadata"] |= metadata


def test_planning_sends_a_dry_run_and_writes_nothing(systems: Connect) -> None:
    world = fakes.failing()
    plan = rollback(systems(world))
    assert [asked.query["dryRun"] for asked in world.asked if asked.method == "PATCH"] == [["All"]]
    assert world.writes == []
    assert "image api:2.4.0 → api:2.3.0" in plan.summary


def test_applying_sends_one_patch_bound_to_the_object(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    change.apply(connected, rollback(connected), "i.k", [].append)
    (sent,) = world.writes
    operations = {step["path"]: step for step in sent.body}
    assert operations["/metadata/uid"] == {"op": "test", "path": "/metadata/uid", "value": "d-1"}
    assert operations["/metadata/resourceVersion"]["value"] == "100"
    assert operations["/metadata/annotations/firstwatch~1change"]["value"] == "i.k"
    assert operations[TEMPLATE]["value"] == fakes.template("api:2.3.0")


def test_undo_restores_what_was_there(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    before = running(world)["spec"]
    plan = rollback(connected)
    change.apply(connected, plan, "i.k", [].append)
    assert running(world)["spec"] != before
    change.apply(connected, undo(connected, plan, plan.hash), "i.u", [].append)
    assert running(world)["spec"] == before


def test_undo_refuses_when_somebody_was_there_since(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)
    change.apply(connected, plan, "i.k", [].append)
    running(world)["spec"]["template"]["spec"]["containers"][0]["image"] = "api:2.5.0"
    with pytest.raises(Conflict, match=r"api:2\.5\.0"):
        undo(connected, plan, plan.hash)


@pytest.mark.parametrize(
    "moved",
    [{"uid": "d-2"}, {"generation": 3}],
    ids=["made again", "spec moved"],
)
def test_a_target_that_moved_is_not_written_to(systems: Connect, moved: dict[str, Any]) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)
    bumped(world, **moved)
    with pytest.raises(Conflict, match="moved since plan"):
        change.apply(connected, plan, "i.k", [].append)
    assert world.writes == []


def test_a_status_write_in_between_is_no_conflict(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)
    bumped(world, resourceVersion="180")
    change.apply(connected, plan, "i.k", [].append)
    assert len(world.writes) == 1


def test_planning_goes_on_while_a_rollout_writes_its_status(systems: Connect) -> None:
    world = fakes.failing()
    answer = fakes.patched(world)

    def moving(asked: fakes.Asked) -> fakes.Answer:
        world.answers["PATCH", fakes.DEPLOYMENT] = answer
        bumped(world, resourceVersion="180")
        return answer(asked)

    world.answers["PATCH", fakes.DEPLOYMENT] = moving
    assert rollback(systems(world)).target.generation == 2
    assert world.writes == []


def test_planning_stops_when_the_spec_moves_meanwhile(systems: Connect) -> None:
    world = fakes.failing()
    answer = fakes.patched(world)

    def moving(asked: fakes.Asked) -> fakes.Answer:
        bumped(world, resourceVersion="180", generation=3)
        return answer(asked)

    world.answers["PATCH", fakes.DEPLOYMENT] = moving
    with pytest.raises(Conflict, match="409"):
        rollback(systems(world))


def test_a_409_is_read_again_and_sent_once_more(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)
    answer = fakes.patched(world)

    def once(asked: fakes.Asked) -> fakes.Answer:
        world.answers["PATCH", fakes.DEPLOYMENT] = answer
        return 409, fakes.status_object(409, "the object has been modified")

    world.answers["PATCH", fakes.DEPLOYMENT] = once
    change.apply(connected, plan, "i.k", [].append)
    assert len(world.writes) == 2


def test_a_write_that_is_refused_each_time_ends_after_five(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)
    intents: list[Any] = []
    world.answers["PATCH", fakes.DEPLOYMENT] = (409, fakes.status_object(409, "the object has been modified"))
    with pytest.raises(Conflict, match="409"):
        change.apply(connected, plan, "i.k", intents.append)
    assert (len(world.writes), len(intents)) == (5, 5)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((403, fakes.status_object(403, "no")), Refused),
        ((500, {}), OutcomeUnknown),
        ((200, b"<html>"), OutcomeUnknown),
        ((0, b""), OutcomeUnknown),
    ],
    ids=["denied", "server error", "nonsense", "dropped after the request"],
)
def test_a_write_is_sent_once_whatever_the_answer(
    systems: Connect, answer: fakes.Answer, error: type[Exception]
) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)
    world.answers["PATCH", fakes.DEPLOYMENT] = answer
    with pytest.raises(error):
        change.apply(connected, plan, "i.k", [].append)
    assert len(world.writes) == 1


def test_a_dry_run_that_fails_leaves_nothing_in_doubt(systems: Connect) -> None:
    world = fakes.failing()
    world.answers["PATCH", fakes.DEPLOYMENT] = (500, {})
    with pytest.raises(Unavailable):
        rollback(systems(world))


def test_a_409_says_what_of_the_plan_has_changed(systems: Connect) -> None:
    world = fakes.failing()
    connected = systems(world)
    plan = rollback(connected)

    def taken(asked: fakes.Asked) -> fakes.Answer:
        running(world)["spec"]["template"]["spec"]["containers"][0]["image"] = "api:9"
        return 409, fakes.status_object(409, "the object has been modified")

    world.answers["PATCH", fakes.DEPLOYMENT] = taken
    with pytest.raises(Conflict, match=r"containers/0/image: api:2\.4\.0 → api:9"):
        change.apply(connected, plan, "i.k", [].append)


@pytest.mark.parametrize("path", ["spec", "template", "containers"])
def test_an_answer_of_another_shape_makes_no_plan_and_no_traceback(systems: Connect, path: str) -> None:
    world = fakes.failing()
    spec = running(world)["spec"]
    if path == "spec":
        running(world)["spec"] = {}
    elif path == "template":
        spec["template"] = ["x"]
    else:
        spec["template"]["spec"]["containers"] = "none"
    with pytest.raises(Unavailable, match=r"planning rollback on cluster test at http"):
        rollback(systems(world))
    assert world.writes == []


def test_a_revision_that_is_not_there_is_refused_with_what_is(systems: Connect) -> None:
    with pytest.raises(NotFound, match=r"no revision 7; there is: 1, 2"):
        rollback(systems(fakes.failing()), to_revision=7)


def test_a_revision_that_does_not_differ_is_refused(systems: Connect) -> None:
    with pytest.raises(BadParameter, match="does not differ"):
        rollback(systems(fakes.failing()), to_revision=2)


def test_the_first_revision_has_nothing_before_it(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.REPLICASETS, 200, {"items": [fakes.replicaset("api:2.4.0", 1, 60)]})
    with pytest.raises(BadParameter, match="nothing to roll back to"):
        rollback(systems(world))


@pytest.mark.parametrize(
    ("mark", "said"),
    [({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}, "Argo CD"),
     ({"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}, "Flux")],
    ids=["argo", "flux"],
)  # fmt: skip
def test_a_gitops_owner_means_that_it_would_not_stick(systems: Connect, mark: dict[str, Any], said: str) -> None:
    world = fakes.failing()
    bumped(world, **mark)
    (stick,) = rollback(systems(world)).sticks
    assert stick.verdict is Verdict.BAD
    assert said in stick.observed


def test_paused_rollouts_mean_that_nothing_would_happen(systems: Connect) -> None:
    world = fakes.failing()
    running(world)["spec"]["paused"] = True
    assert rollback(systems(world)).sticks.verdict is Verdict.BAD


def test_the_same_plan_made_twice_has_the_same_hash(systems: Connect) -> None:
    connected = systems(fakes.failing())
    assert rollback(connected).hash == rollback(connected).hash


@pytest.mark.parametrize("name", ["", ".", "..", "-x", "a b", "a;b", "a/b", "Ü", "a" * 254])
def test_a_name_that_could_change_the_address_is_refused_before_any_request(systems: Connect, name: str) -> None:
    world = fakes.healthy()
    with pytest.raises(BadParameter, match="is not a Kubernetes name"):
        systems(world).cluster.get("Deployment", fakes.NAMESPACE, name)
    assert world.asked == []
