"""
A kernel, started once to see that it starts: as a run would start one, over IPC, in a private folder.

It is done by a process of its own, `python -m firstwatch.runs.kernel`, whose end is the end of all that it opened.
"""

import sys
import tempfile
from typing import TYPE_CHECKING

from firstwatch.errors import Unavailable
from firstwatch.systems import scripts

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager

START_S = 30.0
CODE = "import firstwatch.runs.watch"  # what every runbook begins with


def tried() -> None:
    """Start the kernel of runbooks, let it import the library, and end it; Unavailable says what kept it from that."""
    code, told = scripts.command([sys.executable, "-m", "firstwatch.runs.kernel"], START_S + 10)
    if code:
        last = (told["text"].strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(f"the kernel python3 does not start: {last[:300]}")


def main() -> None:
    from jupyter_client.manager import KernelManager

    with tempfile.TemporaryDirectory(prefix="fw-") as private:
        manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{private}/k")
        try:
            wrong = _worked(manager)
        finally:
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
    sys.exit(wrong or None)  # a text is printed, and is 1


def _worked(manager: "KernelManager") -> str:
    """Return what kept the kernel from importing the library; nothing when it did."""
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=START_S)
        content = client.execute(CODE, silent=True, reply=True, timeout=START_S)["content"]
    finally:
        client.stop_channels()
    return "" if content["status"] == "ok" else f"it cannot use the library: {content.get('evalue', '')}"


if __name__ == "__main__":
    main()
