"""
The command, `firstwatch`.

Each module here is a group of commands that belong together; what they do is elsewhere. Everything heavy is imported
inside the command that needs it, so that help and completion are quick. A `FirstwatchError` becomes one sentence on
standard error and its exit code; nothing else of it is shown.
"""

import sys
from importlib.metadata import entry_points

from firstwatch.errors import FirstwatchError


def main() -> None:
    """Run the command line; every way out has an exit code of `docs/reference/exit-codes.md`."""
    from firstwatch.cli import approving, incidents, lab, records, runbooks  # noqa: F401  # each adds its commands
    from firstwatch.cli.app import app
    from firstwatch.cli.screen import complain

    for entry in entry_points(group="firstwatch.commands"):
        if entry.name in sys.argv[1:2] or not sys.argv[1:] or sys.argv[1].startswith("-"):
            app.add_typer(entry.load(), name=entry.name)
    try:
        app()
    except FirstwatchError as error:
        complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
