"""Each kind's fields as OpenAPI has them, for `kubectl explain`; made from the same models that check strict fields."""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from firstwatch.model import Json
from gameday.api import schemas
from gameday.api.schemas import Field, Shape
from gameday.kinds import Kind

# `V1PodSpec` is told as `v1.PodSpec`: kubectl shows what is behind the last dot.
_NAME = re.compile(r"(?P<group>[A-Za-z]*?)(?P<version>V\d+(?:(?:alpha|beta)\d+)?)(?P<kind>[A-Z]\w*)")


def of(kinds: Iterable[Kind]) -> Mapping[str, Json]:
    """Return the definitions of *kinds* and of all that they are made of, by name."""
    told: dict[str, Json] = {}
    for kind in kinds:
        model = schemas.model(kind)
        if model:
            _define(model, told)
            group, _, version = kind.api.rpartition("/")
            identity = {"group": group, "version": version, "kind": kind.kind}
            told[_name(model)]["x-kubernetes-group-version-kind"] = [identity]
    return told


def _define(model: Any, told: dict[str, Json]) -> None:
    """Put the definition of *model* into *told*, and of each model that it refers to."""
    if _name(model) in told:
        return
    fields = schemas.fields(model)
    about = inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0]
    definition = told[_name(model)] = {"type": "object", "description": about}
    definition["properties"] = {name: _property(each, told) for name, each in fields.items()}
    if required := [name for name, each in fields.items() if each.required]:
        definition["required"] = required


def _property(field: Field, told: dict[str, Json]) -> Json:
    made = _typed(field.shape, told)
    # What stands beside a reference is not read, so the reference goes one level down.
    return {"description": field.description} | ({"allOf": [made]} if "$ref" in made else made)


def _typed(shape: Shape, told: dict[str, Json]) -> dict[str, Json]:
    match shape.form:
        case "object":
            _define(shape.within, told)
            return {"$ref": f"#/components/schemas/{_name(shape.within)}"}
        case "array":
            return {"type": "array", "items": _typed(schemas.shape(shape.within), told)}
        case "map":
            return {"type": "object", "additionalProperties": _typed(schemas.shape(shape.within), told)}
        case "any":
            return {}
        case scalar:
            return {"type": scalar}


def _name(model: Any) -> str:
    found = _NAME.fullmatch(model.__name__)
    if not found:
        return str(model.__name__)
    return ".".join(filter(None, (found["group"].lower(), found["version"].lower(), found["kind"])))
