"""The journal on a disk that is full, that limits a file, that fails at any call, that cannot be written to."""

import errno
import fcntl
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from faults.journal import ID, journal, missing
from faults.programme import Figure, Row, Trial
from firstwatch.clock import WallClock
from firstwatch.errors import RecordNotWritable, RecordUnreadable
from firstwatch.model import Actor
from firstwatch.record.journal import Journal
from firstwatch.record.purge import purge
from firstwatch.record.store import Record, Store, Writer, attach
from firstwatch.record.verify import verify

PAGE = 4096
LONGEST = 6000  # letters of a note, more than a page
CLOSING = ("outcome", "run-ended")


@dataclass(slots=True)
class Told:
    """What a journal acknowledged, and what it refused."""

    book: Journal
    events: list[tuple[int, str]] = field(default_factory=list)

    def append(self, kind: str, body: object) -> bool:
        try:
            event = self.book.append(kind, body)
        except RecordNotWritable:
            return False
        self.events.append((event.seq, event.hash))
        return True

    def fill(self, random: Random) -> None:
        """Append notes, shorter and shorter, until not even the shortest is taken."""
        longest = LONGEST
        while longest > 1:
            if not self.append("note", {"text": "x" * random.randrange(longest)}):
                longest //= 4


def full_disk(trial: Trial) -> Figure:
    """Fill a small tmpfs to a boundary, to one byte beside it, or anywhere; then try to mitigate, and to end."""
    mounted = trial.folder / "small"
    mounted.mkdir()
    bad = []
    for number in range(trial.count):
        size = trial.random.choice((64, 128, 256, 1024))
        with tmpfs(mounted, f"size={size}k"):
            wrong = _filled(mounted, trial.random, aligned=number % 2 == 0)
        bad += [f"{number}: {wrong}"] if wrong else []
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "firstwatch-faults", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _filled(folder: Path, random: Random, *, aligned: bool) -> str:
    told = Told(journal(folder))
    told.append("opened", {})
    begun = told.append("intent", {"key": "begun"})
    if aligned:
        _to_a_boundary(told, random.choice((-1, 0, 1)))
    _leave(folder, random.randrange(4) * PAGE)
    told.fill(random)
    return _closed(told, folder, begun=begun)


def _to_a_boundary(told: Told, beside: int) -> None:
    """Let the journal end at a page's end, or a byte beside it."""
    _, line = told.book.sealed("note", {"text": ""})
    told.append("note", {"text": "x" * ((beside - told.book.path.stat().st_size - len(line)) % PAGE)})


def _leave(folder: Path, room: int) -> None:
    """Use up the disk by another file, but for *room* bytes."""
    free = os.statvfs(folder).f_bavail * PAGE
    (folder / "filler").write_bytes(b"x" * max(0, free - room))


def _closed(told: Told, folder: Path, *, begun: bool) -> str:
    """Return what is wrong after filling up: a mitigation must be refused, the end of what was begun must fit."""
    if told.append("intent", {"key": "next"}) and not told.book.reserve.exists():
        return "an intent was taken without a reserve"
    if begun and not all(told.append(kind, {"key": "begun", "state": "done"}) for kind in CLOSING):
        return "the outcome did not fit"
    return sound(told, folder)


def sound(told: Told, folder: Path) -> str:
    checked = verify(folder / ID)
    return missing(folder, told.events) or ("" if checked.whole else str(checked))


def limited(trial: Trial) -> Figure:
    """Limit the size of a file by RLIMIT_FSIZE: at each boundary of a line, a byte beside it, or anywhere."""
    bad = []
    for number in range(trial.count):
        folder = trial.folder / str(number)
        folder.mkdir()
        wrong = _limited(folder, trial.random)
        bad += [f"{number}: {wrong}"] if wrong else []
        shutil.rmtree(folder)
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _limited(folder: Path, random: Random) -> str:
    told = Told(journal(folder))
    told.append("opened", {})
    _, line = told.book.sealed("note", {"text": ""})
    size = told.book.path.stat().st_size
    limit = size + random.choice((0, len(line) - 1, len(line), len(line) + 1, random.randrange(8000)))
    with largest_file(limit):
        told.append("note", {"text": ""})
        told.fill(random)
        refused = not told.append("intent", {"key": "k", "text": "x" * LONGEST})
    wrong = sound(told, folder)
    told.append("note", {"text": "room again"})
    return "" if refused and not wrong else wrong or "an intent was taken"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


CALLS = ("open", "write", "fsync", "pread", "fstat", "stat", "ftruncate", "replace", "unlink", "mkdir", "flock")


@dataclass(slots=True)
class Fault:
    """The *nth* call of a system call fails, once or from then on. A write may take half of its bytes before that."""

    call: str
    nth: int
    code: int
    lasting: bool = False
    halved: bool = False
    calls: int = 0

    @contextmanager
    def injected(self) -> Iterator[None]:
        owner: Any = fcntl if self.call == "flock" else os
        real = getattr(owner, self.call)
        setattr(owner, self.call, lambda *args, **more: self._called(real, *args, **more))
        try:
            yield
        finally:
            setattr(owner, self.call, real)

    def _called(self, real: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.calls += 1
        if self.calls != self.nth and not (self.lasting and self.calls > self.nth):
            return real(*args, **more)
        if self.halved and self.calls == self.nth:
            halved = memoryview(args[1])
            return real(args[0], halved[: len(halved) // 2], *args[2:])
        raise OSError(self.code, os.strerror(self.code))


def failing(trial: Trial) -> Figure:
    """Let the n-th call of each system call fail, for every n of a record's life, and look at what is left."""
    cases = list(_cases(trial.folder))
    chosen = cases if trial.count >= len(cases) else trial.random.sample(cases, trial.count)
    bad = []
    for number, fault in enumerate(chosen):
        wrong = _survived(trial.folder / str(number), fault)
        bad += [f"{fault}: {wrong}"] if wrong else []
        shutil.rmtree(trial.folder / str(number))
        trial.tell(number + 1)
    return Figure(len(chosen), len(bad), "; ".join(bad[:3]) or f"{len(cases)} places and ways to fail")


def _cases(folder: Path) -> Iterator[Fault]:
    for call in CALLS:
        for nth in range(1, _times(folder / f"dry-{call}", call) + 1):
            for code in (errno.EIO, errno.ENOSPC):
                yield from (Fault(call, nth, code, lasting) for lasting in (False, True))
            if call == "write":
                yield from (Fault(call, nth, code, lasting=True, halved=True) for code in (errno.EIO, errno.ENOSPC))


def _times(folder: Path, call: str) -> int:
    counted = Fault(call, 0, 0)
    folder.mkdir()
    with counted.injected():
        _life(folder, [])
    return counted.calls


def _life(folder: Path, told: list[tuple[Record, int, str]]) -> None:
    """Live through all that happens to a record; tell of each event once it was acknowledged."""
    writer = Writer(WallClock(), Actor("on-call"), "tester@here")
    record = Store(folder).open(writer, {"practice": True})
    told.append((record, 1, "opened"))
    book = writer.journal(record, "r1")
    told.extend((record, _appended(book, kind), kind) for kind in ("note", "intent", "outcome"))
    torn = b'{"actor":{"name":"on-'
    with record.journal.open("ab") as file:
        file.write(torn)
    told.append((record, _appended(book, "note"), "note"))
    file_there = record.folder / "notebook.ipynb"
    file_there.write_text("a cell")
    attach(book, file_there, "the notebook")
    told.append((record, purge(book, [3], ["notebook.ipynb"], "a secret").seq, "purged"))
    told.append((record, _appended(book, "run-ended"), "run-ended"))


def _appended(book: Journal, kind: str) -> int:
    return book.append(kind, {"key": "k", "text": "x" * 300}).seq


def _survived(folder: Path, fault: Fault) -> str:
    """Return what is wrong after *fault*: an acknowledged event that is not there, a record that cannot go on."""
    folder.mkdir()
    told: list[tuple[Record, int, str]] = []
    with fault.injected(), suppress(RecordNotWritable, RecordUnreadable, OSError):
        _life(folder, told)
    if not told:
        return ""
    record = told[0][0]
    try:
        Writer(WallClock(), Actor("on-call"), "tester@here").journal(record).append("note", {"text": "after"})
    except (RecordNotWritable, RecordUnreadable) as error:
        return f"cannot go on: {error}"
    return _lost(record, told)


def _lost(record: Record, told: list[tuple[Record, int, str]]) -> str:
    from firstwatch.record.journal import read

    there = {(event.seq, event.kind) for event in read(record.journal)}
    lost = [(seq, kind) for _, seq, kind in told if (seq, kind) not in there]
    problems = [each for each in verify(record.folder).problems if "notebook.ipynb" not in each.text]
    return f"lost {lost}" if lost else "; ".join(map(str, problems))


def unwritable(trial: Trial) -> Figure:
    """Put the records where nothing can be written: beneath a file, in /proc, on a disk mounted read-only."""
    (trial.folder / "file").write_text("")
    places = [trial.folder / "file" / "incidents", Path("/proc/firstwatch/incidents")]
    bad = [str(place) for place in places if not _refused(place)]
    if may_mount():
        small = trial.folder / "small"
        small.mkdir()
        with tmpfs(small, "size=64k"):
            journal(small).append("opened", {})
            subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
            places += [small, small / "journal"]
            bad += [] if _refused(small) else ["a read-only root"]
            bad += [] if not Told(journal(small)).append("note", {}) else ["a read-only journal"]
    return Figure(len(places), len(bad), "; ".join(bad))


def _refused(root: Path) -> bool:
    """Whether a record there is refused with exit code 7 and the path."""
    try:
        Store(root).open(Writer(WallClock(), Actor("on-call"), "tester@here"), {})
    except RecordNotWritable as error:
        return error.exit_code == 7 and str(root) in str(error)
    return False


def may_mount() -> bool:
    """Whether this process may mount a file system: root may, if it was not taken from it."""
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return bool(effective >> 21 & 1)  # CAP_SYS_ADMIN


ROWS = [
    Row("T09", "RLIMIT_FSIZE at and beside each boundary", "the intent refused, nothing lost", 2000, limited, least=50),
    Row("T10", "the n-th call of the system fails, every n", "never acknowledged and lost; it goes on", 5000, failing,
        least=100),
    Row("T11", "records where nothing can be written", "exit 7, naming the path", 4, unwritable),
]  # fmt: skip
if may_mount():  # else nobody can make a disk that small; T09 is the next best
    ROWS.append(Row("T08", "disk full at a page's end ± 1 byte, and anywhere", "the intent refused, the outcome fits, "
                    "nothing lost", 4000, full_disk, least=40))  # fmt: skip
