"""All scrapes: those that the configuration names, and those that come and go with a discovery service."""

import asyncio
import json
import logging

import aiohttp

from firstwatch.clock import Clock
from gameday.prometheus import discovery
from gameday.prometheus.discovery import Job, Sought, Static, Target
from gameday.prometheus.scrape import Scraper, fetch
from gameday.prometheus.series import Store

log = logging.getLogger(__name__)

DISCOVERY_S = 5.0


class Targets:
    """Keeps one scraper running for each target of *jobs*."""

    def __init__(self, jobs: tuple[Job, ...], store: Store, clock: Clock) -> None:
        self._jobs, self._store, self._clock = jobs, store, clock
        self._found: dict[tuple[str, Sought], list[Static]] = {}
        self._running: dict[Target, tuple[Scraper, asyncio.Task[None]]] = {}

    @property
    def scrapers(self) -> list[Scraper]:
        return [scraper for scraper, _ in self._running.values()]

    async def run(self) -> None:
        """Scrape until cancelled."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            for job in self._jobs:
                self._settle(job, session, tasks)
                for sought in job.sought:
                    tasks.create_task(self._follow(job, sought, session, tasks))

    async def _follow(self, job: Job, sought: Sought, session: aiohttp.ClientSession, tasks: asyncio.TaskGroup) -> None:
        """Ask a discovery service again and again. When it does not answer, its targets stay."""
        while True:
            try:
                found = discovery.groups(json.loads(await fetch(session, sought.url, DISCOVERY_S)))
                job.targets(found)  # refuses what is no address, before anything of it is believed
                self._found[job.name, sought] = found
                self._settle(job, session, tasks)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                log.warning("asking %s for targets: %s", sought.url, error or type(error).__name__)
            await asyncio.sleep(sought.refresh_ms / 1000)

    def _settle(self, job: Job, session: aiohttp.ClientSession, tasks: asyncio.TaskGroup) -> None:
        """Start scraping what is new, and stop what is gone."""
        found = [group for sought in job.sought for group in self._found.get((job.name, sought), [])]
        wanted = job.targets(found)
        for target in [each for each in self._running if each.job == job.name and each not in wanted]:
            _, task = self._running.pop(target)
            task.cancel()
        for target in sorted(wanted - self._running.keys(), key=lambda each: each.url):
            scraper = Scraper(target, self._store, session, self._clock)
            self._running[target] = scraper, tasks.create_task(scraper.run())
