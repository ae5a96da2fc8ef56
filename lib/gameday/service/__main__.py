"""Serve one release on the local port in `PORT`, with the flags of the volume at `/etc/claude-deployment`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

from aiohttp import web

from gameday.service.app import Service
from gameday.service.flags import Flags
from gameday.service.releases import RELEASES

FLAGS = "etc/claude-deployment"


async def serve(version: str, port: int, flags: Flags) -> None:
    """Serve until SIGTERM, then finish what is being answered."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    service = Service(RELEASES[version], flags, os.environ.get("CATALOG_URL", ""))
    runner = web.AppRunner(service.application(), access_log=None, shutdown_timeout=2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    logging.getLogger("api").info("release %s serves", version)
    await ended.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.service", description=__doc__)
    parser.add_argument("--release", choices=RELEASES, required=True)
    version = parser.parse_args().release
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    for name in RELEASES[version].modules:
        import_module(name)
    for name in RELEASES[version].settings:
        logging.getLogger("api").info("%s is %s", name, os.environ[name])
    flags = Flags(Path(os.environ.get("VOLUMES_ROOT", "/")) / FLAGS)
    asyncio.run(serve(version, int(os.environ["PORT"]), flags))


if __name__ == "__main__":
    main()
