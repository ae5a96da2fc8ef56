"""
Redaction: a secret is replaced before it reaches the disk.

Two ways, and both are always tried. *Known values*: what this process was told to be secret (`know`: a kubeconfig's
token), and the values of its environment's variables whose names say so; they are found wherever they stand, and in
every form of `forms`. *Shapes*: what looks like a secret, or stands under a name that says it is one (`shapes`); also
inside Base64, hex and percent-encoding.

It works on whole values, so that a secret is not seen in halves. Known values are kept in memory only: a process that
we start is told of them through a pipe, or derives them itself.
"""

import os
import re
from collections.abc import Callable
from functools import cache
from re import Pattern

from firstwatch.model import Json
from firstwatch.record import forms, shapes

REDACTED = "[redacted]"
_PART = re.compile(r"[=:\s@'\"]")  # a shape has one of these, or is longer than this many letters:
_LONG = 17
FOLDERS = ("PWD", "OLDPWD")  # where a shell is and was, whatever their names say
DEEPEST = 3  # encodings in one another that are looked into
_known: set[str] = set()
_sources: list[Callable[[], None]] = []


def know(value: str) -> bool:
    """Take *value* for a secret from now on; False when it is too short or too plain a word to be looked for."""
    if not forms.can_be_known(value):
        return False
    if value not in _known:
        _known.add(value)
        _found.cache_clear()
    return True


def ask_later(source: Callable[[], None]) -> None:
    """Let *source* call `know` before anything is redacted: what only reads should not wait for a kubeconfig."""
    _sources.append(source)
    _found.cache_clear()


def known() -> tuple[str, ...]:
    """Return what this process knows to be secret, to be told to a process that it starts: never on disk or argv."""
    while _sources:
        _sources.pop()()
    environ = {name: value for name, value in os.environ.items() if name not in FOLDERS}
    named = (value for name, value in environ.items() if shapes.says_secret(name) and forms.can_be_known(value))
    return tuple(sorted({*_known, *named}))


@cache
def _found() -> "Pattern[str] | None":
    return forms.pattern(known())


def redacted(value: Json) -> Json:
    """Return *value* with every secret that is recognised replaced, at any depth."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return _mapping(value)
    return [redacted(item) for item in value] if isinstance(value, list) else value


def _mapping(value: dict[str, Json]) -> dict[str, Json]:
    if value.get("kind") == "Secret":
        value = {**value, **{key: _all(value[key]) for key in ("data", "stringData") if key in value}}
    named = value.get("name")
    if isinstance(value.get("value"), str) and isinstance(named, str) and shapes.says_secret(named):
        value = {**value, "value": _all(value["value"])}
    return {_text(key): _all(item) if shapes.says_secret(key) else redacted(item) for key, item in value.items()}


def _all(value: Json) -> Json:
    """Return *value*, which is secret by its name, with every text and number in it replaced; not a plain yes or no."""
    if isinstance(value, dict):
        return {key: _all(item) if isinstance(item, str) else redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_all(item) for item in value]
    return REDACTED if isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", 0) else value


def _text(text: str, deep: int = DEEPEST) -> str:
    if len(text) < forms.LEAST_LETTERS:
        return text
    if len(text) <= _LONG and not _PART.search(text):
        return _without_known(text)
    if not deep:
        return _plainly(text)
    plain = _plainly(forms.unquoted(text, lambda inside: _text(inside, deep - 1)))
    return forms.decoded(plain, lambda inside: _text(inside, deep - 1), REDACTED)


def _plainly(text: str) -> str:
    text = _without_known(text)
    lowered = text.lower()
    for shape in shapes.SHAPES:
        text = shape.replaced(text, lowered, REDACTED)
    return text


def _without_known(text: str) -> str:
    found = _found()
    return found.sub(REDACTED, text) if found else text
