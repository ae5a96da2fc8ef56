"""Logs and streams through the API server: a real client, our proxy, and a kubelet that answers on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from kubelets import TOKEN, Handler, getting, node, pod, serving

from firstwatch.model import Json
from gameday.api.errors import Refusal
from gameday.api.proxy import Kubelets

ECHO = "v5.channel.k8s.io"


def through(
    kubelet: Handler,
    pod: Json,
    use: Callable[[aiohttp.ClientSession, str], Awaitable],
    port: int = 0,
    where="127.0.0.1",
):
    """Return what *use* does with a session and the URL of an API server in front of *kubelet*."""

    async def run():
        async with serving(kubelet, tls=True) as kubelet_port:
            kubelets = Kubelets(getting(node(port or kubelet_port, where), pod), TOKEN)

            async def answer(request: web.Request) -> web.StreamResponse:
                verb = request.path.rpartition("/")[2]
                try:
                    if verb == "log":
                        return await kubelets.log(request, "prod", "api-1")
                    return await kubelets.connect(request, "prod", "api-1", verb)
                except Refusal as refusal:
                    return web.json_response(refusal.status, status=refusal.code)

            async with serving(answer) as api_port, aiohttp.ClientSession() as session:
                used = await use(session, f"http://127.0.0.1:{api_port}")
            await kubelets.close()
            return used

    return asyncio.run(asyncio.wait_for(run(), 60))


async def told(request: web.Request) -> web.Response:
    """Be a kubelet that answers with what it was asked."""
    return web.Response(text=request.path_qs)


def get(path: str, **headers: str):
    async def use(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
        async with session.get(url + path, headers=headers) as answer:
            return answer.status, await answer.text()

    return use


def message(answer: tuple[int, str], code: int) -> str:
    assert answer[0] == code, answer
    status = json.loads(answer[1])
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
    return status["message"]


def test_a_log_comes_from_the_only_container() -> None:
    assert through(told, pod("api"), get("/log")) == (200, "/containerLogs/prod/api-1/api")


def test_the_kubelet_is_asked_for_what_was_wanted() -> None:
    answer = through(
        told, pod("api", "side"), get("/log?container=side&tailLines=5&previous=True&pretty=1&follow=false")
    )
    assert answer == (200, "/containerLogs/prod/api-1/side?tailLines=5&previous=true")


def test_of_several_containers_one_must_be_named() -> None:
    said = message(through(told, pod("api", "side"), get("/log")), 400)
    assert said == "a container name must be specified for pod api-1, choose one of: [api side]"


def test_init_containers_are_offered_too() -> None:
    several = pod("api", "side")
    several["spec"]["initContainers"] = [{"name": "first"}]
    assert message(through(told, several, get("/log")), 400).endswith(
        "[api side] or one of the init containers: [first]"
    )
    assert through(told, several, get("/log?container=first"))[0] == 200


def test_a_container_that_the_pod_does_not_have_is_refused() -> None:
    said = message(through(told, pod("api"), get("/log?container=nothing")), 400)
    assert said == "container nothing is not valid for pod api-1"


@pytest.mark.parametrize(("code", "passed_on"), [(400, 400), (404, 404), (503, 500)])
def test_what_the_kubelet_refuses_is_passed_on_in_its_words(code, passed_on) -> None:
    async def refuses(_: web.Request) -> web.Response:
        return web.Response(status=code, text='previous terminated container "api" in pod "api-1" not found')

    said = message(through(refuses, pod("api"), get("/log?previous=true")), passed_on)
    assert said.endswith('previous terminated container "api" in pod "api-1" not found')


def test_a_pod_without_a_node_has_no_log_yet() -> None:
    waiting = pod("api")
    del waiting["spec"]["nodeName"]
    assert through(told, waiting, get("/log")) == (204, "")


def test_a_kubelet_that_is_down_is_named() -> None:
    said = message(through(told, pod("api"), get("/log"), port=1), 500)
    assert said.startswith('the kubelet of node "node-1" does not answer: ClientConnectorError')


def test_a_node_elsewhere_never_sees_the_token() -> None:
    said = message(through(told, pod("api"), get("/log"), where="192.0.2.1"), 500)
    assert said == 'node "node-1" has no kubelet on this machine'


def test_a_followed_log_is_passed_on_as_it_comes_and_ends_with_its_caller() -> None:
    ended = asyncio.Event()

    async def follows(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        while request.transport and not request.transport.is_closing():  # noqa: ASYNC110 - a handler is not told
            await asyncio.sleep(0.05)
        ended.set()
        return response

    async def use(session: aiohttp.ClientSession, url: str) -> bytes:
        async with session.get(f"{url}/log?follow=true") as answer:
            line = await answer.content.readline()
        answer.close()
        await asyncio.wait_for(ended.wait(), 30)
        return line

    assert through(follows, pod("api"), use) == b"first\n"


async def echoes(request: web.Request) -> web.StreamResponse:
    """Be a kubelet that says what it was asked, sends one message back, and ends."""
    socket = web.WebSocketResponse(protocols=(ECHO,))
    await socket.prepare(request)
    await socket.send_str(request.path_qs)
    await socket.send_bytes(b"\x01" + (await socket.receive_bytes())[1:])
    await socket.close()
    return socket


def test_streams_pass_both_ways_until_the_container_ends() -> None:
    async def use(session: aiohttp.ClientSession, url: str):
        path = f"{url}/exec?command=sh&command=-c&stdin=true&stdout=true&tty=false"
        async with session.ws_connect(path, protocols=[ECHO]) as socket:
            await socket.send_bytes(b"\x00hello")
            received = [each.data async for each in socket]
            return socket.protocol, received

    asked = "/exec/prod/api-1/api?input=1&output=1&command=sh&command=-c"
    assert through(echoes, pod("api"), use) == (ECHO, [asked, b"\x01hello"])


def test_a_caller_who_hangs_up_ends_the_command() -> None:
    ended = asyncio.Event()

    async def waits(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(ECHO,))
        await socket.prepare(request)
        async for _ in socket:
            pass
        ended.set()
        return socket

    async def use(session: aiohttp.ClientSession, url: str) -> bool:
        async with session.ws_connect(f"{url}/attach", protocols=[ECHO]):
            pass
        return await asyncio.wait_for(ended.wait(), 30)

    assert through(waits, pod("api"), use)


SPDY = {"Upgrade": "SPDY/3.1", "Connection": "Upgrade"}


def test_spdy_is_refused_by_a_sentence_that_helps() -> None:
    assert "use kubectl 1.31 or newer" in message(through(echoes, running("api"), get("/exec", **SPDY)), 400)


def test_who_falls_back_to_spdy_hears_the_true_reason() -> None:
    """kubectl does that when a WebSocket was refused, and shows only the last refusal."""
    down = message(through(echoes, running("api"), get("/exec", **SPDY), port=1), 500)
    assert down.startswith('the kubelet of node "node-1" does not answer')
    waiting = message(through(echoes, pod("api"), get("/exec", **SPDY)), 500)
    assert waiting == 'unable to upgrade connection: container "api" is not running'


def running(container: str) -> Json:
    return pod(container, status={"containerStatuses": [{"name": container, "state": {"running": {}}}]})


def test_streams_need_an_upgrade() -> None:
    assert message(through(echoes, pod("api"), get("/exec")), 400) == "Upgrade request required"


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        (pod("api", status={"phase": "Succeeded"}), "in a completed pod; current phase is Succeeded"),
        (pod("api", spec={"containers": [{"name": "api"}]}), "pod api-1 does not have a host assigned"),
        (pod("api", "side"), "choose one of: [api side]"),
    ],
)
def test_what_cannot_be_entered_is_said_before_any_stream_opens(pod, said) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Protocol": ECHO}
    assert said in message(through(echoes, pod, get("/exec", **upgrade)), 400)


def test_a_container_that_is_not_running_cannot_be_entered() -> None:
    async def refuses(_: web.Request) -> web.Response:
        return web.Response(status=400, text='container "api" is not running')

    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Protocol": ECHO}
    said = message(through(refuses, pod("api"), get("/exec", **upgrade)), 500)
    assert said == 'unable to upgrade connection: container "api" is not running'
