"""
The game day's services, in this process, and a record whose texts go there.

Both sides share one clock that only moves when it is told to, so that a second's pause costs nothing.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from firstwatch.channels import switchboard
from firstwatch.channels.outbox import Draft, Outbox
from firstwatch.model import Actor
from firstwatch.record.messages import Message
from firstwatch.record.store import Record, Store, Writer
from firstwatch.settings import Settings, parse
from gameday.services.server import Credentials, Services
from gameday.services.statuspage import COMPONENTS, PAGE
from gameday.services.tickets import PROJECT, REPOSITORY, USER

DECLARED = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
TEXT = {
    "severity": "SEV1", "title": "API errors", "impact": "6 of 10 requests fail", "commander": "@on-call",
    "technical_lead": "not assigned", "channel": "incident-2026-11-24-020304", "minutes": "15",
}  # fmt: skip
UPDATE = {
    "number": "1", "severity": "SEV1", "status": "MITIGATING", "summary": "s", "impact": "i", "eta": "e",
    "actions": "a", "updated": "02:03", "next": "02:18",
}  # fmt: skip
PAGED = {"severity": "SEV1", "title": "API errors", "impact": "6 of 10 requests fail"}
STATUS = {
    "investigating": {"name": "API errors", "symptom": "errors", "components": ["api"], "impact": "critical"},
    "identified": {"issue": "API errors", "impact": "critical"}, "monitoring": {"service": "The API"},
    "resolved": {"service": "The API"},
}  # fmt: skip
TICKET = {
    "severity": "SEV1", "title": "API errors", "impact": "6 of 10 requests fail", "declared": "2026-11-24 02:03",
    "channel": "incident-2026-11-24-020304", "record": "2026-11-24-020304",
}  # fmt: skip
NOTICE = {
    "severity": "SEV1", "title": "API errors", "declared": "2026-11-24 02:03", "impact": "6 of 10 requests fail",
    "commander": "on-call", "channel": "incident-2026-11-24-020304", "next": "02:18",
}  # fmt: skip


CUSTOMER = {
    "service": "API", "customer": "customer", "affected": "the API", "impact": "6 of 10 requests fail",
    "estimate": "We will provide updates every 30 minutes", "status_page": "https://status.claude-deployment.com",
    "company": "Example",
}  # fmt: skip


@dataclass(slots=True)
class Still:
    """A clock that stands still until somebody sleeps."""

    at: datetime = DECLARED
    mono: int = 1_000_000_000

    def now(self) -> datetime:
        return self.at

    def monotonic_ns(self) -> int:
        return self.mono

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.mono += int(seconds * 1e9)


@dataclass(slots=True)
class Exchange:
    services: Services
    clock: Any
    folder: Path
    url: str
    smtp: int
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.folder / "incidents")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.services, name)

    def fail(self, kind: str, *services: str) -> None:
        for each in services or ("slack", "statuspage", "pager", "mail", "tracker"):
            self.services.faults.put(each, kind)

    def channels(self, **changed: Any) -> dict[str, Any]:
        where = f"file:{self.folder}"
        made = {
            "slack": {"url": f"{self.url}/slack/api", "credential": f"{where}/slack"},
            "statuspage": {
                "url": f"{self.url}/statuspage/v1", "page": PAGE, "credential": f"{where}/statuspage",
                "components": COMPONENTS, "site": "https://status.claude-deployment.com", "notify": False,
            },
            "pager": {"url": f"{self.url}/pager", "keys": {
                "on-call": f"{where}/on_call", "manager": f"{where}/manager"}},
            "mail": {"host": "127.0.0.1", "port": self.smtp, "security": "none", "sender": "ops@example.com",
                     "company": "Example", "customers": [{"name": "customer", "address": "customer@example.com"}]},
            "tracker": {"kind": "jira", "url": f"{self.url}/jira", "project": PROJECT, "user": USER,
                        "credential": f"{where}/tracker"},
            "wiki": {"folder": str(self.folder / "wiki")},
        }  # fmt: skip
        return made | changed

    def github(self) -> dict[str, Any]:
        return {"kind": "github", "url": f"{self.url}/github", "project": REPOSITORY,
                "credential": f"file:{self.folder}/tracker"}  # fmt: skip

    def settings(self, **changed: Any) -> Settings:
        service = {"name": "claude-deployment-api", "namespace": "prod", "deployment": "claude-deployment-api"}
        return parse({"service": service, "channels": self.channels(**changed)}, "firstwatch.toml")

    def outbox(self, *, within_s: float = 6, actor: str = "on-call", **changed: Any) -> Outbox:
        """Return an outbox of the newest record, which is opened when there is none."""
        writer = Writer(self.clock, Actor(actor), "tester@here")
        ids = self.store.ids()
        record = Record(self.store.root / ids[-1]) if ids else self.store.open(writer, {"practice": True})
        return Outbox(record, writer, switchboard.connect(self.settings(**changed), self.clock), within_s)

    def posts(self, channel: str = "incident-2026-11-24-020304") -> list[str]:
        return [each["shown"] for c in self.services.slack.channels if c.name == channel for each in c.messages]


def draft(channel: str, template: str, fields: dict[str, Any], to: str = "incident", key: str = "") -> Draft:
    return Draft(key or template, template, channel, to, fields)


ONE = {
    "slack": draft("slack", "declaration", TEXT),
    "pager": draft("pager", "page", PAGED, "on-call"),
    "mail": draft("mail", "notice", NOTICE, "manager@example.com"),
    "statuspage": draft("statuspage", "investigating", STATUS["investigating"], "page"),
    "tracker": draft("tracker", "ticket", TICKET),
}  # fmt: skip


def silent() -> str:
    """Return the address of a server that takes a connection and never answers."""
    return _serving(lambda connection: time.sleep(5))


def saying(body: bytes) -> str:
    """Return the address of a server that answers 200 and *body*, whatever it is asked."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    return _serving(lambda connection: connection.sendall(head + body))


def _serving(behave: Callable[[socket.socket], None]) -> str:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            behave(connection)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def state(box: Outbox, number: int = -1) -> Message:
    return box.record.incident().messages[number]


@contextmanager
def exchange(folder: Path, clock: Any = None) -> Iterator[Exchange]:
    """Serve on free ports of loopback until the block ends; by a *clock* that stands still, unless one is given."""
    clock, loop = clock or Still(), asyncio.new_event_loop()
    services = Services(Credentials.made(folder), clock)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(services.start(0, 0), loop)
    runner, mail, port, smtp = started.result(10)
    try:
        yield Exchange(services, clock, folder, f"http://127.0.0.1:{port}", smtp)
    finally:
        asyncio.run_coroutine_threadsafe(_ended(runner, mail), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _ended(runner: Any, mail: asyncio.Server) -> None:
    mail.close()
    await runner.cleanup()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
