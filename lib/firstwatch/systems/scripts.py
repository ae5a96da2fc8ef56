"""
Scripts of the service, such as its smoke tests: run without a shell, with a deadline, and ended with all that they
started.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from firstwatch.errors import NotFound, Unavailable
from firstwatch.systems.deck import Deck, Told

MOST_TEXT = 20_000


def run(deck: Deck, path: str, url: str, seconds: float) -> Told:
    """
    Run the script at *path* for the service at *url*; return its exit code and `{"text": its output}`.

    Args:
        deck: Where it is recorded, or replayed from.
        path: As configured; a relative one is looked for here and above.
        url: Told to it as `SERVICE_URL`.
        seconds: How long it may take.

    Raises:
        NotFound: There is no such file.
        Unavailable: It cannot be run, or did not end in time.
    """
    return deck.asked("RUN", f"script:{Path(path).name}", [], seconds + 5, lambda: _run(_found(path), url, seconds))


def _found(path: str) -> Path:
    here = Path.cwd()
    candidates = [folder / path for folder in (here, *here.parents)]
    found = next((each for each in candidates if each.is_file()), None)
    if found is None:
        raise NotFound(f"there is no script {path} in {here} or above it")
    return found


def _run(path: Path, url: str, seconds: float) -> Told:
    return command([str(path)], seconds, {"SERVICE_URL": url})


def command(words: Sequence[str], seconds: float, more: Mapping[str, str] | None = None) -> Told:
    """
    Run the program *words*, with *more* in its environment; return its exit code and `{"text": its output}`.

    Raises:
        Unavailable: It cannot be run, or did not end within *seconds*; then it is ended with all that it started.
    """
    name = Path(words[0]).name
    try:
        process = subprocess.Popen(
            list(words), env=os.environ | dict(more or {}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # ValueError: a NUL in a word
        raise Unavailable(f"{name} cannot be run: {getattr(error, 'strerror', '') or error}") from error
    try:
        told, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Unavailable(f"{name} did not end within {seconds:g} s, and was ended") from error
    return process.returncode, {"text": told.decode("utf-8", "replace")[-MOST_TEXT:]}
