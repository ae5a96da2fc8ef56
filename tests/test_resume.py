"""After a crash: what `resume` makes of what the live system says, and that it never acts."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest

from firstwatch.actions import change, rollback
from firstwatch.clock import WallClock
from firstwatch.errors import Conflict, GateClosed, OutcomeUnknown
from firstwatch.model import Actor, Plan, Result, timestamp
from firstwatch.policy.gate import Rule
from firstwatch.record.incident import Incident
from firstwatch.record.journal import read
from firstwatch.record.store import Record, Store, Writer
from firstwatch.runs.applying import carry_out
from firstwatch.runs.resume import Resumed, resume
from firstwatch.systems import Systems

Connect = Callable[[fakes.Server], Systems]
STRICT = Rule(self_approval=False)


class Later(WallClock):
    """The clock of somebody who comes *minutes* later."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=self.minutes)


class Incidents:
    """One incident with an approved rollback, in a served world."""

    def __init__(self, root: Path, world: fakes.Server, systems: Systems) -> None:
        self.world, self.systems, self.store = world, systems, Store(root)
        self.record = self.store.open(self.writer(), {"cluster": "test"})
        self.plan: Plan = rollback.plan(systems, {"to_revision": 0})
        self.approve("responder-2")

    def writer(self, name: str = "on-call", minutes: float = 0) -> Writer:
        return Writer(Later(minutes), Actor(name), "tests@here")

    def append(self, kind: str, body: Any, name: str = "on-call") -> None:
        self.writer(name).journal(self.record).append(kind, body)

    def approve(self, name: str, plan: Plan | None = None) -> None:
        made = plan or self.plan
        self.append("planned", {"hash": made.hash, "plan": made})
        until = timestamp(datetime.now(UTC) + timedelta(hours=2))
        self.append("approved", {"plan": made.hash, "until": until, "self_approved": False}, name)

    def apply(self, plan: Plan | None = None, name: str = "on-call", minutes: float = 0, rule: Rule = STRICT) -> Any:
        journal = self.writer(name, minutes).journal(self.record)
        return carry_out(plan or self.plan, self.systems, journal, rule)

    def resume(self, minutes: float = 2) -> Resumed:
        (settled,) = resume(self.record, self.systems, self.writer(minutes=minutes))
        return settled

    def state(self) -> Incident:
        return self.record.incident()


@pytest.fixture
def incidents(systems: Connect, tmp_path: Path) -> Callable[[], Incidents]:
    def made(world: fakes.Server | None = None) -> Incidents:
        served = world or fakes.failing()
        return Incidents(tmp_path / "incidents", served, systems(served))

    return made


Make = Callable[[], Incidents]


def dropping(at: Incidents, *, written: bool) -> None:
    """Let the connection go away after the next write, with or without its having been done."""
    answer = fakes.patched(at.world)

    def drop(asked: fakes.Asked) -> fakes.Answer:
        at.world.answers["PATCH", fakes.DEPLOYMENT] = answer
        if written:
            answer(asked)
        return 0, None

    at.world.answers["PATCH", fakes.DEPLOYMENT] = drop


def running(at: Incidents) -> Any:
    return at.world.answers["GET", fakes.DEPLOYMENT][1]  # type: ignore[index]


def in_doubt(at: Incidents, *, written: bool) -> None:
    dropping(at, written=written)
    with pytest.raises(OutcomeUnknown):
        at.apply()


def test_the_intent_says_all_that_is_needed_to_ask_later(incidents: Make) -> None:
    at = incidents()
    at.apply()
    (intent,) = [event.body for event in read(at.record.journal) if event.kind == "intent"]
    assert (intent["uid"], intent["version"], intent["generation"]) == ("d-1", "100", 2)
    assert intent["mark"] == f"{at.record.id}.{intent['key']}"
    assert [each["by"] for each in intent["approvals"]] == ["responder-2"]
    assert intent["plan"]["undo"]


@pytest.mark.parametrize(("written", "said"), [(True, "done"), (False, "not done")])
def test_a_dropped_connection_is_settled_by_what_is_there(incidents: Make, written: bool, said: str) -> None:
    at = incidents()
    in_doubt(at, written=written)
    writes = len(at.world.writes)
    assert at.resume().result == said
    assert len(at.world.writes) == writes, "it never acts"
    assert (at.state().in_doubt, bool(at.state().in_force)) == ((), written)


def test_what_may_still_arrive_stays_unknown_for_a_minute(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=False)
    settled = at.resume(minutes=0)
    assert (settled.result, "may still be on its way" in settled.detail) == ("unknown", True)
    assert len(at.state().in_doubt) == 1
    assert at.resume(minutes=2).result == "not done"


def test_what_was_settled_as_not_done_is_sent_again_under_a_new_key(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=False)
    at.resume()
    assert at.apply().result is Result.OK
    assert [(each.key, each.result) for each in at.state().changes] == [
        (at.plan.hash, Result.FAILED), (f"{at.plan.hash}-2", Result.OK)
    ]  # fmt: skip
    assert running(at)["metadata"]["annotations"][change.MARK] == f"{at.record.id}.{at.plan.hash}-2"


def test_what_was_settled_as_done_is_not_sent_again(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=True)
    at.resume()
    assert "not sent again" in at.apply().detail
    assert len(at.world.writes) == 1


def test_done_and_changed_since_says_both(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=True)
    running(at)["spec"]["template"]["spec"]["containers"][0]["image"] = "api:2.5.0"
    assert "changed since" in at.resume().detail
    assert "api:2.5.0" in at.state().in_force[0].drift[0]


@pytest.mark.parametrize(
    ("moved", "said"),
    [({"uid": "d-9"}, "not done"), ({"resourceVersion": "180"}, "not done")],
    ids=["made again", "moved on without it"],
)
def test_an_object_that_moved_on_tells_at_once(incidents: Make, moved: dict[str, str], said: str) -> None:
    at = incidents()
    in_doubt(at, written=False)
    running(at)["metadata"] |= moved
    assert at.resume(minutes=0).result == said


def test_an_object_that_is_gone_has_nothing_in_force(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=True)
    at.world.on(fakes.DEPLOYMENT, 404, fakes.status_object(404, "not found"))
    assert at.resume().result == "not done"


def test_a_system_that_cannot_be_asked_leaves_it_unknown(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=True)
    at.world.on(fakes.DEPLOYMENT, 500, {})
    assert at.resume().result == "unknown"
    assert len(at.state().in_doubt) == 1


def test_another_cluster_is_not_asked(incidents: Make) -> None:
    at = incidents()
    at.append("opened", {"cluster": "production"})
    in_doubt(at, written=True)
    asked = len(at.world.asked)
    assert (at.resume().result, len(at.world.asked)) == ("unknown", asked)


def test_nobody_acts_on_a_target_that_is_in_doubt(incidents: Make) -> None:
    at = incidents()
    in_doubt(at, written=False)
    other = replace(at.plan, parameters={"to_revision": 1})
    at.approve("responder-2", other)
    with pytest.raises(OutcomeUnknown, match="firstwatch resume"):
        at.apply(other, name="responder-3")
    assert len(at.world.writes) == 1


def begun(at: Incidents) -> None:
    """Leave an intent behind whose holder died."""
    body = {"key": at.plan.hash, "hash": at.plan.hash, "plan": at.plan, "mark": "m", "version": "100"}
    at.append("intent", body | {"lease": timestamp(datetime.now(UTC) + timedelta(minutes=10))})


def test_a_lease_names_its_holder_until_it_expires(incidents: Make) -> None:
    at = incidents()
    begun(at)
    with pytest.raises(Conflict, match=r"on-call began change"):
        at.apply(name="responder-3")
    with pytest.raises(OutcomeUnknown, match="firstwatch resume"):
        at.apply(name="responder-3", minutes=11)
    at.resume()
    assert at.apply(name="responder-3").result is Result.OK


def test_raising_the_severity_closes_a_gate_that_was_open(incidents: Make) -> None:
    at = incidents()
    at.append("declared", {"title": "down", "impact": "all", "severity": "SEV1", "source": "team"})
    with pytest.raises(GateClosed, match="1 approval of plan"):
        at.apply()
    assert at.world.writes == []
    at.approve("responder-3")
    assert at.apply().result is Result.OK


def test_the_glass_is_broken_for_one_person_and_one_plan_and_waits_for_a_review(incidents: Make) -> None:
    at = incidents()
    at.append("declared", {"title": "down", "impact": "all", "severity": "SEV1", "source": "team"})
    until = timestamp(datetime.now(UTC) + timedelta(minutes=15))
    at.append("break-glass", {"plan": at.plan.hash, "until": until, "reason": "alone on call"})
    with pytest.raises(GateClosed):
        at.apply(name="responder-3")
    with pytest.raises(GateClosed):
        at.apply(minutes=16)
    assert at.apply().result is Result.OK
    assert [each.reason for each in at.state().broken] == ["alone on call"]


def test_only_named_approvers_count_when_there_are_any(incidents: Make) -> None:
    at = incidents()
    with pytest.raises(GateClosed, match="not one of the approvers"):
        at.apply(rule=Rule(self_approval=False, approvers=("responder-3",)))
    at.approve("responder-3")
    assert at.apply(rule=Rule(self_approval=False, approvers=("responder-3",))).result is Result.OK


def test_a_change_that_stays_has_an_owner(incidents: Make) -> None:
    at = incidents()
    at.apply()
    body = {"key": at.plan.hash, "owner": "on-call", "until": timestamp(datetime.now(UTC) + timedelta(days=3))}
    at.append("accepted", body)
    assert (len(at.state().in_force), at.state().unowned) == (1, ())


@pytest.mark.parametrize(
    "kind",
    ["opened", "declared", "run-started", "run-ended", "cell", "looked", "planned", "approved", "break-glass",
     "intent", "outcome", "settled", "accepted", "reviewed", "verified", "resolved", "measured", "attached"],
)  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [{}, {"purged": "x"}, {"plan": 7}, {"plan": {}, "key": [], "until": "soon"}, {"findings": [{}], "verdict": 1},
     {"points": 3, "result": "splendid", "key": None, "id": {}}],
    ids=repr,
)  # fmt: skip
def test_a_body_that_cannot_be_read_stops_nothing(incidents: Make, kind: str, body: Any) -> None:
    at = incidents()
    at.apply()
    at.append(kind, body)
    state = at.state()
    assert (len(state.in_force), state.timeline[-1].kind) == (1, kind)


def written_without_an_answer(world: fakes.Server) -> Callable[[fakes.Asked], fakes.Answer]:
    answer = fakes.patched(world)

    def drop(asked: fakes.Asked) -> fakes.Answer:
        status, content = answer(asked)
        return (status, content) if "dryRun" in asked.query else (0, None)

    return drop


def test_the_command_settles_says_so_and_exits_6_until_it_could(tmp_path: Path) -> None:
    from test_runs import Laptop

    world = fakes.failing()
    with fakes.serving(world):
        at = Laptop(tmp_path, world)
        plan = at.json("run", "mitigate/rollback", "--apply")["plan"]["hash"]
        at.firstwatch("approve", plan, "--as", "responder-2")
        world.answers["PATCH", fakes.DEPLOYMENT] = written_without_an_answer(world)
        assert at.json("run", "mitigate/rollback", "--apply")["exit"] == 6
        record = Record(next((tmp_path / "incidents").glob("2*")))
        assert "In doubt" in (record.folder / "page.md").read_text()
        assert "firstwatch resume" in at.firstwatch("status").stdout
        assert at.firstwatch("resume").returncode == 0
        assert [each.settled for each in record.incident().changes] == ["done"]
        assert json.loads(at.firstwatch("resume", "--json").stdout) == {record.id: []}
