"""
Ask each target for its metrics, as often as its job says, and keep what it answers.

A target that does not answer, or answers what cannot be read, is down: `up` is 0, and all its series end at that
moment. So a graph has a gap where nothing was known, and a rate is not of the minutes before.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp

from firstwatch.clock import Clock
from gameday.prometheus import exposition, moments
from gameday.prometheus.discovery import Target
from gameday.prometheus.exposition import Sample
from gameday.prometheus.labelset import NAME, Labels
from gameday.prometheus.series import Store, TooManySeries

log = logging.getLogger(__name__)

MOST_BYTES = 10 * 2**20
HEADERS = {
    "Accept": "text/plain;version=0.0.4",
    "Accept-Encoding": "identity",
    "User-Agent": "gameday-prometheus",
}


@dataclass(frozen=True, slots=True)
class Report:
    """How the last scrape of a target went."""

    health: str = "unknown"
    error: str = ""
    at_ms: int = 0
    seconds: float = 0.0


class Scraper:
    """The scrapes of one target."""

    def __init__(self, target: Target, store: Store, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.target, self.report = target, Report()
        self._store, self._session, self._clock = store, session, clock
        self._written: set[Labels] = set()

    async def run(self) -> None:
        """Scrape until cancelled; then the target's series end."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                await self._scrape_safely()
                interval = self.target.interval_ms / 1000
                due += interval * max(1, -(-(loop.time() - due) // interval))
                await asyncio.sleep(due - loop.time())
        finally:
            reports = {self._labelled(name) for name in ("up", "scrape_duration_seconds", "scrape_samples_scraped")}
            self._store.end(self._written | reports, moments.of(self._clock.now()))

    async def scrape(self) -> None:
        """Scrape once. What goes wrong is told in `report`."""
        at, began = moments.of(self._clock.now()), self._clock.monotonic_ns()
        samples: list[Sample] = []
        written: set[Labels] = set()
        ended, error = self._written, ""
        try:
            samples = exposition.parse(await fetch(self._session, self.target.url, self.target.timeout_ms / 1000))
            self._write(samples, at, written)
        except (aiohttp.ClientError, TimeoutError, ValueError, TooManySeries) as failure:
            error = str(failure) or f"no answer within {self.target.timeout_ms} ms"
            ended, written = ended | written, set()
        self._store.end(ended - written, at)
        self._written = written
        seconds = (self._clock.monotonic_ns() - began) / 1e9
        self.report = Report("down" if error else "up", error, at, seconds)
        self._tell(at, len(samples))

    async def _scrape_safely(self) -> None:
        try:
            await self.scrape()
        except Exception:  # one odd target must not stop the scraping of all others
            log.exception("scraping %s", self.target.url)

    def _write(self, samples: Iterable[Sample], at: int, written: set[Labels]) -> None:
        """Keep *samples*. One with a time of its own does not end with the scrape, as nobody knows when it is next."""
        named = [(self._named(sample.labels), sample) for sample in samples]
        self._store.admit(labels for labels, _ in named)
        for labels, sample in named:
            self._store.append(labels, at if sample.at_ms is None else sample.at_ms, sample.value)
            if sample.at_ms is None:
                written.add(labels)

    def _named(self, labels: Labels) -> Labels:
        """Add the target's labels. A label that is among them is renamed: we know better whom we scraped."""
        own = {name for name, _ in self.target.labels}
        renamed = ((f"exported_{name}" if name in own else name, value) for name, value in labels)
        return tuple(sorted((*renamed, *self.target.labels)))

    def _tell(self, at: int, count: int) -> None:
        report = self.report
        values = {"up": float(report.health == "up"), "scrape_duration_seconds": report.seconds}
        try:
            for name, value in {**values, "scrape_samples_scraped": float(count)}.items():
                self._store.append(self._labelled(name), at, value)
        except TooManySeries as error:
            log.warning("%s: %s", self.target.url, error)

    def _labelled(self, name: str) -> Labels:
        return tuple(sorted(((NAME, name), *self.target.labels)))


async def fetch(session: aiohttp.ClientSession, url: str, seconds: float) -> str:
    """Return the text at *url*; ValueError when it is too long, no text, or not answered with 200."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with session.get(url, timeout=timeout, headers=HEADERS) as response:
        if response.status != 200:
            raise ValueError(f"server returned HTTP status {response.status} {response.reason}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(2**16):
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError(f"body of more than {MOST_BYTES} bytes")
    return body.decode()
