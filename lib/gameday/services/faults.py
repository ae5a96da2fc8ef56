"""
How a service is made to fail.

`down` answers nobody; `429` asks to slow down; `500` fails before anything is done; `refuse` answers no; `drop` does
what it was asked and then closes the connection: the one after which nobody knows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from firstwatch.model import Json

KINDS = ("", "down", "429", "500", "refuse", "drop")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Faults:
    """Which fault each service has now; `refusal` is how each says no."""

    now: dict[str, str] = field(default_factory=dict)

    def of(self, service: str) -> str:
        return self.now.get(service, "")

    def put(self, service: str, kind: str) -> None:
        """Give *service* the fault *kind*; ValueError when there is none such."""
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not one of {', '.join(KINDS[1:])}, or nothing")
        self.now[service] = kind

    def faulty(self, service: str, refusal: tuple[int, Json], handler: Handler) -> Handler:
        """Return *handler* with the fault that its service has."""

        async def answered(request: web.Request) -> web.StreamResponse:
            kind = self.of(service)
            if kind == "down":
                return _closed(request)
            if kind == "429":
                return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "30"})
            if kind == "500":
                return web.json_response({"error": "internal_error"}, status=500)
            if kind == "refuse":
                return web.json_response(refusal[1], status=refusal[0])
            answer = await handler(request)
            return _closed(request) if kind == "drop" else answer

        return answered


def _closed(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    raise asyncio.CancelledError  # there is nobody left to answer
