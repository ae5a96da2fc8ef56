"""
The words of Firstwatch as data: finding, plan, approval, outcome, and how each shows itself.

Everything here is frozen and knows nothing of files, networks or clocks, so that a journal line, a notebook's output
and a page can all be made from the same value. What a notebook shows has two faces: `repr`, one stable line for a
terminal and for comparison, and `_repr_markdown_`, the table for a page. Both are free of addresses and of "now".

Text that others wrote (titles, logs, labels) is data. It is made visible where it is shown, and escaped by `cell`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]  # not in the stubs
from typing import Any, Self, TypeAlias

from firstwatch.errors import BadParameter
from firstwatch.text import visible

Json: TypeAlias = Any  # what `json.loads` returns: dict, list, str, int, float, bool or None


class Verdict(StrEnum):
    """What a probe says. UNKNOWN is neither: it could not look, or what it saw does not tell."""

    OK = "OK"
    BAD = "BAD"
    UNKNOWN = "UNKNOWN"


WORST_FIRST = (Verdict.BAD, Verdict.UNKNOWN, Verdict.OK)


class Severity(StrEnum):
    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


class Mode(StrEnum):
    """`observe` plans and shows; `apply` may change, behind the gate."""

    OBSERVE = "observe"
    APPLY = "apply"


class Result(StrEnum):
    """The outcome of a change. `unknown` is an answer of its own: it was sent, and nobody said what became of it."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    NOT_APPLIED = "not applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    What a probe saw, of one object.

    `object` is `Kind/namespace/name`. `mechanism` is a word of `mechanisms.MECHANISMS` when the verdict is BAD. `age_s`
    is how old the data was, in seconds, or None when the system does not say. `since` is the moment that the finding
    speaks of: a metric's onset, a change's time. `touched` are the fields that a change touched. `value` is what was
    measured and `usual` what it was before, where a rule reads them: in seconds, of a latency. `resource` is the
    provider's own name of the object. `command` is what a person would type to see the same.
    """

    probe: str
    verdict: Verdict
    object: str
    expected: str
    observed: str
    mechanism: str = ""
    age_s: float | None = None
    since: datetime | None = None
    touched: tuple[str, ...] = ()
    value: float | None = None
    usual: float | None = None
    resource: str = ""
    why_here: str = ""
    next: str = ""
    command: str = ""

    @property
    def seen(self) -> str:
        """Return what was observed, with the object's own name before it: what a person reads."""
        name = self.object.rpartition("/")[2]
        return f"{name}: {self.observed}" if name else self.observed

    def __repr__(self) -> str:
        since = f" since {clock_time(self.since)}" if self.since else ""
        return visible(f"{self.verdict:<7} {self.probe}: {self.object}: {self.observed}{since}")

    def _repr_markdown_(self) -> str:
        return Findings((self,))._repr_markdown_()


class Findings(tuple[Finding, ...]):
    """Findings in rank order: the first is the one to act on. Its `verdict` is the worst of them."""

    __slots__ = ()

    @property
    def verdict(self) -> Verdict:
        seen = {finding.verdict for finding in self}
        if Verdict.BAD in seen:
            return Verdict.BAD
        return Verdict.OK if seen == {Verdict.OK} else Verdict.UNKNOWN

    def after(self, earlier: "Findings") -> "Findings":
        """Return these and what other probes said *earlier*: the worst first, and of equals the newer."""
        again = {finding.probe for finding in self}
        told = [*self, *(finding for finding in earlier if finding.probe not in again)]
        return Findings(sorted(told, key=lambda finding: WORST_FIRST.index(finding.verdict)))

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "UNKNOWN nothing was looked at"

    def _repr_markdown_(self) -> str:
        rows = [(f.verdict, f.probe, f.seen, f.expected, "; ".join(filter(None, (f.why_here, f.next)))) for f in self]
        return table(("Verdict", "Probe", "Seen", "Expected", "Why, and what next"), rows)


@dataclass(frozen=True, slots=True)
class Target:
    """The object that a plan was made against, as it was then."""

    kind: str
    namespace: str
    name: str
    uid: str
    generation: int

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the target: a JSON pointer, its value before and after. None means that the field is absent."""

    path: str
    before: Json
    after: Json

    def inverse(self) -> "Change":
        return Change(self.path, self.after, self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    An action resolved against the live system: what changes, whether it will stick, how it is undone.

    `hash` binds an approval to it. It covers the target's uid and generation, every field from → to, the undo, the
    parameters and the runbook's source; not resourceVersion, which each status write moves.
    """

    action: str
    target: Target
    changes: tuple[Change, ...]
    summary: tuple[str, ...]
    undo: tuple[Change, ...]
    destructive: bool
    parameters: Mapping[str, Json] = field(default_factory=dict)
    sticks: Findings = field(default_factory=Findings)
    runbook: str = ""
    notebook_sha256: str = ""
    undoes: str = ""

    @property
    def hash(self) -> str:
        bound = plain(self)
        del bound["sticks"], bound["summary"]
        return hashlib.sha256(canonical(bound)).hexdigest()[:16]

    def __repr__(self) -> str:
        lines = (f"plan {self.hash}: {self.action} {self.target}", *(f"  {line}" for line in self.summary))
        return "\n".join(map(visible, lines))

    def _repr_markdown_(self) -> str:
        lines = [f"**Plan `{self.hash}`**: {self.action} `{cell(str(self.target))}`", ""]
        lines += [f"- {cell(line)}" for line in self.summary]
        stick = [f"- will it stick? **{f.verdict}** {cell(f.observed)}" for f in self.sticks]
        undo = "- undo: restores what was observed" if self.undo else "- undo: **there is none**"
        return "\n".join([*lines, *stick, undo, f"- destructive: {'yes' if self.destructive else 'no'}"])

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Self:
        """Return the plan that `plain` wrote into a journal."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["target"] = Target(**data["target"])
        values["changes"] = tuple(Change(**change) for change in data["changes"])
        values["undo"] = tuple(Change(**change) for change in data["undo"])
        values["summary"] = tuple(data["summary"])
        values["sticks"] = Findings(finding(each) for each in data["sticks"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Approval:
    """
    A person's yes to one plan hash, until a time.

    `trust` says how far to believe who it was. A `reason` is there when the glass was broken: nobody else said yes.
    Then it waits until somebody, `reviewed_by`, has written a `review`.
    """

    plan: str
    by: str
    until: datetime
    self_approved: bool = False
    trust: str = "claimed"
    reason: str = ""
    review: str = ""
    reviewed_by: str = ""

    @property
    def waits(self) -> bool:
        """Whether the glass was broken and nobody has reviewed that."""
        return bool(self.reason) and not self.review


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan. `key` is the idempotency key under which the change is recorded."""

    result: Result
    plan: str
    key: str = ""
    detail: str = ""

    def __repr__(self) -> str:
        return visible(f"{self.result}: plan {self.plan}{': ' + self.detail if self.detail else ''}")

    def _repr_markdown_(self) -> str:
        return f"**{self.result}**: plan `{self.plan}`. {cell(self.detail)}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `trust` says how far to believe it: `claimed` by configuration, or `verified` by a sign-in."""

    name: str
    trust: str = "claimed"


def finding(data: Mapping[str, Json]) -> Finding:
    """Return the finding that `plain` wrote."""
    known = {f.name for f in fields(Finding)}
    values = {key: value for key, value in data.items() if key in known}
    values["verdict"] = Verdict(values["verdict"])
    values["since"] = parse_time(values["since"]) if values.get("since") else None
    values["touched"] = tuple(values.get("touched", ()))
    numbers = {name: float(values[name]) for name in ("value", "usual") if values.get(name) is not None}
    return Finding(**values | numbers)


def severity(word: str) -> Severity:
    """Return the severity that *word* names, in either case; BadParameter otherwise."""
    try:
        return Severity(word.upper())
    except ValueError:
        raise BadParameter(f"severity {word!r} is not one of SEV1, SEV2, SEV3, SEV4") from None


def mode(word: str) -> Mode:
    """Return the mode that *word* names; BadParameter otherwise."""
    try:
        return Mode(word)
    except ValueError:
        raise BadParameter(f"mode {word!r} is neither observe nor apply") from None


def plain(value: object) -> Json:
    """Return *value* as JSON types: dataclasses as objects, times as UTC text, tuples as lists."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (dict, Mapping)):  # a dict is the quicker to ask for
        return {str(key): item if type(item) in _PLAIN else plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, StrEnum):
        return value.value
    return [plain(item) for item in value] if isinstance(value, list | tuple | set) else value


def canonical(value: Json) -> bytes:
    """Return the one way that *value* is written: UTF-8, sorted keys, no spaces. NaN is refused with ValueError."""
    return "".join(_CANONICAL(value, 0)).encode("utf-8", "strict")


_PLAIN = (str, int, float, bool, type(None))
# What `json.JSONEncoder` would make anew for each value, which takes longer than to write a small one.
_CANONICAL = c_make_encoder(
    None, json.JSONEncoder().default, encode_basestring, None, ":", ",", True, False, False
)  # fmt: skip  # indent, separators; sorted keys, no keys skipped, no NaN


def timestamp(moment: datetime) -> str:
    """Return *moment* as `2026-11-24T02:03:04.567Z`: UTC, milliseconds."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_time(text: str) -> datetime:
    """Return the moment that an RFC 3339 *text* names; ValueError when it names none."""
    return datetime.fromisoformat(text).astimezone(UTC)


def clock_time(moment: datetime) -> str:
    """Return *moment* as people say it at night: `02:03:04 UTC`."""
    return moment.astimezone(UTC).strftime("%H:%M:%S UTC")


def cell(text: str) -> str:
    """Return *text* for a Markdown table: markup escaped, control characters shown, one line, 400 letters at most."""
    shown = escaped(text)
    return shown if len(shown) <= 400 else f"{shown[:400]}… ({len(text)} letters)"


def escaped(text: str) -> str:
    """Return *text* on one line of Markdown in which none of it is markup; control characters show."""
    shown = visible(text.replace("\n", " ⏎ "))
    for special in "\\`*_[]<>|":
        shown = shown.replace(special, {"<": "&lt;", ">": "&gt;"}.get(special, f"\\{special}"))
    return shown


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; every value is escaped by `cell`."""
    titles = list(head)
    lines = ["| " + " | ".join(titles) + " |", "| " + " | ".join("---" for _ in titles) + " |"]
    return "\n".join(lines + ["| " + " | ".join(cell(str(value)) for value in row) + " |" for row in rows])
