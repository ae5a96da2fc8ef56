"""
A folder that goes away with the process that made it, however that ends: the record of a replay that nobody keeps.

A kernel that is killed does nothing any more. So a small process waits beside it, on a pipe that the kernel holds
open, and takes the folder away when the pipe closes. It is in a session of its own, so that what ends the kernel's
does not end it too.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

KEEPER = "import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"


@dataclass(frozen=True, slots=True)
class Passing:
    """A new folder among the machine's temporary ones, and who waits to take it away."""

    folder: Path
    keeper: "subprocess.Popen[bytes]"

    @classmethod
    def make(cls) -> Self:
        folder = Path(tempfile.mkdtemp(prefix="firstwatch-replay-"))
        quiet = subprocess.DEVNULL
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", KEEPER, str(folder)], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet,
            start_new_session=True,
        )  # fmt: skip
        return cls(folder, keeper)

    def close(self) -> None:
        """Take the folder away, and return when it is gone."""
        if self.keeper.stdin:
            self.keeper.stdin.close()
        self.keeper.wait()
