"""
The front door: what a Service is to those outside, a local port that leads to the pods that are ready.

It follows the Service's EndpointSlices and, as pods' addresses exist in their objects only, the annotation by which
each pod tells its local ports. Connections go to the ready pods in turn; with none ready a connection is closed at
once, as nobody would answer at a real Service. Beside it, `/targets` tells Prometheus which pods there are
(`http_sd_configs`), ready or not.
"""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

from aiohttp import web

from firstwatch.model import Json
from gameday import kinds, kubeconfig, program
from gameday.client import Client
from gameday.informer import Informer
from gameday.kubelet.sandbox import PORTS

CONNECT_S = 3.0
CHUNK = 64 * 1024
OF_SERVICE = "kubernetes.io/service-name"


def ready(slices: Iterable[Json], pods: Mapping[str, Json]) -> list[int]:
    """Return the local ports of the ready endpoints in *slices*, in the order of their pods' names."""
    found = [
        (end["targetRef"]["name"], port["port"])
        for each in slices
        for end in each.get("endpoints") or []
        for port in each.get("ports") or []
        if (end.get("conditions") or {}).get("ready") and end.get("targetRef", {}).get("name") in pods
    ]
    locals_ = [_local(pods[name]).get(str(port)) for name, port in sorted(found)]
    return [each for each in locals_ if each]


def targets(pods: Iterable[Json], app: str) -> list[Json]:
    """Return what `http_sd_configs` wants: one target for each running pod of *app* that told its ports."""
    return [
        {"targets": [f"127.0.0.1:{next(iter(ports.values()))}"], "labels": {"pod": each["metadata"]["name"]}}
        for each in sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))
        if (ports := _local(each)) and _runs(each, app)
    ]


def _runs(pod: Json, app: str) -> bool:
    running = (pod.get("status") or {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    return running and (pod["metadata"].get("labels") or {}).get("app") == app


def _local(pod: Json) -> dict[str, int]:
    told = (pod["metadata"].get("annotations") or {}).get(PORTS)
    return json.loads(told) if told else {}


class FrontDoor:
    """Passes connections on to the ready pods of one Service, in turn."""

    def __init__(self, slices: Informer, pods: Informer) -> None:
        self._slices, self._pods = slices, pods
        self._turn = count()

    def ports(self) -> list[int]:
        return ready(self._slices, {each["metadata"]["name"]: each for each in self._pods})

    async def passed_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection until either side ends it."""
        try:
            pod = await self._connected()
            if pod:
                await _both_ways((reader, writer), pod)
        finally:
            await _close(writer)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Return a connection to the next pod that accepts one, or None."""
        ports, first = self.ports(), next(self._turn)
        for offset in range(len(ports)):
            port = ports[(first + offset) % len(ports)]
            with contextlib.suppress(OSError, TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), CONNECT_S)
        return None


async def _both_ways(
    caller: tuple[asyncio.StreamReader, asyncio.StreamWriter], pod: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    try:
        await asyncio.gather(_copied(caller[0], pod[1]), _copied(pod[0], caller[1]))
    finally:
        await _close(pod[1])


async def _copied(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await source.read(CHUNK):
            target.write(content)
            await target.drain()
        target.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def serve(path: Path, service: str, port: int, discovery: int) -> None:
    """Be the front door of *service*, in the kubeconfig's namespace, until cancelled."""
    access = kubeconfig.load(path)
    async with Client(access) as client, asyncio.TaskGroup() as tasks:
        slices = Informer(client, kinds.ENDPOINT_SLICE, access.namespace, labelSelector=f"{OF_SERVICE}={service}")
        pods = Informer(client, kinds.POD, access.namespace)
        for informer in (slices, pods):
            tasks.create_task(informer.run())
        await asyncio.gather(slices.synced.wait(), pods.synced.wait())
        await _tell_targets(pods, service, discovery)
        server = await asyncio.start_server(FrontDoor(slices, pods).passed_on, "127.0.0.1", port)
        async with server:
            await server.serve_forever()


async def _tell_targets(pods: Informer, service: str, port: int) -> None:
    async def told(_: web.Request) -> web.Response:
        return web.json_response(targets(pods, service))

    app = web.Application()
    app.router.add_get("/targets", told)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.frontdoor", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--service", required=True)
    parser.add_argument("--port", type=int, required=True, help="where the Service is reached")
    parser.add_argument("--discovery", type=int, required=True, help="where Prometheus asks for targets")
    given = parser.parse_args()
    program.run(serve(given.kubeconfig, given.service, given.port, given.discovery))


if __name__ == "__main__":
    main()
