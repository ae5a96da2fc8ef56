"""
The way to a pod's node: logs, exec and attach, which the API server fetches from the kubelet for its callers.

What a kubelet refuses is passed on in its words. Streams come and go as WebSockets and are not looked into; the older
SPDY is refused, by a sentence that says which kubectl to take.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import aiohttp
from aiohttp import WSMsgType, web

from firstwatch.model import Json
from gameday.api import reach
from gameday.api.errors import Refusal, bad_request
from gameday.api.reach import Reach
from gameday.kinds import NODE, POD, Kind

CONNECT_S = 5.0
ANSWER_S = 30.0
LOOK_S = 0.5
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
SWITCHES, NUMBERS = ("follow", "previous", "timestamps"), ("sinceSeconds", "sinceTime", "tailLines", "limitBytes")
STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
NO_SPDY = (
    "exec and attach are WebSockets here, not SPDY: use kubectl 1.31 or newer, "
    "or 1.29 and 1.30 with KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true"
)

Socket: TypeAlias = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class Kubelets:
    """Asks the kubelets of the nodes that *store_get* knows, by *token*."""

    def __init__(self, store_get: Callable[[Kind, str, str], Json], token: str) -> None:
        self._get, self._reach = store_get, Reach(token)

    async def log(self, request: web.Request, namespace: str, name: str) -> web.StreamResponse:
        """Answer with a container's log; with nothing when the pod has no node yet."""
        pod = self._get(POD, namespace, name)
        container = chosen(pod, request.query.get("container", ""))
        if not pod["spec"].get("nodeName"):
            return web.Response(status=204)
        wish = options(request.query)
        answer = await self._ask(pod, f"/containerLogs/{namespace}/{name}/{container}", wish)
        async with answer:
            return await _passed_on(request, answer)

    async def connect(self, request: web.Request, namespace: str, name: str, verb: str) -> web.StreamResponse:
        """Connect the caller's streams to a container, for as long as both want; *verb* is `exec` or `attach`."""
        pod = self._get(POD, namespace, name)
        container = chosen(pod, request.query.get("container", ""))
        _check_alive(pod, verb)
        if request.headers.get("Upgrade", "").lower().startswith("spdy"):
            raise await self._no_spdy(pod, container)
        offered = _offered(request)
        kubelet = await self._dial(pod, f"/{verb}/{namespace}/{name}/{container}", streams(request), offered)
        caller = web.WebSocketResponse(protocols=offered[:1], timeout=CONNECT_S, compress=False, max_msg_size=0)
        try:
            await caller.prepare(request)
            await _join(caller, kubelet)
        finally:
            await kubelet.close()
        return caller

    async def close(self) -> None:
        await self._reach.close()

    async def _ask(self, pod: Json, path: str, query: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Send a request and return the answer's beginning; a followed log ends when one of both sides ends it."""
        total = None if query.get("follow") else ANSWER_S
        limit = aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_S)
        url = reach.url(self._node(pod)) + path
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._reach.session.get(url, params=query, timeout=limit)
                if answer.status == 200:
                    return answer
                async with answer:
                    raise _refused(answer.status, await answer.text())
        except reach.TROUBLE as error:
            raise reach.unanswered(pod["spec"]["nodeName"], error) from error

    async def _dial(
        self, pod: Json, path: str, query: Sequence[tuple[str, str]], offered: Sequence[str]
    ) -> aiohttp.ClientWebSocketResponse:
        url = reach.url(self._node(pod)) + path
        try:
            async with asyncio.timeout(CONNECT_S):
                return await self._reach.session.ws_connect(
                    url, params=query, protocols=offered[:1], max_msg_size=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CONNECT_S),
                )  # fmt: skip
        except aiohttp.WSServerHandshakeError as error:
            raise _not_running(path.rpartition("/")[2]) from error
        except reach.TROUBLE as error:
            raise reach.unanswered(pod["spec"]["nodeName"], error) from error

    async def _no_spdy(self, pod: Json, container: str) -> Refusal:
        """
        Return why SPDY gets nothing.

        kubectl tries it after a WebSocket was refused, and shows only what it hears last: so the true reason is told
        again.
        """
        if not _runs(pod, container):
            return _not_running(container)
        limit = aiohttp.ClientTimeout(total=CONNECT_S)
        try:
            async with self._reach.session.get(f"{reach.url(self._node(pod))}/healthz", timeout=limit):
                return bad_request(NO_SPDY)
        except reach.TROUBLE as error:
            return reach.unanswered(pod["spec"]["nodeName"], error)

    def _node(self, pod: Json) -> Json:
        return self._get(NODE, "", pod["spec"]["nodeName"])


def chosen(pod: Json, wanted: str) -> str:
    """Return the container that is meant: *wanted*, or the only one there is."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    mains, inits, others = (_names(spec, kind) for kind in CONTAINERS)
    if wanted:
        if wanted in {*mains, *inits, *others}:
            return wanted
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    if len(mains) == 1:
        return mains[0]
    besides = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
    choice = f"choose one of: [{' '.join(mains)}]{besides}"
    raise bad_request(f"a container name must be specified for pod {name}, {choice}")


def options(query: Mapping[str, str]) -> dict[str, str]:
    """Return what of a log the caller wants, as the kubelet reads it."""
    wish = {name: query[name] for name in NUMBERS if query.get(name)}
    return wish | {name: "true" for name in SWITCHES if _true(query, name)}


def streams(request: web.Request) -> list[tuple[str, str]]:
    """Return which streams are wanted, and the command, as the kubelet reads them."""
    wanted = [(theirs, "1") for ours, theirs in STREAMS.items() if _true(request.query, ours)]
    return wanted + [("command", word) for word in request.query.getall("command", [])]


def _true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in {"1", "true"}


def _names(spec: Json, kind: str) -> list[str]:
    return [each["name"] for each in spec.get(kind) or []]


def _offered(request: web.Request) -> list[str]:
    """Return the protocols that the caller and we speak, the best first."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    spoken = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    offered = [each for each in PROTOCOLS if each in spoken]
    if not offered:
        raise bad_request(f"unable to upgrade: only {' and '.join(PROTOCOLS)} are spoken here")
    return offered


def _check_alive(pod: Json, verb: str) -> None:
    phase, name = (pod.get("status") or {}).get("phase"), pod["metadata"]["name"]
    if phase in {"Succeeded", "Failed"}:
        raise bad_request(f"cannot {verb} into a container in a completed pod; current phase is {phase}")
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")


def _runs(pod: Json, container: str) -> bool:
    told = pod.get("status") or {}
    known = [each for kind in STATUSES for each in told.get(kind) or []]
    return any(each["name"] == container and "running" in (each.get("state") or {}) for each in known)


def _not_running(container: str) -> Refusal:
    return reach.failure(f'unable to upgrade connection: container "{container}" is not running')


def _refused(status: int, told: str) -> Refusal:
    if status == 404:
        return Refusal(404, "NotFound", told)
    return bad_request(told) if status == 400 else reach.failure(f"the kubelet answered {status}: {told}")


async def _passed_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass *answer* on as it comes, until it ends or the caller is gone."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    passing = asyncio.create_task(_copy(answer, response))
    try:
        # A silent log is never written to, so a caller who hung up would go unnoticed.
        while not passing.done() and request.transport and not request.transport.is_closing():
            await asyncio.wait({passing}, timeout=LOOK_S)
    finally:
        passing.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await passing
    return response


async def _copy(answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    async for chunk in answer.content.iter_any():
        await response.write(chunk)


async def _join(caller: web.WebSocketResponse, kubelet: aiohttp.ClientWebSocketResponse) -> None:
    """Pass messages both ways until one side ends; then end the other."""
    ways = [asyncio.create_task(_pump(caller, kubelet)), asyncio.create_task(_pump(kubelet, caller))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    await caller.close()


async def _pump(source: Socket, target: Socket) -> None:
    with contextlib.suppress(ConnectionError):
        async for message in source:
            if message.type == WSMsgType.BINARY:
                await target.send_bytes(message.data)
            elif message.type == WSMsgType.TEXT:
                await target.send_str(message.data)
