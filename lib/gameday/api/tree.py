"""What every object goes through before it is kept: nulls are nothing, and nobody else holds a part of it."""

from firstwatch.model import Json

_OF_METADATA = ("labels", "annotations", "finalizers", "ownerReferences", "managedFields", "generateName")


def pruned(value: Json) -> Json:
    """Return a copy of *value* that shares nothing with it and has no null in it."""
    if isinstance(value, dict):
        return {name: pruned(each) for name, each in value.items() if each is not None}
    return [pruned(each) for each in value if each is not None] if isinstance(value, list) else value


def tidy(item: Json) -> Json:
    """Return a copy of the object *item*, as it is kept: its kind is known from where it is."""
    result: Json = pruned(item)
    for name in ("kind", "apiVersion"):
        result.pop(name, None)
    metadata = result["metadata"]
    for name in _OF_METADATA:
        if name in metadata and not metadata[name]:
            del metadata[name]
    return result
