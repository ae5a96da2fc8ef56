"""
The lab: JupyterLab on copies of the runbooks. A copy that is saved goes into the record of its run.

Copies, because what a responder does at night must not end up in the runbooks' own files. The kernel that begins a run
leaves a note beside its copy, which says whose record it is; Jupyter's server reads that note when it saves the copy.
"""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from firstwatch import environment, settings
from firstwatch.clock import WallClock
from firstwatch.errors import FirstwatchError
from firstwatch.model import Actor, plain
from firstwatch.record.journal import Journal
from firstwatch.record.store import attach, inside
from firstwatch.runs import catalog, executed
from firstwatch.systems import credentials

NOTEBOOK = "JPY_SESSION_NAME"  # where Jupyter's server tells a kernel which file it belongs to


def copies(runbooks: Path, folder: Path) -> None:
    """Copy every runbook under *runbooks* to the same place under *folder*."""
    for name in catalog.names(runbooks):
        target = folder / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(runbooks / f"{name}.ipynb", target)


def note(context: Mapping[str, Any], journal: Journal, seq: int, runbook: str) -> None:
    """Leave a note beside the copy that this kernel belongs to, when it is a lab's and live: its run began at *seq*."""
    notebook = os.environ.get(NOTEBOOK, "")
    if not context.get("live") or not Path(notebook).is_relative_to(context.get("lab", "/nowhere")):
        return
    told = {"journal": str(journal.path), "run": journal.run, "credential": journal.credential, "seq": seq}
    told |= {"actor": plain(journal.actor), "runbook": runbook}
    _note_of(Path(notebook)).write_text(json.dumps(told), "utf-8")


def saved(os_path: str, model: Mapping[str, Any], contents_manager: object) -> None:
    """Attach the notebook that Jupyter's server has just saved to the record of its run; it calls this by name."""
    del contents_manager
    beside = _note_of(Path(os_path))
    if model["type"] != "notebook" or not beside.exists():
        return
    _learn()
    told = json.loads(beside.read_text("utf-8"))
    journal = Journal(Path(told["journal"]), WallClock(), Actor(**told["actor"]), told["credential"], told["run"])
    kept = inside(journal.path.parent, f"notebooks/{told['seq']:04d}-{told['runbook'].replace('/', '-')}.ipynb")
    if _keep(Path(os_path), kept):
        attach(journal, kept, "the notebook, as saved in JupyterLab")


def _learn() -> None:
    """Make the cluster's credentials known to the redaction; a kernel that they do not open says what is wrong."""
    with suppress(FirstwatchError):
        path = environment.find(os.environ, Path.cwd())
        if path:
            credentials.learn(settings.load(path).kubernetes)


def _keep(source: Path, kept: Path) -> bool:
    """Write *source*, redacted, to *kept*, and tell whether that changed it."""
    text = json.dumps(executed.fit(json.loads(source.read_text("utf-8"))), indent=1, ensure_ascii=False) + "\n"
    if kept.exists() and kept.read_text("utf-8") == text:
        return False
    kept.parent.mkdir(exist_ok=True)
    draft = kept.with_suffix(".tmp")
    draft.write_text(text, "utf-8")
    draft.replace(kept)
    return True


def _note_of(notebook: Path) -> Path:
    return notebook.with_name(f".{notebook.stem}.run")
