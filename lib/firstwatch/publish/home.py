"""
The page that a responder opens first: the alert or the symptom, then the runbook, its one command, and whom to call.

It is made from the runbooks' own words (*When*, *Changes*, the alerts that they name) and from the contacts, so that a
runbook that is added is on it.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from firstwatch.errors import BadParameter
from firstwatch.model import cell, table
from firstwatch.policy.roster import Roster
from firstwatch.runs.catalog import Runbook, names
from firstwatch.settings import Settings

FIRST = "investigate/first-five-minutes"
KINDS = {"investigate": "LOOK_TABLE", "mitigate": "MEND_TABLE", "coordinate": "TELL_TABLE", "review": "LEARN_TABLE"}


def fill(page: Path, runbooks: Path, roster: Roster, settings: Settings | None) -> None:
    """Put the tables of *runbooks*, of *roster* and of the addresses in *settings* into their places in *page*."""
    text = page.read_text("utf-8")
    for word, made in (tables(tuple(books(runbooks)), roster) | {"URLS_TABLE": urls(settings)}).items():
        text = text.replace(word, made)
    page.write_text(text, "utf-8")


def tables(known: tuple[Runbook, ...], roster: Roster) -> dict[str, str]:
    """Return the text of each place."""
    made = {word: _kind(each for each in known if each.kind == kind) for kind, word in KINDS.items()}
    return made | {"ALERTS_TABLE": _alerts(known), "CONTACTS_TABLE": contacts(roster)}


def books(folder: Path) -> Iterator[Runbook]:
    """Yield the runbooks that can be read; the first that anybody needs comes first."""
    for name in sorted(names(folder), key=lambda name: (name != FIRST, name)):
        try:
            yield Runbook.load(folder / f"{name}.ipynb", name)
        except BadParameter:
            continue  # its own page says so


def _kind(books: Iterable[Runbook]) -> str:
    rows = [
        (f"[{_plain(said(b, 'When'))}]({_page(b)})", f"`firstwatch run {b.name}`", said(b, "Changes")) for b in books
    ]
    width = 2 if all(row[-1] == "Nothing" for row in rows) else 3  # what only looks says so above its table
    head = ("You see", "Type", "It changes")[:width]
    return _table(head, [row[:width] for row in rows]) if rows else "There is none yet."


def said(book: Runbook, word: str) -> str:
    """Return what the runbook's first cell says after the bold *word*: one sentence, a capital first, no full stop."""
    found = re.search(rf"\*\*{word}\*\*\s+(.+?)\.(?:\s|$)", book.about, re.DOTALL)
    text = " ".join(found[1].split()) if found else book.title
    return text[:1].upper() + text[1:]


def _alerts(books: tuple[Runbook, ...]) -> str:
    alerts = sorted({str(each) for book in books for each in book.metadata.get("alerts", ())})
    rows = [
        (f"`{_plain(alert)}`", *(_links(books, alert, kind) for kind in ("investigate", "mitigate")))
        for alert in alerts
    ]
    return _table(("Alert", "Look first", "What may help, when the finding says so"), rows)


def _links(books: Iterable[Runbook], alert: str, kind: str) -> str:
    named = [each for each in books if each.kind == kind and alert in each.metadata.get("alerts", ())]
    return ", ".join(f"[{_plain(each.title)}]({_page(each)})" for each in named)


def contacts(roster: Roster) -> str:
    """Return whom to call: those who have a number, an address or a portal."""
    rows = [(each.title or each.name, each.phone or each.email or each.portal) for each in roster.people]
    known = [row for row in rows if row[1]]
    return table(("Who", "How"), known) if known else "Nobody is in `contacts.toml` yet."


def urls(settings: Settings | None) -> str:
    """Return where to look: the addresses that are set, each as the procedures call it."""
    if settings is None:
        return "There is no `firstwatch.toml` yet, which holds the addresses."
    links = settings.links
    places = {
        "Status Page": links.status_page, "Grafana": links.grafana,
        "Production API": settings.service.health, "AWS Console": links.console,
    }  # fmt: skip
    known = [(what, f"<{address}>") for what, address in places.items() if address]
    return _table(("Where", "Address"), known) if known else "No address is in `firstwatch.toml` yet."


def _page(book: Runbook) -> str:
    return f"runbooks/{book.name}.ipynb"


def _plain(text: str) -> str:
    return cell(text).replace("\\`", "`")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([value.replace("|", "\\|") for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
