"""The load keeps its rate whatever the answers are, and tells what came back."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from gameday import load


async def asked(
    handler: Callable[[web.Request], Awaitable[web.Response]], told: Path, enough: Callable[[], object]
) -> None:
    """Serve *handler* and put a load of 40 requests a second on it until that is *enough*, within twenty seconds."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    loading = asyncio.create_task(load.generate(url, 40, told))
    try:
        async with asyncio.timeout(20):
            while not enough():  # noqa: ASYNC110 - what it looks at tells nobody
                await asyncio.sleep(0.02)
    finally:
        loading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loading
        await runner.cleanup()


def test_a_slow_service_is_asked_as_often_as_a_quick_one(tmp_path: Path) -> None:
    arrivals: list[float] = []

    async def slow(_: web.Request) -> web.Response:
        arrivals.append(time.monotonic())
        await asyncio.sleep(1)
        return web.Response()

    asyncio.run(asked(slow, tmp_path / "load.json", lambda: len(arrivals) > 30))
    assert len(arrivals) > 30  # whoever waits for answers asks twenty times while we wait


def test_what_came_back_is_told_each_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "DEADLINE_S", 30.0)  # a machine that stands still is no answer that fails to come
    file = tmp_path / "load.json"

    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=503)

    asyncio.run(asked(failing, file, lambda: file.exists() and json.loads(file.read_text())["last_10_s"]))
    told = json.loads(file.read_text())
    assert told["failing"] == 1.0
    assert set(told["last_10_s"]) == {"503"}


def test_no_answer_is_a_failure_and_no_request_is_none() -> None:
    assert load.failing(Counter({"200": 3, "none": 1})) == 0.25
    assert load.failing(Counter()) is None
