"""Two responders, stale plans, dead holders: one acts, none on what has moved, and each write follows its intent."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from random import Random
from typing import Any

import fakes

from faults import bench as benches
from faults.bench import PROCESSES, Bench, killed, mark
from faults.programme import Figure, Row, Trial
from firstwatch.actions import change
from firstwatch.model import Plan
from firstwatch.record.store import Record

# One server of processes serves all rows, and the module that is read last says what it has ready.
PROCESSES.set_forkserver_preload([
    "firstwatch.record.verify", "firstwatch.runs.resume", "kubernetes.client", "kubernetes.config"
])  # fmt: skip


def two_at_once(trial: Trial) -> Figure:
    """Let two processes apply at the same moment: the same plan, two plans, or in two incidents."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            other = _another(bench, record, plan, number % 3)
            ends = _race(bench, (record, plan, "on-call"), (*other, "responder-3"))
            losing = {"again", "Conflict"}
            if ends.count("ok") != 1 or not losing.issuperset(set(ends) - {"ok"}) or len(bench.server.writes) != 1:
                bad.append(f"{number}: {ends}, {len(bench.server.writes)} writes")
            trial.tell(number + 1)
        bad += [f"without an intent: {each}" for each in bench.unforeseen]
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _another(bench: Bench, record: Record, plan: Plan, way: int) -> tuple[Record, Plan]:
    """Return what the second one applies: the same plan, another on the same object, or one of another incident."""
    if way == 0:
        return record, plan
    other = replace(plan, parameters={"to_revision": 1})
    second = record if way == 1 else bench.incident()
    benches.approve(second, other)
    return second, other


def _race(bench: Bench, *acts: tuple[Record, Plan, str]) -> list[str]:
    with ExitStack() as stack:
        told = [stack.enter_context(bench.acting(*act))[1] for act in acts]
        for each in told:
            each.recv()
        for each in told:
            each.send("go")
        return [_said(each) for each in told]


def _said(told: Connection) -> str:
    return str(told.recv()) if told.poll(30) else "nothing"


def moved_since(trial: Trial) -> Figure:
    """Change the target between plan and apply, in every way that is not its status, and apply."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            how = _move(bench, trial.random)
            said = bench.apply(record, plan)
            if said != "Conflict" or bench.server.writes or record.incident().changes:
                bad.append(f"{number}, {how}: {said}, {len(bench.server.writes)} writes")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _move(bench: Bench, random: Random) -> str:
    live = bench.live
    how = random.choice(["made again", "generation", "image", "label", "gone"])
    if how == "made again":
        live["metadata"]["uid"] = f"d-{random.randrange(2, 10**6)}"
    elif how == "generation":
        live["metadata"]["generation"] += random.randrange(1, 9)
    elif how == "image":
        live["spec"]["template"]["spec"]["containers"][0]["image"] = f"api:2.{random.randrange(5, 99)}.0"
    elif how == "label":
        live["spec"]["template"]["metadata"]["labels"][f"l{random.randrange(99)}"] = "x"
    else:
        bench._world.on(fakes.DEPLOYMENT, 404, fakes.status_object(404, "not found"))
    return how


def holder_killed(trial: Trial) -> Figure:
    """Kill who holds the target in the middle of the write; the next is told who, then to resume, and then acts."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            _killed_in_the_write(bench, record, plan)
            told = [bench.apply(record, plan, "responder-3"), bench.apply(record, plan, "responder-3", 11)]
            bench.resume(record)
            told.append(bench.apply(record, plan, "responder-3", 12))
            if told != ["Conflict", "OutcomeUnknown", "ok"] or len(bench.server.writes) != 2:
                bad.append(f"{number}: {told}, {len(bench.server.writes)} writes")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _killed_in_the_write(bench: Bench, record: Record, plan: Plan) -> None:
    with bench.acting(record, plan) as (process, told):
        bench.before_write = lambda asked: killed(process.pid) or True
        told.send("go")
        process.join(30)
        bench.before_write = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that a history must not have."""

    seq: int
    text: str


def histories(trial: Trial) -> Figure:
    """Let three act at once, kill one at a random write, resume and go on; then check each history whole."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            _storm(bench, record, plan, trial.random)
            writes = [mark(asked) for asked in bench.server.writes]
            bad += [f"{number}: {each.text}" for each in checked(record, writes)]
            trial.tell(number + 1)
        bad += [f"without an intent: {each}" for each in bench.unforeseen]
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _storm(bench: Bench, record: Record, plan: Plan, random: Random) -> None:
    other = replace(plan, parameters={"to_revision": 1})
    benches.approve(record, other)
    dies = random.random() < 0.6
    with ExitStack() as stack:
        acts = [
            stack.enter_context(bench.acting(record, random.choice([plan, other]), name))
            for name in ("on-call", "responder-3", "responder-4")
        ]
        for process, _ in acts:
            if dies and process is acts[0][0]:
                bench.before_write = lambda asked, pid=process.pid: killed(pid) or random.random() < 0.5
        for _, told in acts:
            told.recv()
        for _, told in acts:
            told.send("go")
        for process, told in acts[1:]:
            _said(told) if process.is_alive() else None
    bench.before_write = None
    bench.resume(record) if record.incident().in_doubt else None
    bench.apply(record, plan, "responder-3", minutes=12)


def checked(record: Record, writes: list[str]) -> Iterator[Wrong]:
    """
    Yield what is wrong with a history: two at one target at once, or a write without its intent before it.

    A change is under way from its intent until its outcome, or until it was settled.
    """
    under_way: dict[str, str] = {}
    allowed: list[str] = []
    for line in record.journal.read_bytes().splitlines():
        event: dict[str, Any] = json.loads(line)
        body = event["body"]
        if event["kind"] == "intent":
            uid = body["plan"]["target"]["uid"]
            if under_way.get(uid, body["key"]) != body["key"]:
                yield Wrong(event["seq"], f"{body['key']} began while {under_way[uid]} was under way")
            under_way[uid] = body["key"]
            allowed.append(body["mark"])
        elif event["kind"] in ("outcome", "settled") and body["result"] != "unknown":
            under_way = {uid: key for uid, key in under_way.items() if key != body["key"]}
    for each in sorted(set(writes)):
        if writes.count(each) > allowed.count(each):
            yield Wrong(0, f"{writes.count(each)} writes of {each} for {allowed.count(each)} intents")
    if under_way:
        yield Wrong(0, f"still under way: {under_way}")


def same_key_twice(trial: Trial) -> Figure:
    """Apply the same plan again and again, in other runs and by other people: it is sent once."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            names = [trial.random.choice(["on-call", "responder-3"]) for _ in range(3)]
            said = [bench.apply(record, plan, name) for name in names]
            if said != ["ok", "again", "again"] or len(bench.server.writes) != 1:
                bad.append(f"{number}: {said}, {len(bench.server.writes)} writes")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


REFUSALS = {403: "Refused", 401: "Refused", 429: "Refused", 409: "Conflict", 422: "Conflict", 500: "OutcomeUnknown"}


def dry_run_yes_apply_no(trial: Trial) -> Figure:
    """Refuse the write that the dry run let through; the record has what came of it."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            status, expected = list(REFUSALS.items())[number % len(REFUSALS)]
            bench.server.on(fakes.DEPLOYMENT, status, fakes.status_object(status, "no"), "PATCH")
            said = bench.apply(record, plan)
            results = [str(each.result) for each in record.incident().changes]
            recorded = ["unknown" if expected == "OutcomeUnknown" else "refused"]
            if said != expected or results != recorded or change.MARK in bench.live["metadata"]["annotations"]:
                bad.append(f"{status}: {said}, recorded {results}")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


ROWS = [
    Row("T30", "two responders apply at the same moment", "exactly one request", 500, two_at_once, least=6),
    Row("T31", "the target moved between plan and apply", "exit 5, no request", 500, moved_since, least=20),
    Row("T33", "SIGKILL of who holds the target", "the next is told who, then to resume", 200, holder_killed),
    Row("T35", "histories of three responders and kills, checked", "one at a time; each write follows its intent", 500,
        histories, least=6),
    Row("T77", "the same plan applied again", "one request", 500, same_key_twice),
    Row("T78", "dry run says yes, apply says no", "recorded, exit 4, 5 or 6", 300, dry_run_yes_apply_no, least=6),
]  # fmt: skip
