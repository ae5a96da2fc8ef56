"""
Where records live: a folder for each incident, under one root.

The id of a record is the moment that it opened, `YYYY-MM-DD-HHMMSS` in UTC. If that second is taken the next free one
is. The folder holds `journal.jsonl`, `notebooks/`, `attachments/`, `page.md` and `post-mortem.md`.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from firstwatch.clock import Clock
from firstwatch.errors import BadParameter, NotFound, RecordNotWritable, nearest
from firstwatch.model import Actor, Json
from firstwatch.record import incident
from firstwatch.record.disk import lock, replaced, sync
from firstwatch.record.journal import Journal, read

ID = re.compile(r"\d{4}-\d\d-\d\d-\d{6}")


@dataclass(frozen=True, slots=True)
class Record:
    """One incident's folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    def incident(self) -> incident.Incident:
        """Return what the journal says happened; RecordUnreadable when it cannot be read."""
        return incident.fold(read(self.journal))

    def writer(self, clock: Clock, actor: Actor, credential: str, run: str = "") -> Journal:
        return Journal(self.journal, clock, actor, credential, run)


@dataclass(frozen=True, slots=True)
class Store:
    """All records under *root*."""

    root: Path

    def open(self, journal_of: "Writer", opening: Mapping[str, Json]) -> Record:
        """
        Return a new record, open with the event *opening*.

        Raises:
            RecordNotWritable: The folder cannot be made, or the event not written.
        """
        record = Record(self._claim(journal_of.clock))
        journal_of.journal(record).append("opened", dict(opening))
        return record

    def _claim(self, clock: Clock) -> Path:
        moment = clock.now()
        for later in range(3600):
            folder = self.root / (moment + timedelta(seconds=later)).strftime("%Y-%m-%d-%H%M%S")
            try:
                folder.mkdir(parents=True)
                sync(self.root)
                sync(self.root.parent)  # the root may be new as well
                return folder
            except FileExistsError:
                continue
            except OSError as error:
                raise RecordNotWritable(f"cannot make the record's folder {folder}: {error}") from error
        raise RecordNotWritable(f"no free id under {self.root} within the next hour")

    def ids(self) -> list[str]:
        """Return the ids of all records, oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(each.name for each in self.root.iterdir() if ID.fullmatch(each.name) and not each.is_symlink())

    def get(self, incident_id: str) -> Record:
        """
        Return the record of *incident_id*.

        Raises:
            BadParameter: It is not an id, so no path is made of it; or its folder is a link.
            NotFound: There is no such record; the nearest is named.
        """
        if not ID.fullmatch(incident_id):
            raise BadParameter(f"incident {incident_id!r} is not an id such as 2026-11-24-020304")
        inside(self.root, f"{incident_id}/journal.jsonl")
        if not (self.root / incident_id / "journal.jsonl").is_file():
            raise NotFound(
                f"there is no incident {incident_id} in {self.root}; {nearest(incident_id, self.ids()[-5:])}"
            )
        return Record(self.root / incident_id)

    def records(self) -> list[Record]:
        """Return all records that have a journal, oldest first."""
        return [Record(self.root / each) for each in self.ids() if (self.root / each / "journal.jsonl").is_file()]

    def unresolved(self) -> list[Record]:
        """Return the records whose incident is neither resolved nor closed; one without an event never opened."""
        states = ((record, record.incident()) for record in self.records())
        return [record for record, state in states if state.timeline and state.status not in ("resolved", "closed")]

    def resolved_last(self) -> Record:
        """Return the record whose incident was resolved last; NotFound when there is none."""
        known = {each.id for each in self.unresolved()}
        found = [Record(self.root / each) for each in self.ids() if each not in known]
        ended = [(at, record) for record in found if (at := record.incident().resolved_at)]
        if not ended:
            raise NotFound(f"no incident of {self.root} was resolved")
        return max(ended, key=lambda each: each[0])[1]

    def over(self, incident_id: str = "") -> Record:
        """Return the record named, else the one whose incident was resolved last."""
        return self.get(incident_id) if incident_id else self.resolved_last()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else declare meanwhile: of two at once, the second finds the first's record."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            folder = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise RecordNotWritable(f"cannot make the folder of the records {self.root}: {error}") from error
        try:
            lock(folder, fcntl.LOCK_EX)
            yield
        except TimeoutError as error:
            raise RecordNotWritable(f"somebody else declares in {self.root}: {error}") from error
        finally:
            os.close(folder)

    def single(self, incident_id: str = "") -> Record:
        """Return the record named, else the only unresolved one; NotFound or BadParameter when there is not one."""
        if incident_id:
            return self.get(incident_id)
        found = self.unresolved()
        if not found:
            raise NotFound(f"no incident is open in {self.root}; name one with -i, or open one with firstwatch declare")
        if len(found) > 1:
            raise BadParameter(f"several incidents are open: {', '.join(r.id for r in found)}; name one with -i")
        return found[0]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: what every event says of its author."""

    clock: Clock
    actor: Actor
    credential: str

    def journal(self, record: Record, run: str = "") -> Journal:
        return record.writer(self.clock, self.actor, self.credential, run)


def put(record: Record, name: str, text: str) -> Path:
    """
    Write *text* as the file *name* of the record's folder, whole or not at all, and return its path.

    Raises:
        RecordNotWritable: It cannot be written there.
    """
    try:
        path = inside(record.folder, name)
        path.parent.mkdir(exist_ok=True)
        replaced(path, text.encode("utf-8"))
    except (OSError, BadParameter) as error:
        raise RecordNotWritable(f"cannot write {record.folder / name}: {error}") from error
    return path


def attach(journal: Journal, path: Path, what: str) -> None:
    """
    Record that the file at *path*, inside the record's folder, belongs to it: its hash makes it verifiable.

    Raises:
        RecordNotWritable: It is not on the disk, or the event is not.
    """
    try:
        name = path.relative_to(journal.path.parent).as_posix()
        inside(journal.path.parent, name)
        sync(path)
        sync(path.parent)
        data = path.read_bytes()
    except (OSError, ValueError, BadParameter) as error:
        raise RecordNotWritable(f"cannot attach {path}: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    journal.append("attached", {"path": name, "sha256": digest, "bytes": len(data), "what": what})


def inside(folder: Path, name: str) -> Path:
    """
    Return the path *name* below *folder*; nothing is followed out of it.

    Raises:
        BadParameter: *name* climbs, or a part of it is a link.
    """
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or "\0" in name:
        raise BadParameter(f"{name!r} is not a path below {folder}")
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise BadParameter(f"{path} is a link; a record follows none")
    return path
