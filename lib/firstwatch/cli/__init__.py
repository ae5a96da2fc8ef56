"""
The command, `firstwatch`.

Each module here is a group of commands that belong together; what they do is elsewhere. Everything heavy is imported
inside the command that needs it, so that help and completion are quick. A `FirstwatchError` becomes one sentence on
standard error and its exit code; nothing else of it is shown. An error that nobody foresaw is one sentence too, and its
traceback is in a log: at night it helps nobody, and afterwards somebody needs it.
"""

import os
import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from firstwatch.errors import FirstwatchError

if TYPE_CHECKING:
    from typer import Typer


def main() -> None:
    """Run the command line; every way out has an exit code of `docs/reference/exit-codes.md`."""
    try:
        _run()
    except FirstwatchError as error:
        from firstwatch.cli.screen import complain

        complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _say_no_more()
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  # what nobody foresaw
        sys.exit(_unforeseen(error))


def commands() -> "Typer":
    """Return the application with each of its own commands; those of other packages join when they are asked for."""
    from firstwatch.cli import (  # noqa: F401  # each adds commands
        approving,
        closing,
        credentials,
        declaring,
        following,
        incidents,
        lab,
        learning,
        loading,
        messages,
        notes,
        people,
        publishing,
        quick,
        records,
        reminding,
        resuming,
        runbooks,
        scoring,
        shift,
        watching,
    )
    from firstwatch.cli.app import app

    return app


def _run() -> None:
    app = commands()
    asked = {*sys.argv[1:], *os.environ.get("COMP_WORDS", os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()}
    for entry in entry_points(group="firstwatch.commands"):
        app.add_typer(entry.load() if entry.name in asked else _named(entry), name=entry.name)
    app()


def _named(entry: EntryPoint) -> "Typer":
    """Return what shows *entry* in the help and nothing more: to load it takes as long as all the rest."""
    from typer import Typer

    return Typer(help=import_module(entry.module.partition(".")[0]).__doc__)


def _say_no_more() -> None:
    """Send what is still to be printed nowhere: who read it is gone, and Python would complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _unforeseen(error: Exception) -> int:
    """Say in one sentence that *error* came, and where its traceback is; return the exit code."""
    from firstwatch.cli.screen import err, safe
    from firstwatch.record.redact import redacted

    where = _logged(error)
    err.print(
        f"[bold red]error:[/] {type(error).__name__}: {safe(redacted(str(error)))}; {safe(where)}", soft_wrap=True
    )
    return 1


def _logged(error: Exception) -> str:
    import traceback

    from platformdirs import user_state_path

    from firstwatch.record.redact import redacted

    path: Path = user_state_path("firstwatch") / "errors.log"
    text = redacted("".join(traceback.format_exception(error)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"firstwatch {redacted(' '.join(sys.argv[1:]))}\n{text}\n")
    except OSError as full:
        return f"its traceback could not be kept: {full}"
    return f"its traceback is in {path}"
