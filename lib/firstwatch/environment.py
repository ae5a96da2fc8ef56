"""
What the environment says: which configuration applies, where the records are, and who acts.

The configuration is named by `--config`, then `FIRSTWATCH_CONFIG`; else it is the nearest one upwards, else the user's
own.
"""

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from firstwatch.model import Actor

if TYPE_CHECKING:
    from firstwatch.settings import Settings

FILE = "firstwatch.toml"


def find(environ: Mapping[str, str], folder: Path, config: str = "") -> Path | None:
    """
    Return the configuration file that applies, or None when there is none.

    *config* is what `--config` named; it and `FIRSTWATCH_CONFIG` are returned even when no such file exists, so that
    `settings.load` can name it.
    """
    named = config or environ.get("FIRSTWATCH_CONFIG", "")
    if named:
        return Path(named).expanduser().absolute()
    here = folder.absolute()
    upwards = (parent / FILE for parent in (here, *here.parents))
    return next((path for path in (*upwards, _own()) if path.is_file()), None)


def _own() -> Path:
    from platformdirs import user_config_path

    return user_config_path("firstwatch") / FILE


def records(environ: Mapping[str, str], config: Path | None) -> Path:
    """Return the folder of the records: `FIRSTWATCH_RECORDS`, else `incidents/` beside the configuration."""
    named = environ.get("FIRSTWATCH_RECORDS", "")
    return Path(named).absolute() if named else (config.parent if config else Path.cwd()) / "incidents"


def actor(environ: Mapping[str, str], settings: "Settings | None", named: str = "") -> Actor:
    """Return who acts: `--as`, else `FIRSTWATCH_ACTOR`, else `[me] name`, else the login name. All are claims."""
    own = settings.me.name if settings else ""
    return Actor(named or environ.get("FIRSTWATCH_ACTOR", "") or own or getpass.getuser(), "claimed")


def credential() -> str:
    """Return the account that this program runs under: what the operating system vouches for."""
    return f"{getpass.getuser()}@{os.uname().nodename}"
