"""
What Firstwatch promises, and the rows of the fault programme that show it: `python -m faults.promises FIGURES`.

It writes `docs/reference/promises.md` from the figures that `make soak` kept. A row that was not tried again keeps the
figure that the page has.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from faults import endurance, programme

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/promises.md"
Figures = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, the rows that try to break it, and what it does not say."""

    id: str
    text: str
    rows: tuple[str, ...]
    limit: str


PROMISES = (
    Promise("P1", "No change leaves the program before its intent is on the disk, with who, why and the undo",
            ("T02", "T07", "T10"), "A disk that lies about a sync; changes made by other means"),
    Promise("P2", "After any crash `firstwatch resume` asks the live system what became of each change: done, not done "
            "or unknown", ("T02", "T03", "T04", "T05", "T13"), "What cannot be asked stays unknown"),
    Promise("P3", "An acknowledged event is never lost, and a record can always be read",
            ("T01", "T06", "T07", "T08", "T09", "T10", "T34"), "One disk"),
    Promise("P4", "What cannot be recorded is not done", ("T08", "T09", "T10", "T11", "T73"),
            "Investigation goes on without a record, and says so; break-glass is the exception, and it is loud"),
    Promise("P5", "No runbook writes without `--apply`, a plan and an approval", ("T70", "T71"),
            "The cluster must refuse others by its own rules"),
    Promise("P6", "An approval holds for one plan, notebook, parameters and target as they were, and for minutes",
            ("T31", "T32", "T82"), "People may approve unread"),
    Promise("P7", "A destructive change in a SEV1 takes two people besides the requester's own word", ("T72",),
            "A person is who the sign-in, or the configuration, says"),
    Promise("P8", "Each write is sent once at most, and a conflict stops it",
            ("T17", "T30", "T31", "T33", "T35", "T77"), "At most once is not exactly once"),
    Promise("P9", "Undo is made from what was observed before the change, and refuses to act on what has moved since",
            ("T74", "T75"), "A restart has no undo, and its plan says so"),
    Promise("P10", "One offline command verifies every byte and link of a record, and says whether it is anchored",
            ("T57", "T58", "T59"), "Tampering is seen, not prevented"),
    Promise("P11", "Known secrets are replaced before bytes reach the disk; one found later is taken out",
            ("T66", "T67", "T68", "T69"), "Formats that nobody knows; see [what is redacted](redaction.md)"),
    Promise("P12", "Nothing from a log, an alert or a title runs on the site, and the site asks nobody else",
            ("T60", "T61", "T62", "T63", "T64", "T65"), "A text that lies in plain words"),
    Promise("P13", "What only looks never writes, whoever or whatever starts it", ("T70",), ""),
    Promise("P14", "Every failure ends in an exit code of the list and a sentence that names the thing; nothing that "
            "died is green", (
                "T03", "T14", "T15", "T16", "T18", "T19", "T20", "T21", "T22", "T23", "T24", "T36", "T37", "T38", "T45",
                "T46", "T47", "T48", "T49", "T50", "T52", "T56", "T78", "T79", "T80", "T81",
                "T87", "T88", "T89",
            ), "What nobody thought of trying"),
    Promise("P15", "The order of events never depends on the wall clock", ("T28", "T29"), ""),
    Promise("P16", "Under a breach the clocks of legal and compliance run in the record, and nothing is published "
            "until it is released", ("T85",), "The times are configuration, and no legal advice"),
    Promise("P17", "A text is kept until it has arrived, in its order, once; no reminder is forgotten or given twice, "
            "whoever is killed", ("T25", "T26", "T27", "T90"),
            "Pager and mail may get one twice, and drop it by its key; see [reminders](../how-to/remind.md)"),
)  # fmt: skip

HEAD = """\
# What is promised, and what was tried

This page shows what Firstwatch guarantees, how often it was tried to break it, and what a guarantee does not cover.

The figures are of `make soak`, the fault programme in `tests/faults/`. It ran on {machine}.
The newest figure is of {day}. The seed of row T01 is `{seed} T01`: whoever doubts a figure can make it again.
`make faults` tries a twentieth in a few minutes. That the tests would notice a lost safeguard is shown
[here](mutations.md).

## Promises
"""

REAL = """\
## On a real control plane

Two processes raced to apply one plan, 500 times, on Kubernetes 1.37.2: each time exactly one acted, and the server
itself counted 1,000 writes, for 500 plans and their undos. It refused each of 500 patches with another uid (422), and
each of 500 with an old resourceVersion (409). The same on our own API server. Made on 2026-11-26 in 16 minutes by:

    export FIRSTWATCH_ROUNDS=500
    .venv/bin/python -m pytest -q -m cluster -p no:nbval --timeout=5000 tests/cluster/test_writes.py
"""


def page(figures: Figures, rows: Mapping[str, programme.Row]) -> str:
    """Return the page: the promises with their sums, then every row with its figure."""
    head = HEAD.format(machine=_machine(), seed=programme.SEED, day=f"{datetime.now(UTC):%Y-%m-%d}")
    lines = ["| | We promise | Tried | Bad | Rows | It does not cover |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [_line(each, figures) for each in PROMISES]
    some = [row for row in rows.values() if row.id in figures]
    return "\n".join([head, *lines, "", REAL, "## Rows", "", programme.table(some, figures), ""])


def _line(promise: Promise, figures: Figures) -> str:
    there = [figures[each] for each in promise.rows if each in figures]
    tried, bad = (sum(int(str(each[what])) for each in there) for what in ("tried", "bad"))
    cells = (promise.id, promise.text, f"{tried:,}", bad, ", ".join(promise.rows), promise.limit)
    return f"| {' | '.join(map(str, cells))} |"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def shown(text: str) -> Figures:
    """Return the figures that the page *text* has."""
    lines = (re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in text.splitlines() if line.startswith("| T"))
    return {
        row: {"tried": tried, "bad": bad, "seconds": seconds, "note": note.replace("\\|", "|")}
        for row, _, _, tried, bad, seconds, note in lines
    }


def main(kept: Path) -> None:
    figures = shown(PAGE.read_text("utf-8")) | json.loads(kept.read_text())
    PAGE.write_text(page(figures, {row.id: row for row in (*programme.rows(), endurance.ROW)}), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
