"""Everything that must not open the gate: no approval, another's, an expired one, one person where two are wanted."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import fakes
import test_planned
from test_runs import ROOT, Laptop

from faults import bench as benches
from faults.programme import Figure, Row, Trial
from firstwatch.model import Actor, Change, Plan, Target, plain, timestamp
from firstwatch.policy.gate import Rule, decide
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.runs import catalog

NOW = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
NAMES = [catalog.find(name) for name in catalog.names(ROOT / "runbooks")]
SAME = ("on-call", "On-Call", " on-call", "ON-CALL ", "on-call\u200b", "\uff4fn-call", "")  # the requester, or nobody


def _plan(**changed: Any) -> Plan:
    change = Change("/spec/replicas", 3, 5)
    made = Plan(
        action="scale", target=Target("Deployment", "prod", "api", "u1", 7), changes=(change,), summary=("3 → 5",),
        undo=(change.inverse(),), destructive=True, parameters={"replicas": 5}, runbook="mitigate/scale",
        notebook_sha256="a",
    )  # fmt: skip
    return replace(made, **changed)


def mutated_approvals(trial: Trial) -> Figure:
    """Change one thing of an approval that would open the gate, as it stands in a journal, and ask the gate."""
    bad: list[str] = []
    assert _open(_plan(), {"plan": _plan().hash, "until": timestamp(NOW + timedelta(minutes=15))}, "responder-2")
    for number in range(trial.count):
        way = trial.random.choice(MUTATIONS)
        plan, body, by = way(trial.random)
        if _open(plan, body, by):
            bad.append(f"{way.__name__}: {body} by {by!r}")
        if number % 1000 == 999:
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _open(plan: Plan, body: Any, by: str, kind: str = "approved") -> bool:
    event = Event(
        v=1, seq=1, prev="", incident="2026-11-24-020304", run="", actor=plain(Actor(by)), credential="", mono=0,
        at=timestamp(NOW), kind=kind, body_sha256="", body=body, hash="",
    )  # fmt: skip
    approvals = fold([event]).approvals
    return decide(plan, approvals, "on-call", Rule(self_approval=False), NOW, "2026-11-24-020304").open


def _yes(plan: Plan, minutes: float = 15) -> dict[str, Any]:
    return {"plan": plan.hash, "until": timestamp(NOW + timedelta(minutes=minutes)), "self_approved": False}


Mutation = tuple[Plan, Any, str]


def another_hash(random: Random) -> Mutation:
    known = _plan().hash
    place = random.randrange(len(known))
    other = [known[:place], known + "0", known.upper() + " ", known[:place] + "x" + known[place + 1 :], ""]
    return _plan(), _yes(_plan()) | {"plan": random.choice(other)}, "responder-2"


def expired(random: Random) -> Mutation:
    return _plan(), _yes(_plan(), -random.random() * 10**5), "responder-2"


def by_the_requester(random: Random) -> Mutation:
    return _plan(), _yes(_plan()) | {"self_approved": random.choice([True, False])}, random.choice(SAME)


def another_plan(random: Random) -> Mutation:
    number = random.randrange(8, 10**6)
    change = Change("/spec/replicas", 3, number)
    changed: list[dict[str, Any]] = [
        {"target": Target("Deployment", "prod", "api", f"u{number}", 7)},
        {"target": Target("Deployment", "prod", "api", "u1", number)},
        {"target": Target("Deployment", "prod", f"api-{number}", "u1", 7)},
        {"changes": (change,)}, {"changes": (replace(change, before=number, after=5),)}, {"undo": ()},
        {"undo": (change,)}, {"parameters": {"replicas": number}}, {"notebook_sha256": f"{number:x}b"},
        {"runbook": "mitigate/other"}, {"action": "restart"}, {"destructive": False}, {"undoes": "x"},
    ]  # fmt: skip
    return _plan(**random.choice(changed)), _yes(_plan()), "responder-2"


def another_body(random: Random) -> Mutation:
    junk = random.choice([None, 7, [], {}, "soon", True, {"purged": "x"}, float("inf"), "9999-99-99"])
    whole = random.choice([junk, {}, _yes(_plan()) | {"plan": junk}, _yes(_plan()) | {"until": junk}])
    return _plan(), whole if isinstance(whole, dict) else {}, "responder-2"


MUTATIONS: list[Callable[[Random], Mutation]] = [another_hash, expired, by_the_requester, another_plan, another_body]


def one_person_on_a_sev1(trial: Trial) -> Figure:
    """Approve a destructive plan of a SEV1 by one person, once or often, and apply; then by a second one."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            record, plan = bench.approved()
            body = {"title": "down", "impact": "all", "severity": "SEV1", "source": "team"}
            benches.writer().journal(record).append("declared", body)
            for _ in range(trial.random.randrange(3)):
                benches.approve(record, plan, trial.random.choice([*SAME, "responder-2", "Responder-2 "]))
            said, sent = bench.apply(record, plan), len(bench.server.writes)
            benches.approve(record, plan, "responder-3")
            if (said, sent, bench.apply(record, plan)) != ("GateClosed", 0, "ok"):
                bad.append(f"{number}: {said}, {sent} writes")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


class Served(Laptop):
    """A laptop that knows what it asks."""

    server: fakes.Server


@contextmanager
def laptop(folder: Path, world: fakes.Server) -> Iterator[Served]:
    folder.mkdir(exist_ok=True)
    with fakes.serving(world):
        at = Served(folder, world)
        at.server = world
        at.environ |= {"FIRSTWATCH_ACTOR": "on-call", "FIRSTWATCH_RECORDS": str(folder / "incidents")}
        yield at


def _fast(book: catalog.Runbook) -> list[str]:
    return ["-p", "within=0s"] if any("within" in "".join(cell["source"]) for cell in book.cells) else []


def read_only(trial: Trial) -> Figure:
    """
    Run each runbook without --apply, and count what is not a read on the wire.

    One that has nothing to change here says so (2, 4), and one that tells people wants its texts (2).
    """
    bad, writes = [], 0
    for number in range(trial.count):
        book = NAMES[number % len(NAMES)]
        with laptop(trial.folder / str(number), fakes.failing()) as at:
            exit_code = at.firstwatch("run", book.name, *_fast(book)).returncode
            writes += len(at.server.writes)
            looked = exit_code in (2, 4) or book.kind in ("coordinate", "review") or at.server.asked
            if at.server.writes or exit_code not in (0, 2, 3, 4, 8) or not looked:
                bad.append(f"{book.name}: exit {exit_code}, {len(at.server.writes)} writes")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([f"{len(NAMES)} runbooks, {writes} writes", *bad[:3]]))


MITIGATIONS = [book for book in NAMES if book.name in test_planned.MITIGATIONS]


def _asked(book: catalog.Runbook) -> list[str]:
    return {"mitigate/scale-out": ["-p", "replicas=10"], "mitigate/autoscaler": ["-p", "minimum=6"]}.get(book.name, [])


def unapproved(trial: Trial) -> Figure:
    """Apply each mitigation that nobody approved."""
    bad = []
    for number in range(trial.count):
        book = MITIGATIONS[number % len(MITIGATIONS)]
        with laptop(trial.folder / str(number), test_planned.changeable()) as at:
            test_planned.desk(at.folder, at.server.url)
            exit_code = at.firstwatch("run", book.name, "--apply", *_fast(book), *_asked(book)).returncode
            if (exit_code, at.server.writes) != (3, []):
                bad.append(f"{book.name}: exit {exit_code}, {len(at.server.writes)} writes")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([f"{len(MITIGATIONS)} mitigations", *bad[:3]]))


def broken_glass(trial: Trial) -> Figure:
    """Break the glass on a SEV1 by the command: a reason is wanted, it works, and it is seen everywhere."""
    bad = []
    for number in range(trial.count):
        with laptop(trial.folder / str(number), fakes.failing()) as at:
            wrong = [what for what, holds in _broken(at) if not holds]
            bad += [f"{number}: {', '.join(wrong)}"] if wrong else []
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _broken(at: Served) -> Iterator[tuple[str, bool]]:
    plan = at.json("run", "mitigate/rollback")["plan"]["hash"]
    at.firstwatch("declare", "down", "--impact", "all", "--severity", "SEV1", "--source", "team")
    yield "a reason is wanted", at.firstwatch("break-glass", plan, "--reason", "because").returncode == 2
    yield "it works", at.firstwatch("break-glass", plan, "--reason", "alone on call").returncode == 0
    at.firstwatch("run", "mitigate/rollback", "--apply", "-p", "within=0s")
    yield "one write", len(at.server.writes) == 1
    yield "status", "BREAK-GLASS" in at.firstwatch("status").stdout
    (page,) = (at.folder / "incidents").glob("*/page.md")
    yield "page", "**Break-glass.**" in page.read_text()


def inconclusive(trial: Trial) -> Figure:
    """Let nothing be known after a change was made: that is no recovery."""
    bad = []
    for number in range(trial.count):
        answer = (503, {}) if number % 2 else (200, fakes.vector(None))
        world = fakes.failing()
        with laptop(trial.folder / str(number), world) as at:
            plan = at.json("run", "mitigate/rollback")["plan"]["hash"]
            at.firstwatch(
                "declare", "errors", "--impact", "some", "--severity", "SEV2", "--source", "team", "--reason", "a trial"
            )
            at.firstwatch("approve", plan, "--as", "responder-2")
            world.answers["PATCH", fakes.DEPLOYMENT] = _blinding(world, answer)
            ended = at.json("run", "mitigate/rollback", "--apply", "-p", "within=0s")
            status = at.incident().status
            if (ended["exit"], len(world.writes), status) != (8, 1, "mitigating"):
                bad.append(f"{number}: exit {ended['exit']}, {len(world.writes)} writes, {status}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _blinding(world: fakes.Server, answer: fakes.Answer) -> Callable[[fakes.Asked], fakes.Answer]:
    patch = fakes.patched(world)

    def blind(asked: fakes.Asked) -> fakes.Answer:
        if "dryRun" not in asked.query:
            world.answers["GET", fakes.QUERY] = answer
        return patch(asked)

    return blind


def notebook_changed(trial: Trial) -> Figure:
    """Change the runbook's source after its plan was approved."""
    bad = []
    for number in range(trial.count):
        with laptop(trial.folder / str(number), fakes.failing()) as at:
            books = at.folder / "runbooks"
            shutil.copytree(ROOT / "runbooks", books)
            at.environ["FIRSTWATCH_RUNBOOKS"] = os.fspath(books)
            plan = at.json("run", "mitigate/rollback")["plan"]["hash"]
            approved = at.firstwatch("approve", plan, "--as", "responder-2").returncode
            _edit(books / "mitigate" / "rollback.ipynb", trial.random)
            exit_code = at.firstwatch("run", "mitigate/rollback", "--apply", "-p", "within=0s").returncode
            if (approved, exit_code, at.server.writes) != (0, 3, []):
                bad.append(f"{number}: approved {approved}, exit {exit_code}, {len(at.server.writes)} writes")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _edit(notebook: Path, random: Random) -> None:
    book = json.loads(notebook.read_text())
    chosen = random.choice([cell for cell in book["cells"] if cell["cell_type"] == "code"])
    chosen["source"] = [*chosen["source"], "\n# one more line"]
    notebook.write_text(json.dumps(book))


ROWS = [
    Row("T32", "an approval for something else, expired, or by the requester", "closed", 10_000, mutated_approvals,
        least=10_000),
    Row("T70", "every runbook without --apply", "0 writes on the wire", 20, read_only, least=len(NAMES)),
    Row("T71", "every mitigation without an approval", "exit 3, 0 writes", 20, unapproved, least=len(MITIGATIONS)),
    Row("T72", "one person approves a destructive plan on a SEV1", "exit 3, 0 writes", 200, one_person_on_a_sev1),
    Row("T73", "break-glass", "a reason, one write, seen in status and on the page", 20, broken_glass),
    Row("T79", "nothing can be seen after the change", "exit 8, not monitoring, not resolved", 20, inconclusive),
    Row("T82", "the notebook changed after the approval", "exit 3, 0 writes", 20, notebook_changed),
]  # fmt: skip
