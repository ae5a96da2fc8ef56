"""
The kubelet's own HTTPS server, on loopback: the API server asks it for logs, exec, attach and metrics.

Callers show a client certificate of one authority (a real API server) or a bearer token (ours); without either
configured nobody is let in. `/healthz` alone is open. What goes wrong is told as plain text, which the API server makes
a `Status` of.
"""

import hmac
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from gameday import timestamps
from gameday.certificates import Authority
from gameday.kubelet import logs, streams, usage
from gameday.kubelet.container import Container
from gameday.kubelet.instance import Instance
from gameday.kubelet.logs import Wish
from gameday.kubelet.pods import Pods
from gameday.kubelet.sandbox import ADDRESS
from gameday.kubelet.status import Waiting

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in: whom *client_ca* vouches for, and who knows *token*."""

    client_ca: Path | None = None
    token: str = field(default="", repr=False)

    def admits(self, request: web.Request) -> bool:
        if self.client_ca and request.transport and request.transport.get_extra_info("peercert"):
            return True
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return bool(self.token) and hmac.compare_digest(shown.encode(), self.token.encode())


class Server:
    """Serves the logs, streams and usage of *pods*."""

    def __init__(self, pods: Pods, admission: Admission) -> None:
        self._pods, self._admission, self._usage = pods, admission, usage.Usage()

    async def start(self, folder: Path, now: datetime) -> tuple[web.AppRunner, int]:
        """Listen on a free port; return what to clean up at the end, and the port."""
        app = web.Application(middlewares=[self._admit])
        app.router.add_get("/healthz", _healthy)
        app.router.add_get("/metrics/resource", self._metrics)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        for kind, handler in (("exec", self._exec), ("attach", self._attach)):
            app.router.add_get(f"/{kind}/{{namespace}}/{{pod}}/{{container}}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, ADDRESS, 0, ssl_context=_tls(folder, self._admission.client_ca, now))
        await site.start()
        return runner, runner.addresses[0][1]

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/healthz" and not self._admission.admits(request):
            raise web.HTTPUnauthorized(text="Unauthorized")
        return await handler(request)

    async def _metrics(self, _: web.Request) -> web.Response:
        members = [
            usage.Member(about["namespace"], about["name"], each.spec["name"], pod.sandbox.uid + each.spec["name"], pid)
            for pod in self._pods
            for each in pod.mains
            if (about := pod.item["metadata"]) and each.running and (pid := each.running.process.pid)
        ]
        text = usage.text(self._usage.samples(members), datetime.now(UTC))
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container, wish = self._container(request), _wish(request)
        path = _readable(container, request)
        current = container.running if request.query.get("previous") != "true" else None
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for text in _lines(path, current, wish):
            await response.write(text)
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        return await streams.execute(request, self._running(request))

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        return await streams.attach(request, self._running(request), once=bool(container.spec.get("stdinOnce")))

    def _container(self, request: web.Request) -> Container:
        namespace, name, wanted = (request.match_info[each] for each in ("namespace", "pod", "container"))
        pod = self._pods.find(namespace, name)
        if pod is None:
            raise web.HTTPNotFound(text=f'pod "{name}" not found')
        container = pod.container(wanted)
        if container is None:
            raise web.HTTPNotFound(text=f'container "{wanted}" not found in pod "{name}"')
        return container

    def _running(self, request: web.Request) -> Instance:
        container = self._container(request)
        if container.running is None:
            raise web.HTTPBadRequest(text=f'container "{container.spec["name"]}" is not running')
        return container.running


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _readable(container: Container, request: web.Request) -> Path:
    """Return the log to read, or say in the kubelet's words why there is none."""
    name, pod = container.spec["name"], request.match_info["pod"]
    previous = request.query.get("previous") == "true"
    path = container.log(previous=previous)
    if previous and (container.now.last is None or not path.exists()):
        raise web.HTTPBadRequest(text=f'previous terminated container "{name}" in pod "{pod}" not found')
    if path.exists():
        return path
    reason = container.now.state.reason if isinstance(container.now.state, Waiting) else ""
    because = {"ImagePullBackOff": "trying and failing to pull image", "ErrImagePull": "image can't be pulled"}
    told = because.get(reason, reason or "no logs yet")
    raise web.HTTPBadRequest(text=f'container "{name}" in pod "{pod}" is waiting to start: {told}')


async def _lines(path: Path, current: Instance | None, wish: Wish) -> AsyncIterator[bytes]:
    async for text in logs.read(path, current.log if current else None, wish):
        yield text


def _wish(request: web.Request) -> Wish:
    query = request.query
    try:
        since = timestamps.parse(query["sinceTime"]) if query.get("sinceTime") else None
        if query.get("sinceSeconds"):
            since = datetime.now(UTC) - timedelta(seconds=int(query["sinceSeconds"]))
        return Wish(
            follow=query.get("follow") == "true",
            timestamps=query.get("timestamps") == "true",
            tail=int(query["tailLines"]) if query.get("tailLines") else None,
            since=since,
            limit=int(query["limitBytes"]) if query.get("limitBytes") else None,
        )
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"invalid log options: {error}") from error


def _tls(folder: Path, client_ca: Path | None, now: datetime) -> ssl.SSLContext:
    """Return a context with a certificate of our own, which API servers do not verify unless told to."""
    Authority.create("kubelet", now).server("kubelet", [ADDRESS, "localhost"]).write(folder, "kubelet")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(folder / "kubelet.crt", folder / "kubelet.key")
    context.verify_mode = ssl.CERT_OPTIONAL if client_ca else ssl.CERT_NONE
    return context
