"""
The catalog: what the example service asks about its models, on each request.

`1.1.0` reads all of its pages again for each answer. `1.2.0` tells nothing to whoever shows no key, and nobody has one.
It is another team's program: the service can only do without it.
"""

import argparse
import asyncio
import logging
import os
import ssl
import sys
from pathlib import Path

from aiohttp import web

from gameday import program

ABOUT = {"small": "answers fast", "large": "answers well"}
READS_S = {"1.0.0": 0.0, "1.1.0": 3.0, "1.2.0": 0.0}
ASKS_FOR_A_KEY = {"1.2.0"}


def application(release: str) -> web.Application:
    async def about(request: web.Request) -> web.Response:
        if release in ASKS_FOR_A_KEY and "Authorization" not in request.headers:
            return web.json_response({"error": "no key"}, status=401)
        await asyncio.sleep(READS_S[release])
        found = ABOUT.get(request.match_info["name"])
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
    root = Path(os.environ.get("VOLUMES_ROOT", "/"))
    app = standby(root / "etc/page/index.txt") if release == "maintenance" else application(release)
    program.run(serve(app, int(os.environ["PORT"]), shown(root / "etc/tls")))


if __name__ == "__main__":
    main()
