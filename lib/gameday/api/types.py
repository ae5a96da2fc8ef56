"""
Values as their fields want them: what is of another type is refused, and what is no field at all is left out.

A controller would stumble over the one, and a client that reads back would take the other for kept. Amounts such as
`cpu: 1` may be numbers, although they are texts.
"""

from collections.abc import Iterator, Mapping

from firstwatch.model import Json
from gameday.api import schemas
from gameday.api.schemas import Shape
from gameday.kinds import Kind

AMOUNTS = {"limits", "requests", "capacity", "allocatable", "hard", "used", "overhead"}
AMOUNTS |= {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio", "sizeLimit", "divisor", "averageValue"}
GO: Mapping[str, str] = {
    "string": "string", "integer": "int32", "number": "float64", "boolean": "bool", "array": "[]", "map": "map[string]",
    "object": "struct",
}  # fmt: skip
PYTHON: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "map": (dict,),
    "object": (dict,), "any": (object,),
}  # fmt: skip


def mistyped(kind: Kind, body: Json) -> str:
    """Return which value of *body* is of another type than its field, in the real API's words, or an empty text."""
    return next(_mistyped(schemas_of(kind), body, (kind.kind,)), "")


def known(kind: Kind, body: Json) -> Json:
    """Return *body* without what is no field of *kind*."""
    return _known(schemas_of(kind), body)


def schemas_of(kind: Kind) -> Shape:
    """Return the shape of *kind*; anything goes where the client has no model of it."""
    model = schemas.model(kind)
    return Shape("object", model) if model else Shape("any")


def _mistyped(shape: Shape, value: Json, path: tuple[str, ...]) -> Iterator[str]:
    if value is None or (isinstance(value, int | float) and AMOUNTS & {*path[-2:]}):
        return
    if not _fits(shape, value):
        yield f"json: cannot unmarshal {_named(value)} into Go struct field {'.'.join(path)} of type {GO[shape.form]}"
    elif shape.form == "array":
        for each in value:
            yield from _mistyped(schemas.shape(shape.within), each, path)
    elif shape.form == "map":
        for key, each in value.items():
            yield from _mistyped(schemas.shape(shape.within), each, (*path, key))
    elif shape.form == "object":
        fields = schemas.fields(shape.within)
        for name, each in value.items():
            if name in fields:
                yield from _mistyped(fields[name].shape, each, (*path, name))


def _known(shape: Shape, value: Json) -> Json:
    if isinstance(value, list) and shape.form == "array":
        return [_known(schemas.shape(shape.within), each) for each in value]
    if isinstance(value, dict) and shape.form == "map":
        return {key: _known(schemas.shape(shape.within), each) for key, each in value.items()}
    if isinstance(value, dict) and shape.form == "object":
        fields = schemas.fields(shape.within)
        return {name: _known(fields[name].shape, each) for name, each in value.items() if name in fields}
    return value


def _fits(shape: Shape, value: Json) -> bool:
    """Tell whether *value* is of the type; to Python a truth is a number too, to the API it is not."""
    if isinstance(value, bool):
        return shape.form in {"boolean", "any"}
    return isinstance(value, PYTHON[shape.form])


def _named(value: Json) -> str:
    names = {bool: "bool", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")
