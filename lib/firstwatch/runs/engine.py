"""
The engine: papermill, in a process of its own, telling the journal of each cell.

Run as `python -m firstwatch.runs.engine` with a job as JSON on standard input. What papermill says of a run is not
believed: it marks cells as completed that never ran. Here each cell's start and end is an event, and whoever started
this process draws the conclusion.

The kernel talks over IPC in a private folder, so that no port is opened and no other user can listen. Two packages
that papermill only might use are kept from being imported; they would double the time to the first cell.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firstwatch.clock import WallClock
from firstwatch.model import Actor, plain
from firstwatch.record.journal import Journal
from firstwatch.record.redact import know, redacted
from firstwatch.runs import executed, tree
from firstwatch.runs.whisper import Ear

CELL_DEADLINE_S = 900
CLIENT = "firstwatch.runs.reply.Client"  # notices a reply that is lost
SPARED = ("boto3", "rfc3987_syntax")  # object stores; a grammar built at import for a format that notebooks lack
MOST_LETTERS = 4_000  # of an error, in the journal
SHARE = 10  # saving takes at most a tenth of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    One notebook to execute, and the record that it belongs to.

    `known` is what whoever started this process knows to be secret: it comes through a pipe, and is kept in memory.
    """

    notebook: str
    output: str
    parameters: dict[str, Any]
    journal: str
    run: str
    actor: dict[str, str]
    credential: str
    known: tuple[str, ...] = ()

    def write(self) -> str:
        return json.dumps(plain(self))


@dataclass(slots=True)
class Keeper:
    """Keeps the notebook at *path* as it is executed: after each cell, unless saving takes too much of the time."""

    path: Path
    ear: Ear
    notebook: Any = None
    clean: set[str] = field(default_factory=set)
    due: float = 0.0
    room: dict[int, int] = field(default_factory=dict)  # letters that a cell may still print

    def executed(self, cell: Any) -> None:
        self._clean(cell)
        if time.monotonic() >= self.due:
            self._save()

    def ended(self) -> None:
        """Save the notebook as it is now, the outputs of a cell that did not end with it."""
        if self.notebook is not None:
            for cell in self.notebook["cells"]:
                if cell["cell_type"] == "code" and cell_name(cell) not in self.clean:
                    self._clean(cell)
            self._save()

    def _clean(self, cell: Any) -> None:
        self.ear.listen()
        executed.clean(cell)
        self.clean.add(cell_name(cell))

    def _save(self) -> None:
        began = time.monotonic()
        try:
            executed.keep(self.path, executed.without_values(self.notebook))
        except OSError as error:
            tell(f"the notebook could not be saved: {error}")
        ended = time.monotonic()
        self.due = ended + (ended - began) * SHARE


def main() -> None:
    """Execute the job on standard input; exit 1 when a cell failed or the kernel died."""
    job = Job(**json.load(sys.stdin))
    for value in job.known:
        know(value)
    journal = Journal(Path(job.journal), WallClock(), Actor(**job.actor), job.credential, job.run)
    with tempfile.TemporaryDirectory(prefix="fw-") as private:
        code = tree.guarded(lambda: execute(job, journal, private))
    sys.exit(code)


def tell(text: str) -> None:
    """Say *text* in this process's log, which may be gone."""
    with suppress(OSError):
        print(redacted(text), file=sys.stderr)  # noqa: T201  # this process's log


def execute(job: Job, journal: Journal, private: str) -> int:
    """Execute *job*'s notebook with papermill, its sockets in the folder *private*; return 1 when a cell failed."""
    for name in SPARED:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python is told that a module is not there
    from nbclient.exceptions import DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillException
    from traitlets.config import Config

    keeper = Keeper(Path(job.output), Ear(Path(private) / "known"))
    keeper.ear.open()
    _register(keeper)
    config = Config({"KernelManager": {"transport": "ipc", "ip": f"{private}/k", "client_factory": CLIENT}})
    try:
        execute_notebook(
            job.notebook, None, job.parameters, engine_name="firstwatch", kernel_name="python3", config=config,
            progress_bar=False, log_output=False, autosave_cell_every=0, timeout=CELL_DEADLINE_S,
            interrupt_on_timeout=True, iopub_timeout=30,
            on_cell_start=_started(journal), on_cell_executed=_executed(journal, keeper),
        )  # fmt: skip
    except (PapermillException, DeadKernelError) as error:
        tell(str(error))
        return 1
    finally:
        keeper.ended()
    return 0


def _register(keeper: Keeper) -> None:
    """Tell papermill of an engine that hands the notebook to *keeper* and bounds what a cell may print."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine, papermill_engines

    class Client(PapermillNotebookClient):  # type: ignore[misc]  # untyped
        def output(self, outs: list[Any], msg: Any, display_id: Any, cell_index: int) -> Any:
            left = keeper.room.get(cell_index, executed.MOST_LETTERS)
            if left < 0 and msg["msg_type"] != "error":
                return None
            out = super().output(outs, msg, display_id, cell_index)
            if out is not None and msg["msg_type"] != "error":
                keeper.room[cell_index] = executed.cut(outs, left)
            return out

    class Bounded(Engine):  # type: ignore[misc]  # untyped
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **told: Any) -> None:
            keeper.notebook = nb_man.nb
            unused = ("input_path", "log_output", "stdout_file", "stderr_file", "start_timeout")
            more = {key: value for key, value in told.items() if key not in unused}
            Client(nb_man, kernel_name=kernel_name, startup_timeout=60, **more).execute()

    papermill_engines.register("firstwatch", Bounded)


def cell_name(cell: Any) -> str:
    """Return a code cell's id, or the name of the cell that papermill adds."""
    tags = cell.metadata.get("tags", ())
    return "injected-parameters" if "injected-parameters" in tags else str(cell.get("id", ""))


def _started(journal: Journal) -> Callable[..., None]:
    def tell(cell: Any, **_: object) -> None:
        if cell.cell_type == "code":
            journal.append("cell", {"id": cell_name(cell), "state": "running"})

    return tell


def _executed(journal: Journal, keeper: Keeper) -> Callable[..., None]:
    def tell(cell: Any, execute_reply: Any, **_: object) -> None:
        keeper.executed(cell)
        content = execute_reply["content"]
        if any(each.get("source") == "ask_exit" for each in content.get("payload", ())):
            content |= {"status": "error", "ename": "SystemExit", "evalue": "the cell called exit()", "traceback": []}
        if content["status"] == "ok":
            journal.append("cell", {"id": cell_name(cell), "state": "done"})
        else:
            error = str(redacted(f"{content.get('ename', 'aborted')}: {content.get('evalue', '')}"))[:MOST_LETTERS]
            journal.append("cell", {"id": cell_name(cell), "state": "failed", "error": error})

    return tell


if __name__ == "__main__":
    main()
