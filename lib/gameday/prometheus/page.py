"""The page for a browser: what this is, and its targets, rules and alerts. Plain HTML, nothing loaded, all escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from gameday.prometheus import labelset, moments, number
from gameday.prometheus.rules import Alert, Rules, Running
from gameday.prometheus.scrape import Scraper

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Prometheus of a game day</title>
<style>
body { font: 1rem/1.4 sans-serif; margin: 1rem; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; }
td { vertical-align: top; font-family: monospace; overflow-wrap: anywhere; }
</style></head><body>
<h1>Prometheus of a game day</h1>
<p>This is not Prometheus: it is the game day's own, in memory, of the subset that runbooks ask. It speaks the HTTP API
under <code>/api/v1/</code>. With a Prometheus on PATH a game day uses that one.</p>
"""


def render(rules: Rules, scrapers: Sequence[Scraper]) -> str:
    running = [each for _, several in rules.groups for each in several]
    tables = [
        _table("Alerts", ("State", "Labels", "Value", "Since"), map(_alert, rules.alerts)),
        _table("Rules", ("Health", "Name", "Query", "Error"), map(_rule, running)),
        _table("Targets", ("Health", "URL", "Labels", "Error"), map(_target, scrapers)),
    ]
    return "".join([_HEAD, *tables, "</body></html>\n"])


def _alert(each: Alert) -> tuple[str, ...]:
    return each.state, labelset.show(each.labels), number.show(each.value), moments.show(each.active_ms)


def _rule(each: Running) -> tuple[str, ...]:
    return each.report.health, each.rule.name, each.rule.text, each.report.error


def _target(each: Scraper) -> tuple[str, ...]:
    return each.report.health, each.target.url, labelset.show(each.target.labels), each.report.error


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row("td", each) for each in rows]
    body = f"<table>{_row('th', heads)}{''.join(lines)}</table>" if lines else "<p>None.</p>"
    return f"<h2>{title}</h2>\n{body}\n"


def _row(cell: str, values: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{cell}>{escape(each)}</{cell}>' for each in values)}</tr>\n"
