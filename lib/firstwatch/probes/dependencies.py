"""
What the service leans on outside the cluster: whether it answers from here, as it should, in time; and its providers.

Which answers are right is a setting: an API that answers 401 to a request without a key can be reached.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from firstwatch.errors import Unavailable
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.endpoint import Endpoint, look

if TYPE_CHECKING:
    from firstwatch.settings import Dependency

_RESOLVED = re.compile(r"resolved|operating normally|completed", re.IGNORECASE)


@probe(
    "Do the dependencies answer?",
    about="Dependency//",
    expected="every one answers as expected, in time",
    command="curl -sS -o /dev/null -w '%{{http_code}} %{{time_total}}\\n' URL",
    setting="dependencies",
)
def dependencies(self: Probe, systems: Systems, now: datetime) -> Findings:
    named = systems.settings.dependencies
    with ThreadPoolExecutor(len(named), "dependencies") as pool:
        seen = list(pool.map(lambda each: look(systems.deck, systems.http, each.url, each.ca), named))
    return Findings(judged(self, systems, each, found, now) for each, found in zip(named, seen, strict=True))


def judged(self: Probe, systems: Systems, named: "Dependency", found: Endpoint, now: datetime) -> Finding:
    """Return what the answer of one dependency says."""
    about = f"Dependency//{urlsplit(named.url).hostname}"
    wanted = f"{' or '.join(map(str, named.expected))} within {named.slow_s:g} s"
    trusted = f" --cacert {named.ca}" if named.ca else ""
    command = self.command.format().replace(" URL", f"{trusted} {named.url}")
    words = {"object": about, "expected": wanted, "command": command}
    days = systems.settings.thresholds.certificate_days
    if found.failure:
        return self.bad(systems, found.mechanism, f"{named.name}: {found.failure}", **words)
    said = f"{named.name} answered {found.status} in {found.seconds:.2f} s"
    if found.status not in named.expected:
        return self.bad(systems, "dependency-refuses", said, **words)
    if found.seconds > named.slow_s:
        return self.bad(systems, "dependency-slow", said, **words)
    if found.ends and found.ends - now < timedelta(days=days):
        left = f"its certificate ends {found.ends:%Y-%m-%d}"
        return self.bad(systems, "certificate-expires", f"{said}; {left}", **words)
    return self.says(systems.settings.service, Verdict.OK, said, **words)


@probe(
    "Does the provider report an incident?",
    about="Provider//",
    expected="none",
    command="curl -sL FEED",
    setting="provider.feed",
)
def provider(self: Probe, systems: Systems, now: datetime) -> Findings:
    feed = systems.settings.provider.feed
    words = {"object": f"Provider//{urlsplit(feed).hostname}", "command": f"curl -sL {feed}"}
    answer = systems.http.get(feed)
    if answer.status != 200:
        return self.unknown(systems, f"{feed} answered {answer.status}", mechanism="blind", **words)
    incident = reported(answer.text)
    if incident:
        return Findings((self.bad(systems, "provider-incident", incident, **words),))
    return self.ok(systems, "the feed reports no incident", **words)


def reported(feed: str) -> str:
    """
    Return the incident that *feed* reports now; empty when it reports none.

    Raises:
        Unavailable: It is no feed: a page that answers does not say that its provider is well.
    """
    try:
        status = json.loads(feed)["status"]
        return "" if status["indicator"] == "none" else f"{status['indicator']}: {status['description']}"
    except ValueError:
        return _newest(feed)
    except (LookupError, TypeError) as error:
        raise Unavailable(f"the provider's feed has no status: {error!r}; look at its page") from error


def _newest(feed: str) -> str:
    """Return the title of the newest entry of an RSS or Atom feed that is not resolved; they come newest first."""
    try:
        root = ET.fromstring(feed)  # noqa: S314  # at most 8 MB, and expat expands no entities of that size
    except ET.ParseError as error:
        raise Unavailable("the provider's feed is neither JSON, RSS nor Atom; look at its page") from error
    names = {each.tag.rpartition("}")[2] for each in root.iter()}
    if not names & {"rss", "feed"}:
        raise Unavailable("the provider's feed is neither RSS nor Atom; look at its page")
    entries = [each for each in root.iter() if each.tag.rpartition("}")[2] in ("item", "entry")]
    titles = [each.text or "" for entry in entries for each in entry if each.tag.rpartition("}")[2] == "title"]
    return next((title for title in titles[:1] if not _RESOLVED.search(title)), "")
