"""What others wrote is made visible wherever it is shown, whatever it is, and never stops anything."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch.cli import screen
from firstwatch.errors import Unavailable
from firstwatch.model import Finding, Outcome, Result, Verdict, cell
from firstwatch.systems.log import MOST_LINE_BYTES, MOST_LOG_BYTES, Log
from firstwatch.text import visible

TRICKS = {
    "NUL": ("a\x00b", r"a\x00b"),
    "ANSI": ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    "C1": ("\x9b31m", r"\x9b31m"),
    "a link of the terminal": ("\x1b]8;;http://x\x07y\x1b]8;;\x07", r"\x1b]8;;http://x\x07y\x1b]8;;\x07"),
    "right to left": ("abc\u202egpj.exe", r"abc\u202egpj.exe"),
    "an isolate": ("\u2066x\u2069", r"\u2066x\u2069"),
    "zero width": ("pa\u200bss\ufeff", r"pa\u200bss\ufeff"),
    "a filler": ("a\u3164b", r"a\u3164b"),
    "a tag": ("a\U000e0041", r"a\U000e0041"),
    "half a pair": ("a\ud800", r"a\ud800"),
    "a line end": ("a\u2028b\rc\n", r"a\u2028b\x0dc\x0a"),
    "double-encoded": ("caf\u00c3\u00a9", "caf\u00c3\u00a9"),
    "ordinary": ("caf\u00e9 \u2192 \u65e5\u672c 50 %", "caf\u00e9 \u2192 \u65e5\u672c 50 %"),
}
MOVES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
TEXT = st.text(st.characters(categories=None) | st.sampled_from("\x00\x1b\u202e\u200b\u2066\ufe0f\u3164\ud800"))


@pytest.mark.parametrize(("text", "shown"), TRICKS.values(), ids=TRICKS)
def test_what_does_not_show_as_itself_is_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(TEXT)
def test_whatever_it_is_it_moves_nothing_wherever_it_is_shown(text: str) -> None:
    found = Finding(probe="p", verdict=Verdict.BAD, object="o", expected="", observed=text)
    error = Unavailable(text)
    shown = [
        repr(found), found._repr_markdown_(), repr(Outcome(Result.OK, "h", detail=text)), cell(text),
        *error._render_traceback_(), str(screen.safe(text)), repr(Log.of(text.encode("utf-8", "surrogatepass"), 9)),
    ]  # fmt: skip
    for each in "".join(shown).replace("\n", ""):
        assert unicodedata.category(each) not in MOVES


@given(st.binary(max_size=300))
def test_a_log_of_any_bytes_can_be_shown_and_hashes_what_was_read(raw: bytes) -> None:
    log = Log.of(raw, 3)
    repr(log).encode()
    assert (len(log.lines) <= 3, log.sha256, log.size) == (True, hashlib.sha256(raw).hexdigest(), len(raw))


def test_a_log_says_what_it_left_out() -> None:
    assert Log.of(b"a\nb\n", 2).cut == ""
    assert Log.of(b"a\nb\nc\n", 2).lines == ("a", "b")
    assert "only the first 2 lines" in Log.of(b"a\nb\nc\n", 2).cut
    assert "only 2 bytes came: late" in Log.of(b"a\n", 2, "late").cut
    long = Log.of(b"x" * MOST_LOG_BYTES, 2)
    assert "1 lines were shortened" in long.cut
    assert f"the first {MOST_LOG_BYTES:,} bytes" in long.cut
    assert long.lines[0].endswith(f"… ({MOST_LOG_BYTES - MOST_LINE_BYTES:,} bytes more)")
