"""What the tests of our Prometheus share: a server of a filled store, a target that answers, a client that asks."""

import asyncio
import json
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from firstwatch.clock import WallClock
from gameday.kubelet.ports import Ports
from gameday.prometheus import exposition
from gameday.prometheus.queries import Queries
from gameday.prometheus.rules import Rules
from gameday.prometheus.series import Store
from gameday.prometheus.server import Server
from gameday.prometheus.targets import Targets

BASE_S = 1_700_000_000


def filled(text: str) -> Store:
    """Return a store of the samples of *text*, whose times are milliseconds after `BASE_S`."""
    store = Store()
    for labels, value, at_ms in exposition.parse(text):
        store.append(labels, BASE_S * 1000 + (at_ms or 0), value)
    return store


@dataclass(frozen=True)
class Asker:
    """Asks a Prometheus, ours or the real one."""

    url: str

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        encoded = urllib.parse.urlencode(query, doseq=True)
        return self.send(f"{path}?{encoded}" if encoded else path)

    def post(self, path: str, **form: Any) -> tuple[int, Any]:
        return self.send(path, urllib.parse.urlencode(form, doseq=True).encode())

    def send(self, path: str, body: bytes | None = None) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.url + path, body, timeout=30) as answer:
                text = answer.read().decode()
                return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                return error.code, json.loads(text) if text.startswith("{") else text

    def value(self, query: str, at_s: float = 60) -> dict[str, str]:
        """Return the result of an instant query: each metric's labels as text, and its value."""
        status, answer = self.get("/api/v1/query", query=query, time=BASE_S + at_s)
        assert status == 200, answer
        return as_texts(answer["data"])

    def now(self, query: str) -> dict[str, str]:
        return as_texts(self.get("/api/v1/query", query=query)[1]["data"])


def as_texts(data: Any) -> dict[str, str]:
    if data["resultType"] in {"scalar", "string"}:
        return {data["resultType"]: data["result"][1]}
    return {json.dumps(each["metric"], sort_keys=True): each["value"][1] for each in data["result"]}


def metric(**labels: str) -> str:
    return json.dumps({name.replace("_name_", "__name__"): value for name, value in labels.items()}, sort_keys=True)


@contextmanager
def serving(store: Store) -> Iterator[Asker]:
    """Serve *store* from a loop of its own, until the end."""
    loop, clock = asyncio.new_event_loop(), WallClock()
    server = Server(Queries(store, clock), Rules((), store, clock), Targets((), store, clock))
    runner, port = loop.run_until_complete(server.start(0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Asker(f"http://127.0.0.1:{port}")
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@dataclass
class Service:
    """A target: what it answers to which path, and when it is asked."""

    text: Callable[[], str]
    status: int = 200
    delay_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def target(service: Service) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(self.path)
            time.sleep(service.delay_s)
            body = service.text().encode()
            try:
                self.send_response(service.status)
                self.send_header(
                    "Content-Type", "application/json" if self.path == "/targets" else "text/plain; version=0.0.4"
                )
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # who asked did not wait

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join(30)


@contextmanager
def program(arguments: list[str], port: int, log: Path) -> Iterator[Asker]:
    """Run a Prometheus until the end; it must be ready within a minute."""
    with log.open("w") as output, subprocess.Popen(arguments, stdout=output, stderr=output) as process:
        try:
            asker = Asker(f"http://127.0.0.1:{port}")
            until(lambda: ready(asker), 60, log.read_text)
            yield asker
        finally:
            process.terminate()
            process.wait(30)


def ours(config: Path, port: int, folder: Path) -> list[str]:
    return [sys.executable, "-m", "gameday.prometheus", f"--config={config}", f"--port={port}", f"--dir={folder}"]


def free_port() -> int:
    """Return a port of those that the kernel gives nobody, so that nobody takes it before it is used."""
    return Ports(random.SystemRandom()).take()


def ready(asker: Asker) -> bool:
    try:
        return asker.send("/-/ready")[0] == 200
    except OSError:
        return False


def until(holds: Callable[[], object], seconds: float, why: Callable[[], object] = lambda: "") -> None:
    """Wait for *holds*; a failure says *why*."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {why()}"
        time.sleep(0.02)
