"""
Hours of faults drawn at random: of the system that is asked, of the files, of the processes.

What is drawn is rows of the programme, each with a seed of its own, so that they follow one another in an order that
nobody chose. It is no row of the gate: its count is minutes.
"""

import time
from collections import Counter

from faults import programme
from faults.programme import Figure, Row, Trial

DRAWN = (
    "T01", "T02", "T03", "T08", "T09", "T11", "T13", "T14", "T17", "T18", "T20", "T22", "T23", "T31", "T33", "T57",
    "T70", "T71", "T77", "T81",
)  # fmt: skip
FRACTION = 0.02  # of a row's full count, a draw


def endured(trial: Trial) -> Figure:
    """Draw rows until `trial.count` minutes are over, and count the faults that they tried."""
    known = {row.id: row for row in programme.rows()}
    began, tried, bad, drawn = time.monotonic(), 0, [], Counter[str]()
    while (minutes := (time.monotonic() - began) / 60) < trial.count:
        row = known[trial.random.choice(DRAWN)]
        seed = f"{programme.SEED} T86 {drawn.total()} {row.id}"
        drawn[row.id] += 1
        figure = programme.tried(row, FRACTION, lambda number: None, seed)
        tried, bad = tried + figure.tried, bad + [f"{seed}: {figure.note}"] * figure.bad
        trial.tell(int(minutes))
    rows = ", ".join(f"{row} {times}" for row, times in sorted(drawn.items()))
    note = f"{minutes / 60:.1f} hours, {drawn.total()} draws: {rows}; {'; '.join(bad[:3])}".rstrip("; ")
    return Figure(tried, len(bad), note)


ROW = Row(
    "T86", "faults of systems, files and processes, drawn at random for hours", "nothing bad in any", 120, endured
)
