"""
Reports: another team's client, which reads all deployments over and over, sixty times a second, while it runs.

It is as good a client as any, and more than the service was made for.
"""

import asyncio
import os
from itertools import count

import aiohttp

from gameday import program

RATE = 60
DEADLINE_S = 3.0


async def read(url: str) -> None:
    """Ask *url* at a fixed rate until cancelled, whatever comes back."""
    limit = aiohttp.ClientTimeout(total=DEADLINE_S)
    asking = set[asyncio.Task[None]]()
    async with aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(force_close=True)) as session:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in count(1):
            task = asyncio.create_task(_ask(session, url))
            asking.add(task)
            task.add_done_callback(asking.discard)
            await asyncio.sleep(max(0.0, began + number / RATE - loop.time()))


async def _ask(session: aiohttp.ClientSession, url: str) -> None:
    try:
        async with session.get(url) as response:
            await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError):
        return  # the next report will have it


if __name__ == "__main__":
    program.run(read(os.environ["API_URL"] + "/v1/deployments"))
