"""`lab`: JupyterLab on the runbooks."""

import json
import os
import subprocess
import sys
from typing import Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, app, office
from firstwatch.errors import BadParameter


@app.command(rich_help_panel="Runbooks")
def lab(
    replay: Annotated[
        bool, typer.Option("--replay", help="Against the recordings: nothing is asked or changed.")
    ] = False,
    acting_as: As = "",
) -> None:
    """
    Open JupyterLab on the runbooks, on this machine only.

    The kernels it starts know the configuration and who you are. Cells run live, unless `--replay` is given.
    """
    from importlib.util import find_spec

    from firstwatch.runs import catalog
    from firstwatch.runs.scene import VARIABLE

    if find_spec("jupyterlab") is None:
        raise BadParameter("JupyterLab is not installed; install firstwatch[lab]")
    here = office(acting_as)
    context = {} if replay else {"live": bool(here.configured())}
    environ = os.environ | {VARIABLE: json.dumps(context)}
    if here.path:
        environ["FIRSTWATCH_CONFIG"] = str(here.path)
    folder = str(catalog.root())
    screen.err.print(f"JupyterLab on {folder}, {'replaying' if replay else 'live'}; Ctrl-C ends it")
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    raise typer.Exit(subprocess.call(command, env=environ))
