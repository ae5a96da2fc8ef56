"""The mail server, by aiosmtpd: it takes every letter, sends none on, and keeps what it took."""

import asyncio
import email
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from firstwatch.model import Json
from gameday.services.faults import Faults

NOBODY = "nobody@"  # an address that begins so does not exist here


class Mail:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.letters: list[Json] = []

    async def start(self, port: int) -> asyncio.Server:
        """Listen on *port* of loopback; 0 takes a free one."""
        return await asyncio.get_running_loop().create_server(self._opened, "127.0.0.1", port)

    def _opened(self) -> asyncio.Protocol:
        return _Closing() if self._faults.of("mail") == "down" else SMTP(self, hostname="localhost")

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name, and its arguments
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusals = {"429": "451 try again later", "500": "451 local error", "refuse": "554 not allowed"}
        if self._faults.of("mail") in refusals:
            return refusals[self._faults.of("mail")]
        if address.startswith(NOBODY):
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(_letter(envelope))
        if self._faults.of("mail") == "drop" and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 OK, taken"

    def document(self) -> list[Json]:
        """Return the letters; those of one Message-ID are one, as mail programs show them, with its copies."""
        shown: dict[str, Json] = {}
        for each in self.letters:
            known = shown.setdefault(each["id"], each | {"copies": 0})
            known["copies"] += 1
        return list(shown.values())


def _letter(envelope: Envelope) -> Json:
    content = envelope.content or b""
    read: Any = email.message_from_bytes(content if isinstance(content, bytes) else content.encode(), policy=default)
    return {
        "id": str(read["Message-ID"]), "from": str(read["From"]), "to": envelope.rcpt_tos[0],
        "subject": str(read["Subject"]), "text": read.get_content(),
    }  # fmt: skip


class _Closing(asyncio.Protocol):
    """A server that is down, as a connection sees it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
