"""What a request brings along: JSON, YAML from those who send it, and of what kubectl makes itself its binary form."""

import json
from collections.abc import Mapping, Sequence

from aiohttp import web

from firstwatch.model import Json
from gameday.api import errors, fields, patches, protobuf, types
from gameday.api.options import Options
from gameday.api.resources import Resource
from gameday.api.target import Target

JSON = ("application/json", "text/json", "application/octet-stream")
YAML = ("application/yaml", "text/yaml", "application/x-yaml")
ACCEPTED = "application/json, application/yaml"
OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


async def read(request: web.Request, default: Json = None) -> Json:
    """Return the body as JSON; *default*, when there is one, stands for an empty body."""
    content = await request.read()
    if not content and default is not None:
        return default
    if request.content_type == protobuf.MEDIA:
        return protobuf.decoded(content)
    if request.content_type not in {*JSON, *YAML}:
        raise errors.unsupported(ACCEPTED)
    body = _parsed(content, yaml=request.content_type in YAML)
    if not isinstance(body, dict):
        raise errors.bad_request("the request's body is not an object")
    return body


async def patch(request: web.Request) -> tuple[str, Json]:
    """Return the patch's form and the patch."""
    form = request.content_type
    if form not in patches.FORMS:
        raise errors.unsupported(", ".join(patches.FORMS))
    return form, _parsed(await request.read(), yaml=form == patches.APPLY)


def fits(target: Target, body: Json) -> Json:
    """Return *body* with its metadata, after a look whether it is of the kind, place and name of the request."""
    kind = target.resource.kind
    for name, wanted in (("apiVersion", kind.api), ("kind", kind.kind)):
        if body.get(name) and body[name] != wanted:
            told = f"{body.get('apiVersion')}, Kind={body.get('kind')}"
            raise errors.bad_request(f"the API version in the data ({told}) does not match the expected ({kind.api})")
    metadata = body.get("metadata") if body.get("metadata") is not None else {}
    _check_metadata(kind.kind, metadata)
    if target.namespace and metadata.get("namespace", target.namespace) != target.namespace:
        raise errors.bad_request(OTHER_NAMESPACE)
    if target.name and metadata.get("name", target.name) != target.name:
        told = f"({metadata['name']}) does not match the name on the URL ({target.name})"
        raise errors.bad_request(f"the name of the object {told}")
    return {**body, "metadata": metadata}


def understood(resource: Resource, body: Json, asked: Options) -> tuple[Json, Sequence[str]]:
    """
    Return what of *body* its kind has, and which fields it has not, as far as that is *asked* for.

    Raises:
        ValueError: A value is of another type than its field, or there are such fields and none may be.
    """
    if wrong := types.mistyped(resource.kind, body):
        raise ValueError(wrong)
    complaints = [] if asked.validation == "Ignore" else fields.unknown(resource.kind, body)
    if complaints and asked.validation == "Strict":
        raise ValueError(f"strict decoding error: {', '.join(complaints)}")
    return types.known(resource.kind, body), complaints


def warning(complaints: Sequence[str]) -> Mapping[str, str]:
    """Return the header that tells of *complaints* where they refuse nothing."""
    told = ", ".join(f'299 - "{each.translate(_QUOTED)}"' for each in complaints)
    return {"Warning": told} if told else {}


def _check_metadata(kind: str, metadata: Json) -> None:
    """Refuse what no later step could work with."""
    good = isinstance(metadata, dict) and all(
        isinstance(metadata.get(name, ""), str) for name in ("name", "namespace", "generateName", "uid")
    )
    if not good or not all(_texts(metadata.get(name)) for name in ("labels", "annotations")):
        raise errors.bad_request(f"{kind} cannot be handled as a {kind}: its metadata is not of the right types")


def _texts(values: Json) -> bool:
    """Tell whether *values* is a map of texts; null removes one, in a patch."""
    if values is None:
        return True
    return isinstance(values, dict) and all(each is None or isinstance(each, str) for each in values.values())


def _parsed(content: bytes, *, yaml: bool) -> Json:
    try:
        return _yaml(content) if yaml else json.loads(content)
    except ValueError as error:
        raise errors.bad_request(f"the request's body cannot be read: {error}") from error


def _yaml(content: bytes) -> Json:
    try:
        return json.loads(content)  # which is YAML too, and what most clients send as such
    except ValueError:
        import yaml
    try:
        # Through JSON, so that a date stays the text that it was.
        return json.loads(json.dumps(yaml.load(content, Loader=yaml.SafeLoader), default=str))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


_QUOTED = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " "})
