"""
The policy as data: the procedures' tables, from `policy.toml` beside this module, and what a team has changed of them.

A team's own `policy.toml` beside `firstwatch.toml` holds only what differs: tables are merged, lists are replaced. A
key that is not known is refused by name, because a clock that was misspelt would never ring.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from firstwatch.clock import duration
from firstwatch.errors import BadParameter, nearest
from firstwatch.model import Json, Severity
from firstwatch.reach import Section

FILE = "policy.toml"
TICKS = (
    r"^(|acknowledged|graded|channel|looked|told|status-page|promised|all-ok|status-page-resolved|resolution-told"
    r"|well-since|course|acted|assessed|caused|items-filed|items-owned|(role|probe|since|steady):[a-z-]+)$"
)
NEXT_BUSINESS_DAY = "next business day"


def _span(value: object) -> object:
    return duration(value) if isinstance(value, str) and value != NEXT_BUSINESS_DAY else value


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not a time zone such as Europe/Berlin") from error


Rungs = Literal["L1", "L2", "L3", "L4"]
Span = Annotated[timedelta, BeforeValidator(_span)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Term = Annotated[timedelta | Literal["next business day"], BeforeValidator(_span)]
Terms = Mapping[Severity, Term]
Cost = Literal["customers", "money", "reputation"]  # what is assessed of an incident


class Calendar(Section, arbitrary_types_allowed=True):
    """Business days. `closes` is local time in `zone`: what is owed on a business day is owed by then."""

    zone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    days: Annotated[tuple[Day, ...], Field(min_length=1)]
    closes: time
    holidays: frozenset[date] = frozenset()


class Criterion(Section):
    """
    A rule with a name. It fires by a yes to `answer`, or by `metric` being `over` a value, or `from` it upwards.

    A BAD finding with a mechanism that was `seen` fires it too.
    """

    id: str
    text: str
    answer: str = ""
    metric: Literal["", "error-share", "latency", "slowdown"] = ""
    over: float | None = None
    least: float | None = Field(default=None, alias="from")
    seen: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind_of_evidence(self) -> "Criterion":
        if bool(self.answer) == bool(self.metric) or bool(self.metric) != ((self.over is None) != (self.least is None)):
            raise ValueError("a criterion has an answer, or a metric with either over or from")
        return self


class Level(Section):
    """One severity. `within` is its response time: from the declaration to the acknowledgement."""

    name: str
    response: str
    within: Term
    escalation: str
    criteria: tuple[Criterion, ...]
    examples: tuple[Criterion, ...] = ()
    added: tuple[Criterion, ...] = ()

    @property
    def rules(self) -> tuple[Criterion, ...]:
        return (*self.criteria, *self.examples, *self.added)


class Question(Section):
    answer: str
    question: str
    yes: Severity


class Triage(Section):
    """`first` is asked before the `tree`; `otherwise` is its last leaf; `unknown` when nothing at all is known."""

    first: tuple[Question, ...]
    tree: tuple[Question, ...]
    otherwise: Severity
    unknown: Severity
    sources: tuple[str, ...]


class Role(Section):
    """
    One role. `extended` says what it is for when it is of the extended team; `within` alarms when it is unfilled.

    It is suggested by a flag, by what was assessed of the impact, and when the incident is extended.
    """

    name: str
    responsibilities: tuple[str, ...] = ()
    selection: tuple[str, ...] = ()
    extended: str = ""
    within: Terms = Field(default={})
    suggested_by: tuple[str, ...] = ()
    suggested_by_impact: tuple[Cost, ...] = ()
    suggested_when_extended: bool = False


class Channel(Section):
    """By when there is a place to talk, or a ticket."""

    text: str
    within: Terms


class Extended(Section):
    """When an incident is *extended*: beyond so many update periods."""

    update_periods: Annotated[int, Field(ge=1)]


class Limit(Section):
    """The procedures' words for a clock, and how long it runs; no `within` means that there is none."""

    text: str
    within: Term | None = None
    extended: bool = False


class Schedule(Section):
    """What is told outside the team, by when."""

    initial: Limit
    update: Limit
    status_page: Limit
    customer_email: Limit


class Rung(Section):
    """One level of the ladder: who, and when one must have climbed to it; an impact only suggests it."""

    who: tuple[str, ...]
    text: tuple[str, ...] = ()
    after: Mapping[Severity, Span] = Field(default={})
    lasting: Mapping[Severity, Span] = Field(default={})
    flag: str = ""
    suggested_by_impact: tuple[Cost, ...] = ()


class Ladder(Section):
    count_from: Literal["arrival", "declaration"]
    levels: Mapping[Rungs, Rung]


class Notices(Section):
    manager: Limit
    director: Limit
    executive: Limit


class External(Section):
    """Somebody outside who is told when `flag` is set. What `outlives` the resolution is owed after it too."""

    name: str
    text: str
    flag: str
    whom: str
    within: Span
    outlives: bool = False


class Part(Section):
    part: str
    minutes: int
    points: tuple[str, ...]


class PostMortem(Section):
    text: str
    within: Mapping[Severity, Span]
    reminders: tuple[Span, ...]
    agenda: tuple[Part, ...]


class Line(Section):
    """A line of a checklist; `by` names what ticks it by itself, empty when a person does, with `evidence` if asked."""

    id: str
    text: str
    evidence: bool = False
    by: Annotated[str, Field(pattern=TICKS)] = ""


class Checklist(Section):
    title: str
    within: Span | None = None
    lines: tuple[Line, ...]


class Policy(Section):
    """All of it; frozen."""

    principles: tuple[str, ...]
    calendar: Calendar
    levels: Mapping[Severity, Level]
    triage: Triage
    roles: Mapping[str, Role]
    channel: Channel
    extended: Extended
    schedule: Mapping[Severity, Schedule]
    ladder: Ladder
    notices: Mapping[Severity, Notices]
    external: Mapping[str, External]
    monitoring: Mapping[Severity, Limit]
    post_mortem: PostMortem
    checklists: Mapping[str, Checklist]

    @property
    def core(self) -> tuple[str, ...]:
        """Return the roles of the core team, in the procedures' order."""
        return tuple(name for name, role in self.roles.items() if not role.extended)

    @property
    def flags(self) -> tuple[str, ...]:
        """Return every flag that a rule of this policy listens to, and the two of triage that none does, sorted."""
        asked = {each.answer for each in self.triage.first}
        heard = {each.flag for each in self.external.values()} | {r.flag for r in self.ladder.levels.values()}
        return tuple(sorted((asked | heard) - {""}))


def load(configuration: Path | None = None) -> Policy:
    """
    Return the policy that applies to the `firstwatch.toml` at *configuration*.

    Raises:
        BadParameter: The team's own `policy.toml` beside it cannot be read, or has a field that is unknown or wrong.
    """
    own = configuration.parent / FILE if configuration else None
    return parse(_merged(shipped(), _read(own)), str(own)) if own and own.is_file() else _as_shipped()


@cache
def _as_shipped() -> Policy:
    return parse(shipped(), FILE)


def shipped() -> dict[str, Any]:
    """Return the procedures' own tables, as they are shipped."""
    return tomllib.loads(files("firstwatch.policy").joinpath(FILE).read_text("utf-8"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadParameter(f"cannot read the policy {path}: {error}") from error


def _merged(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    both = {k: _merged(base[k], v) if _tables(base.get(k), v) else v for k, v in own.items()}
    return base | both


def _tables(one: object, other: object) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


def parse(data: Mapping[str, Json], source: str) -> Policy:
    """Return the policy in *data*; BadParameter names *source* and the first wrong field."""
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        raise BadParameter(f"{source}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    words = [str(part) for part in problem["loc"] if part != "[key]"]
    if problem["type"] == "extra_forbidden":
        return f"{'.'.join(words)} is not a setting; {nearest(words[-1], _fields(Policy, words[:-1]))}"
    if "[key]" in problem["loc"]:
        return f"{'.'.join(words)} is not a name that is known here: {problem['msg']}"
    return f"{'.'.join(words)}: {problem['msg']}"


def _fields(kind: Any, path: list[str]) -> list[str]:
    """Return the names that may stand at *path* below the model *kind*."""
    for word in path:
        inner = kind.model_fields[word].annotation if _model(kind) and word in kind.model_fields else None
        kind = _inner(inner) if inner is not None else kind
    return [field.alias or name for name, field in kind.model_fields.items()] if _model(kind) else []


def _model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inner(kind: Any) -> Any:
    """Return the model within a mapping, a tuple or an optional one, else *kind* itself."""
    if get_origin(kind) is None:
        return kind
    return next((_inner(each) for each in reversed(get_args(kind)) if each not in (NoneType, ...)), kind)
