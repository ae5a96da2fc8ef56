"""
What the runbooks look after: names, addresses and thresholds, read from `firstwatch.toml`.

The file is found by `--config`, then `FIRSTWATCH_CONFIG`, then the nearest one upwards, then the user's own. A field
that is not known is refused by name, because a misspelt threshold that is ignored is a false OK. Secrets are never
here: the cluster's come from its kubeconfig, a channel's from the environment.
"""

import getpass
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firstwatch.errors import BadParameter, nearest
from firstwatch.model import Actor

FILE = "firstwatch.toml"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Service(Section):
    """The workload and where it is asked."""

    name: str
    namespace: str
    deployment: str
    configmap: str = ""
    url: str = ""
    health: str = ""


class Kubernetes(Section):
    """Which cluster: a kubeconfig (else `KUBECONFIG`, else the pod's own account) and a context of it."""

    kubeconfig: str = ""
    context: str = ""


class Prometheus(Section):
    """Where metrics are asked, and the series of the share of failing requests, 0 to 1."""

    url: str = "http://prometheus:9090"
    error_rate: str = "claude_deployment:api_error_rate_5m"


class Thresholds(Section):
    """Limits between OK and BAD. `error_rate` is a share of requests; `stale_s` the oldest sample believed."""

    error_rate: float = Field(default=0.01, gt=0, lt=1)
    stale_s: float = Field(default=60, gt=0)


class Approving(Section):
    """`self` lets the requester approve, in a game day only; `minutes` is how long an approval holds."""

    self: bool = False
    minutes: float = Field(default=15, gt=0, le=240)


class Me(Section):
    name: str = ""


class Gameday(Section):
    """There only in the file that a game day writes: what is real in it, and the window of its error rate."""

    parts: dict[str, str] = {}
    window: str = ""


class Settings(Section):
    service: Service
    kubernetes: Kubernetes = Kubernetes()
    prometheus: Prometheus = Prometheus()
    thresholds: Thresholds = Thresholds()
    approval: Approving = Approving()
    me: Me = Me()
    gameday: Gameday | None = None

    @property
    def practice(self) -> bool:
        return self.gameday is not None


def load(path: Path) -> Settings:
    """
    Return the settings in the file at *path*.

    Raises:
        BadParameter: The file cannot be read, is not TOML, or has a field that is unknown or of the wrong kind.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadParameter(f"cannot read the configuration {path}: {error}") from error
    return parse(data, str(path))


def parse(data: Mapping[str, Any], source: str) -> Settings:
    """Return the settings in *data*; BadParameter names *source* and the first wrong field."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise BadParameter(f"{source}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(map(str, problem["loc"]))
    if problem["type"] != "extra_forbidden":
        return f"{place}: {problem['msg']}"
    section = Settings.model_fields.get(str(problem["loc"][0]))
    annotation = section.annotation if section and len(problem["loc"]) > 1 else Settings
    known = list(getattr(annotation, "model_fields", {}))
    return f"{place} is not a setting; {nearest(str(problem['loc'][-1]), known)}"


def find(environ: Mapping[str, str], folder: Path, config: str = "") -> Path | None:
    """
    Return the configuration file that applies, or None when there is none.

    *config* is what `--config` named; it and `FIRSTWATCH_CONFIG` are returned even when no such file exists, so that
    `load` can name it.
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


def actor(environ: Mapping[str, str], settings: Settings | None, named: str = "") -> Actor:
    """Return who acts: `--as`, else `FIRSTWATCH_ACTOR`, else `[me] name`, else the login name. All are claims."""
    own = settings.me.name if settings else ""
    return Actor(named or environ.get("FIRSTWATCH_ACTOR", "") or own or getpass.getuser(), "claimed")


def credential() -> str:
    """Return the account that this program runs under: what the operating system vouches for."""
    return f"{getpass.getuser()}@{os.uname().nodename}"
