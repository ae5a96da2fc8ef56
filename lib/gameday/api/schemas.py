"""
Which fields each kind has, read off the models of the official Kubernetes client.

Those are made from Kubernetes' own description of itself, so nothing is written down twice. They are heavy: loading the
first takes some 0.4 s, all that we serve 0.65 s and 37 MB, so they are imported when somebody first asks.
"""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, get_args, get_origin

from gameday.kinds import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

Hint: TypeAlias = Any  # what a field is annotated with
PACKAGE = "kubernetes.client.models"
MODELS = {"Event": "CoreV1Event"}  # the others are called after version and kind
SCALARS = {str: "string", int: "integer", bool: "boolean", float: "number", datetime: "string"}

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What values of a field look like: `object`, `array`, `map`, a scalar's name, or `any`.

    `within` is the model of an object, or what the elements of an array or map are annotated with.
    """

    form: str
    within: Hint = None


@dataclass(frozen=True, slots=True)
class Field:
    shape: Shape
    description: str
    required: bool


@cache
def model(kind: Kind) -> "type[BaseModel] | None":
    """Return the model of *kind*, or None when the client has none."""
    version = kind.api.rpartition("/")[2]
    name = MODELS.get(kind.kind, version.capitalize() + kind.kind)
    try:
        module = importlib.import_module(f"{PACKAGE}.{_WORD.sub('_', name).lower()}")
    except ModuleNotFoundError:
        return None
    found: type[BaseModel] = getattr(module, name)
    return found


@cache
def fields(of: "type[BaseModel]") -> Mapping[str, Field]:
    """Return the fields of a model by the names that they have in JSON."""
    return {
        each.serialization_alias or name: Field(shape(each.annotation), each.description or "", each.is_required())
        for name, each in of.model_fields.items()
    }


def shape(hint: Hint) -> Shape:
    """Return what values annotated with *hint* look like."""
    origin: object = get_origin(hint)
    inner = get_args(hint)
    if origin is Annotated:
        return shape(inner[0])
    if origin in {Union, UnionType}:
        several = [each for each in inner if each is not NoneType]
        return shape(several[0]) if len(several) == 1 else Shape("any")
    if origin is list:
        return Shape("array", inner[0])
    if origin is dict:
        return Shape("map", inner[1])
    if hasattr(hint, "model_fields"):
        return Shape("object", hint)
    return Shape(SCALARS.get(hint, "any"))
