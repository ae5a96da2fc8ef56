"""
The three patches that say what to change: JSON patch, merge patch and strategic merge.

Apply is none of them: it says what shall be. Each takes an object and returns another; nothing is written here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from jsonpatch import JsonPatch, JsonPatchException, ReplaceOperation
from jsonpointer import JsonPointerException

from firstwatch.model import Json
from gameday.api import errors, strategic
from gameday.client import JSON_PATCH, MERGE, STRATEGIC

APPLY = "application/apply-patch+yaml"
FORMS = (JSON_PATCH, MERGE, STRATEGIC, APPLY)


class _Replace(ReplaceOperation):
    """As the real API reads it: what is to be replaced in a map need not be there."""

    def apply(self, obj: Json) -> Json:
        parent, name = self.pointer.to_last(obj)
        if isinstance(parent, dict) and isinstance(name, str) and name not in parent:
            parent[name] = self.operation.get("value")
            return obj
        return super().apply(obj)


class _JsonPatch(JsonPatch):
    operations = MappingProxyType({**JsonPatch.operations, "replace": _Replace})


def patched(form: str, item: Json, patch: Json) -> Json:
    """
    Return *item* after *patch*, which has the media type *form*.

    Raises:
        Refusal: The patch cannot be read (400) or does not fit the object (422).
    """
    result = _FORMS[form](item, patch)
    if not isinstance(result, dict) or not isinstance(result.get("metadata"), dict):
        raise errors.bad_request("the patch leaves nothing that is an object")
    return result


def merge(item: Json, patch: Json) -> Json:
    """Return *item* after a merge patch: maps are merged, null removes, everything else is replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(item) if isinstance(item, dict) else {}
    for name, change in patch.items():
        if change is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), change)
    return result


def _json(item: Json, patch: Json) -> Json:
    if not isinstance(patch, list):
        raise errors.bad_request("error decoding patch: a JSON patch is a list of operations")
    try:
        return _JsonPatch(patch).apply(item)
    except (JsonPatchException, JsonPointerException, TypeError) as error:
        raise errors.Refusal(
            422, "Invalid", "the server rejected our request due to an error in our request"
        ) from error


def _merge(item: Json, patch: Json) -> Json:
    return merge(item, _mapping(patch))


def _strategic(item: Json, patch: Json) -> Json:
    return strategic.merged(item, _mapping(patch))


def _mapping(patch: Json) -> Json:
    if not isinstance(patch, dict):
        raise errors.bad_request("error decoding patch: json: cannot unmarshal it into an object")
    return patch


_FORMS: Mapping[str, Callable[[Json, Json], Json]] = {JSON_PATCH: _json, MERGE: _merge, STRATEGIC: _strategic}
