"""The journal under kills, under many writers, and as the system calls that a power cut would interrupt."""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import firstwatch
from faults.programme import Figure, Row, Trial
from firstwatch.clock import WallClock
from firstwatch.errors import FirstwatchError
from firstwatch.model import Actor
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.verify import verify

ID = "2026-11-24-020304"
KILLS_A_RECORD = 10
WRITERS = 8
PROCESSES = multiprocessing.get_context("forkserver")  # a child in milliseconds, without this process's threads
PROCESSES.set_forkserver_preload(["firstwatch.record.verify"])


def journal(folder: Path, run: str = "r1") -> Journal:
    (folder / ID).mkdir(exist_ok=True)
    return Journal(folder / ID / "journal.jsonl", WallClock(), Actor("on-call"), "tester@here", run)


def killed(trial: Trial) -> Figure:
    """Kill two writers of one record at random moments, and look for all that they acknowledged."""
    bad, acknowledged, torn = [], 0, 0
    for number in range(trial.count):
        folder = trial.folder / str(number // KILLS_A_RECORD)
        folder.mkdir(exist_ok=True)
        told = _both_killed(folder, trial.random)
        checked = verify(folder / ID)
        acknowledged, torn = acknowledged + len(told), torn + checked.torn
        if wrong := missing(folder, told) or not checked.consistent:
            bad.append(f"{number}: {wrong or checked}")
        if number % KILLS_A_RECORD == KILLS_A_RECORD - 1:
            shutil.rmtree(folder)
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), f"{acknowledged} acknowledged, {torn} torn; {'; '.join(bad[:3])}".rstrip("; "))


def _both_killed(folder: Path, random: Random) -> list[tuple[int, str]]:
    with _writer(folder, random) as (one, told_by_one), _writer(folder, random) as (other, told_by_other):
        told = [told_by_one.recv(), told_by_other.recv()]  # both are at work
        for each in (one, other):
            time.sleep(random.random() * 0.02)
            each.kill()
        return [*told, *_rest(told_by_one), *_rest(told_by_other)]


@contextmanager
def _writer(folder: Path, random: Random) -> Iterator[tuple[Any, "Connection[Any, Any]"]]:
    ours, theirs = PROCESSES.Pipe(duplex=False)
    child = PROCESSES.Process(target=_append_on, args=(folder, theirs, random.randrange(1 << 30)))
    child.start()
    theirs.close()
    try:
        yield child, ours
    finally:
        child.kill()
        child.join()
        ours.close()


def _append_on(folder: Path, acknowledge: "Connection[Any, Any]", seed: int) -> None:
    """Append for ever, lines of all sizes; tell of each once it was acknowledged."""
    random, book = Random(seed), journal(folder)
    while True:
        event = book.append("note", {"text": "x" * random.choice((10, 500, 4096, 20_000))})
        acknowledge.send((event.seq, event.hash))


def _rest(pipe: "Connection[Any, Any]") -> Iterator[tuple[int, str]]:
    try:
        while True:
            yield pipe.recv()
    except (EOFError, OSError):
        return


def missing(folder: Path, told: list[tuple[int, str]]) -> str:
    """Return what of *told* is not in the record, or why that cannot be read; nothing when all is there."""
    try:
        there = {(event.seq, event.hash) for event in read(folder / ID / "journal.jsonl")}
    except FirstwatchError as error:
        return str(error)
    lost = [seq for seq, digest in told if (seq, digest) not in there]
    return f"lost {lost}" if lost else ""


def many_writers(trial: Trial) -> Figure:
    """Let eight processes write one journal, and look for one chain with all that each wrote, in its order."""
    each = -(-trial.count // WRITERS)
    names = [f"w{number}" for number in range(WRITERS)]
    writers = [PROCESSES.Process(target=_write, args=(trial.folder, name, each)) for name in names]
    for writer in writers:
        writer.start()
    for number, writer in enumerate(writers):
        writer.join()
        trial.tell(each * (number + 1))
    events = read(trial.folder / ID / "journal.jsonl")
    lost = sum(_lost(events, name, each) for name in names)
    checked = verify(trial.folder / ID)
    return Figure(each * WRITERS, lost + len(checked.problems), "" if checked.whole else str(checked)[:300])


def _write(folder: Path, name: str, count: int) -> None:
    book = journal(folder, run=name)
    for number in range(count):
        book.append("note", {"text": f"{name} {number}"})


def _lost(events: tuple[Event, ...], name: str, count: int) -> int:
    said = [event.body["text"] for event in events if event.run == name]
    return count if len(said) != count else sum(text != f"{name} {n}" for n, text in enumerate(said))


class Jumping(WallClock):
    """A wall clock that is set anew before each look: back by an hour, forward by a year, over the end of summer."""

    BY = (0, -3600, 3600, 365 * 86400, -365 * 86400, -1, 0.5)

    def __init__(self, random: Random) -> None:
        self.random, self.off = random, 0.0

    def now(self) -> datetime:
        self.off += self.random.choice(self.BY)
        return datetime.now(UTC) + timedelta(seconds=self.off)


def jumping(trial: Trial) -> Figure:
    """Write records under clocks that jump: the order stays, the chain holds, and each jump back is told."""
    bad: list[str] = []
    for number in range(trial.count):
        folder = trial.folder / str(number)
        (folder / ID).mkdir(parents=True)
        book = Journal(folder / ID / "journal.jsonl", Jumping(trial.random), Actor("on-call"), "tester@here", "r1")
        for n in range(30):
            book.append("note", {"text": str(n)})
        if said := _misled(folder / ID):
            bad.append(f"{number}: {said}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _misled(folder: Path) -> str:
    events = read(folder / "journal.jsonl")
    state = fold(events)
    back = {b.seq for a, b in pairwise(events) if b.time - a.time < timedelta(seconds=-3)}
    if [entry.text for entry in state.timeline] != [str(n) for n in range(30)] or not verify(folder).consistent:
        return "the order or the chain is lost"
    return "" if back <= {each.seq for each in state.jumps} else "a jump back was not told"


CALL = re.compile(r'^(?:\d+ +)?(\w+)\((\d+)?(?:<([^>]*)>)?(?:, "((?:\\x[0-9a-f]{2})*)")?.*\) = (-?\d+)')
WATCHED = "write,pwrite64,fsync,fdatasync,ftruncate"
SCRIPT = """
import sys; from pathlib import Path; from faults.journal import journal
book = journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    event = book.append("note", {"text": "x" * (number * 37 % 5000)})
    print(event.seq, flush=True)
"""


def power_cut(trial: Trial) -> Figure:
    """Follow the system calls: at each, take away what was not synced, and what was acknowledged must be left."""
    trace = trial.folder / "trace"
    command = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={WATCHED}", "-o", str(trace)]
    run = [sys.executable, "-c", SCRIPT, str(trial.folder), str(trial.count)]
    ours = (Path(__file__).parents[1], Path(firstwatch.__file__).parents[1])  # the same that this process runs
    here = {"PYTHONPATH": os.pathsep.join(map(str, ours))}
    subprocess.run([*command, *run], check=True, stdout=subprocess.PIPE, env=here)
    return _replayed(trace.read_text().splitlines(), trial)


def _replayed(trace: list[str], trial: Trial) -> Figure:
    name, folder = f"{ID}/journal.jsonl", trial.folder / "after" / ID
    folder.mkdir(parents=True)
    there = durable = b""
    named, acknowledged, prefixes, bad = False, 0, 0, 0
    for call, descriptor, path, data, result in (found.groups() for line in trace if (found := CALL.match(line))):
        said = bytes.fromhex((data or "").replace("\\x", ""))[: max(int(result), 0)]
        where = bytes.fromhex(path.replace("\\x", "")).decode() if "\\x" in (path or "") else path or ""
        if call == "write" and where.endswith(name):
            there += said
        elif call in ("fsync", "fdatasync") and where.endswith(name):
            durable = there
        elif call == "fsync" and where.endswith(ID):
            named = True
        elif call == "write" and descriptor == "1":
            acknowledged = int(said)
        else:
            continue
        prefixes += 1
        left = trial.random.randrange(len(durable), len(there) + 1)  # any part of what was not synced may be there
        bad += any(_lost_by(folder, there[:end], acknowledged, named=named) for end in {len(durable), left})
        trial.tell(acknowledged)
    return Figure(prefixes, bad + (acknowledged != trial.count), f"{acknowledged} acknowledged")


def _lost_by(folder: Path, data: bytes, acknowledged: int, *, named: bool) -> bool:
    (folder / "journal.jsonl").write_bytes(data)
    checked = verify(folder)
    return checked.events < acknowledged or bool(acknowledged and not (named and checked.consistent))


ROWS = [
    Row("T01", "SIGKILL of two writers at random moments", "no acknowledged event lost, no record unreadable", 1000,
        killed, least=10),
    Row("T07", "power cut at each system call (strace)", "what was acknowledged is on the disk", 400, power_cut,
        least=40, needs="strace"),
    Row("T28", "a clock that jumps, an hour back, a year on", "order kept, each jump back told", 500, jumping),
    Row("T34", "eight processes, one journal", "one chain, none lost", 100_000, many_writers, least=800),
]  # fmt: skip
