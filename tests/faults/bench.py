"""
A bench to fault changes on: one served Deployment, incidents with an approved plan, and processes that act in them.

The server looks into the journals whenever a write arrives: a write without a durable intent is noted at once, while
the process that sent it waits. Hooks let a row kill that process, or let the connection go, at a moment that it names.
"""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import fakes

from firstwatch import settings
from firstwatch.actions import change, rollback
from firstwatch.clock import WallClock
from firstwatch.errors import FirstwatchError
from firstwatch.model import Actor, Plan, plain, timestamp
from firstwatch.policy.gate import Rule
from firstwatch.record.journal import Journal
from firstwatch.record.store import Record, Store, Writer
from firstwatch.runs.applying import carry_out
from firstwatch.runs.resume import Resumed, resume
from firstwatch.systems import Systems, connect

PROCESSES = multiprocessing.get_context("forkserver")  # a child in milliseconds, without this process's threads
STRICT = Rule(self_approval=False)
MARK = f"/metadata/annotations/{change.MARK.replace('/', '~1')}"
Hook = Callable[[fakes.Asked], object]  # before a write, True drops it unheard


class Later(WallClock):
    """The clock of somebody who comes *minutes* later."""

    def __init__(self, minutes: float = 0) -> None:
        self.minutes = minutes

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=self.minutes)


def writer(name: str = "on-call", minutes: float = 0) -> Writer:
    return Writer(Later(minutes), Actor(name), "tests@here")


@dataclass(slots=True)
class Bench:
    """What a row acts on. `unforeseen` are the marks of writes that arrived without a durable intent."""

    folder: Path
    server: fakes.Server
    systems: Systems
    before_write: Hook | None = None
    after_write: Hook | None = None
    on_read: Hook | None = None
    unforeseen: list[str] = field(default_factory=list)
    _round: int = 0

    @property
    def store(self) -> Store:
        return Store(self.folder / f"incidents-{self._round}")

    def reset(self) -> None:
        """Put the Deployment back as it was, forget what was asked, and keep records elsewhere from here."""
        self._round += 1
        self.server.on(fakes.DEPLOYMENT, 200, fakes.deployment("api:2.4.0", 2))
        self.server.answers["PATCH", fakes.DEPLOYMENT] = self._patched
        self.server.answers["GET", fakes.DEPLOYMENT] = self._read
        self.before_write = self.after_write = self.on_read = None
        self.server.asked.clear()
        self.live = fakes.deployment("api:2.4.0", 2)

    @property
    def live(self) -> Any:
        """Return the Deployment as it is."""
        return self._world.answers["GET", fakes.DEPLOYMENT][1]  # type: ignore[index]

    @live.setter
    def live(self, thing: Any) -> None:
        self._world.on(fakes.DEPLOYMENT, 200, thing)

    _world: fakes.Server = field(default_factory=fakes.Server)  # holds the object; the server asks it

    def _read(self, asked: fakes.Asked) -> fakes.Answer:
        if self.on_read:
            self.on_read(asked)
        status, body = self._world.answers["GET", fakes.DEPLOYMENT]  # type: ignore[misc]
        return status, body

    def _patched(self, asked: fakes.Asked) -> fakes.Answer:
        answer = fakes.patched(self._world)
        if "dryRun" in asked.query:
            return answer(asked)
        self._foreseen(mark(asked))
        if self.before_write and self.before_write(asked) is True:
            return 0, None
        answered = answer(asked)
        if self.after_write:
            self.after_write(asked)
        return answered

    def _foreseen(self, written: str) -> None:
        path = self.store.root / written.partition(".")[0] / "journal.jsonl"
        whole = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
        intents = [event for event in map(json.loads, whole) if event["kind"] == "intent"]
        if not any(event["body"]["mark"] == written for event in intents):
            self.unforeseen.append(written)

    def incident(self) -> Record:
        return self.store.open(writer(), {"cluster": "test"})

    def plan(self, **parameters: Any) -> Plan:
        made = rollback.plan(self.systems, {"to_revision": 0})
        return replace(made, parameters=parameters or made.parameters)

    def approved(self) -> tuple[Record, Plan]:
        """Return a new incident with an approved plan, in a world as it was."""
        self.reset()
        record, plan = self.incident(), self.plan()
        approve(record, plan)
        return record, plan

    def apply(self, record: Record, plan: Plan, name: str = "on-call", minutes: float = 0) -> str:
        """Apply here, and return the outcome or the error's name."""
        return applied(self.systems, writer(name, minutes).journal(record), plan)

    def resume(self, record: Record, minutes: float = 2) -> tuple[Resumed, ...]:
        return resume(record, self.systems, writer(minutes=minutes))

    @contextmanager
    def acting(self, record: Record, plan: Plan, name: str = "on-call") -> "Iterator[tuple[BaseProcess, Connection]]":
        """Let a process live for the length of a block; sent anything, it applies *plan* and says what came of it."""
        mine, theirs = PROCESSES.Pipe()
        arguments = (self.folder, record.folder, plain(plan), name, theirs)
        process = PROCESSES.Process(target=act, args=arguments, daemon=True)
        process.start()
        theirs.close()
        try:
            yield process, mine
        finally:
            process.kill()
            process.join()
            mine.close()


def approve(record: Record, plan: Plan, name: str = "responder-2") -> None:
    """Record *plan*, and a yes to it that holds for two hours."""
    writer().journal(record).append("planned", {"hash": plan.hash, "plan": plan})
    body = {"plan": plan.hash, "until": timestamp(Later(120).now()), "self_approved": False}
    writer(name).journal(record).append("approved", body)


def applied(systems: Systems, journal: Journal, plan: Plan) -> str:
    try:
        outcome = carry_out(plan, systems, journal, STRICT)
    except FirstwatchError as error:
        return type(error).__name__
    return "again" if "not sent again" in outcome.detail else outcome.result.value


def act(folder: Path, record: Path, plan: Any, name: str, told: Connection) -> None:
    """Apply a plan in a process of its own, when told to, and stay until killed: nothing else ends it."""
    systems = connect(settings.load(folder / "firstwatch.toml"))
    journal = writer(name).journal(Record(record))
    told.send("ready")
    told.recv()
    told.send(applied(systems, journal, Plan.from_json(plan)))
    signal.pause()


def resuming(folder: Path, record: Path, told: Connection) -> None:
    """Resume in a process of its own, when told to."""
    told.recv()
    resume(Record(record), connect(settings.load(folder / "firstwatch.toml")), writer(minutes=2))
    signal.pause()


def killed(pid: int | None) -> None:
    """SIGKILL a process and return when it is gone or a zombie: it runs no more."""
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    ends = time.monotonic() + 5
    while time.monotonic() < ends and _state(pid) not in ("Z", "X", ""):
        time.sleep(0.0005)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def mark(asked: fakes.Asked) -> str:
    return next((str(step["value"]) for step in asked.body if step["path"] == MARK), "")


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Serve a bench in *folder* for the length of a `with` block."""
    server = fakes.failing()
    with fakes.serving(server):
        made = Bench(folder, server, connect(settings.load(fakes.configuration(folder, server.url))))
        made.reset()
        yield made
