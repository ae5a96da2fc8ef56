"""
The load: users who ask at a fixed rate, whatever the answers are.

Each request starts at its own moment, on a connection of its own, whether or not those before it were answered. A
generator that waits for answers asks less when the service is slow, and hides exactly what is to be seen. What came
back is written once a second to a small file, for `gameday status`.
"""

import argparse
import asyncio
import json
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from gameday import program

DEADLINE_S = 3.0
WINDOW_S = 10
MOST_OPEN = 500  # at more than these nothing is learned, and the machine is kept


@dataclass(slots=True)
class Tally:
    """What came back: by HTTP status, `none` where nothing did; `recent` has one count for each of the last seconds."""

    total: Counter[str] = field(default_factory=Counter)
    recent: deque[Counter[str]] = field(default_factory=lambda: deque([Counter()], maxlen=WINDOW_S))

    def count(self, code: str) -> None:
        self.total[code] += 1
        self.recent[-1][code] += 1

    def second(self) -> None:
        self.recent.append(Counter())

    def document(self) -> dict[str, object]:
        recent = sum(self.recent, Counter())
        return {"requests": dict(self.total), "last_10_s": dict(recent), "failing": failing(recent)}


def failing(counted: Counter[str]) -> float | None:
    """Return the share of requests without a good answer, 0 to 1; None when there were no requests."""
    good = sum(number for code, number in counted.items() if code[0] in "1234")
    return round(1 - good / counted.total(), 3) if counted else None


async def generate(url: str, rate: float, told: Path) -> None:
    """Ask *url* *rate* times a second until cancelled, and write what came back to *told*."""
    tally, asking = Tally(), set[asyncio.Task[None]]()
    limit = aiohttp.ClientTimeout(total=DEADLINE_S)
    async with aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(force_close=True)) as session:
        loop = asyncio.get_running_loop()
        began, number = loop.time(), 0
        while True:
            number += 1
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            if len(asking) < MOST_OPEN:
                task = asyncio.create_task(_ask(session, url, tally))
                asking.add(task)
                task.add_done_callback(asking.discard)
            if number % max(1, round(rate)) == 0:
                _tell(told, tally)


async def _ask(session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
    try:
        async with session.get(url) as response:
            await response.read()
            tally.count(str(response.status))
    except (aiohttp.ClientError, TimeoutError, OSError):
        tally.count("none")


def _tell(path: Path, tally: Tally) -> None:
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(tally.document()))
    draft.replace(path)
    tally.second()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.load", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second")
    parser.add_argument("--told", type=Path, required=True, help="the file that says what came back")
    given = parser.parse_args()
    program.run(generate(given.url, given.rate, given.told))


if __name__ == "__main__":
    main()
