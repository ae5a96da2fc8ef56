"""Which objects a label selector selects, for clients that hold a copy of the objects and need not ask again."""

from collections.abc import Mapping

from firstwatch.model import Json


def matches(selector: Json, labels: Mapping[str, str] | None) -> bool:
    """Tell whether a `LabelSelector` selects *labels*. Without a selector nothing is; an empty one selects all."""
    if selector is None:
        return False
    own = labels or {}
    equal = includes(selector.get("matchLabels"), own)
    return equal and all(_holds(each, own) for each in selector.get("matchExpressions") or [])


def includes(wanted: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Tell whether every one of *wanted* is among *labels*: the selectors of Services, Nodes and old controllers."""
    own = labels or {}
    return all(own.get(name) == value for name, value in (wanted or {}).items())


def query(wanted: Mapping[str, str]) -> str:
    """Return *wanted* as a `labelSelector` parameter."""
    return ",".join(f"{name}={value}" for name, value in sorted(wanted.items()))


def _holds(expression: Json, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
