"""
Local ports and addresses for pods.

A pod's address is from 10.244.0.0/16 and exists in its objects only: the API refuses loopback as an endpoint. What it
listens on is a local port, taken from below those that the kernel hands to outgoing connections, so that nobody takes
it between two starts of a container.
"""

import random
import socket
import zlib

FIRST, LAST = 20000, 32000


class Ports:
    """Ports that this kubelet gave away."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._taken: set[int] = set()

    def take(self) -> int:
        """Return a port on loopback that nobody listens on."""
        for _ in range(LAST - FIRST):
            port = self._choose.randrange(FIRST, LAST)
            if port not in self._taken and _free(port):
                self._taken.add(port)
                return port
        raise OSError(f"no free port between {FIRST} and {LAST}")

    def give_back(self, port: int) -> None:
        self._taken.discard(port)


class Addresses:
    """Addresses of one node's pods, one after the other, so that the same one does not come back at once."""

    def __init__(self, node: str) -> None:
        digits = "".join(each for each in node if each.isdigit())[-3:]
        self._subnet = (int(digits) if digits else zlib.crc32(node.encode())) % 256
        self._last = 1

    def take(self) -> str:
        self._last = self._last % 254 + 1
        return f"10.244.{self._subnet}.{self._last}"


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
