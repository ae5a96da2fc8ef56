"""
The reply to a cell, and how a lost one is noticed.

A kernel whose memory ran out may fail to send its reply, and wait for the next request as if nothing were wrong. Who
waits for that reply then waits for ever. So a question goes right behind each cell. A kernel answers in order: an
answer to the question, before the reply to the cell, says that there will be none. Also a cell that awaits something
keeps the question waiting; row T81 would show a kernel that no longer does it so.
"""

from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from traitlets import Type

LOST = {
    "status": "error", "ename": "ReplyLost", "traceback": [],
    "evalue": "the kernel has left this cell and its reply did not come; it may have run out of memory",
}  # fmt: skip


class Shell(AsyncZMQSocketChannel):
    """The channel of requests and replies. A reply that is lost comes as an error."""

    _cell = ""  # the request that has no reply yet
    _behind = ""

    def send(self, msg: dict[str, Any]) -> None:
        super().send(msg)
        if msg["msg_type"] == "execute_request":
            question = self.session.msg("kernel_info_request")
            self._cell, self._behind = msg["msg_id"], question["msg_id"]
            super().send(question)

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]  # noqa: ASYNC109  # its parent's
        msg = await super().get_msg(timeout)
        of = msg["parent_header"].get("msg_id")
        if self._cell and of == self._behind:
            msg |= {"parent_header": {"msg_id": self._cell}, "msg_type": "execute_reply", "content": dict(LOST)}
        self._cell = "" if of in (self._cell, self._behind) else self._cell
        return msg


class Client(AsyncKernelClient):
    """A kernel's client whose requests go by `Shell`."""

    shell_channel_class = Type(Shell)
