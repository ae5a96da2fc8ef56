"""
`make bench`: run every pair and print its rows.

First pair: the same runbook on its recording, by `firstwatch run` and by plain `papermill`. Evidence is the time from
the command to the end of the cell that looks, as papermill itself stamps it in the notebook; record is the time until
the command has ended and its record is on disk. Then the others: an append to the journal, in `append`; the site, in
`publishing`. The figures that are claimed are on docs/reference/speed.md.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks import append, publishing
from benchmarks.bench import Measure, compare

ROOT = Path(__file__).resolve().parents[1]
RUNBOOK = "investigate/first-five-minutes"
ROUNDS = int(os.environ.get("ROUNDS", "7"))


def timed(command: Sequence[str], output: Path) -> dict[str, float]:
    """Run *command* and return the seconds to its evidence and to its end; *output* is where the notebook will be."""
    with tempfile.TemporaryDirectory() as state:
        began = time.time()
        subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            capture_output=True,
            env=os.environ | {"XDG_STATE_HOME": state, "NO_COLOR": "1"},
        )
        ended = time.time()
        (notebook,) = Path(state).glob("**/*.ipynb") if not output.name else [output]
        return {"evidence": evidence(notebook) - began, "record": ended - began}


def evidence(notebook: Path) -> float:
    cells = json.loads(notebook.read_text())["cells"]
    (sweep,) = [cell for cell in cells if cell["id"] == "sweep"]
    return datetime.fromisoformat(sweep["metadata"]["papermill"]["end_time"]).timestamp()


def ours() -> dict[str, float]:
    return timed([f"{Path(sys.executable).parent}/firstwatch", "run", RUNBOOK, "--replay"], Path())


def papermill() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.ipynb"
        command = [f"{Path(sys.executable).parent}/papermill", f"runbooks/{RUNBOOK}.ipynb", str(output)]
        return timed([*command, "--no-progress-bar"], output)


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {ROUNDS} rounds")
    show(f"{RUNBOOK} on its recording: firstwatch run against papermill", ours, papermill)
    print("the journal: a thousand appends, each synced")
    for row in append.measure(ROUNDS):
        print(f"  {row}")
    publishing.measure(ROUNDS, print)


def show(title: str, one: Measure, other: Measure) -> None:
    print(title)
    for row in compare(one, other, ROUNDS, lambda text: print(text, file=sys.stderr)):
        print(f"  {row}")


if __name__ == "__main__":
    main()
