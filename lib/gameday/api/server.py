"""
The HTTP server: who is let in, which part answers a path, and what an error looks like.

It listens on loopback alone, and a token that only the world's owner can read keeps others out. It speaks TLS all the
same, because kubectl shows a token to no server that does not.
"""

import asyncio
import contextlib
import hmac
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

from aiohttp import web

from firstwatch.clock import Clock
from firstwatch.errors import BadParameter
from firstwatch.model import Json
from gameday import timestamps
from gameday.api import bodies, discovery, errors, reviews, target
from gameday.api.collector import Collector
from gameday.api.errors import Refusal
from gameday.api.metrics import Metrics
from gameday.api.proxy import Kubelets
from gameday.api.registry import Registry
from gameday.api.rest import Rest, answered
from gameday.api.store import Store
from gameday.kinds import EVENT, Kind

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
LARGEST_BODY = 3 * 1024 * 1024
HEALTH = {"/healthz", "/readyz", "/livez"}
OPEN = {*HEALTH, "/version"}
SHUTDOWN_S = 0.3
EVENTS_S, EVENTS_KEPT = 60.0, timedelta(hours=1)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """An API server for who knows *token*; it shows *kubelet_token* to the kubelets."""

    def __init__(self, clock: Clock, token: str, kubelet_token: str) -> None:
        self._token = token
        self._store = Store()
        self._registry = Registry(self._store, clock)
        self._collector = Collector(self._registry)
        self._kubelets = Kubelets(self._found, kubelet_token)
        self._metrics = Metrics(lambda kind, namespace: list(self._store.list(kind, namespace)), kubelet_token)
        self._rest = Rest(self._registry, self._kubelets)

    @contextlib.asynccontextmanager
    async def listening(self, tls: ssl.SSLContext, port: int = 0) -> AsyncIterator[int]:
        """Serve on *port*, or on a free one, and yield it."""
        self._registry.begin()
        work = [asyncio.create_task(each) for each in (self._collector.run(), self._forget_events())]
        app = web.Application(middlewares=[self._tell, self._admit], client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_shutdown.append(self._end)
        # Who hangs up ends what it asked for: a watch, or a followed log.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True)
        await runner.setup()
        try:
            await _listen(runner, tls, port)
            yield runner.addresses[0][1]
        finally:
            for each in work:
                each.cancel()
            await runner.cleanup()
            await self._kubelets.close()
            await self._metrics.close()

    @web.middleware
    async def _tell(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer what goes wrong as a Status."""
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)
        except web.HTTPRequestEntityTooLarge:
            return _refused(Refusal(413, "RequestEntityTooLarge", f"limit is {LARGEST_BODY} bytes"))
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            return _refused(Refusal(500, "InternalError", f"Internal error occurred: {type(error).__name__}: {error}"))

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if request.path not in OPEN and not hmac.compare_digest(shown.encode(), self._token.encode()):
            raise errors.unauthorized()
        return await handler(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in HEALTH:
            return web.Response(text="ok")
        named = target.parse(request.path)
        if named is not None:
            return await self._rest.answer(request, named)
        return await self._computed(request)

    async def _computed(self, request: web.Request) -> web.StreamResponse:
        """Answer what is no object of ours: documents, reviews and metrics."""
        path = request.path.rstrip("/")
        if request.method == "GET" and (document := discovery.document(path, request.headers.get("Accept", ""))):
            return _document(*document)
        if request.method == "POST" and (review := reviews.answer(path, await bodies.read(request, default={}))):
            return answered(review, 201)
        if request.method == "GET" and (measured := await self._metrics.answer(path, request.query)):
            return answered(measured)
        raise errors.no_such_path()

    def _found(self, kind: Kind, namespace: str, name: str) -> Json:
        return self._registry.get(target.of(kind, namespace, name))

    async def _forget_events(self) -> None:
        """Drop events after an hour, as a real cluster does."""
        while True:
            await asyncio.sleep(EVENTS_S)
            oldest = timestamps.seconds(self._registry.clock.now() - EVENTS_KEPT)
            for each in list(self._store.list(EVENT)):
                if (each.get("lastTimestamp") or each["metadata"]["creationTimestamp"]) < oldest:
                    self._store.remove(EVENT, each)

    async def _end(self, _: web.Application) -> None:
        self._store.close()


async def _listen(runner: web.AppRunner, tls: ssl.SSLContext, port: int) -> None:
    try:
        await web.TCPSite(runner, ADDRESS, port, ssl_context=tls).start()
    except OSError as error:
        raise BadParameter(f"listening on {ADDRESS}:{port}: {error.strerror}") from error


def _refused(refusal: Refusal) -> web.Response:
    return answered(refusal.status, refusal.code)


def _document(kind: str, body: Json | bytes) -> web.Response:
    if isinstance(body, bytes):
        return web.Response(body=body, headers={"Content-Type": kind})
    answer = answered(body)
    answer.headers["Content-Type"] = kind
    return answer
