"""
Each system broken in each way, under each runbook: its recording replayed, its cells run as they stand.

No finding may be OK on what the broken system alone could know, each UNKNOWN says why and what to do next, and what
stops a runbook is a sentence of ours, never a traceback. A replay needs no kernel: the cells run here, one by one.
"""

import atexit
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from test_runs import ROOT

from faults.programme import Figure, Row, Trial
from firstwatch import Watch, probes, settings
from firstwatch.errors import FirstwatchError
from firstwatch.model import Finding, Verdict, finding
from firstwatch.probes.probe import Probe, ask
from firstwatch.record.journal import read
from firstwatch.runs import catalog
from firstwatch.runs.scene import VARIABLE
from firstwatch.systems import connect
from firstwatch.systems.broken import SYSTEMS, WAYS
from firstwatch.systems.tape import TAPE, Exchange, Replay, Tape

TAPES = ROOT / "runbooks" / "recordings"
KNOWN = {each.name: each for name in probes.__all__ if isinstance(each := getattr(probes, name), Probe)}
# What a tape does not have is configured all the same, so that it is asked, and is broken.
FURNISHED: Mapping[str, Mapping[str, Any]] = {
    "database": {"dsn": "env:FIRSTWATCH_NO_DATABASE"},
    "aws": {"load_balancer": "api", "target_group": "api", "region": "eu-central-1"},
    "git": {"folder": "clone", "branch": "main"},
    "service": {"health_says": "ok"},
}
# Of these a list with nothing in it is an answer: there need be none.
NONE_IS_AN_ANSWER = {
    "autoscalers", "quotas", "budgets", "ingresses", "events", "neighbours", "locks", "transactions", "replication",
}  # fmt: skip
# Whether an address can be reached is what these ask: that it cannot is what they find.
REACHING = {"health", "dependencies"}


@dataclass(frozen=True, slots=True)
class Case:
    """One runbook with one system broken in one way."""

    runbook: str
    system: str
    way: str

    def __str__(self) -> str:
        return f"{self.runbook}, {self.system}={self.way}"


@dataclass(slots=True)
class Ran:
    """What came of a run: its findings, and what stopped it: a sentence, or what nobody foresaw."""

    findings: list[Finding] = field(default_factory=list)
    sentence: str = ""
    unforeseen: str = ""


class Noting(Replay):
    """A replay that notes which systems are asked."""

    def __init__(self, tape: Tape, into: set[str]) -> None:
        super().__init__(tape)
        self.into, self.host = into, tape.header["settings"]["prometheus"]["url"].partition("//")[2]

    def answer(self, method: str, url: str, sent: Any) -> Exchange | None:
        from firstwatch.systems.broken import Broken

        self.into.add(Broken("", "", self.host).asked(method, url))
        return super().answer(method, url, sent)


def furnished(runbook: str, folder: Path) -> Path:
    """Write the tape of *runbook* into *folder*, with all systems configured; return its folder."""
    own = folder / runbook
    if not own.is_dir():
        own.mkdir(parents=True)
        header, _, rest = (TAPES / runbook / TAPE).read_text().partition("\n")
        told = json.loads(header)
        for section, values in FURNISHED.items():
            told["settings"].setdefault(section, {}).update(values)
        (own / TAPE).write_text(f"{json.dumps(told)}\n{rest}")
    return own


def run(runbook: str, recording: Path, broken: str = "") -> Ran:
    """Run the code cells of *runbook* here, against *recording*."""
    return cells(runbook, {"replay": str(recording), "broken": broken}, {"within": "2s"})


def cells(runbook: str, context: Mapping[str, Any], values: Mapping[str, Any]) -> Ran:
    """Run the code cells of *runbook* here, in a *context* as our runner gives it; *values* are its parameters'."""
    ran, names = Ran(), dict[str, Any]()
    with _told(context), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        try:
            for cell in catalog.find(runbook).cells:
                if cell["cell_type"] == "code":
                    exec("".join(cell["source"]), names)  # the runbook's own cells
                    names |= {name: value for name, value in values.items() if name in names}
        except FirstwatchError as error:
            ran.sentence = f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001  # whatever it is, a responder would see a traceback
            ran.unforeseen = repr(error)
        finally:
            _closed(names.get("watch"), ran)
    return ran


@contextmanager
def _told(context: Mapping[str, Any]) -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = json.dumps(context)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


def _closed(watch: Watch | None, ran: Ran) -> None:
    if watch is None:
        return
    events = read(watch.journal.path)
    began = max(number for number, each in enumerate(events) if each.kind == "run-started")
    told = [each.body["findings"] for each in events[began:] if each.kind in ("looked", "verified")]
    ran.findings = [finding(each) for findings in told for each in findings]
    atexit.unregister(watch.scene.close)
    watch.scene.close()


@cache
def asks(probe: str, recording: Path) -> frozenset[str]:
    """Return which systems *probe* asks, when it is replayed from *recording*."""
    tape, into = Tape.load(recording), set[str]()
    if probe not in KNOWN:
        return frozenset()
    with Noting(tape, into) as replay, connect(settings.parse(tape.header["settings"], "a tape"), replay=replay) as to:
        ask(KNOWN[probe], to, datetime.now(UTC))
    return frozenset(into)


def cases(folder: Path) -> list[Case]:
    """Return every runbook with every system that it asks, broken in every way."""
    found = []
    for runbook in (path.parent.relative_to(TAPES).as_posix() for path in sorted(TAPES.rglob(TAPE))):
        recording = furnished(runbook, folder)
        asked = {"kubernetes"} if runbook.startswith("mitigate") else set()
        asked |= {system for each in run(runbook, recording).findings for system in asks(each.probe, recording)}
        found += [Case(runbook, system, way) for system in SYSTEMS if system in asked for way in WAYS]
    return found


def wrong(case: Case, ran: Ran, recording: Path) -> list[str]:
    """Return what must not be, in words."""
    bad = [f"traceback: {ran.unforeseen}"] if ran.unforeseen else []
    for each in ran.findings:
        blind = case.system in asks(each.probe, recording)
        if blind and each.verdict is not Verdict.UNKNOWN and not _may(case, each):
            bad.append(f"{each.probe} says {each.verdict}: {each.observed}")
        if each.verdict is Verdict.UNKNOWN and not (each.observed and (each.next or each.command)):
            bad.append(f"{each.probe} is UNKNOWN without a reason or a next step")
    return bad


def _may(case: Case, found: Finding) -> bool:
    """Whether *found* may be other than UNKNOWN although its system is broken."""
    if found.verdict is Verdict.BAD:
        return found.probe in REACHING or case.way == "empty"  # a list that lacks what should be in it
    return case.way == "empty" and found.probe in NONE_IS_AN_ANSWER


def matrix(trial: Trial) -> Figure:
    """Run the cases, some three hundred, or as many of them as are wanted; each once."""
    every = cases(trial.folder)
    chosen = every if trial.count >= len(every) else trial.random.sample(every, trial.count)
    bad, said = [], Counter[str]()
    for number, case in enumerate(chosen):
        recording = furnished(case.runbook, trial.folder)
        ran = run(case.runbook, recording, f"{case.system}={case.way}")
        bad += [f"{case}: {each}" for each in wrong(case, ran, recording)]
        said.update(str(each.verdict) for each in ran.findings if case.system in asks(each.probe, recording))
        said["stopped"] += bool(ran.sentence)
        trial.tell(number + 1)
    counts = f"{len(every)} cases; of the broken systems {said['UNKNOWN']} UNKNOWN, {said['BAD']} BAD, {said['OK']} OK"
    return Figure(len(chosen), len(bad), "; ".join([f"{counts}; {said['stopped']} stopped by a sentence", *bad[:3]]))


def by_command(trial: Trial) -> Figure:
    """The same through `firstwatch run --replay --broken`, with a kernel: no traceback, and the exit code says it."""
    bad, every = [], [case for case in cases(trial.folder) if case.system != "outside"]
    for number in range(trial.count):
        case = trial.random.choice(every)
        soon = ["-p", "within=4s"] if "within" in catalog.find(case.runbook).parameters_source else []
        words = ["run", case.runbook, *soon, "--replay", "--broken", f"{case.system}={case.way}", "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "firstwatch", *words], cwd=ROOT, capture_output=True, text=True, timeout=300,
            env=os.environ | {"XDG_STATE_HOME": str(trial.folder / "state")}, check=False,
        )  # fmt: skip
        if "Traceback" in done.stdout + done.stderr or done.returncode not in (0, 3, 4, 6, 8):
            bad.append(f"{case}: exit {done.returncode}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


ROWS = [
    Row("T87", "each runbook with each system refused, slow, denied, empty, garbage",
        "UNKNOWN with the reason, no OK, no traceback", 1_000, matrix, least=40),
    Row("T88", "the same through the command and a kernel", "no traceback, an exit code of the list", 10, by_command,
        least=2),
]  # fmt: skip
