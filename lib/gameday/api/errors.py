"""
How the API says no: a `Status` object, in the words that clients of Kubernetes know and some of them parse.

Whatever finds that a request cannot be done raises a `Refusal`; the server answers it as it is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firstwatch.errors import FirstwatchError
from firstwatch.model import Json
from gameday.api.resources import Resource


class Refusal(FirstwatchError):
    """A request that is not done. `code` is the HTTP status, `status` the body of the answer."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Json] | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details

    @property
    def status(self) -> Json:
        told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        details = {"details": dict(self.details)} if self.details else {}
        return told | {"reason": self.reason} | details | {"code": self.code}


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong; `reason` is such as `FieldValueInvalid`."""

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def success(resource: Resource, item: Json) -> Json:
    """Return what a deletion answers when nothing of *item* is left."""
    details = _details(resource, item["metadata"]["name"]) | {"uid": item["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def no_such_path() -> Refusal:
    return Refusal(404, "NotFound", "the server could not find the requested resource")


def not_found(resource: Resource, name: str) -> Refusal:
    return Refusal(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def exists(resource: Resource, name: str) -> Refusal:
    return Refusal(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> Refusal:
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Refusal(409, "Conflict", message, _details(resource, name))


def modified(resource: Resource, name: str) -> Refusal:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> Refusal:
    """Return that an object cannot be like this; *causes* say which fields are wrong."""
    told = ", ".join(str(each) for each in causes)
    group = f".{resource.group}" if resource.group else ""
    message = f'{resource.kind.kind}{group} "{name}" is invalid: {f"[{told}]" if len(causes) > 1 else told}'
    listed = [{"reason": each.reason, "message": each.message, "field": each.field} for each in causes]
    details = _details(resource, name) | {"kind": resource.kind.kind, "causes": listed}
    return Refusal(422, "Invalid", message, details)


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Mapping[str, str]] = ()) -> Refusal:
    details = _details(resource, name) | ({"causes": list(causes)} if causes else {})
    return Refusal(403, "Forbidden", f'{resource.qualified} "{name}" is forbidden: {why}', details)


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)


def unauthorized() -> Refusal:
    return Refusal(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> Refusal:
    message = "the server does not allow this method on the requested resource"
    return Refusal(405, "MethodNotAllowed", message)


def not_acceptable(kinds: str) -> Refusal:
    message = f"only the following media types are accepted: {kinds}"
    return Refusal(406, "NotAcceptable", message)


def unsupported(kinds: str) -> Refusal:
    message = f"the body of the request was in an unknown format - accepted media types include: {kinds}"
    return Refusal(415, "UnsupportedMediaType", message)


def expired(message: str) -> Refusal:
    return Refusal(410, "Expired", message)


def too_many(message: str, causes: Sequence[Mapping[str, str]] = ()) -> Refusal:
    return Refusal(429, "TooManyRequests", message, {"causes": list(causes)} if causes else None)


def not_as_expected(resource: Resource, name: str, what: str, wanted: str, found: str) -> Refusal:
    """Return that the object is not the one that a deletion was meant for; *what* is `UID` or `ResourceVersion`."""
    group = f".{resource.group}" if resource.group else ""
    since = "deleted and then recreated" if what == "UID" else "modified"
    why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found})"
    message = f'Operation cannot be fulfilled on {resource.kind.kind}{group} "{name}": {why}.'
    message += f" The object might have been {since}"
    return Refusal(409, "Conflict", message, _details(resource, name) | {"kind": resource.kind.kind})


def wrong_option(kind: str, cause: Cause) -> Refusal:
    """Return that a request's option cannot be; *kind* is such as `PatchOptions`."""
    listed = [{"reason": cause.reason, "message": cause.message, "field": cause.field}]
    details = {"group": "meta.k8s.io", "kind": kind, "causes": listed}
    return Refusal(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {cause}', details)


def required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", field, "Required value" + (f": {why}" if why else ""))


def wrong(field: str, value: Json, why: str) -> Cause:
    return Cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {why}")


def duplicate(field: str, value: Json) -> Cause:
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def unknown_value(field: str, value: Json, known: Sequence[str]) -> Cause:
    told = ", ".join(_shown(each) for each in sorted(known))
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {told}")


def not_allowed(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", field, f"Forbidden: {why}")


def _details(resource: Resource, name: str) -> dict[str, Json]:
    group = {"group": resource.group} if resource.group else {}
    return ({"name": name} if name else {}) | group | {"kind": resource.kind.plural}


def _shown(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
