"""Text that others wrote, made visible: it must not move the cursor, hide itself or turn a line round."""

import re

# Letters that count as printable and yet show nothing: fillers, joiners and variation selectors, which can carry a
# message that nobody sees.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    r"""
    Return *text* with every character that does not show as itself written as an escape: `\x1b`, `\u202e`.

    Controls, line ends, direction marks, zero-width letters, blanks that are not a space, halves of surrogate pairs. A
    backslash stays one, so this is for reading and cannot be undone.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and not _INVISIBLE.match(char) else _escape(char) for char in text)


def _escape(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
