"""What differs between two JSON values, field by field, in words: for plans, and for what moved since."""

from collections.abc import Iterator

from firstwatch.model import Json


def difference(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """Yield a line for each place where two JSON values differ: `path: before → after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from difference(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from difference(*pair, f"{path}/{index}")
    elif before != after:
        yield f"{path}: {_shown(before)} → {_shown(after)}"


def _shown(value: Json) -> str:
    return "(absent)" if value is None else str(value)
