"""
Healthy worlds that look bad: none has a BAD finding. And worlds that are ill with a source dead: none is OK by it.

Noise is what any cluster has: restarts of yesterday, warnings that are over, an innocent release or setting a moment
ago, errors in logs that hurt nobody, rates that go up and down, other people's workloads. It is drawn by a seed.
"""

import random
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fakes
import pytest

from firstwatch import probes, settings
from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import ask
from firstwatch.probes.sweep import sweep
from firstwatch.systems import Systems, connect

LATENCY, REQUESTS = "latency_seconds", "sum(rate(requests))"
BENIGN = (
    "ERROR client went away before the answer", "WARNING cache miss, reading again", "ERROR timed out, then well",
    "ERROR 401 Unauthorized for a caller without a key", "ConnectionRefusedError: connection refused, next peer taken",
)  # fmt: skip
OVER = (
    ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
    ("BackOff", "Back-off restarting failed container"), ("FailedScheduling", "0/3 nodes are available"),
    ("Unhealthy", "Liveness probe failed: context deadline exceeded"),
)  # fmt: skip


def noisy(seed: int) -> fakes.Server:
    """Return a healthy world with the noise that *seed* draws."""
    chance, world = random.Random(seed), fakes.healthy()
    _released(world, 3600)
    for each in (_pods, _events, _changes, _logs, _others, _limits, _rates):
        if chance.random() < 0.8:
            each(world, chance)
    return world


def _pods(world: fakes.Server, chance: random.Random) -> None:
    """Restarts that were long ago, pods that are on their way out, pods that are done."""
    pods = [fakes.pod(f"{fakes.NAME}-6b7f-{letter}") for letter in "abc"]
    for pod in pods[: chance.randint(0, 3)]:
        status = pod["status"]["containerStatuses"][0]
        status |= {"restartCount": chance.randint(1, 40), "lastState": _ended(chance.uniform(700, 90_000), chance)}
    leaving = deepcopy(pods[0])
    leaving["metadata"] |= {"name": "leaving", "deletionTimestamp": fakes.ago(3)}
    done = fakes.pod("done", ready=False)
    done["status"] |= {"phase": "Succeeded", "containerStatuses": []}
    extra = [each for each in (leaving, done) if chance.random() < 0.5]
    world.on(fakes.PODS, 200, {"items": pods + extra})


def _ended(seconds_ago: float, chance: random.Random) -> dict[str, Any]:
    times = {"startedAt": fakes.ago(seconds_ago + 9000), "finishedAt": fakes.ago(seconds_ago)}
    reason = chance.choice(["OOMKilled", "Error", "Completed"])
    return {"terminated": {"exitCode": chance.choice([0, 1, 137, 143]), "reason": reason, **times}}


def _events(world: fakes.Server, chance: random.Random) -> None:
    told = chance.sample(OVER, chance.randint(1, len(OVER)))
    items = [fakes.event(reason, said, about=f"{fakes.NAME}-6b7f-a", seconds_ago=chance.uniform(60, 3000))
             for reason, said in told]  # fmt: skip
    world.on(fakes.EVENTS, 200, {"items": items})


def _changes(world: fakes.Server, chance: random.Random) -> None:
    """A release and a setting that are innocent, however new."""
    _released(world, chance.uniform(15, 900))
    world.on(fakes.CONFIGMAPS, 200, {"items": [fakes.configmap(chance.uniform(5, 900))]})


def _released(world: fakes.Server, seconds_ago: float) -> None:
    """Let the newest of two revisions be so old, and have all of the pods."""
    old, new = fakes.replicaset("api:2.3.0", 1, 7200), fakes.replicaset("api:2.4.0", 2, seconds_ago)
    for each, count in ((old, 0), (new, 3)):
        each["spec"]["replicas"], each["status"] = count, {"replicas": count}
    world.on(fakes.REPLICASETS, 200, {"items": [old, new]})


def _logs(world: fakes.Server, chance: random.Random) -> None:
    for letter in "abc":
        said = "".join(f"{fakes.ago(chance.uniform(1, 500))} {each}\n" for each in chance.sample(BENIGN, 3))
        world.on(f"{fakes.PODS}/{fakes.NAME}-6b7f-{letter}/log", 200, said.encode())


def _others(world: fakes.Server, chance: random.Random) -> None:
    """Another team's workload that is scaled to nothing, and a node that is closed to new pods."""
    other = fakes.deployment("batch:1", 1)
    other["metadata"] |= {"name": "batch", "uid": "d-2"}
    other["spec"]["replicas"] = 0
    other["status"] |= {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0}
    world.on(fakes.DEPLOYMENTS, 200, {"items": [fakes.deployment("api:2.4.0", 2), other]})
    closed = fakes.node("node-2")
    closed["spec"] = {"unschedulable": chance.random() < 0.5}
    world.on(fakes.NODES, 200, {"items": [fakes.node(), closed]})


def _limits(world: fakes.Server, chance: random.Random) -> None:
    """A quota that is used up while nobody is short, a budget that is tight while nobody is moved, CPU that is used."""
    used = {"status": {"hard": {"pods": "10"}, "used": {"pods": chance.choice(["3", "10"])}}}
    world.on(fakes.QUOTAS, 200, {"items": [{"metadata": {"name": "pods"}, **used}]})
    budget = {"metadata": {"name": "api"}, "spec": {"selector": {"matchLabels": {"app": fakes.NAME}}}}
    world.on(fakes.BUDGETS, 200, {"items": [{**budget, "status": {"disruptionsAllowed": chance.randint(0, 1)}}]})
    measured = [fakes.metrics(f"{fakes.NAME}-6b7f-{letter}", f"{chance.randint(5, 900)}m") for letter in "abc"]
    world.on(fakes.METRICS, 200, {"items": measured})


def _rates(world: fakes.Server, chance: random.Random) -> None:
    """Rates that go up and down within what is usual, and a burst of errors that has been over for ten minutes."""
    usual = {LATENCY: 0.1, REQUESTS: 20.0}

    def value(query: str) -> float:
        return usual[query] * chance.uniform(0.7, 1.6) if query in usual else chance.uniform(0, 0.009)

    def now(asked: fakes.Asked) -> fakes.Answer:
        query = asked.query["query"][0]
        if query.startswith(("ALERTS", "timestamp(")):
            return fakes.rates(0.0)(asked)
        return 200, fakes.vector(value(query))

    def before(asked: fakes.Asked) -> fakes.Answer:
        query = asked.query["query"][0]
        burst = chance.uniform(620, 800)
        points = [(float(s), 0.3 if query not in usual and burst < s < burst + 40 else value(query))
                  for s in range(1800, 0, -10)]  # fmt: skip
        return 200, fakes.matrix(points)

    world.answers["GET", fakes.QUERY] = now
    world.answers["GET", fakes.RANGE] = before


def swept(world: fakes.Server, folder: Path) -> Findings:
    """Return what the first five minutes find in *world*, which is served already, with every series configured."""
    with connected(world, folder) as systems:
        return sweep(probes.FIRST_FIVE_MINUTES, systems, datetime.now(UTC))


def connected(world: fakes.Server, folder: Path) -> Systems:
    path = fakes.configuration(folder, world.url)
    named = f'[prometheus]\nlatency = "{LATENCY}"\nrequests = "{REQUESTS}"\n'
    path.write_text(path.read_text().replace("[prometheus]\n", named))
    return connect(settings.load(path))


Serve = Callable[[fakes.Server], fakes.Server]


def quiet(seed: int, serve: Serve, folder: Path) -> None:
    found = swept(serve(noisy(seed)), folder)
    assert [each for each in found if each.verdict is Verdict.BAD] == []
    assert len({each.probe for each in found}) >= 15


@pytest.mark.parametrize("seed", range(20))
def test_a_healthy_world_with_noise_has_no_bad_finding(seed: int, serve: Serve, tmp_path: Path) -> None:
    quiet(seed, serve, tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(20, 100))
def test_nor_have_eighty_more(seed: int, serve: Serve, tmp_path: Path) -> None:
    quiet(seed, serve, tmp_path)


SOURCES = (
    fakes.NODES, fakes.PODS, fakes.DEPLOYMENT, fakes.DEPLOYMENTS, fakes.REPLICASETS, fakes.SERVICES, fakes.SLICES,
    fakes.EVENTS, fakes.CONFIGMAPS, fakes.QUOTAS, fakes.AUTOSCALERS, fakes.INGRESSES, fakes.BUDGETS, fakes.METRICS,
    fakes.QUERY, fakes.RANGE, fakes.HEALTH,
)  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Which probes, asked alone in a healthy world, ask each source and nothing else."""
    found: dict[str, set[str]] = {}
    folder = tmp_path_factory.mktemp("alone")
    with fakes.serving(fakes.healthy()) as world, connected(world, folder) as systems:
        for each in probes.FIRST_FIVE_MINUTES:
            world.asked.clear()
            ask(each, systems, datetime.now(UTC))
            asked = {one.path for one in world.asked}
            if len(asked) == 1:
                found.setdefault(asked.pop(), set()).add(each.name)
    return found


@pytest.mark.parametrize("status", [500, 403, 0], ids=["500", "denied", "dropped"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.rsplit("/", 1)[-1])
def test_no_probe_is_ok_by_a_source_that_is_dead_while_users_are_hurt(
    source: str, status: int, serve: Serve, tmp_path: Path, alone: dict[str, set[str]]
) -> None:
    world = fakes.failing()
    world.answers["GET", source] = (status, b"" if status == 0 else {})
    found = swept(serve(world), tmp_path)
    blind = [each for each in found if each.probe in alone.get(source, set())]
    assert [each for each in blind if each.verdict is Verdict.OK] == []
    assert found.verdict is not Verdict.OK


def test_most_sources_are_the_only_one_of_some_probe(alone: dict[str, set[str]]) -> None:
    known = sorted(path.rsplit("/", 1)[-1] for path in SOURCES if path in alone)
    assert len(known) >= 7, known
