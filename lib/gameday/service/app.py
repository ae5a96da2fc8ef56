"""The service's HTTP: its API, its health, its metrics. A mistake in a release is a 500 with a traceback in the log."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import aiohttp
from aiohttp import web

from firstwatch.model import Json
from gameday.service.counters import Counters
from gameday.service.flags import BREAKER, FEATURE, Flags
from gameday.service.releases import DEPLOYMENTS, Release

log = logging.getLogger("api")

WORK_S = 0.06  # what one request costs a pod, which does one at a time
MOST_WAITING = 10
CATALOG_S = 1.0

LIST, ONE = "/v1/deployments", "/v1/deployments/{id}"

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """One release that serves; *catalog* is the address of what it asks for the models, empty for none."""

    def __init__(self, release: Release, flags: Flags, catalog: str = "") -> None:
        self._release, self._flags, self._catalog = release, flags, catalog
        self._counters = Counters(release.version)
        self._asked = self._waiting = 0
        self._turn = asyncio.Semaphore(1)
        self._kept: list[bytes] = []

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._count])
        app.router.add_get("/health", self._health)
        app.router.add_get(self._release.metrics, self._metrics)
        app.router.add_get(LIST, self._next)
        app.router.add_get(ONE, self._one)
        return app

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, count and log; whatever goes wrong is a 500, as behind any web framework."""
        began = time.monotonic()
        try:
            response = await handler(request)
        except web.HTTPException as refused:
            response = _told(refused.status, refused.reason)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            response = _told(500, "internal error")
        seconds = time.monotonic() - began
        route = request.match_info.route.resource
        if route and route.canonical in {LIST, ONE}:
            self._counters.count(route.canonical, response.status, seconds)
            log.info("%s %s %d %.1fms", request.method, request.path, response.status, seconds * 1000)
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "version": self._release.version})

    async def _metrics(self, _: web.Request) -> web.Response:
        text = self._counters.text((LIST, ONE), self._flags.all())
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _next(self, _: web.Request) -> web.Response:
        """Answer with a page of one, the next in turn: what its users ask for most."""
        self._asked += 1
        return web.json_response({"items": [await self._shown(DEPLOYMENTS[self._asked % len(DEPLOYMENTS)])]})

    async def _one(self, request: web.Request) -> web.Response:
        found = next((each for each in DEPLOYMENTS if each["id"] == request.match_info["id"]), None)
        if found is None:
            raise web.HTTPNotFound(reason="no such deployment")
        return web.json_response(await self._shown(found))

    async def _shown(self, record: Mapping[str, str]) -> Json:
        await self._work()
        shown = self._release.show(record)
        if self._catalog and not self._flags.on(BREAKER):
            shown |= await self._described(record["model"])
        return shown | ({"suggestion": f"small-{record['region']}"} if self._flags.on(FEATURE) else {})

    async def _work(self) -> None:
        """Do what one request costs, one at a time; with too many waiting, refuse."""
        if self._waiting >= MOST_WAITING:
            raise web.HTTPServiceUnavailable(reason="too many requests wait")
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(WORK_S)
        finally:
            self._waiting -= 1
        self._kept.append(b"." * self._release.keeps)  # the mistake of another: nothing takes it out again
        time.sleep(self._release.holds_s)  # noqa: ASYNC251  # the mistake of one release
        await asyncio.sleep(self._release.waits_s)

    async def _described(self, model: str) -> Json:
        """Return what the catalog says of *model*."""
        limit = aiohttp.ClientTimeout(total=CATALOG_S)
        async with (
            aiohttp.ClientSession(timeout=limit, raise_for_status=True) as session,
            session.get(f"{self._catalog}/v1/models/{model}") as answer,
        ):
            return {"about": (await answer.json())["about"]}


def _told(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
