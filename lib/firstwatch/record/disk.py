"""
What the journal asks of the disk: that bytes are there before anybody is told so, whatever fails on the way.

A write that was refused (the disk is full) leaves the file as it was: what came of it is cut off again. An fsync that
failed is believed by nobody: the kernel may have thrown the bytes away and will call the next one a success, so the
file is given up by this process. One appender at a time holds the lock, which is on the file itself and ends with its
process. A file may be replaced under that lock, by `replaced`; whoever comes next notices, and opens the new one.
"""

import errno
import fcntl
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LOCK_S = 10.0
POLL_S = 0.001
FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (*FULL, errno.EFBIG)  # nothing is lost by such a write, and it may be tried again later
RESERVE_BYTES = 16_384
CHUNK = 65_536


@dataclass(slots=True)
class Log:
    """
    A file of lines that several processes append to. `end` is how much of it its holder knows: 0 when it is a new one;
    `size` is how much there was when it was last taken hold of.

    It is used within `with log:`, which makes its holder the only appender of all threads and processes, or raises
    TimeoutError after 10 s. After `given_up` nothing is appended any more.
    """

    path: Path
    end: int = 0
    given_up: bool = False
    size: int = 0
    _descriptor: int = -1
    _inode: tuple[int, int] = (0, 0)
    _process: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _name: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._name = str(self.path)

    def __enter__(self) -> None:
        if self._process != os.getpid():
            self._after_fork()
        if not self._turn.acquire(blocking=False) and not self._turn.acquire(timeout=LOCK_S):
            raise TimeoutError(f"another thread held it for {LOCK_S:.0f} s")
        try:
            self._lock()
        except BaseException:
            self._turn.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            self._turn.release()

    def _after_fork(self) -> None:
        """A lock is shared with a forked child, so the child opens the file again."""
        self.close()
        self._process, self._turn = os.getpid(), threading.Lock()

    def _lock(self) -> None:
        while True:
            if self._descriptor < 0:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
                opened = os.fstat(self._descriptor)
                self.end, self._inode = 0, (opened.st_ino, opened.st_dev)
            lock(self._descriptor, fcntl.LOCK_EX)
            if self._is_the_one():
                return
            self.close()

    def _is_the_one(self) -> bool:
        """Whether the file at `path` is the open one, whose inode nobody else can be given; learn its size."""
        try:
            found = os.stat(self._name)  # noqa: PTH116  # each append asks
        except OSError:
            self.close()
            raise
        self.size = found.st_size
        return (found.st_ino, found.st_dev) == self._inode

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        if os is not None:  # as it is when the interpreter ends
            self.close()

    def last_line(self, size: int) -> tuple[bytes, int]:
        """Return the last whole line from `end` to *size*, and where it ends; nothing and `end` when there is none."""
        begin, data = size, b""
        while begin > self.end:
            step = min(CHUNK, begin - self.end)
            begin -= step
            data = os.pread(self._descriptor, step, begin) + data
            whole = data.rfind(b"\n") + 1
            if whole and data.rfind(b"\n", 0, whole - 1) >= 0:
                break
        whole = data.rfind(b"\n") + 1
        return data[:whole].rstrip(b"\n").rpartition(b"\n")[2], begin + whole

    def read(self, begin: int, end: int) -> bytes:
        return os.pread(self._descriptor, end - begin, begin)

    def cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def append(self, data: bytes) -> None:
        """Write all of *data*, and return when it is on the disk. OSError: none of it counts."""
        if self.given_up:
            raise OSError(errno.EIO, "a write to it failed before, and what is on the disk is not known")
        try:
            write_all(self._descriptor, data)
        except OSError as error:
            self._take_back(for_good=error.errno not in REFUSED)
            raise
        try:
            os.fsync(self._descriptor)
            if not self.end:
                sync(self.path.parent)  # the file's name is as new as its first line
        except OSError:
            self._take_back(for_good=True)
            raise
        self.end += len(data)

    def _take_back(self, *, for_good: bool) -> None:
        self.given_up = True
        with suppress(OSError):  # whoever appends next cuts it
            self.cut(self.end)
            self.given_up = for_good


def lock(descriptor: int, how: int) -> None:
    """Take the lock of an open file; TimeoutError after 10 s. It ends with the descriptor, so with its process."""
    ends = time.monotonic() + LOCK_S
    while True:
        try:
            return fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise TimeoutError(f"another process held it for {LOCK_S:.0f} s") from None
            time.sleep(POLL_S)


def write_all(descriptor: int, data: bytes) -> None:
    """Write *data* whole: the system may take less of it than it was given, and says so only by a number."""
    while data:
        taken = os.write(descriptor, data)
        if not taken:
            raise OSError(errno.EIO, "it takes no more bytes, and does not say why")
        data = data[taken:]


def read_still(path: Path) -> bytes:
    """Return what *path* holds while nobody writes to it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        lock(descriptor, fcntl.LOCK_SH)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Return when *path*, a file or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replaced(path: Path, data: bytes) -> None:
    """Put *data* in the place of the file at *path*: at any moment there is the old one, or the new one, whole."""
    draft = path.with_name(f"{path.name}.draft")
    try:
        _write(draft, data)
        os.replace(draft, path)  # noqa: PTH105  # what follows speaks of the same two names
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    sync(path.parent)


def set_aside(path: Path) -> None:
    """Make the reserve: room on a disk that may be full when the last events come. Random bytes, not to be squeezed."""
    with suppress(FileNotFoundError):
        if path.stat().st_size >= RESERVE_BYTES:
            return
    try:
        _write(path, os.urandom(RESERVE_BYTES))
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def release(path: Path) -> bool:
    """Give the reserve's room back; False when there is none."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def tried(folder: Path, size: int) -> None:
    """Write *size* bytes into a new file in *folder*, have them on the disk, and take it away; OSError when not."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".tried-{os.getpid()}-{threading.get_ident()}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        if os.write(descriptor, b"\0" * size) != size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        path.unlink()
