"""
A query as a tree of frozen values, and of which kind each value is.

What Prometheus checks before it evaluates is checked when a node is made (`language`), so that `evaluate` need not ask.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from gameday.prometheus import labelset
from gameday.prometheus.labelset import Labels

COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
SETS = {"and", "or", "unless"}

_NOT_RE2 = re.compile(r"\(\?(?:[=!>(]|<[=!]|P=)|(?<!\\)(?:\\\\)*\\[1-9]|\[\[:|(?<!\\)[*+?}]\+")


class Kind(StrEnum):
    """What an expression is worth, in the words of Prometheus' messages."""

    SCALAR = "scalar"
    STRING = "string"
    VECTOR = "instant vector"
    MATRIX = "range vector"


NUMERIC = {Kind.SCALAR, Kind.VECTOR}


def pattern(text: str) -> re.Pattern[str]:
    """Return a compiled regular expression; ValueError when it is none, or uses what Prometheus' do not have."""
    if _NOT_RE2.search(text):
        raise ValueError(f"regular expression {text!r}: not supported")
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"regular expression {text!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. `pattern` is set for `=~` and `!~`."""

    label: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = field(default=None, compare=False)

    def holds(self, labels: Labels) -> bool:
        found = labelset.get(labels, self.label)
        equal = bool(self.pattern.fullmatch(found)) if self.pattern else found == self.value
        return equal != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """The series that all *matchers* hold of. `range_ms` is 0 for an instant vector."""

    matchers: tuple[Matcher, ...]
    range_ms: int = 0
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    operation: str
    operand: "Node"
    parameter: "Node | None"
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """How series of two sides find each other. `many` is the side that may have several: `left`, `right` or neither."""

    on: bool = False
    labels: tuple[str, ...] = ()
    many: str = ""
    include: tuple[str, ...] = ()

    def key(self, labels: Labels) -> Labels:
        """Return the part of *labels* that must be equal on both sides."""
        if self.on:
            return labelset.keep(labels, self.labels)
        return labelset.drop(labels, (*self.labels, labelset.NAME))


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"
    matching: Matching
    returns_bool: bool


Node: TypeAlias = Number | Text | Selector | Negative | Call | Aggregate | Binary


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives; the last *optional* arguments may be left out."""

    takes: tuple[Kind, ...]
    gives: Kind = Kind.VECTOR
    optional: int = 0


_OVER_RANGE = Signature((Kind.MATRIX,))
_OF_VECTOR = Signature((Kind.VECTOR,))
_WITH_LIMIT = Signature((Kind.VECTOR, Kind.SCALAR))

SIGNATURES = {
    **dict.fromkeys(("rate", "irate", "increase", "delta"), _OVER_RANGE),
    **{f"{each}_over_time": _OVER_RANGE for each in ("avg", "min", "max", "sum", "count", "last")},
    **dict.fromkeys(("abs", "ceil", "floor", "sort", "sort_desc", "timestamp", "absent"), _OF_VECTOR),
    "clamp_min": _WITH_LIMIT,
    "clamp_max": _WITH_LIMIT,
    "round": Signature((Kind.VECTOR, Kind.SCALAR), optional=1),
    "histogram_quantile": Signature((Kind.SCALAR, Kind.VECTOR)),
    "label_replace": Signature((Kind.VECTOR, *[Kind.STRING] * 4)),
    "scalar": Signature((Kind.VECTOR,), Kind.SCALAR),
    "vector": Signature((Kind.SCALAR,)),
    "time": Signature((), Kind.SCALAR),
}


def kind(node: Node) -> Kind:
    match node:
        case Number() | Text():
            return Kind.STRING if isinstance(node, Text) else Kind.SCALAR
        case Selector():
            return Kind.MATRIX if node.range_ms else Kind.VECTOR
        case Negative():
            return kind(node.operand)
        case Call():
            return SIGNATURES[node.function].gives
        case Binary() if kind(node.left) == kind(node.right) == Kind.SCALAR:
            return Kind.SCALAR
        case _:
            return Kind.VECTOR


def problem(node: Binary) -> str:
    """Return what is wrong with a binary expression, as its kinds and modifiers have it."""
    kinds = [kind(node.left), kind(node.right)]
    vectors, scalars = kinds == [Kind.VECTOR] * 2, kinds == [Kind.SCALAR] * 2
    compares, combines, matching = node.operator in COMPARISONS, node.operator in SETS, node.matching
    both = matching.on and set(matching.include) & set(matching.labels)
    problems = {
        "binary expression must contain only scalar and instant vector types": not set(kinds) <= NUMERIC,
        "bool modifier can only be used on comparison operators": node.returns_bool and not compares,
        f"set operator {node.operator!r} not allowed in binary scalar expression": combines and not vectors,
        f"no grouping allowed for {node.operator!r} operation": combines and matching.many,
        "vector matching only allowed between instant vectors": matching.labels and not vectors,
        f"label {min(both or [''])!r} must not occur in ON and GROUP clause at once": both,
        "comparisons between scalars must use BOOL modifier": compares and not node.returns_bool and scalars,
    }
    return next((text for text, found in problems.items() if found), "")
