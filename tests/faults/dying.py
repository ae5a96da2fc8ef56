"""
The ways in which a run can end before its time, and what the record must say then.

Each row writes a runbook of its own, whose cells do what somebody's cell could do, and runs it by the command. What is
looked at is what a responder has afterwards: the exit code, the record's state and cells, the notebook, the processes.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fakes
import psutil

from faults.programme import Figure, Row, Trial
from firstwatch.record.incident import Run, fold
from firstwatch.record.journal import read
from firstwatch.record.verify import verify

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 60.0
DEADLINE_S = 12  # time enough for a kernel to start on a machine that others use too
KILL_KERNEL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
IN_DOUBT = """
import json, os
from firstwatch.record.journal import Journal
from firstwatch.clock import WallClock
from firstwatch.model import Actor
from pathlib import Path
told = json.loads(os.environ["FIRSTWATCH_RUN"])
journal = Journal(Path(told["record"]) / "journal.jsonl", WallClock(), Actor("on-call"), "", told["run"])
journal.append("intent", {"key": "k", "plan": "k"})
"""
HIDDEN = """
import os, subprocess, sys
mark = os.environ["FIRSTWATCH_MARK"]
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            [os.dup2(null, each) for each in (0, 1, 2)]
            os.execv(sys.executable, [sys.executable, "-c", stubborn, mark])
        os._exit(0)
"""
WAIT = "import time; time.sleep(600)"
HYDRA = """
import os, signal, sys
mark = os.environ["FIRSTWATCH_MARK"]
program = '''
import os, signal, time
[signal.signal(each, signal.SIG_IGN) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
heads = [os.fork() for _ in range(4)]
os.setsid() if 0 in heads and os.getpgid(0) != os.getpid() else None
while True:
    try:
        os.wait()
        if os.fork() == 0:
            time.sleep(600)
    except ChildProcessError:
        time.sleep(0.01)
'''
if os.fork() == 0:
    os.execv(sys.executable, [sys.executable, "-c", program, mark])
"""
LOSE = """
session = get_ipython().kernel.session
def losing(stream, kind, *more, send=session.send, **named):
    if kind == "execute_reply":
        raise MemoryError
    return send(stream, kind, *more, **named)
session.send = losing
"""

WAYS = {
    "sys.exit(0)": "import sys; sys.exit(0)",
    "os._exit(0)": "import os; os._exit(0)",
    "exit()": "exit()",
    "quit": "quit()",
    "exit(0) by IPython": "get_ipython().ask_exit(); raise SystemExit(0)",
    "SIGKILL of itself": KILL_KERNEL,
    "SIGTERM of itself": "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)",
    "the engine killed": "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)",
    "the guardian killed": "import os, signal, time, psutil; "
    "os.kill(psutil.Process(os.getppid()).ppid(), signal.SIGKILL); time.sleep(60)",
    "an exit in a thread": "import os, threading, time; threading.Thread(target=lambda: os._exit(0)).start(); "
    "time.sleep(60)",
    "a segmentation fault": "import ctypes; ctypes.string_at(0)",
    "out of memory": "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30,) * 2); x = bytearray(1 << 32)",
    "raise": "raise ValueError('no')",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "execv of true": "import os; os.execv('/bin/true', ['true'])",
    "a reply that is lost": LOSE + "raise ValueError('no')",
    "a reply that is lost, of a cell that did well": LOSE,
}  # fmt: skip
HARMLESS = {
    "SystemExit in a thread": "import sys, threading; t = threading.Thread(target=sys.exit); t.start(); t.join()",
    "an exception at exit": "import atexit; atexit.register(lambda: 1 / 0)",
    "a wait that lets others run": "import asyncio; await asyncio.sleep(1)",
    "a closed stdout": "import sys; sys.stdout.close()",
    "300 MB printed": "for _ in range(300): print('x' * 1_000_000)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with a runbook of our own, and the command."""

    folder: Path
    mark: str = ""

    def write(self, *cells: str) -> None:
        path = self.folder / "runbooks" / "investigate" / "dying.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook(cells)))
        fakes.configuration(self.folder, "http://127.0.0.1:9")

    @property
    def environ(self) -> dict[str, str]:
        return os.environ | {
            "FIRSTWATCH_CONFIG": str(self.folder / "firstwatch.toml"), "FIRSTWATCH_MARK": self.mark,
            "FIRSTWATCH_RUNBOOKS": str(self.folder / "runbooks"), "FIRSTWATCH_ACTOR": "on-call",
            "XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1",
        }  # fmt: skip

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "firstwatch", "run", "investigate/dying", *words]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=ROOT, env=self.environ, stdin=quiet, stdout=quiet, stderr=quiet)

    def run(self, *words: str) -> int:
        return self.start(*words).wait(LONG_S)

    @property
    def record(self) -> Path:
        return max((self.folder / "incidents").iterdir())

    @property
    def last(self) -> Run:
        return fold(read(self.record / "journal.jsonl")).runs[-1]

    def reached(self, cell: str) -> None:
        """Return once *cell* of the newest run has begun; AssertionError after a minute."""
        ends = time.monotonic() + LONG_S
        while time.monotonic() < ends:
            if any((self.folder / "incidents").glob("*/journal.jsonl")) and self._cells().get(cell):
                return
            time.sleep(0.02)
        raise AssertionError(f"cell {cell} was not reached")

    def _cells(self) -> Mapping[str, str]:
        runs = fold(read(self.record / "journal.jsonl")).runs
        return dict(runs[-1].cells) if runs else {}


def notebook(cells: Any) -> dict[str, Any]:
    """Return a notebook with *cells*, called `cell-0` and on."""
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Dying\n\nFor a test."}
    code = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": s, "outputs": [], "execution_count": None}
        for n, s in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": [title, *code], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def marked(mark: str) -> Iterator[psutil.Process]:
    """Yield the living processes that were started with *mark* among their arguments or in their environment."""
    for each in psutil.process_iter():
        try:
            if each.status() != psutil.STATUS_ZOMBIE and each.environ().get("FIRSTWATCH_MARK") == mark:
                yield each
        except psutil.Error:
            continue


def gone(mark: str, within: float) -> float:
    """Return the seconds until no process with *mark* lives; infinite when one lives longer than *within*."""
    began = time.monotonic()
    while any(marked(mark)):
        if time.monotonic() - began > within:
            return float("inf")
    return time.monotonic() - began


def wrong(bench: Bench, code: int, at: int, count: int, expected: int = 1) -> str:
    """Say what is wrong with a run of *count* cells that was to end in cell *at* with *expected*."""
    run = bench.last
    cells = [dict(run.cells).get(f"cell-{n}", "nothing") for n in range(count)]
    ended = cells[at] in ("failed", "interrupted")
    if code != expected or run.exit != expected or run.state in ("done", "running"):
        return f"exit {code}, record {run.state} {run.exit}"
    if not ended or cells[:at] != ["done"] * at or cells[at + 1 :] != ["not run"] * (count - at - 1):
        return f"cells {cells}"
    return "" if verify(bench.record).consistent else "the record is not consistent"


def no_false_green(trial: Trial) -> Figure:
    """Die in every way in each of three cells; then do what is no death, which must stay green."""
    bad: list[str] = []
    for number in range(trial.count):
        name = list(WAYS)[number % len(WAYS)]
        at = number // len(WAYS) % 3 if trial.count > 2 * len(WAYS) else trial.random.randrange(3)
        bench = Bench(trial.folder / str(number))
        bench.write(*(WAYS[name] if n == at else f"print({n})" for n in range(3)))
        if said := wrong(bench, bench.run(), at, 3):
            bad.append(f"{name} in cell {at}: {said}")
        trial.tell(number + 1)
    bad += list(_harmless(trial))
    return Figure(trial.count + len(HARMLESS), len(bad), "; ".join([f"{len(WAYS)} ways to die", *bad[:4]]))


def _harmless(trial: Trial) -> Iterator[str]:
    for number, (name, source) in enumerate(HARMLESS.items()):
        bench = Bench(trial.folder / f"harmless-{number}")
        bench.write(source, "x = 1")
        code = bench.run()
        size = sum(path.stat().st_size for path in bench.record.rglob("*") if path.is_file())
        if code != 0 or bench.last.state != "done" or size > 5_000_000:
            yield f"{name}: exit {code}, record {bench.last.state}, {size} bytes"


def killed_kernel(trial: Trial) -> Figure:
    """Kill the kernel in each cell of five; every second time with an intent that has no outcome."""
    bad: list[str] = []
    for number in range(trial.count):
        at, doubt = number % 5, number % 2 == 1
        bench = Bench(trial.folder / str(number))
        fatal = (IN_DOUBT if doubt else "") + KILL_KERNEL
        bench.write(*(fatal if n == at else f"print({n})" for n in range(5)))
        if said := wrong(bench, bench.run(), at, 5, 6 if doubt else 1):
            bad.append(f"cell {at}, {'in doubt' if doubt else 'no change'}: {said}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:4]))


def signalled(trial: Trial) -> Figure:
    """Signal the supervisor, or kill the engine, while commands of a cell hide from both."""
    bad, took = [], []
    for number in range(trial.count):
        how = SIGNALLED[number % len(SIGNALLED)]
        bench = Bench(trial.folder / str(number), f"{trial.folder.name}-{number}")
        bench.write("x = 1", HIDDEN, WAIT, "x = 2")
        process = bench.start()
        bench.reached("cell-2")
        expected = _hit(process, how, trial.random)
        seconds = gone(bench.mark, LONG_S) if process.poll() is None else 0.0
        code = process.wait(LONG_S)
        took.append(seconds)
        said = wrong(bench, code, 2, 4, expected) or ("" if seconds < LIMIT_S else f"alive for {seconds:.1f} s")
        bad += [f"{how}: {said}"] if said else []
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([f"all ended: {percentile(took)}", *bad[:4]]))


SIGNALLED = ("SIGINT", "SIGTERM", "SIGHUP", "engine SIGKILL")
LIMIT_S = 1.0


def _hit(process: "subprocess.Popen[bytes]", how: str, random: Any) -> int:
    time.sleep(random.uniform(0, 0.1))
    if how.startswith("engine"):
        (guardian,) = psutil.Process(process.pid).children()
        guardian.children()[0].kill()
        return 1
    process.send_signal(getattr(signal, how))
    return 130


def percentile(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    most = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    return f"median {ordered[len(ordered) // 2] * 1000:.0f} ms, p99 {most * 1000:.0f} ms"


def killed_supervisor(trial: Trial) -> Figure:
    """Kill the supervisor with SIGKILL, and look for orphans after three seconds."""
    bad, took = [], []
    for number in range(trial.count):
        bench = Bench(trial.folder / str(number), f"{trial.folder.name}-{number}")
        bench.write("x = 1", HIDDEN, WAIT)
        process = bench.start()
        bench.reached("cell-2")
        time.sleep(trial.random.uniform(0, 0.1))
        process.kill()
        process.wait()
        took.append(gone(bench.mark, 3.0))
        left = [each.cmdline()[:3] for each in marked(bench.mark)]
        if left or bench.last.state != "running" or not verify(bench.record).consistent:
            bad.append(f"{number}: {len(left)} orphans, {bench.last.state}")
        for each in marked(bench.mark):
            each.kill()
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([f"all ended: {percentile(took)}", *bad[:4]]))


def out_of_memory(trial: Trial) -> Figure:
    """Bound the address space of the command, of the kernel alone, and with a change in doubt: never silence."""
    bad: list[str] = []
    for number in range(trial.count):
        doubt = number % 2 == 1
        megabytes = trial.random.randrange(700, 2000)
        limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes} << 20,) * 2)\n"
        bench = Bench(trial.folder / str(number))
        bench.write(
            "x = 1", (IN_DOUBT if doubt else "") + limit + "held = []\nwhile True: held.append(bytearray(1 << 22))"
        )
        if said := wrong(bench, bench.run(), 1, 2, 6 if doubt else 1):
            bad.append(f"{megabytes} MB, {'in doubt' if doubt else 'no change'}: {said}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:4]))


def hanging(trial: Trial) -> Figure:
    """Hang in ways that heed no interrupt, and let the deadline end it: exit 124, nothing left."""
    bad, took = [], []
    for number in range(trial.count):
        name = list(HANGS)[number % len(HANGS)]
        bench = Bench(trial.folder / str(number), f"{trial.folder.name}-{number}")
        bench.write("x = 1", HANGS[name])
        began = time.monotonic()
        code = bench.run("--deadline", f"{DEADLINE_S}s")
        took.append(time.monotonic() - began - DEADLINE_S)
        left = len(list(marked(bench.mark)))
        if said := wrong(bench, code, 1, 2, 124) or (f"{left} processes left" if left else ""):
            bad.append(f"{name}: {said}")
        for each in marked(bench.mark):
            each.kill()
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([f"beyond the deadline: {percentile(took)}", *bad[:4]]))


DEAF = "import signal, time\nfor n in (2, 15, 1): signal.signal(n, signal.SIG_IGN)\n"
HANGS = {
    "SIGINT ignored": DEAF + "while True: pass",
    "every exception caught": "import time\nwhile True:\n    try: time.sleep(60)\n    except BaseException: pass",
    "a loop in C": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    "a fork bomb": HYDRA + DEAF + "while True: time.sleep(1)",
}

ROWS = [
    Row("T03", "SIGKILL of the kernel in each cell", "state, cells and exit code true; 6 in doubt", 200,
        killed_kernel, least=5),
    Row("T04", "SIGINT, SIGTERM, SIGHUP; SIGKILL of the engine", "tree ended in 1 s, state recorded", 300,
        signalled, least=4),
    Row("T05", "SIGKILL of the supervisor", "no orphan after 3 s", 200, killed_supervisor, least=4),
    Row("T13", "out of memory in a cell", "exit 1, or 6 in doubt; never silence", 100, out_of_memory, least=4),
    Row("T80", "loops that heed nothing, a fork bomb", "exit 124, tree ended", 80, hanging, least=4),
    Row("T81", "every way to die, in each cell", "no false green", 51, no_false_green, least=17),
]  # fmt: skip
