"""
`firstwatch remind` killed while it reminds: each reminder is given once, and each of its texts arrives once.

Real processes are killed, while they work, over two hours of several SEV1s whose clock is fast. What is looked at
afterwards is what people have: the posts, pages and letters that the services hold.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import exchange
import fakes
from exchange import Exchange

from faults.programme import Figure, Row, Trial
from firstwatch.channels.reminders import owed, stages
from firstwatch.clock import WallClock
from firstwatch.model import Actor, timestamp
from firstwatch.policy import tables
from firstwatch.policy.duties import duties
from firstwatch.record.incident import Incident
from firstwatch.record.journal import read
from firstwatch.record.store import Record, Store, Writer
from firstwatch.record.verify import verify
from gameday.world import messages
from gameday.world.folder import Folder, State

LADDER = timedelta(hours=2)
KILL_S, END_S = 1.6, 30.0  # what one start and kill takes, about, and the end: so long the two hours must last
PATIENCE_S = 3.0  # how long a process may have nothing to do before it is killed idle
SETTLED_S = 120.0
CASES, UPDATES = 12, 8
POLICY = tables.load()
CONTACTS = """
[[people]]
name = "manager"
notices = ["manager"]
email = "manager@example.com"

[[people]]
name = "responder-2"
level = "L2"
email = "responder-2@example.com"
"""


@dataclass(slots=True)
class Ground:
    """A folder with channels that answer, and the incidents that were declared in it so far."""

    folder: Path
    world: Exchange
    rate: float
    records: list[Record] = field(default_factory=list)

    @property
    def writer(self) -> Writer:
        return Writer(WallClock(), Actor("on-call"), "tester@here")

    def declare(self) -> None:
        clock = {"origin": datetime.now(UTC), "rate": self.rate}
        record = Store(self.folder / "incidents").open(self.writer, {"practice": True, "clock": clock})
        body = {"title": "API errors", "impact": "6 of 10 requests fail", "severity": "SEV1"}
        self.writer.journal(record).append("declared", body)
        self.records.append(record)

    def update(self, number: int) -> None:
        """Give an update of the first incident: the next one is owed from then on."""
        said = dict.fromkeys(("summary", "impact", "eta", "actions"), "x") | {"status": "MITIGATING"}
        after = timestamp(self.now(self.records[0].incident()) + timedelta(minutes=15))
        self.writer.journal(self.records[0]).append("update", said | {"number": number, "next": after})

    def now(self, state: Incident) -> datetime:
        return state.pace.world(datetime.now(UTC))

    def started(self) -> "subprocess.Popen[bytes]":
        environ = os.environ | {"FIRSTWATCH_CONFIG": str(self.folder / "firstwatch.toml"), "FIRSTWATCH_RECORDS": ""}
        quiet = subprocess.DEVNULL
        command = [sys.executable, "-m", "firstwatch", "remind", "--as", "reminder"]
        return subprocess.Popen(command, env=environ, cwd=self.folder, stdin=quiet, stdout=quiet, stderr=quiet)

    def size(self) -> int:
        return sum(each.journal.stat().st_size for each in self.records)


@contextmanager
def ground(folder: Path, rate: float) -> Iterator[Ground]:
    with exchange.exchange(folder / "services", WallClock()) as world:
        config = fakes.configuration(folder, "http://127.0.0.1:9", practice=True)
        with config.open("a") as file:
            file.write(messages.configuration(Folder(folder), State(services_url=world.url, mail_port=world.smtp)))
        (folder / "contacts.toml").write_text(CONTACTS)
        yield Ground(folder, world, rate)


def killed(trial: Trial) -> Figure:
    """Kill it *count* times while it works, let it finish, and look at what arrived."""
    points: Counter[str] = Counter()
    with ground(trial.folder, LADDER.total_seconds() / (trial.count * KILL_S + END_S)) as made:
        for number in range(trial.count):
            if len(made.records) <= number * CASES * 4 // trial.count and len(made.records) < CASES:
                made.declare()
            if number and number % max(1, trial.count // UPDATES) == 0:
                made.update(number)
            points[_kill(made, trial)] += 1
            trial.tell(number + 1)
        bad = _finished(made) + [line for each in made.records for line in wrong(made, each)]
        said = ", ".join(f"{count} after {kind}" for kind, count in points.most_common())
        return Figure(trial.count, len(bad), "; ".join([f"{_sum(made)}; killed {said}", *bad[:4]]))


def _kill(made: Ground, trial: Trial) -> str:
    """Kill a process at a random point of its work, and return after which event; `nothing` when there was no work."""
    before, events = made.size(), trial.random.randint(1, 12)
    process = made.started()
    seen, ends = 0, time.monotonic() + PATIENCE_S
    while seen < events and time.monotonic() < ends:
        if (size := made.size()) != before:
            before, seen, ends = size, seen + 1, time.monotonic() + 0.5
        time.sleep(0.0005)
    time.sleep(trial.random.random() * 0.01 if seen else 0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return _last(made) if seen else "nothing"


def _last(made: Ground) -> str:
    newest = max(made.records, key=lambda each: each.journal.stat().st_mtime_ns)
    return list(read(newest.journal))[-1].kind


def _finished(made: Ground) -> list[str]:
    """Let one process go on until the two hours are over, all that was owed is given, and nothing waits."""
    process = made.started()
    try:
        states = [each.incident() for each in made.records]
        until = [each.people.declared[0].at + LADDER for each in states]
        _until(lambda: all(made.now(s) > end for s, end in zip(states, until, strict=True)), LADDER.total_seconds())
        now = [made.now(each) for each in states]
        done = _until(lambda: not any(_left(each, at) for each, at in zip(made.records, now, strict=True)), SETTLED_S)
        return [] if done else [f"left: {[_left(each, at) for each, at in zip(made.records, now, strict=True)]}"]
    finally:
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 130:
            raise AssertionError(f"it ended with {process.returncode}")


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.2)
    return True


def _left(record: Record, now: datetime) -> list[str]:
    """Return the reminders that were owed at *now* and not given, and the texts that have not arrived."""
    state = record.incident()
    found = owed(POLICY, duties(POLICY, state.people, now), state.reminded, now)
    return [each.key for each in found] + [each.id for each in state.messages if each.state != "delivered"]


def wrong(made: Ground, record: Record) -> list[str]:
    """Say what was given or arrived more than once, or not at all."""
    state = record.incident()
    given = Counter((each.duty, each.due, each.stage) for each in state.reminded)
    wanted = Counter(each.id for each in state.messages if each.channel == "slack")
    found = [f"given {n} times: {each}" for each, n in given.items() if n > 1]
    said = Counter((each.channel, each.to, each.text) for each in state.messages)
    found += [f"said {n} times: {each}" for each, n in said.items() if n > 1]
    known = {each.id for each in state.messages}
    found += [f"given without a text: {each}" for each in state.reminded if not known.issuperset(each.messages)]
    if (posted := Counter(_posts(made, record))) != wanted:
        found.append(f"posts {posted - wanted} too many, {wanted - posted} lost")
    keys = {each.receipt for each in state.messages if each.channel == "pager"}
    found += [f"page {key} lost" for key in keys - set(made.world.pager.alerts)]
    found += [f"page {key} rang {a['rings']} times" for key, a in made.world.pager.alerts.items() if a["rings"] != 1]
    letters = {each.receipt for each in state.messages if each.channel == "mail"}
    found += [f"letter {each} lost" for each in letters - {each["id"] for each in made.world.mail.letters}]
    return found + ([] if verify(record.folder).consistent else ["the record is not consistent"])


def _posts(made: Ground, record: Record) -> list[str]:
    """Return our ids of the texts in the incident's chat channel, as it shows them."""
    room = record.incident().made["slack"].reference
    (channel,) = [each for each in made.world.slack.channels if each.id == room]
    said: list[Any] = channel.messages
    return [each["metadata"]["event_payload"]["id"] for each in said]


def _sum(made: Ground) -> str:
    states = [each.incident() for each in made.records]
    texts = sum(len(each.messages) for each in states)
    copies = sum(each["copies"] - 1 for each in made.world.mail.document())
    again = sum(each["events"] - 1 for each in made.world.pager.alerts.values())
    given, over = sum(len(each.reminded) for each in states), sum(map(_skipped, states))
    return (
        f"{given} reminders, {texts} texts; {over} stages were overtaken by the next while it was down; "
        f"the pager dropped {again} pages, mail {copies} letters that came twice"
    )


def _skipped(state: Incident) -> int:
    """Return how many stages were not given, because a later one had begun when it looked again."""
    given = {(each.duty, timestamp(each.due), each.stage) for each in state.reminded}
    now = state.people.declared[0].at + LADDER
    found = [(duty, stage) for duty in duties(POLICY, state.people, now) if duty.state in ("due", "overdue")
             for at, stage in stages(POLICY, duty) if at <= now]  # fmt: skip
    return sum((duty.id, timestamp(duty.due), stage) not in given for duty, stage in found)


ROWS = (
    Row("T90", "`remind` killed at random points of its work, two hours of SEV1s", "each reminder once, none lost",
        200, killed, least=10),
)  # fmt: skip
