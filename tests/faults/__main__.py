"""Run the fault programme and print its table: `python -m faults [--fraction F] [--only ID]… [--kept FILE]`."""

# ruff: noqa: T201 - it is a command

import argparse
import platform
import sys
from pathlib import Path

from faults import endurance, programme


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--fraction", type=float, default=1.0, help="of the full counts")
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--kept", type=Path, default=Path("build/faults.json"), help="figures so far; goes on there")
    given = parser.parse_args()
    some = [row for row in (*programme.rows(), endurance.ROW) if not given.only or row.id in given.only]
    done = programme.run(some, given.fraction, given.kept, lambda text: print(text, file=sys.stderr))
    print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, fraction {given.fraction:g}\n"
    )
    print(programme.table(some, done))
    return int(any(done[row.id]["bad"] for row in some))


if __name__ == "__main__":
    sys.exit(main())
