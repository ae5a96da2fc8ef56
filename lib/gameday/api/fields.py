"""
Strict fields: what an object has that its kind does not, so that a slip of the pen is not silently dropped.

Maps whose keys are free, such as labels and data, are followed only into their values.
"""

from collections.abc import Iterator

from firstwatch.model import Json
from gameday.api import schemas
from gameday.api.schemas import Shape
from gameday.kinds import Kind


def unknown(kind: Kind, body: Json) -> list[str]:
    """Return a complaint for each field of *body* that *kind* does not have, in the real API's words."""
    model = schemas.model(kind)
    return [f'unknown field "{path}"' for path in _unknown(Shape("object", model), body, "")] if model else []


def _unknown(shape: Shape, value: Json, path: str) -> Iterator[str]:
    if isinstance(value, list) and shape.form == "array":
        for index, each in enumerate(value):
            yield from _unknown(schemas.shape(shape.within), each, f"{path}[{index}]")
    elif isinstance(value, dict) and shape.form == "map":
        for key, each in value.items():
            yield from _unknown(schemas.shape(shape.within), each, f"{path}.{key}")
    elif isinstance(value, dict) and shape.form == "object":
        yield from _of_object(shape, value, path)


def _of_object(shape: Shape, value: Json, path: str) -> Iterator[str]:
    known = schemas.fields(shape.within)
    for name, each in value.items():
        where = f"{path}.{name}" if path else name
        if name in known:
            yield from _unknown(known[name].shape, each, where)
        else:
            yield where
