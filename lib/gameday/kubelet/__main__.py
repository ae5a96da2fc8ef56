"""Run a node of local processes, against the API of a kubeconfig."""

import argparse
import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firstwatch.clock import Clock, WallClock
from firstwatch.errors import BadParameter
from gameday import kubeconfig, program
from gameday.client import ApiError, Client, patiently
from gameday.images import IMAGES, Image
from gameday.kubelet import process
from gameday.kubelet.node import Node
from gameday.kubelet.pods import Pods
from gameday.kubelet.sandbox import Host
from gameday.kubelet.server import Admission, Server

log = logging.getLogger(__name__)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a kubelet was started with."""

    kubeconfig: Path
    folder: Path
    name: str
    admission: Admission
    backoff_s: float


async def serve(choice: Choice, images: Mapping[str, Image], clock: Clock) -> None:
    """Be a node until cancelled; then no process of its pods is left."""
    choice.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    left = process.sweep(choice.folder / "pods")
    log.info("%d processes of an earlier kubelet ended", left)
    async with Client(kubeconfig.load(choice.kubeconfig)) as client:
        host = Host.create(choice.name, choice.folder, client, clock, images, backoff_s=choice.backoff_s)
        pods = Pods(host)
        runner, port = await Server(pods, choice.admission).start(choice.folder, clock.now())
        node = Node(client, clock, choice.name, port)
        try:
            await _register(node)
            async with asyncio.TaskGroup() as tasks:
                for work in (host.recorder.run(), node.live(), pods.run()):
                    tasks.create_task(work)
        finally:
            host.sources.close()
            await runner.cleanup()


async def _register(node: Node) -> None:
    """Register as soon as the API answers."""
    attempt = 0
    while True:
        try:
            await node.register()
            return
        except ApiError as error:
            log.warning("%s", error)
            await patiently(attempt)
            attempt += 1


def duration(text: str) -> float:
    """Return the seconds of `500ms`, `1s` or `5m`."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 500ms, 1s or 5m")
    return float(match[1]) * _SECONDS[match[2]]


def _choice() -> Choice:
    parser = argparse.ArgumentParser(prog="python -m gameday.kubelet", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True, help="where pods' files, volumes and logs go")
    parser.add_argument("--name", default="node-1")
    callers = parser.add_mutually_exclusive_group()
    callers.add_argument("--client-ca", type=Path, help="whose certificates callers must show")
    callers.add_argument("--token-file", type=Path, help="what callers must know")
    parser.add_argument("--backoff", type=duration, default=10.0, help="first wait before a restart: 10s, 1s, 500ms")
    given = parser.parse_args()
    admission = Admission(given.client_ca, _token(given.token_file))
    return Choice(given.kubeconfig, given.dir.resolve(), given.name, admission, given.backoff)


def _token(path: Path | None) -> str:
    try:
        return path.read_text().strip() if path else ""
    except OSError as error:
        raise BadParameter(f"reading the token file: {error}") from error


def main() -> None:
    program.run(serve(_choice(), IMAGES, WallClock()))


if __name__ == "__main__":
    main()
