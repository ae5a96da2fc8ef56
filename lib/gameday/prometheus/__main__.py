"""Run the game day's own Prometheus, with a configuration of Prometheus."""

import argparse
import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from firstwatch.clock import Clock, WallClock
from firstwatch.errors import BadParameter
from gameday import program
from gameday.prometheus import configuration, moments
from gameday.prometheus.queries import Queries
from gameday.prometheus.rules import Rules
from gameday.prometheus.series import Store
from gameday.prometheus.server import ADDRESS, Server
from gameday.prometheus.targets import Targets

log = logging.getLogger(__name__)

FORGETS_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a Prometheus was started with."""

    config: Path
    port: int
    folder: Path


async def serve(choice: Choice, clock: Clock) -> None:
    """Scrape, evaluate and answer until cancelled."""
    wanted = configuration.load(choice.config)
    store = Store()
    targets, rules = Targets(wanted.jobs, store, clock), Rules(wanted.groups, store, clock)
    runner, port = await _listen(Server(Queries(store, clock), rules, targets), choice.port)
    pid = choice.folder / "prometheus.pid"
    choice.folder.mkdir(parents=True, exist_ok=True)
    pid.write_text(f"{os.getpid()}\n")
    log.info("listening on http://%s:%d", ADDRESS, port)
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in (targets.run(), rules.run(), _forget(store, clock)):
                tasks.create_task(work)
    finally:
        pid.unlink(missing_ok=True)
        await runner.cleanup()


async def _forget(store: Store, clock: Clock) -> None:
    while True:
        await asyncio.sleep(FORGETS_EVERY_S)
        store.forget(moments.of(clock.now()))


async def _listen(server: Server, port: int) -> tuple[web.AppRunner, int]:
    try:
        return await server.start(port)
    except OSError as error:
        raise BadParameter(f"listening on {ADDRESS}:{port}: {error.strerror}") from error


def _choice() -> Choice:
    parser = argparse.ArgumentParser(prog="python -m gameday.prometheus", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a configuration file of Prometheus")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--dir", type=Path, required=True, help="where its process id is kept; samples never are")
    given = parser.parse_args()
    return Choice(given.config, given.port, given.dir)


def main() -> None:
    program.run(serve(_choice(), WallClock()))


if __name__ == "__main__":
    main()
