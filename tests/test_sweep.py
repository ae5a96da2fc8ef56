"""The sweep: as fast as its slowest probe, partial results kept, and the fault named first."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fakes
from faults import dead

from firstwatch import probes
from firstwatch.model import Finding, Verdict
from firstwatch.probes.ranking import rank
from firstwatch.systems import Systems
from firstwatch.systems.retry import Budget

Connect = Callable[[fakes.Server], Systems]
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def finding(probe: str, verdict: Verdict, mechanism: str = "", since: datetime | None = None) -> Finding:
    return Finding(
        probe=probe, verdict=verdict, object=f"X//{probe}", expected="", observed="", mechanism=mechanism, since=since
    )


def errors(since: datetime | None) -> Finding:
    return finding("error-rate", Verdict.BAD, "errors-served", since)


def release(since: datetime, verdict: Verdict = Verdict.OK) -> Finding:
    return finding("rollouts", verdict, since=since)


def test_a_release_just_before_the_errors_is_named_first_with_the_distance() -> None:
    first = rank([errors(AT), release(AT - timedelta(seconds=12))])[0]
    assert (first.probe, first.mechanism, first.verdict) == ("rollouts", "bad-release", Verdict.BAD)
    assert "12 s after this revision" in first.why_here


def test_an_old_release_is_not_blamed() -> None:
    ranked = rank([release(AT - timedelta(hours=1)), errors(AT)])
    assert [(each.probe, each.verdict) for each in ranked] == [("error-rate", "BAD"), ("rollouts", "OK")]


def test_a_release_after_the_errors_is_not_blamed() -> None:
    assert rank([release(AT + timedelta(minutes=5)), errors(AT)])[0].probe == "error-rate"


def test_errors_without_a_known_beginning_blame_nothing() -> None:
    assert rank([release(AT), errors(None)])[0].probe == "error-rate"


def test_a_contradiction_of_state_comes_before_a_threshold_and_unknown_before_ok() -> None:
    found = [
        finding("a", Verdict.OK), finding("b", Verdict.UNKNOWN), errors(AT), finding("c", Verdict.BAD, "crash-loop"),
    ]  # fmt: skip
    assert [each.probe for each in rank(found)] == ["c", "error-rate", "b", "a"]


def test_in_a_failing_world_the_first_finding_is_the_release(systems: Connect) -> None:
    found = probes.sweep(probes.FIRST_FIVE_MINUTES, systems(fakes.failing()), datetime.now(UTC))
    assert (found[0].mechanism, found[0].object) == ("bad-release", f"Deployment/{fakes.NAMESPACE}/{fakes.NAME}")


def test_in_a_healthy_world_nothing_is_bad(systems: Connect) -> None:
    found = probes.sweep(probes.FIRST_FIVE_MINUTES, systems(fakes.healthy()), datetime.now(UTC))
    assert found.verdict is Verdict.OK


def test_a_probe_past_its_deadline_is_unknown_and_the_rest_is_kept(systems: Connect) -> None:
    world = fakes.healthy()

    def hang(asked: fakes.Asked) -> fakes.Answer:
        time.sleep(4)
        return 200, {"items": []}

    world.answers["GET", fakes.NODES] = hang
    few = (probes.nodes, probes.pods, probes.error_rate, probes.health)
    found = probes.sweep(few, systems(world), datetime.now(UTC), deadline_s=3.0)
    assert [each.probe for each in found if each.verdict is Verdict.UNKNOWN] == ["nodes"]
    assert sum(each.verdict is Verdict.OK for each in found) == 3


def test_a_sweep_is_back_with_what_it_saw_while_half_of_the_systems_hang(tmp_path: Path) -> None:
    found, _ = dead.swept(tmp_path, deadline_s=6.0, budget=Budget(3.0, ()))
    assert dead.wrong(found) == []
    late = {each.probe: each.observed for each in found if each.probe in ("error-rate", "database", "targets")}
    assert all(re.search("within [36] s|timeout", said, re.IGNORECASE) for said in late.values()), late


def test_a_sweep_leaves_out_what_nobody_configured_and_says_so(systems: Connect) -> None:
    to = systems(fakes.healthy())
    left = probes.unasked(probes.FIRST_FIVE_MINUTES, to.settings)
    assert {"database", "dependencies", "load-balancer", "merges", "provider"} <= {*left}
    found = probes.sweep(probes.FIRST_FIVE_MINUTES, to, datetime.now(UTC))
    assert not {*left} & {each.probe for each in found}


def test_what_nobody_configured_is_unknown_in_a_sweep_of_its_own(systems: Connect) -> None:
    found = probes.sweep((probes.database, probes.locks), systems(fakes.healthy()), datetime.now(UTC))
    assert [(each.verdict, "not configured" in each.observed) for each in found] == [("UNKNOWN", True)] * 2
