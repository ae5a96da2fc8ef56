"""Make the proof, from where the last one was cut off, and write its page."""

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from firstwatch.errors import FirstwatchError
from firstwatch.model import Json
from gameday.proof import table
from gameday.proof.trial import Result, refutation, trial
from gameday.scenarios import OURS

NOTHING: Json = {"trials": {}, "refuted": {}, "earlier": {}}
log = logging.getLogger("proof")


def prove(name: str, seed: int) -> Json:
    """Return what came of one scenario with one seed, as JSON."""
    with _folder() as folder:
        try:
            return asdict(trial(name, seed, folder))
        except (FirstwatchError, OSError) as error:
            return asdict(Result(name, seed, error=str(error)))


def refute(name: str) -> Json:
    """Return what came of the wrong remedies of one scenario; an *error* in place of them when none could be tried."""
    with _folder() as folder:
        try:
            return refutation(name, folder)
        except (FirstwatchError, OSError) as error:
            return {f"not tried: {error}": False}


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="firstwatch-proof-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tasks(names: list[str], seeds: int) -> Iterator[tuple[str, str, Callable[[], Json]]]:
    """Yield where each result is kept, and what makes it; the wrong remedies come last, on one seed."""
    for seed in range(seeds):
        yield from (("trials", f"{name} {seed}", partial(prove, name, seed)) for name in names)
    yield from (("refuted", name, partial(refute, name)) for name in names if OURS[name].cures)


def _set_aside(kept: Json) -> None:
    """Move what failed to where it is only told of; the last failure of each is kept."""
    for key, each in list(kept["trials"].items()):
        if not table.held(each):
            kept["earlier"][key] = kept["trials"].pop(key)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.proof", description=__doc__)
    parser.add_argument("--kept", type=Path, required=True, help="the file of results; what is in it is not done again")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=sorted(OURS), choices=sorted(OURS))
    parser.add_argument("--page", type=Path, help="where the page is written, after each result")
    parser.add_argument("--again", action="store_true", help="make again what failed, and keep what it showed")
    given = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    kept: Json = deepcopy(NOTHING) | (json.loads(given.kept.read_text("utf-8")) if given.kept.exists() else {})
    if given.again:
        _set_aside(kept)
    given.kept.parent.mkdir(parents=True, exist_ok=True)
    for part, key, make in _tasks(given.only, given.seeds):
        if key not in kept[part]:
            kept[part][key] = make()
            log.info("%s: %s", key, json.dumps(kept[part][key]))
            given.kept.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        if given.page:
            given.page.write_text(table.page(kept, datetime.now(UTC).strftime("%Y-%m-%d")), "utf-8")


if __name__ == "__main__":
    main()
