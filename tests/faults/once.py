"""A write whose answer is lost: it reached the server exactly once, by each verb and each client."""

import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import fakes
from wire import Behave, Wire, answer, saying

from faults.clients import NODES, OPERATIONS, PATIENT, connected, raised, wired
from faults.programme import Figure, Row, Trial
from firstwatch.channels import wire as channel
from firstwatch.errors import OutcomeUnknown, Unavailable
from firstwatch.systems import Systems

FOUND = fakes.deployment("api:2.4.0", 2)
NEW = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
Sent = Mapping[str, Callable[[], object]]


def closed(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def cut(connection: socket.socket, _: bytes) -> None:
    connection.sendall(answer("200 OK", NODES)[:-20])
    connection.shutdown(socket.SHUT_RDWR)


LOST: Mapping[str, Behave] = {
    "closed": closed,
    "reset": reset,
    "cut short": cut,
    "500": saying("500 Internal Server Error", b"{}"),
    "502": saying("502 Bad Gateway", b"<html>"),
    "503, try again": saying("503 Service Unavailable", b"{}", "Retry-After: 0"),
    "504": saying("504 Gateway Timeout", b""),
    "nonsense": saying("200 OK", b"<html>"),
}


def kept_alive(lost: Behave) -> Behave:
    """Answer reads well, so that the write goes over a connection that was used before."""
    well = saying("200 OK", NODES)
    return lambda connection, request: (well if request.startswith(b"GET") else lost)(connection, request)


def writes(systems: Systems, url: str) -> dict[str, Sent]:
    """Return, by verb, what each client sends with it."""
    cluster, chat = systems.cluster, channel.Wire("chat", url, PATIENT.deadline_s)
    made = {
        "PATCH": lambda: cluster.patch("Deployment", fakes.NAMESPACE, fakes.NAME, OPERATIONS),
        "POST": lambda: cluster.create("ConfigMap", fakes.NAMESPACE, NEW),
        "DELETE": lambda: cluster.delete("Deployment", fakes.NAMESPACE, FOUND),
    }
    told = {verb: lambda verb=verb: chat.write(verb, "/v1/x", {"text": "x"}) for verb in ("POST", "PUT", "PATCH")}
    return {"cluster": made, "channel": told}


def exactly_once(trial: Trial) -> Figure:
    """Lose the answer in every way, to every verb of every client; count the requests that arrived."""
    bad: list[str] = []
    tried = 0
    for number in range(trial.count):
        (way, lost) = list(LOST.items())[number % len(LOST)]
        with wired(kept_alive(lost)) as server:
            tried += _tried(trial.folder, way, server, bad)
        trial.tell(number + 1)
    return Figure(tried, len(bad), "; ".join([f"{len(LOST)} ways to lose an answer", *bad[:3]]))


def _tried(folder: Path, way: str, server: Wire, bad: list[str]) -> int:
    with connected(folder, server.url) as systems:
        ways = [
            (client, verb, call) for client, some in writes(systems, server.url).items() for verb, call in some.items()
        ]
        for client, verb, call in ways:
            systems.cluster.list("Node")
            before = server.sent(verb)
            said, wanted = raised(call), OutcomeUnknown if client == "cluster" else Unavailable
            ended_well = verb == "DELETE" and way == "nonsense" and said is None  # its answer carries nothing
            if server.sent(verb) - before != 1 or not (isinstance(said, wanted) or ended_well):
                bad.append(f"{client} {verb}, {way}: {server.sent(verb) - before} requests, {said!r}")
        return len(ways)


ROWS = [
    Row("T17", "a write's answer is lost: each verb, each client", "exactly one request", 320, exactly_once, least=8),
]  # fmt: skip
