"""The words of the query language: names, numbers, time spans, texts and signs, each with its place."""

import re
from typing import NamedTuple, NoReturn

from firstwatch.errors import BadParameter

MOST_CHARACTERS = 20_000

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+ | \#[^\n]*)
    | (?P<span>(?:[0-9]+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_.]))
    | (?P<number>0[xX][0-9a-fA-F]+ | (?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![a-zA-Z0-9_.])
    | (?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `[^`]*`)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){}\[\],=<>:@])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"""\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)""", re.DOTALL)
_PLAIN = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"',
}  # fmt: skip


class Token(NamedTuple):
    """`kind` is `span`, `number`, `text`, `name`, `sign` or `end`; `text` is as written, but for a text its value."""

    kind: str
    text: str
    position: int


class BadQuery(BadParameter):
    """A query cannot be read; the message gives line, column and what is wrong."""


def tokens(query: str) -> list[Token]:
    """Return the tokens of *query*, the last of kind `end`."""
    if len(query) > MOST_CHARACTERS:
        raise BadQuery(f"a query of more than {MOST_CHARACTERS} characters")
    found, position = [], 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if not match or not match.lastgroup:
            refuse(query, position, f"unexpected character: {query[position]!r}")
        if match.lastgroup != "space":
            found.append(_token(query, match))
        position = match.end()
    return [*found, Token("end", "end of input", len(query))]


def refuse(query: str, position: int, problem: str) -> NoReturn:
    before = query[:position]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    raise BadQuery(f"{line}:{column}: parse error: {problem}")


def _token(query: str, match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match[0]
    if kind == "text":
        try:
            text = unquote(text)
        except (ValueError, OverflowError) as error:
            refuse(query, match.start(), str(error))
    return Token(kind, text, match.start())


def unquote(literal: str) -> str:
    """Return the text that *literal* stands for; ValueError when an escape is not of the language."""
    if literal.startswith("`"):
        return literal[1:-1]
    other = "'" if literal[0] == '"' else '"'

    def character(escape: re.Match[str]) -> str:
        code = escape[1]
        if len(code) > 1:
            return chr(int(code, 8) if code.isdigit() and len(code) == 3 else int(code[1:], 16))
        if code not in _PLAIN or code == other:
            raise ValueError(f"unknown escape sequence {escape[0]!r}")
        return _PLAIN[code]

    return _ESCAPE.sub(character, literal[1:-1])
