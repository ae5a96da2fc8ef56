"""
What the runbooks look after: names, addresses and thresholds, read from `firstwatch.toml`.

Which file applies is for `environment` to say. A field that is not known is refused by name, because a misspelt
threshold that is ignored is a false OK. Secrets are never here: the cluster's come from its kubeconfig, a channel's
from the environment.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, field_validator

from firstwatch.clock import Pace, duration
from firstwatch.errors import BadParameter, nearest
from firstwatch.reach import Channels, Reference, Section

MOST_BYTES = 256_000


class Service(Section):
    """
    The workload and where it is asked. `health_says` is a part of what a good health check answers: without it any
    page that answers 200, a proxy's too, passes for one.
    """

    name: str
    namespace: str
    deployment: str
    configmap: str = ""
    url: str = ""
    health: str = ""
    health_says: str = ""


class Kubernetes(Section):
    """Which cluster: a kubeconfig (else `KUBECONFIG`, else the pod's own account) and a context of it."""

    kubeconfig: str = ""
    context: str = ""


class Prometheus(Section):
    """
    Where metrics are asked, and which series or expressions tell what.

    `error_rate` is the share of failing requests, 0 to 1, and `error_rate_by` the same by one label, as the version.
    `latency` is in seconds, a quantile that matters to users; `requests` are a second. What is empty is not asked.
    `window` is the time that these are counted over: what has not run for as long cannot be judged by them.
    """

    url: str = "http://prometheus:9090"
    error_rate: str = "claude_deployment:api_error_rate_5m"
    error_rate_by: str = ""
    latency: str = ""
    requests: str = ""
    window: str = "5m"

    @field_validator("window")
    @classmethod
    def _spans(cls, window: str) -> str:
        duration(window)
        return window


class Thresholds(Section):
    """
    Limits between OK and BAD. `error_rate` is a share of requests; `stale_s` the oldest sample believed.

    Answers are slow from `latency_s` seconds on, or from `latency_ratio` times what they took before, but never below
    `latency_least_s`. Traffic is a spike from `traffic_ratio` times what came before. A certificate is BAD from
    `certificate_days` before its end.
    """

    error_rate: float = Field(default=0.01, gt=0, lt=1)
    stale_s: float = Field(default=60, gt=0)
    latency_s: float = Field(default=5, gt=0)
    latency_ratio: float = Field(default=1.5, gt=1)
    latency_least_s: float = Field(default=0.25, ge=0)
    traffic_ratio: float = Field(default=3, gt=1)
    certificate_days: float = Field(default=7, ge=0)


class Approving(Section):
    """
    `self` lets the requester approve, in a game day only; `minutes` is how long an approval holds. With `approvers`
    only the yes of those who are named there counts.
    """

    self: bool = False
    approvers: tuple[str, ...] = ()
    minutes: float = Field(default=15, gt=0, le=240)


class Limits(Section):
    """The most that a change may ask for: `replicas` of the workload; `rps` and `load_s` of a load test."""

    replicas: int = Field(default=50, ge=1)
    rps: float = Field(default=100, gt=0)
    load_s: float = Field(default=300, gt=0)


class Maintenance(Section):
    """
    `manifest` is the file of the maintenance page, beside this one; `object` is what stands in it. `says` is a part of
    the page's text, by which it is known.
    """

    manifest: str = ""
    says: str = "We are working on it"
    object: dict[str, Any] | None = None


class Checks(Section):
    """Scripts that look at the service from outside: `smoke` is run with `SERVICE_URL` set, for `smoke_s` at most."""

    smoke: str = ""
    smoke_s: float = Field(default=60, gt=0, le=600)


class Gitops(Section):
    """`argo` is the namespace of Argo CD's own objects."""

    argo: str = "argocd"


class Me(Section):
    name: str = ""


class Dependency(Section):
    """
    What the service leans on: when it is well, `url` answers one of `expected` within `slow_s` seconds.

    `ca` is a file, beside this one, of the authorities that its certificate may come from, when they are your own.
    """

    name: str
    url: str
    ca: str = ""
    expected: tuple[int, ...] = (200,)
    slow_s: float = Field(default=2, gt=0)


class Git(Section):
    """A clone of the service's code, and which branch of it is deployed."""

    folder: str = ""
    branch: str = "HEAD"


class Database(Section):
    """
    PostgreSQL. `dsn` says where its connection string is found, never what it is.

    The account needs `pg_monitor`, to read; `pg_signal_backend` only where it may end a session.
    """

    dsn: Reference | Literal[""] = ""


class Aws(Section):
    """The load balancer, by name; its target groups are found. `endpoint` is for a stand-in on this machine."""

    load_balancer: str = ""
    target_group: str = ""
    region: str = ""
    endpoint: str = ""


class Provider(Section):
    """The feed in which a provider tells of its own incidents: Statuspage's `/api/v2/status.json`, RSS or Atom."""

    feed: str = ""


class Sla(Section):
    """What was promised: the service is there for `target` per cent of `days`. Only these `severities` count."""

    target: float = Field(gt=0, lt=100)
    days: int = Field(default=30, ge=1)
    severities: tuple[Literal["SEV1", "SEV2", "SEV3", "SEV4"], ...] = ("SEV1", "SEV2")


def _place(value: str) -> str:
    """Refuse what is no plain web address: it stands in pages, and a password in it would stand there too."""
    parts = urlsplit(value)
    said = re.fullmatch(r"[^\s<>\"'`|\\^{}\x00-\x1f\x7f]*", value) and parts.scheme in ("http", "https")
    if value and not (said and parts.hostname and "@" not in parts.netloc):
        raise ValueError("it must be a web address such as https://grafana.example.com, without a name or password")
    return value


Place = Annotated[str, AfterValidator(_place)]


class Links(Section):
    """
    Where people look: each link to a graph or a log opens at the incident's time. What is empty is not linked.

    `grafana` is a dashboard, `prometheus` is where people open it when that is not where it is asked, `cloudwatch` its
    console. `status_page` and `console` are addresses that readiness looks at too.
    """

    grafana: Place = ""
    prometheus: Place = ""
    kibana: Place = ""
    cloudwatch: Place = ""
    status_page: Place = ""
    console: Place = ""


class Tool(Section):
    """A program that one needs, the command that says its version, and the least that will do."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    command: tuple[str, ...] = Field(min_length=1)
    least: str = Field(default="", pattern=r"^(\d+(\.\d+)*)?$")


class Readiness(Section):
    """
    What is looked at before a shift. `vpn` and `mfa` are commands, word by word, that end with 0 when all is well; each
    may take `command_s`. A check that is `waived` is not made, and that is said.
    """

    vpn: tuple[str, ...] = ()
    mfa: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    waived: tuple[str, ...] = ()
    command_s: float = Field(default=15, gt=0, le=120)


class Shared(Section):
    """
    A credential that several people may use in an emergency: `reference` says where it is kept, never what it is.

    After each use `owner`, else whoever used it, rotates it within `rotate_days`.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    reference: str = Field(min_length=1, max_length=200)
    owner: str = ""
    rotate_days: int = Field(default=1, ge=0, le=90)


class Clocking(Section):
    """A faster clock, for a game day only: from `origin` on its time goes `rate` times as fast as UTC."""

    origin: AwareDatetime
    rate: float = Field(gt=0, le=1000)


class Gameday(Section):
    """There only in the file that a game day writes: what is real in it, and the window of its error rate."""

    parts: dict[str, str] = Field(default={})
    window: str = ""


class Settings(Section):
    service: Service
    kubernetes: Kubernetes = Kubernetes()
    prometheus: Prometheus = Prometheus()
    thresholds: Thresholds = Thresholds()
    approval: Approving = Approving()
    limits: Limits = Limits()
    maintenance: Maintenance = Maintenance()
    gitops: Gitops = Gitops()
    checks: Checks = Checks()
    dependencies: tuple[Dependency, ...] = ()
    git: Git = Git()
    database: Database = Database()
    aws: Aws = Aws()
    provider: Provider = Provider()
    me: Me = Me()
    channels: Channels = Channels()
    sla: Sla | None = None
    links: Links = Links()
    readiness: Readiness = Readiness()
    credentials: tuple[Shared, ...] = ()
    gameday: Gameday | None = None
    clock: Clocking | None = None

    @property
    def practice(self) -> bool:
        return self.gameday is not None

    @property
    def pace(self) -> Pace:
        """Return how fast time goes for the people of this world."""
        return Pace(self.clock.origin, self.clock.rate) if self.clock else Pace()

    @property
    def window(self) -> timedelta:
        """Return the time that rates are counted over; a game day's own is shorter."""
        return duration((self.gameday and self.gameday.window) or self.prometheus.window)


def load(path: Path) -> Settings:
    """
    Return the settings in the file at *path*.

    Raises:
        BadParameter: The file cannot be read, is not TOML, or has a field that is unknown or of the wrong kind.
    """
    settings = parse(toml(path, "the configuration"), str(path))
    beside = {
        "maintenance": _manifest(settings.maintenance, path.parent),
        "dependencies": tuple(_placed(each, path.parent) for each in settings.dependencies),
    }
    return settings.model_copy(update=beside)


def toml(path: Path, what: str, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Return what the TOML file *path*, called *what*, holds; BadParameter when it cannot be read, or is too large."""
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is not a file")
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise OSError(f"it is larger than {most_bytes:,} bytes")
        return tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not TOML, not UTF-8, a NUL in its name
        raise BadParameter(f"cannot read {what} {path}: {error}") from error
    except RecursionError as error:
        raise BadParameter(f"cannot read {what} {path}: it is nested too deeply") from error


def _placed(named: Dependency, folder: Path) -> Dependency:
    """Return *named* with its authorities' file where it is: a relative path begins in *folder*."""
    return named.model_copy(update={"ca": str(folder.absolute() / named.ca)}) if named.ca else named


def _manifest(said: Maintenance, folder: Path) -> Maintenance:
    """Return *said* with what its file holds; with nothing when it cannot be read, so that only its use fails."""
    if not said.manifest:
        return said
    import yaml

    try:
        return Maintenance.model_validate(
            {**said.model_dump(), "object": yaml.safe_load((folder / said.manifest).read_text("utf-8"))}
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        return said


def parse(data: Mapping[str, Any], source: str) -> Settings:
    """Return the settings in *data*; BadParameter names *source* and the first wrong field."""
    try:
        made = Settings.model_validate(data)
    except ValidationError as error:
        raise BadParameter(f"{source}: {_first(error)}") from error
    if made.clock and not made.practice:
        raise BadParameter(f"{source}: clock: only a game day's time may go faster; take [clock] out")
    return made


def _first(error: ValidationError) -> str:
    several = error.errors()
    problem = next((each for each in several if each["type"] == "extra_forbidden"), several[0])
    place = ".".join(map(str, problem["loc"]))
    if problem["type"] != "extra_forbidden":
        return f"{place}: {problem['msg']}"
    return f"{place} is not a setting; {nearest(str(problem['loc'][-1]), _known(problem['loc'][:-1]))}"


def _known(place: tuple[int | str, ...]) -> list[str]:
    """Return the names that may stand in the section at *place*."""
    section: Any = Settings
    for name in place:
        annotation = section.model_fields[name].annotation if name in section.model_fields else section
        section = next((each for each in (annotation, *get_args(annotation)) if hasattr(each, "model_fields")), section)
    return list(section.model_fields)
