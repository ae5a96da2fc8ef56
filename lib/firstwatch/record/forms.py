"""
The forms that one secret takes: as it is, escaped for JSON, HTML, Python or an address, in hex, in Base64.

In Base64 a value looks different at each of three places in a group of three bytes, and its first and last letters
depend on its neighbours. What is left without those is the same wherever it stands, and is what is looked for.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

LEAST_LETTERS = 8
LEAST_LINE = 16  # of a secret of many lines, each line that long is looked for by itself
_DROPPED = {0: 0, 1: 2, 2: 3}  # letters of Base64 that depend on so many bytes before
_WORD = re.compile(r"[a-z]{1,11}")


def can_be_known(value: str) -> bool:
    """Whether *value* can be looked for: under 8 letters, or a short plain word, would blot out what is no secret."""
    return len(value) >= LEAST_LETTERS and not _WORD.fullmatch(value)


def pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds every form of every one of *values*, the longest first; None when there are none."""
    found = {form for value in values for part in _parts(value) for form in forms(part)}
    by_letter: dict[str, list[str]] = {}
    for form in sorted(found, key=len, reverse=True):
        by_letter.setdefault(form[0], []).append(re.escape(form[1:]))
    # One branch a first letter: an engine that tries each branch in turn tries 60 then, and not 600.
    branches = (f"{re.escape(letter)}(?:{'|'.join(rest)})" for letter, rest in by_letter.items())
    return re.compile("|".join(branches)) if found else None


def _parts(value: str) -> Iterator[str]:
    yield value
    lines = value.splitlines() if "\n" in value else ()
    yield from (line.strip() for line in lines if len(line.strip()) >= LEAST_LINE and not line.startswith("-----"))


def forms(value: str) -> set[str]:
    """Return the ways in which *value* is written."""
    data = value.encode("utf-8", "surrogatepass")
    quoted = [
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
    ]
    escaped = [
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        html.escape(value),
    ]
    escaped += [json.dumps(each)[1:-1] for each in escaped[:1]] + [
        value.replace("/", "\\/"),
        value.replace("'", "'\\''"),
    ]
    small = [re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), each) for each in quoted]
    return {value, *quoted, *small, *escaped, data.hex(), data.hex().upper(), *_in_base64(data)}


def _in_base64(data: bytes) -> Iterator[str]:
    for before, dropped in _DROPPED.items():
        whole = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        sure = whole[dropped : len(whole) - (1 if (before + len(data)) % 3 else 0)]
        yield sure
        yield sure.translate(str.maketrans("+/", "-_"))


# Runs of letters that may be something else encoded. Text that comes out of one is looked at in its turn.
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/_-]{60,76}\r?\n\s{0,8}+)++(?:[A-Za-z0-9+/_-]++={0,2})?"
    r"|[A-Za-z0-9+/_-]{16,}+={0,2})"
)
_HEX = re.compile(r"(?<![A-Za-z0-9])(?:[0-9A-Fa-f]{2}){12,}+(?![A-Za-z0-9])")
_QUOTED = re.compile(r"[^\s\"'<>]{8,}+")


def unquoted(text: str, hidden: Callable[[str], str]) -> str:
    """Return *text* with each percent-encoded word in which *hidden* hides something decoded, and hidden."""

    def judged(found: re.Match[str]) -> str:
        plain = unquote(found[0], errors="replace") if "%" in found[0] else found[0]
        after = hidden(plain) if plain != found[0] else plain
        return found[0] if after == plain else after

    return _QUOTED.sub(judged, text) if "%" in text else text


def decoded(text: str, hidden: Callable[[str], str], by: str) -> str:
    """Return *text* with each run that decodes to text in which *hidden* hides something replaced by *by*."""

    def judged(decode: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
        return lambda found: by if (inside := decode(found[0])) and hidden(inside) != inside else found[0]

    return _HEX.sub(judged(_unhexed), _BASE64.sub(judged(_unbased), text))


def _unbased(run: str) -> str:
    """Return what *run* says as a whole, else what its lines say each: they need not belong together."""
    lines = run.split()
    return _from_base64("".join(lines)) or "\n".join(filter(None, map(_from_base64, lines[1:] and lines)))


def _from_base64(run: str) -> str:
    letters = run.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return _readable(base64.b64decode(letters + "=" * (-len(letters) % 4)))
    except ValueError:
        return ""


def _unhexed(run: str) -> str:
    return _readable(bytes.fromhex(run))


def _readable(data: bytes) -> str:
    """Return *data* as text; empty when it is not text, as a digest or an image is not."""
    try:
        return data.decode("utf-8") if b"\0" not in data else ""
    except UnicodeDecodeError:
        return ""
