"""
Probes: is a container started, ready, alive? Asked at its local port, told in the words of its own address.

A success or failure counts only after as many in a row as the probe's thresholds say. One thing is kinder than on a
real node: until a container answered for the first time, and for no longer than one period, a refused connection is
asked again after a tenth of a second instead of counting, since a process here starts faster than a probe's period.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp

from firstwatch.model import Json

SOON_S = 0.1

Execute: TypeAlias = Callable[[list[str], float], Awaitable[tuple[int, str]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one probe heard. `refused` is that nobody listened yet."""

    good: bool
    message: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: the pod's address as it is told, its local ports by container port, and by name."""

    address: str
    ports: Mapping[int, int]
    names: Mapping[str, int]
    execute: Execute

    def number(self, port: int | str) -> int:
        """Return the container port; by name, 0 when there is none of that name."""
        return port if isinstance(port, int) else self.names.get(port, int(port) if port.isdigit() else 0)


@dataclass(slots=True)
class Tally:
    """Answers in a row. `settled` is what they amount to, None until there were enough."""

    successes: int
    failures: int
    settled: bool | None = None
    _last: bool | None = None
    _run: int = 0

    @classmethod
    def of(cls, probe: Json) -> "Tally":
        return cls(probe.get("successThreshold") or 1, probe.get("failureThreshold") or 3)

    def count(self, good: bool) -> bool | None:
        """Take one answer and return what they amount to now."""
        self._run = self._run + 1 if good == self._last else 1
        self._last = good
        if self._run >= (self.successes if good else self.failures):
            self.settled = good
        return self.settled


async def watch(probe: Json, target: Target, told: Callable[[Answer, bool | None], None]) -> None:
    """Ask until cancelled, and tell each answer and what all of them amount to."""
    loop, tally, period = asyncio.get_running_loop(), Tally.of(probe), probe.get("periodSeconds") or 10
    await asyncio.sleep(probe.get("initialDelaySeconds") or 0)
    begun = loop.time()
    while True:
        answer = await ask(probe, target)
        if answer.refused and tally.settled is None and loop.time() - begun < period:
            await asyncio.sleep(SOON_S)
            continue
        told(answer, tally.count(answer.good))
        await asyncio.sleep(period)


async def ask(probe: Json, target: Target) -> Answer:
    """Ask once, for no longer than the probe's time-out."""
    limit = float(probe.get("timeoutSeconds") or 1)
    if "httpGet" in probe:
        return await _http(probe["httpGet"], target, limit)
    if "tcpSocket" in probe:
        return await _tcp(target, target.number(probe["tcpSocket"]["port"]), limit)
    if "exec" in probe:
        code, output = await target.execute(probe["exec"].get("command") or [], limit)
        return Answer(code == 0, output.strip()[:1024])
    return Answer(good=False, message="this node has no probe of that kind")


async def _http(get: Json, target: Target, limit: float) -> Answer:
    port = target.number(get["port"])
    path = "/" + (get.get("path") or "/").lstrip("/")
    scheme = (get.get("scheme") or "HTTP").lower()
    told = f'Get "{scheme}://{target.address}:{port}{path}": '
    local = target.ports.get(port)
    if local is None:
        return _refused(told, target, port)
    headers = {each["name"]: each["value"] for each in get.get("httpHeaders") or []}
    headers.setdefault("User-Agent", "kube-probe/1.37")
    try:
        return await _get(f"{scheme}://127.0.0.1:{local}{path}", headers, limit)
    except TimeoutError:
        exceeded = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Answer(good=False, message=told + exceeded)
    except aiohttp.ClientConnectorError:
        return _refused(told, target, port)
    except aiohttp.ClientError as error:
        return Answer(good=False, message=told + (str(error) or "EOF"))


async def _get(url: str, headers: Mapping[str, str], limit: float) -> Answer:
    timeout = aiohttp.ClientTimeout(total=limit)
    connector = aiohttp.TCPConnector(ssl=False)  # as a real kubelet, which does not know the pod's certificate
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
        session.get(url, headers=headers, allow_redirects=False) as response,
    ):
        if 200 <= response.status < 400:
            return Answer(good=True)
        return Answer(good=False, message=f"HTTP probe failed with statuscode: {response.status}")


async def _tcp(target: Target, port: int, limit: float) -> Answer:
    local = target.ports.get(port)
    try:
        if local is None:
            raise ConnectionRefusedError
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", local), limit)
        writer.close()
        return Answer(good=True)
    except ConnectionRefusedError:
        return _refused("", target, port)
    except (TimeoutError, OSError) as error:
        return Answer(good=False, message=f"dial tcp {target.address}:{port}: {error or 'i/o timeout'}")


def _refused(told: str, target: Target, port: int) -> Answer:
    message = f"{told}dial tcp {target.address}:{port}: connect: connection refused"
    return Answer(good=False, message=message, refused=True)
