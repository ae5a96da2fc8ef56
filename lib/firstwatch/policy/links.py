"""
Where to look: graphs and logs at the time of one incident, as addresses that open there. Pure.

Each page has its own way to be told a time: Grafana takes milliseconds, Prometheus an end and a span, Kibana Rison,
CloudWatch JSURL. What stands in an address is escaped for it, so that no name can add to it, and every letter of it is
one that Markdown and a terminal leave alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from firstwatch.model import timestamp
from firstwatch.settings import Settings

BEFORE = timedelta(minutes=30)  # what led to it is to be seen, too
AFTER = timedelta(minutes=15)
_PLAIN = "-_.!~*'():;,/@$=+&?%#"


@dataclass(frozen=True, slots=True)
class Link:
    """One place to look. `about` says what is seen there."""

    name: str
    url: str
    about: str


def links(settings: Settings, since: datetime, until: datetime) -> tuple[Link, ...]:
    """Return the links of *settings* into the time from half an hour before *since* to a little after *until*."""
    return tuple(_made(settings, since - BEFORE, max(since, until) + AFTER))


def _made(settings: Settings, begin: datetime, end: datetime) -> Iterator[Link]:
    where, service = settings.links, settings.service.name
    if where.grafana:
        yield Link("Grafana", grafana(where.grafana, begin, end), "dashboards")
    prom = where.prometheus or settings.prometheus.url
    if prom:
        yield Link("Prometheus", prometheus(prom, settings.prometheus.error_rate, begin, end), "the error rate")
    if where.kibana:
        yield Link("Kibana", kibana(where.kibana, service, begin, end), "logs")
    if where.cloudwatch:
        seen, region = settings.aws.load_balancer or service, settings.aws.region
        yield Link("CloudWatch", cloudwatch(where.cloudwatch, seen, region, begin, end), "infrastructure")


def grafana(dashboard: str, begin: datetime, end: datetime) -> str:
    """Return the *dashboard* at that time; its own variables stay."""
    return _asking(dashboard, {"from": _milliseconds(begin), "to": _milliseconds(end), "timezone": "utc"})


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def prometheus(address: str, expression: str, begin: datetime, end: datetime) -> str:
    """Return the graph of *expression* at that time."""
    at = f"{end:%Y-%m-%d %H:%M:%S}"
    asked = {
        "g0.expr": expression, "g0.tab": "0", "g0.range_input": f"{round((end - begin).total_seconds())}s",
        "g0.end_input": at, "g0.moment_input": at,
    }  # fmt: skip
    return _asking(f"{address.rstrip('/')}/graph", asked)


def kibana(address: str, service: str, begin: datetime, end: datetime) -> str:
    """Return the log lines that name *service*, at that time."""
    time = f"(time:(from:{_rison(timestamp(begin))},to:{_rison(timestamp(end))}))"
    phrase = '"' + service.replace("\\", "\\\\").replace('"', '\\"') + '"'
    query = f"(query:(language:kuery,query:{_rison(phrase)}))"
    return _plainly(f"{address.rstrip('/')}/app/discover#/?_g={time}&_a={query}")


def _rison(text: str) -> str:
    """Return *text* as a Rison string, what an address needs escaped."""
    inside = text.replace("!", "!!").replace("'", "!'")
    return f"'{quote(inside, safe='')}'".replace("%21", "!").replace("%27", "'")


def cloudwatch(address: str, seen: str, region: str, begin: datetime, end: datetime) -> str:
    """Return the metrics of whatever is called *seen*, at that time."""
    told = f"view~'timeSeries~stacked~false~metrics~()~start~{_jsurl(timestamp(begin))}~end~{_jsurl(timestamp(end))}"
    where = f"~region~{_jsurl(region)}" if region else ""
    home = _asking(address, {"region": region} if region else {})
    return f"{home}#metricsV2:graph=~({told}{where});query=~{_jsurl(seen)}"


def _jsurl(text: str) -> str:
    """Return *text* as a JSURL string: a letter that is not plain is its number, in hexadecimal."""
    return "'" + re.sub(r"[^A-Za-z0-9_.-]", _numbered, text)


def _numbered(letter: "re.Match[str]") -> str:
    number = ord(letter[0])
    return f"*{number:02x}" if number < 256 else f"**{number & 0xFFFF:04x}"


def _asking(address: str, more: dict[str, str]) -> str:
    """Return *address* with *more* in its query; what is there under the same names is replaced."""
    parts = urlsplit(address)
    asked = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in more]
    query = urlencode([*asked, *more.items()], quote_via=quote)
    return _plainly(urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, "")))


def _plainly(address: str) -> str:
    return quote(address, safe=_PLAIN)
