"""
A load test: requests at a fixed rate, whatever the answers are, until the time is up or too many fail.

Each request starts at its own moment (an open loop): a generator that waits for answers asks less when the service is
slow, and hides what is to be seen. It gives up as soon as it does harm.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

ANSWER_S = 5.0
MOST_OPEN = 500
LOOKED_AT = 100  # the latest answers, by which it is decided to go on
MOST_FAILED = 0.05


@dataclass(slots=True)
class Tally:
    """`stopped` says why it ended early; empty when the time was up."""

    sent: int = 0
    failed: int = 0
    stopped: str = ""

    def __str__(self) -> str:
        said = f"{self.failed} of {self.sent} requests failed"
        return f"{said}; stopped: {self.stopped}" if self.stopped else said


async def generate(url: str, rps: float, seconds: float) -> Tally:
    """Ask *url* *rps* times a second for *seconds*; stop when 5 % of the latest hundred answers were not good."""
    import httpx2

    tally, latest, asking = Tally(), deque[bool](maxlen=LOOKED_AT), set[asyncio.Task[None]]()
    limits = httpx2.Limits(max_connections=MOST_OPEN)
    async with httpx2.AsyncClient(trust_env=False, timeout=ANSWER_S, limits=limits) as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(int(rps * seconds)):
            await asyncio.sleep(max(0.0, began + number / rps - loop.time()))
            tally.stopped = _harm(latest, len(asking))
            if tally.stopped:
                break
            tally.sent += 1
            task = asyncio.create_task(_ask(client, url, tally, latest))
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)
    return tally


def _harm(latest: "deque[bool]", waiting: int) -> str:
    if waiting >= MOST_OPEN:
        return f"{waiting} requests wait for an answer"
    bad = latest.count(False)
    return f"{bad} of the latest {len(latest)} answers were not good" if bad > MOST_FAILED * LOOKED_AT else ""


async def _ask(client: "httpx2.AsyncClient", url: str, tally: Tally, latest: "deque[bool]") -> None:
    import httpx2

    try:
        good = (await client.get(url)).status_code < 500
    except httpx2.HTTPError:
        good = False
    tally.failed += not good
    latest.append(good)
