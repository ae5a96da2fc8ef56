"""
The engine: papermill, in a process of its own, telling the journal of each cell.

Run as `python -m firstwatch.runs.engine` with a job as JSON on standard input. What papermill says of a run is not
believed: it marks cells as completed that never ran. Here each cell's start and end is an event, and whoever started
this process draws the conclusion.

The kernel talks over IPC in a private folder, so that no port is opened and no other user can listen. Two packages
that papermill only might use are kept from being imported; they would double the time to the first cell.
"""

import ctypes
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstwatch.clock import WallClock
from firstwatch.model import Actor, plain
from firstwatch.record.journal import Journal

CELL_DEADLINE_S = 900
SPARED = ("boto3", "rfc3987_syntax")  # object stores; a grammar built at import for a format that notebooks lack


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One notebook to execute, and the record that it belongs to."""

    notebook: str
    output: str
    parameters: dict[str, Any]
    journal: str
    run: str
    actor: dict[str, str]
    credential: str

    def write(self) -> str:
        return json.dumps(plain(self))


def main() -> None:
    """Execute the job on standard input; exit 1 when a cell failed or the kernel died."""
    _die_with_parent()
    job = Job(**json.load(sys.stdin))
    journal = Journal(Path(job.journal), WallClock(), Actor(**job.actor), job.credential, job.run)
    sys.exit(execute(job, journal))


def _die_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def execute(job: Job, journal: Journal) -> int:
    """Execute *job*'s notebook with papermill and return 0, or 1 when papermill says that it failed."""
    for name in SPARED:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python is told that a module is not there
    from nbclient.exceptions import DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillException
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="fw-") as private:
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{private}/k"}})
        try:
            execute_notebook(
                job.notebook, job.output, job.parameters, kernel_name="python3", config=config,
                progress_bar=False, log_output=False, autosave_cell_every=0, request_save_on_cell_execute=False,
                execution_timeout=CELL_DEADLINE_S, interrupt_on_timeout=True, iopub_timeout=30,
                on_cell_start=_started(journal), on_cell_executed=_executed(journal),
            )  # fmt: skip
        except (PapermillException, DeadKernelError) as error:
            print(error, file=sys.stderr)  # noqa: T201  # this process's log
            return 1
    return 0


def cell_name(cell: Any) -> str:
    """Return a code cell's id, or the name of the cell that papermill adds."""
    tags = cell.metadata.get("tags", ())
    return "injected-parameters" if "injected-parameters" in tags else str(cell.get("id", ""))


def _started(journal: Journal) -> Callable[..., None]:
    def tell(cell: Any, **_: object) -> None:
        if cell.cell_type == "code":
            journal.append("cell", {"id": cell_name(cell), "state": "running"})

    return tell


def _executed(journal: Journal) -> Callable[..., None]:
    def tell(cell: Any, execute_reply: Any, **_: object) -> None:
        content = execute_reply["content"]
        if content["status"] == "ok":
            journal.append("cell", {"id": cell_name(cell), "state": "done"})
        else:
            error = f"{content.get('ename', 'aborted')}: {content.get('evalue', '')}"
            journal.append("cell", {"id": cell_name(cell), "state": "failed", "error": error})

    return tell


if __name__ == "__main__":
    main()
