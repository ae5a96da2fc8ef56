"""A kubelet that answers what a test tells it, by HTTPS on loopback, and the API's half in front of it."""

import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from firstwatch.model import Json
from gameday.certificates import Authority
from gameday.kinds import NODE, Kind

TOKEN = "only-for-tests"
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, *, tls: bool = False) -> AsyncIterator[int]:
    """Serve *handler* on a free port, and yield the port; with *tls* to those only who know the token."""

    async def admitted(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401, text="Unauthorized")
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", admitted if tls else handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate() if tls else None).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as name:
        Authority.create("kubelet", datetime.now(UTC)).server("kubelet", ["127.0.0.1"]).write(Path(name), "kubelet")
        context.load_cert_chain(f"{name}/kubelet.crt", f"{name}/kubelet.key")
    return context


def node(port: int, address: str = "127.0.0.1", name: str = "node-1") -> Json:
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return {"metadata": {"name": name}, "status": status | {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}}


def pod(*containers: str, **more: Json) -> Json:
    spec = {"nodeName": "node-1", "containers": [{"name": each} for each in containers]}
    return {"metadata": {"name": "api-1", "namespace": "prod"}, "spec": spec, "status": {"phase": "Running"}} | more


def getting(node: Json, pod: Json) -> Callable[[Kind, str, str], Json]:
    return lambda kind, namespace, name: node if kind is NODE else pod
