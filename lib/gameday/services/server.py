"""
All services in one program: their routes on one port, mail on another.

`/control` tells what each of them holds and which fault it has; `PUT /control/SERVICE` with `{"fault": "down"}` makes
one fail. `/` is the page for people. `Credentials` are made at each start, in files that only their owner may read.
"""

import asyncio
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from aiohttp import web

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday.services import page
from gameday.services.faults import Faults
from gameday.services.mail import Mail
from gameday.services.pager import Pager
from gameday.services.slack import Slack
from gameday.services.statuspage import StatusPage
from gameday.services.tickets import Tickets

SERVICES = ("slack", "statuspage", "pager", "mail", "tracker")
ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What each service wants to be shown. In a folder each is the file of its name."""

    slack: str
    statuspage: str
    on_call: str
    manager: str
    tracker: str

    @classmethod
    def made(cls, folder: Path) -> Self:
        """Return new ones, written into *folder*."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = cls(*(secrets.token_hex(16) for _ in range(5)))
        for name, value in asdict(made).items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(value, "utf-8")
        return made


class Services:
    """The services, from nothing: what they are told is in memory only."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self.faults = Faults()
        self.slack = Slack(credentials.slack, clock, self.faults)
        self.statuspage = StatusPage(credentials.statuspage, clock, self.faults)
        self.pager = Pager({"on-call": credentials.on_call, "manager": credentials.manager}, self.faults)
        self.tracker = Tickets(credentials.tracker, self.faults)
        self.mail = Mail(self.faults)

    async def start(self, port: int, smtp: int) -> tuple[web.AppRunner, asyncio.Server, int, int]:
        """Listen on two ports of loopback, 0 for free ones; return what is to be closed, and the ports."""
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, ADDRESS, port).start()
        server = await self.mail.start(smtp)
        return runner, server, runner.addresses[0][1], server.sockets[0].getsockname()[1]

    def application(self) -> web.Application:
        made = web.Application()
        for each in (self.slack, self.statuspage, self.pager, self.tracker):
            made.add_routes(each.routes())
        own = [web.get("/", self._page), web.get("/control", self._all), web.put("/control/{service}", self._fault)]
        made.add_routes([*own, web.get("/-/ready", self._ready)])
        return made

    def document(self) -> Json:
        """Return all that the services were told, and their faults."""
        return {
            "faults": {each: self.faults.of(each) for each in SERVICES},
            "slack": [{"name": c.name, "messages": c.messages, "pinned": c.pinned} for c in self.slack.channels],
            "statuspage": {"incidents": self.statuspage.incidents, "components": self.statuspage.components},
            "pager": self.pager.alerts, "mail": self.mail.document(), "tracker": self.tracker.tickets,
        }  # fmt: skip

    async def _page(self, _: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": page.POLICY}
        return web.Response(text=page.render(self.document()), content_type="text/html", headers=headers)

    async def _all(self, _: web.Request) -> web.Response:
        return web.json_response(self.document())

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="ready")

    async def _fault(self, request: web.Request) -> web.Response:
        service, given = request.match_info["service"], await request.json()
        try:
            if service not in SERVICES:
                raise ValueError(f"{service!r} is not one of {', '.join(SERVICES)}")
            self.faults.put(service, str(given.get("fault", "")))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({service: self.faults.of(service)})
