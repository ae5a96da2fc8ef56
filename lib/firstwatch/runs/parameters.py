"""
A runbook's parameters: what its tagged cell declares, and the values that a run gives them.

The cell is the declaration: `name: type = default  # help`, one a line, literals only. It is read, never run. papermill
would take an unknown name with a warning and guess the type of a value; here both are refused before anything starts.
"""

import ast
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.runs.catalog import Runbook

TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
MOST_LETTERS = 64_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared name."""

    name: str
    type: str
    default: Any
    help: str


def declared(runbook: Runbook) -> tuple[Parameter, ...]:
    """Return what the runbook's parameters cell declares; BadParameter names the line that declares nothing."""
    source = runbook.parameters_source
    helps = _comments(source)
    return tuple(_parameter(runbook, node, helps) for node in ast.parse(source).body)


def _parameter(runbook: Runbook, node: ast.stmt, helps: Mapping[int, str]) -> Parameter:
    match node:
        case ast.AnnAssign(ast.Name(name), ast.Name(kind), ast.expr() as value) if kind in TYPES:
            return Parameter(name, kind, ast.literal_eval(value), helps.get(node.lineno, ""))
    raise BadParameter(f"{runbook.name}: line {node.lineno} of its parameters is not `name: type = default  # help`")


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def values(runbook: Runbook, given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the value of each parameter in *given*, converted to its declared type.

    Raises:
        NotFound: The runbook declares no such parameter; the nearest is named.
        BadParameter: A value is not of the declared type.
    """
    known = {parameter.name: parameter for parameter in declared(runbook)}
    for name in given:
        if name not in known:
            raise NotFound(f"{runbook.name} has no parameter {name!r}; {nearest(name, list(known))}")
    return {name: _converted(known[name], value) for name, value in given.items()}


def _converted(parameter: Parameter, value: Any) -> Any:
    wanted = TYPES[parameter.type]
    if isinstance(value, str) and len(value) > MOST_LETTERS:
        raise BadParameter(f"parameter {parameter.name}: longer than {MOST_LETTERS} letters")
    try:
        converted = _word(value, wanted) if isinstance(value, str) else value
    except ValueError:
        raise BadParameter(f"parameter {parameter.name}: {value!r} is not of type {parameter.type}") from None
    if type(converted) is not wanted and not (wanted is float and type(converted) is int):
        raise BadParameter(f"parameter {parameter.name}: {value!r} is not of type {parameter.type}")
    if converted in (float("inf"), float("-inf")) or converted != converted:  # noqa: PLR0124  # NaN differs from itself
        raise BadParameter(f"parameter {parameter.name}: {value!r} is not a number that can be used")
    return converted


def _word(value: str, wanted: type) -> Any:
    if wanted is not bool:
        return wanted(value)
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


def assignments(pairs: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each `NAME=VALUE`; BadParameter for what is not one."""
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise BadParameter(f"-p {pair!r} is not NAME=VALUE")
        yield name, value
