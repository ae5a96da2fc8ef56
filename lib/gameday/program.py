"""What every program of the world does: log to stderr, run until told to stop, and then end cleanly."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine

from firstwatch.errors import FirstwatchError


def run(work: Coroutine[None, None, None]) -> None:
    """Run *work* until it ends, or until SIGTERM or SIGINT cancels it; exit with an error's own code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        asyncio.run(_until_told(work))
    except FirstwatchError as error:
        logging.getLogger(__name__).error("%s", error)
        raise SystemExit(error.exit_code) from None


async def _until_told(work: Coroutine[None, None, None]) -> None:
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
