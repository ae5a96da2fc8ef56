"""
The templates of alert labels and annotations: text, the alert's value, and its labels.

Of Go's templates only what alert rules nearly always are: `{{ $value }}`, `{{ $value | humanizePercentage }}` and
`{{ $labels.name }}`. Anything else is refused when the rules are loaded, not when the alert fires.
"""

import re
from collections.abc import Mapping

from gameday.prometheus import number
from gameday.prometheus.labelset import Labels

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_KNOWN = re.compile(
    r"\$value(?:\s*\|\s*(?P<piped>humanizePercentage))?"
    r"|(?P<direct>humanizePercentage)\s+\$value"
    r"|\$labels\.(?P<label>[a-zA-Z_]\w*)",
    re.ASCII,
)


def check(text: str) -> str:
    """Return *text*; ValueError names the first action in it that is not known."""
    for action in _ACTION.finditer(text):
        if not _KNOWN.fullmatch(action[1]) or "{{-" in action[0] or "-}}" in action[0]:
            raise ValueError(f"template {action[0]!r} is not supported")
    if "{{" in _ACTION.sub("", text):
        raise ValueError(f"template {text!r} has an action without an end")
    return text


def expand(text: str, labels: Labels, value: float) -> str:
    known = dict(labels)
    return _ACTION.sub(lambda action: _expanded(action[1], known, value), text)


def percentage(value: float) -> str:
    return f"{value * 100:.4g}%"


def _expanded(action: str, labels: Mapping[str, str], value: float) -> str:
    match = _KNOWN.fullmatch(action)
    if not match:
        raise ValueError(f"template {action!r} is not supported")
    if label := match["label"]:
        return labels.get(label, "")
    return percentage(value) if match["piped"] or match["direct"] else number.show(value, smallest=1e-4)
