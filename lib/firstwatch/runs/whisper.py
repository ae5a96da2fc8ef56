"""
How a kernel tells the engine what it came to know to be secret, such as an exec plugin's token.

The engine redacts what cells print, and the kernel is another process. They share a named pipe in the engine's private
folder; what goes through a pipe is on no disk. What does not fit is dropped: nobody waits for anybody here.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from firstwatch.record import redact

VARIABLE = "FIRSTWATCH_WHISPER"
_told: set[str] = set()


def tell() -> None:
    """Tell the engine that started this kernel, if one did, what was not told yet."""
    path = os.environ.get(VARIABLE, "")
    fresh = [value for value in redact.known() if value not in _told]
    if not path or not fresh:
        return
    with suppress(OSError):  # it is gone
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(descriptor, "".join(json.dumps(value) + "\n" for value in fresh).encode())
            _told.update(fresh)
        finally:
            os.close(descriptor)


@dataclass(slots=True)
class Ear:
    """The engine's end of the pipe at *path*."""

    path: Path
    _descriptor: int = -1
    _heard: bytes = field(default=b"", repr=False)

    def open(self) -> None:
        """Make the pipe, and let the kernels that this process starts know of it."""
        os.mkfifo(self.path, 0o600)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)  # both ways, so that it never ends
        os.environ[VARIABLE] = str(self.path)

    def listen(self) -> None:
        """Make known what was told since; it does not wait."""
        with suppress(BlockingIOError):
            while self._descriptor >= 0 and (data := os.read(self._descriptor, 65_536)):
                self._heard += data
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            with suppress(ValueError):
                redact.know(str(json.loads(line)))
