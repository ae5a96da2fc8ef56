"""
Exec and attach: a container's streams over one WebSocket, as `v5.channel.k8s.io` and `v4` have it.

Each message begins with the number of its channel: 0 standard input, 1 output, 2 errors, 3 the final status as JSON, 4
the terminal's size; in v5, 255 closes the channel that follows it. A real 1.37 API server passes them on unchanged to a
node that declares `ExtendWebSocketsToKubelet`, as ours does, so SPDY is not needed.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from firstwatch.model import Json
from gameday.kubelet import execution
from gameday.kubelet.instance import Instance
from gameday.kubelet.process import NotAllowed, Process

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
CHANNELS = {"stdout": STDOUT, "stderr": STDERR}
IDLE_S = 4 * 3600.0
CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streams the caller asked for."""

    stdin: bool
    stdout: bool
    stderr: bool
    terminal: bool

    @classmethod
    def of(cls, request: web.Request) -> "Wanted":
        def asked(*names: str) -> bool:
            return any(request.query.get(name, "").lower() in {"1", "true"} for name in names)

        return cls(asked("input", "stdin"), asked("output", "stdout"), asked("error", "stderr"), asked("tty"))

    def channel(self, stream: str) -> int | None:
        return CHANNELS[stream] if (self.stdout if stream == "stdout" else self.stderr) else None


async def execute(request: web.Request, instance: Instance) -> web.StreamResponse:
    """Run the command that *request* names inside *instance*, and connect its streams."""
    wanted, socket = Wanted.of(request), web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    try:
        process = await execution.begin(
            request.query.getall("command", []), instance.environment, instance.folder,
            stdin=wanted.stdin, terminal=wanted.terminal,
        )  # fmt: skip
    except (NotAllowed, OSError) as error:
        await _finish(socket, failure(f"error executing command in container: {error}", 126))
        return socket
    try:
        async with asyncio.timeout(IDLE_S):
            await _connect(socket, process, wanted)
    finally:
        process.kill()
    return socket


async def attach(request: web.Request, instance: Instance, *, once: bool) -> web.StreamResponse:
    """Connect the caller to the container's own process, until one of them ends; *once* closes its input then."""
    wanted, socket = Wanted.of(request), web.WebSocketResponse(protocols=PROTOCOLS)
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    def listen(stream: str, content: bytes) -> None:
        heard.put_nowait((stream, content))

    instance.listeners.add(listen)
    try:
        await socket.prepare(request)
        reading = asyncio.create_task(_read(socket, instance.process, wanted, once=once))
        await _tell(socket, heard, wanted, reading)
        reading.cancel()
        await _finish(socket, {"status": "Success"})
    finally:
        instance.listeners.discard(listen)
    return socket


def failure(message: str, code: int) -> Json:
    """Return the status of a command that ended with *code*."""
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "message": message, "reason": "NonZeroExitCode", "details": {"causes": causes}}


async def _connect(socket: web.WebSocketResponse, process: Process, wanted: Wanted) -> None:
    reading = asyncio.create_task(_read(socket, process, wanted, once=True, gone=process.kill))
    writing = [
        asyncio.create_task(_write(socket, wanted.channel(name), stream)) for name, stream in process.streams.items()
    ]
    code = await process.ended()
    await asyncio.wait(writing, timeout=1)
    reading.cancel()
    done = {"status": "Success"} if code == 0 else failure(f"command terminated with non-zero exit code: {code}", code)
    await _finish(socket, done)


async def _tell(
    socket: web.WebSocketResponse,
    heard: asyncio.Queue[tuple[str, bytes]],
    wanted: Wanted,
    reading: asyncio.Task[None],
) -> None:
    """Pass on what the container writes, until it or the caller ends."""
    while not socket.closed:
        getting = asyncio.create_task(heard.get())
        await asyncio.wait({getting, reading} if not reading.done() else {getting}, return_when="FIRST_COMPLETED")
        if not getting.done():
            getting.cancel()
            continue
        stream, content = getting.result()
        if not stream:
            return
        channel = wanted.channel(stream)
        if channel is not None:
            await _send(socket, channel, content)


async def _read(
    socket: web.WebSocketResponse,
    process: Process,
    wanted: Wanted,
    *,
    once: bool,
    gone: Callable[[], None] | None = None,
) -> None:
    """Hand what the caller sends to the process; *gone* is called when the caller hangs up."""
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            _take(message.data, process, wanted)
        elif message.type == WSMsgType.TEXT:
            _take(message.data.encode(), process, wanted)
    if wanted.stdin and once:
        process.close_stdin()
    if gone:
        gone()


def _take(content: bytes, process: Process, wanted: Wanted) -> None:
    if not content:
        return
    channel, rest = content[0], content[1:]
    if channel == STDIN and wanted.stdin:
        process.write(rest)
    elif channel == CLOSE and rest[:1] == bytes([STDIN]):
        process.close_stdin()
    elif channel == RESIZE:
        with contextlib.suppress(ValueError, KeyError):
            size = json.loads(rest)
            process.resize(int(size["Width"]), int(size["Height"]))


async def _write(socket: web.WebSocketResponse, channel: int | None, stream: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):  # a terminal whose other side closed
        while content := await stream.read(CHUNK):
            if channel is not None:
                await _send(socket, channel, content)


async def _send(socket: web.WebSocketResponse, channel: int, content: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        await socket.send_bytes(bytes([channel]) + content)


async def _finish(socket: web.WebSocketResponse, told: Json) -> None:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}} | told
    await _send(socket, ERROR, json.dumps(status).encode())
    await socket.close()
