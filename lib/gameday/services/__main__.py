"""Serve chat, status page, pager, mail and tickets of a game day on loopback."""

import argparse
import asyncio
import logging
from pathlib import Path

from firstwatch.clock import WallClock
from gameday import program
from gameday.services.server import ADDRESS, Credentials, Services

log = logging.getLogger(__name__)


async def serve(folder: Path, port: int, smtp: int) -> None:
    """Serve until cancelled."""
    services = Services(Credentials.made(folder), WallClock())
    runner, mail, web_port, mail_port = await services.start(port, smtp)
    log.info("listening on http://%s:%d, mail on port %d", ADDRESS, web_port, mail_port)
    try:
        await asyncio.Event().wait()
    finally:
        mail.close()
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.services", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the credentials are put")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--smtp", type=int, required=True, help="the mail server's port")
    given = parser.parse_args()
    program.run(serve(given.dir, given.port, given.smtp))


if __name__ == "__main__":
    main()
