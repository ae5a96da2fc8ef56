"""What people read in a terminal: documents on standard output, all else on standard error, `NO_COLOR` honoured."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from firstwatch.errors import FirstwatchError
from firstwatch.model import Finding, Verdict, clock_time, plain
from firstwatch.text import visible

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

COLOURS = {Verdict.OK: "green", Verdict.BAD: "bold red", Verdict.UNKNOWN: "yellow"}


def complain(error: FirstwatchError) -> None:
    from firstwatch.record.redact import redacted

    err.print(f"[bold red]{_kind(error)}[/] {safe(redacted(str(error)))}", soft_wrap=True)


def _kind(error: FirstwatchError) -> str:
    words = {2: "cannot do that:", 3: "gate closed:", 4: "unavailable:", 5: "conflict:", 6: "outcome unknown:"}
    return words.get(error.exit_code, "error:")


def document(value: object) -> None:
    """Print *value* as one JSON document."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False))  # noqa: T201  # the document is the output


def line(value: object) -> None:
    """Print *value* as JSON on one line, at once: somebody follows."""
    print(json.dumps(plain(value), ensure_ascii=False), flush=True)  # noqa: T201  # the line is the output


def say(text: str) -> None:
    out.print(text, soft_wrap=True)


def printable(text: str) -> str:
    """Return *text* with control characters shown as escapes: what others wrote must not move the cursor."""
    return "\n".join(map(visible, text.split("\n")))


def safe(text: object) -> str:
    return escape(printable(str(text)))


def verdict(word: str) -> str:
    """Return *word* in its colour, as wide as the widest of them."""
    return f"[{COLOURS.get(Verdict(word), '')}]{word:<7}[/]"


def findings(found: Iterable[Finding]) -> None:
    """Print findings in rank order: what was seen, and beneath it why it ranks here and what to do."""
    listed = list(found)
    widest = max((len(each.probe) for each in listed), default=0)
    for each in listed:
        say(f"  {verdict(each.verdict)}  {safe(each.probe):<{widest}}  {safe(each.seen)}")
        for line in filter(None, (each.why_here, f"next: {each.next}" if each.next else "")):
            say(f"           {'':<{widest}}  [dim]{safe(line)}[/]")


def rows(titles: Iterable[str], lines: Iterable[Iterable[object]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    for line in lines:
        table.add_row(*(safe(value) for value in line))
    out.print(table)


def when(moment: datetime | None) -> str:
    return clock_time(moment) if moment else "-"


@contextmanager
def busy(text: str) -> Iterator[Any]:
    """Show that work is under way, on a terminal only; yields a function that changes the text."""
    with err.status(text) as status:
        yield status.update
