"""
Whole objects: what a manifest says of an object, whether that is so, and what differs.

A manifest names some fields and the API fills in the rest, so an object is compared by the manifest's own fields only.
"""

from collections.abc import Iterator

from firstwatch.model import Json


def kept(like: Json, found: Json) -> Json:
    """Return of *found* what *like* names: its keys, in lists of the same length those of each element."""
    if isinstance(like, dict) and isinstance(found, dict):
        return {key: kept(value, found[key]) for key, value in like.items() if key in found}
    if isinstance(like, list) and isinstance(found, list) and len(like) == len(found):
        return [kept(*pair) for pair in zip(like, found, strict=True)]
    return found


def differing(manifest: Json, found: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield the JSON pointer and value of each field of *manifest* that *found* does not have; lists are one field."""
    for key, value in manifest.items():
        own = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        there = found.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            yield from differing(value, there, own)
        elif kept(value, there) != value:
            yield own, value
