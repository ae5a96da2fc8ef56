"""Undo over generated Deployments: it restores the spec, and refuses when somebody has been there since."""

from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import fakes

from faults import bench as benches
from faults.bench import Bench
from faults.programme import Figure, Row, Trial
from firstwatch.actions.undo import undo
from firstwatch.errors import Conflict
from firstwatch.model import Plan
from firstwatch.record.store import Record

WORDS = ("api", "a/b", "a~b", "~1", "ümlaut", "x.y/z", "0", "", "-", "templates/{{ x }}")


def restored(trial: Trial) -> Figure:
    """Roll a generated Deployment back and undo it: its spec is what it was, to the last field."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan, before = _rolled_back(bench, trial.random)
            changed = bench.live["spec"] != before
            back = undo(bench.systems, plan, plan.hash)
            benches.approve(record, back)
            said = bench.apply(record, back)
            if not changed or said != "ok" or bench.live["spec"] != before or record.incident().in_force:
                bad.append(f"{number}: {said}, changed {changed}, restored {bench.live['spec'] == before}")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def refused(trial: Trial) -> Figure:
    """Let somebody change what a rollback wrote, before its undo: nothing is sent."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            _, plan, _ = _rolled_back(bench, trial.random)
            how = _touched(bench.live, trial.random)
            sent = len(bench.server.writes)
            try:
                undo(bench.systems, plan, plan.hash)
                bad.append(f"{number}, {how}: planned")
            except Conflict:
                bad += [f"{number}, {how}: sent"] if len(bench.server.writes) != sent else []
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _rolled_back(bench: Bench, random: Random) -> tuple[Record, Plan, Any]:
    """Return the incident and the plan of a rollback that is in force, and the spec as it was before."""
    bench.reset()
    newest, earlier = template(random), template(random)
    earlier["spec"]["containers"][0]["image"] += "-earlier"
    live = fakes.deployment("x", 2)
    live["spec"] = {"replicas": random.randrange(9), "template": newest} | _some(random, STRATEGIES)
    bench.live = live
    bench.server.on(fakes.REPLICASETS, 200, {"items": [_revision(earlier, 1), _revision(newest, 2)]})
    before = deepcopy(live["spec"])
    record, plan = bench.incident(), bench.plan()
    benches.approve(record, plan)
    said = bench.apply(record, plan)
    return record, plan if said == "ok" else replace(plan, undo=()), before


def _revision(made: Any, number: int) -> Any:
    found = fakes.replicaset("x", number, 3600)
    labels = made["metadata"].get("labels", {}) | {"pod-template-hash": f"h{number}"}
    found["spec"]["template"] = made | {"metadata": made["metadata"] | {"labels": labels}}
    return found


STRATEGIES: dict[str, list[Any]] = {
    "strategy": [{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}],
    "minReadySeconds": [0, 5],
    "revisionHistoryLimit": [0, 10],
    "progressDeadlineSeconds": [600],
}
POD: dict[str, list[Any]] = {
    "nodeSelector": [{"a/b": "c"}, {}],
    "tolerations": [[], [{"key": "x", "operator": "Exists"}]],
    "terminationGracePeriodSeconds": [0, 30],
    "volumes": [[{"name": "c", "configMap": {"name": "c", "defaultMode": 420}}], []],
    "securityContext": [{}, {"runAsUser": 0}],
}
CONTAINER: dict[str, list[Any]] = {
    "args": [[], ["--x", ""]],
    "ports": [[{"containerPort": 8080}], []],
    "resources": [{}, {"limits": {"cpu": "0.5", "memory": "1Gi"}}],
    "livenessProbe": [{"httpGet": {"path": "/~health/x", "port": 1}, "periodSeconds": 1}],
    "tty": [False, True],
}


def template(random: Random) -> Any:
    """Return a pod template with some of what one may have, and with keys that a JSON pointer has to escape."""
    labels = {"app": fakes.NAME} | {
        f"k{random.choice(WORDS)}": random.choice(WORDS) for _ in range(random.randrange(3))
    }
    annotations = {f"n{random.choice(WORDS)}": random.choice(WORDS) for _ in range(random.randrange(3))}
    containers = [_container(random, number) for number in range(random.randrange(1, 4))]
    metadata = {"labels": labels} | ({"annotations": annotations} if annotations else {})
    return {"metadata": metadata, "spec": {"containers": containers} | _some(random, POD)}


def _container(random: Random, number: int) -> dict[str, Any]:
    environment = [{"name": f"V{each}", "value": random.choice(WORDS)} for each in range(random.randrange(4))]
    named = {"name": f"c{number}", "image": f"api:{random.randrange(10**6)}"}
    return named | ({"env": environment} if environment else {}) | _some(random, CONTAINER)


def _some(random: Random, kinds: dict[str, list[Any]]) -> dict[str, Any]:
    return {key: deepcopy(random.choice(values)) for key, values in kinds.items() if random.random() < 0.5}


def _touched(live: Any, random: Random) -> str:
    """Change something within the pod template, and say what."""
    made = live["spec"]["template"]
    ways = {
        "image": lambda: made["spec"]["containers"][0].update(image="api:9"),
        "one more container": lambda: made["spec"]["containers"].append({"name": "c9", "image": "x"}),
        "variable": lambda: made["spec"]["containers"][0].update(env=[{"name": "NEW", "value": "1"}]),
        "annotation": lambda: made["metadata"].setdefault("annotations", {}).update({"restarted": "now"}),
        "field gone": lambda: made["metadata"]["labels"].pop("app"),
        "empty field": lambda: made["spec"].update(hostAliases=[]),
    }
    how = random.choice(list(ways))
    ways[how]()
    return how


ROWS = [
    Row("T74", "apply and undo over generated Deployments", "an equal spec", 1000, restored),
    Row("T75", "undo after somebody changed what was written", "exit 5, nothing sent", 500, refused),
]  # fmt: skip
