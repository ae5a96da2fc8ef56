"""
A runbook's parameters: what its tagged cell declares, and the values that a run gives them.

The cell is the declaration: `name: type = default  # help`, one a line, literals only. It is read, never run. papermill
would take an unknown name with a warning and guess the type of a value; here both are refused before anything starts.
"""

import ast
import math
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import canonical
from firstwatch.record.redact import redacted
from firstwatch.record.shapes import says_secret
from firstwatch.runs.catalog import Runbook

TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
MOST_BYTES = 64_000  # of all values of a run together, as JSON
_INTEGER = re.compile(r"[+-]?[0-9]{1,300}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{0,300})?([eE][+-]?[0-9]{1,3})?")


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
    try:
        helps, body = _comments(source), ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise BadParameter(f"{runbook.path}: its parameters cell is not Python: {error}") from error
    found = tuple(_parameter(runbook, node, helps) for node in body)
    twice = [each.name for number, each in enumerate(found) if each.name in {e.name for e in found[:number]}]
    if twice:
        raise BadParameter(f"{runbook.path}: its parameters cell declares {twice[0]} twice")
    return found


def _parameter(runbook: Runbook, node: ast.stmt, helps: Mapping[int, str]) -> Parameter:
    match node:
        case ast.AnnAssign(ast.Name(name), ast.Name(kind), ast.expr() as value) if kind in TYPES:
            default = _literal(value)
            if says_secret(name):
                raise BadParameter(
                    f"{runbook.path}: parameter {name} is a secret by its name; take it from the environment"
                )
            if type(default) is TYPES[kind] or (kind == "float" and type(default) is int):
                return Parameter(name, kind, default, helps.get(node.lineno, ""))
    raise BadParameter(f"{runbook.path}: line {node.lineno} of its parameters is not `name: type = default  # help`")


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None  # which is of no type


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
    found = {name: _converted(known[name], value) for name, value in given.items()}
    if len(canonical(found)) > MOST_BYTES:
        raise BadParameter(f"the parameters are larger than {MOST_BYTES:,} bytes together: {', '.join(sorted(found))}")
    return found


def _converted(parameter: Parameter, value: Any) -> Any:
    wanted = TYPES[parameter.type]
    try:
        converted = _word(value, wanted) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        raise _wrong(parameter, value) from None
    if type(converted) is not wanted and not (wanted is float and type(converted) is int):
        raise _wrong(parameter, value)
    if isinstance(converted, float) and not math.isfinite(converted):
        raise BadParameter(f"parameter {parameter.name}: {value!r} is not a number that can be used")
    if redacted(converted) != converted:
        raise BadParameter(f"parameter {parameter.name} holds a secret, which would be recorded; use the environment")
    return converted


def _wrong(parameter: Parameter, value: Any) -> BadParameter:
    shown = repr(value)
    return BadParameter(f"parameter {parameter.name}: {shown[:200]} is not of type {parameter.type}")


def _word(value: str, wanted: type) -> Any:
    """Return what *value*, as it was typed, means; ValueError when it is not written as JSON writes it."""
    if wanted is str:
        value.encode()  # half a letter, from an argument that is not UTF-8
        return value
    if wanted is bool:
        return {"true": True, "false": False}[value] if value in ("true", "false") else _not(value)
    pattern = _INTEGER if wanted is int else _NUMBER
    return wanted(value) if pattern.fullmatch(value) else _not(value)


def _not(value: str) -> None:
    raise ValueError(value)


def assignments(pairs: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each `NAME=VALUE`; BadParameter for what is not one."""
    seen: set[str] = set()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise BadParameter(f"-p {pair[:200]!r} is not NAME=VALUE")
        if name in seen:
            raise BadParameter(f"-p {name} is given twice")
        seen.add(name)
        yield name, value
