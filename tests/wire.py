"""A server on loopback that misbehaves as it is told, below HTTP: it drops, hangs, drips, or says anything at all."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress

Behave = Callable[[socket.socket, bytes], None]


class Wire:
    """A server on loopback that keeps each request it was sent, and then does what the test says."""

    def __init__(self, behave: Behave, secured: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._behave, self._secured = behave, secured
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if secured else 'http'}://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError):  # whoever asked has gone
            self._serve_one(self._secured.wrap_socket(connection, server_side=True) if self._secured else connection)

    def _serve_one(self, connection: socket.socket) -> None:
        with connection:
            while request := _request(connection):
                self.requests.append(request)
                self._behave(connection, request)

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # the thread that accepts holds it open otherwise
        self._server.close()

    def sent(self, verb: str) -> int:
        return sum(each.startswith(verb.encode()) for each in self.requests)


def _request(connection: socket.socket) -> bytes:
    """Return one whole request, or what came when it is no HTTP or its sender is gone: an answer to a half is early."""
    head = connection.recv(65536)
    while head[:1].isalpha() and b"\r\n\r\n" not in head and (more := connection.recv(65536)):
        head += more
    if b"\r\n\r\n" not in head:
        return head
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)\r\n", head)
    end = head.find(b"\r\n\r\n") + 4 + int(length[1] if length else 0)
    while len(head) < end and (more := connection.recv(65536)):
        head += more
    return head


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def saying(status: str, body: bytes, *headers: str) -> Behave:
    return lambda connection, _: connection.sendall(answer(status, body, *headers))


def dropping(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def silent(connection: socket.socket, _: bytes) -> None:
    time.sleep(10)


def dripping(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(50):
        connection.sendall(b" ")
        time.sleep(0.2)
