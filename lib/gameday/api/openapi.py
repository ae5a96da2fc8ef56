"""
OpenAPI, as far as clients really read it: which query parameters a PATCH or POST of each kind takes, and its fields.

kubectl 1.27 and newer dares a server-side dry run and strict fields only when `/openapi/v3` says so, and explains kinds
by it; older ones ask `/openapi/v2`, of which an empty document is enough for a plain apply.
"""

import json
from functools import cache

from firstwatch.model import Json
from gameday.api import definitions
from gameday.api.resources import RESOURCES, Resource

JSON = "application/json"
NO_PROTOBUF = "application/octet-stream"
ABOUT = {"title": "Firstwatch game day", "version": "v1.37.0"}
PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def document(path: str, accept: str) -> tuple[str, Json | bytes] | None:
    """Return content type and body of the document at *path*, or None when there is none."""
    if path == "/openapi/v2":
        return (NO_PROTOBUF, b"") if "protobuf" in accept else (JSON, {"swagger": "2.0", "info": ABOUT, "paths": {}})
    if path == "/openapi/v3":
        return JSON, {"paths": {api: {"serverRelativeURL": f"/openapi/v3/{api}"} for api in _APIS}}
    api = path.removeprefix("/openapi/v3/")
    return (JSON, _described(api)) if api in _APIS else None


@cache
def _described(api: str) -> bytes:
    """Return the document of one group version, which every dry run of kubectl asks for and which never changes."""
    served = _APIS[api]
    paths = {path: operations for each in served for path, operations in _paths(each).items()}
    components = {"schemas": definitions.of(each.kind for each in served)}
    return json.dumps({"openapi": "3.0.0", "info": ABOUT, "paths": paths, "components": components}).encode()


def _paths(resource: Resource) -> dict[str, Json]:
    """Return the paths of *resource*. A patch names no content: kubectl then merges by what it knows of our kinds."""
    several = resource.kind.path("{namespace}")
    identity = {"group": resource.group, "version": resource.version, "kind": resource.kind.kind}
    told: dict[str, Json] = {"responses": {"200": {"description": "OK"}}, "x-kubernetes-group-version-kind": identity}
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in PARAMETERS]
    writing = told | {"parameters": parameters}
    return {
        several: {"get": told, "post": writing, "delete": writing},
        f"{several}/{{name}}": {"get": told, "put": writing, "patch": writing, "delete": writing},
    }


def _by_api() -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for each in RESOURCES:
        api = each.kind.api
        found.setdefault(f"apis/{api}" if "/" in api else f"api/{api}", []).append(each)
    return found


_APIS = _by_api()
