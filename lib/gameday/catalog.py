"""
The catalog: what the example service asks about its models, on each request.

`1.1.0` reads all of its pages again for each answer. `1.2.0` tells nothing to whoever shows no key, and nobody has one.
It is another team's program: the service can only do without it. With a `DATABASE` it reads them from there, in a
session for each question, a few at a time.
"""

import argparse
import asyncio
import logging
import os
import ssl
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from gameday import program

log = logging.getLogger("catalog")

ABOUT = {"small": "answers fast", "large": "answers well"}
READS_S = {"1.0.0": 0.0, "1.1.0": 3.0, "1.2.0": 0.0}
ASKS_FOR_A_KEY = {"1.2.0"}
SESSIONS = 4
WAITS_S = 2.0
AGAIN_S = 0.1
QUERY = "SELECT about FROM models WHERE name = %s"

Read: TypeAlias = Callable[[str], Awaitable[str | None]]


async def remembered(model: str) -> str | None:
    """Return what is known of *model* without a database."""
    return ABOUT.get(model)


def stored(dsn: str) -> Read:
    """Return what reads from the database at *dsn*; it gives up when it has no turn in time."""
    turns = asyncio.Semaphore(SESSIONS)

    async def read(model: str) -> str | None:
        await asyncio.wait_for(turns.acquire(), WAITS_S)
        try:
            return await _asked(dsn, model)
        finally:
            turns.release()

    return read


async def _asked(dsn: str, model: str) -> str | None:
    import psycopg

    name = "claude-deployment-catalog"
    async with await psycopg.AsyncConnection.connect(dsn, application_name=name, connect_timeout=2) as session:
        row = await (await session.execute(QUERY, (model,))).fetchone()
    return str(row[0]) if row else None


async def opened(path: Path | None) -> Read:
    """Return what reads the models from the database whose connection string is in *path*, once it is there."""
    if path is None:
        return remembered
    import psycopg

    while True:
        try:
            read = stored(await asyncio.to_thread(path.read_text, "utf-8"))
            await read("small")
            return read
        except (OSError, psycopg.Error, TimeoutError) as error:
            log.info("the database is not there yet: %s", error)
            await asyncio.sleep(AGAIN_S)


def application(release: str, read: Read = remembered) -> web.Application:
    async def about(request: web.Request) -> web.Response:
        if release in ASKS_FOR_A_KEY and "Authorization" not in request.headers:
            return web.json_response({"error": "no key"}, status=401)
        await asyncio.sleep(READS_S[release])
        found = await read(request.match_info["name"])
        return web.json_response(
            {"about": found} if found else {"error": "no such model"}, status=200 if found else 404
        )

    async def health(_: web.Request) -> web.Response:
        await asyncio.sleep(READS_S[release])
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_get("/v1/models/{name}", about)
    app.router.add_get("/health", health)
    app.router.add_get("/ready", ready)
    return app


def standby(page: Path) -> web.Application:
    """Return the maintenance page: the same answer to whatever is asked."""
    text = page.read_text("utf-8")

    async def same(request: web.Request) -> web.Response:
        if request.path == "/ready":
            return web.json_response({"status": "ok"})
        return web.Response(text=text, status=503, headers={"Retry-After": "120"})

    app = web.Application()
    app.router.add_get("/{any:.*}", same)
    return app


def shown(folder: Path) -> ssl.SSLContext | None:
    """Return what shows callers the certificate in *folder*; None without one, which means plain HTTP."""
    if not folder.exists():
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


async def run(release: str, root: Path) -> None:
    told = os.environ.get("DATABASE", "")
    if release == "maintenance":
        app = standby(root / "etc/page/index.txt")
    else:
        app = application(release, await opened(Path(told) if told else None))
    await serve(app, int(os.environ["PORT"]), shown(root / "etc/tls"))


async def serve(app: web.Application, port: int, certificate: ssl.SSLContext | None) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=certificate).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.catalog", description=__doc__)
    parser.add_argument("--release", choices=(*READS_S, "maintenance"), required=True)
    release = parser.parse_args().release
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    program.run(run(release, Path(os.environ.get("VOLUMES_ROOT", "/"))))


if __name__ == "__main__":
    main()
