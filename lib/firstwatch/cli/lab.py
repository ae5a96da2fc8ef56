"""`lab`: JupyterLab on the runbooks."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Office, app, office
from firstwatch.errors import BadParameter


@app.command(rich_help_panel="Runbooks", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    further: typer.Context,
    replay: Annotated[
        bool, typer.Option("--replay", help="Against the recordings: nothing is asked or changed.")
    ] = False,
    acting_as: As = "",
) -> None:
    """
    Open JupyterLab on the runbooks, on this machine only.

    The kernels it starts know the configuration and who you are. Cells run live, unless `--replay` is given. It shows
    copies: saving one attaches it to the record of its run. Any further option is JupyterLab's own.

    Examples:

        firstwatch lab

        firstwatch lab --replay --no-browser --allow-root
    """
    from importlib.util import find_spec

    from firstwatch.runs import catalog
    from firstwatch.runs.lab import copies

    if find_spec("jupyterlab") is None:
        raise BadParameter("JupyterLab is not installed; install firstwatch[lab]")
    here = office(acting_as)
    live = {} if replay else {"live": bool(here.configured())}
    with tempfile.TemporaryDirectory(prefix="firstwatch-lab-") as folder:
        copies(catalog.root(), Path(folder))
        screen.err.print(f"JupyterLab on the runbooks, {'replaying' if replay else 'live'}; Ctrl-C ends it")
        raise typer.Exit(_serve(here, {"lab": folder} | live, further.args))


def _serve(here: Office, context: dict[str, Any], further: list[str]) -> int:
    """Run JupyterLab until it ends; nobody else's site is asked for news or updates."""
    from firstwatch.runs import catalog
    from firstwatch.runs.scene import VARIABLE

    environ = os.environ | {VARIABLE: json.dumps(context), "FIRSTWATCH_RUNBOOKS": str(catalog.root())}
    environ |= {"FIRSTWATCH_RECORDS": str(here.store.root)}
    environ |= {"FIRSTWATCH_CONFIG": str(here.path)} if here.path else {}
    own = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": context["lab"],
        "FileContentsManager.post_save_hook": "firstwatch.runs.lab.saved",
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    options = [f"--{name}={value}" for name, value in own.items()]
    return subprocess.call([sys.executable, "-m", "jupyterlab", *options, *further], env=environ)
