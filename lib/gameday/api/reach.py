"""
How the API server reaches the kubelets: by the address that a node gives, and with the token that they know.

A kubelet's certificate is its own and not verified: it is on loopback. A node elsewhere is refused, for whoever is
there would learn the token.
"""

import aiohttp

from firstwatch.model import Json
from gameday.api.errors import Refusal

LOOPBACK = "127.0.0.1"
TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)


class Reach:
    """Connections to kubelets, opened at the first need."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._opened: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            headers = {"Authorization": f"Bearer {self._token}"}
            # Streams hold their connections, so their number has no limit.
            connector = aiohttp.TCPConnector(limit=0, ssl=False)
            self._opened = aiohttp.ClientSession(connector=connector, headers=headers)
        return self._opened

    async def close(self) -> None:
        if self._opened:
            await self._opened.close()


def url(node: Json) -> str:
    """Return the URL of *node*'s kubelet; 500 when it has none on this machine."""
    status, name = node.get("status") or {}, node["metadata"]["name"]
    addresses = [each["address"] for each in status.get("addresses") or [] if each["type"] == "InternalIP"]
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    if addresses[:1] != [LOOPBACK] or not port:
        raise failure(f'node "{name}" has no kubelet on this machine')
    return f"https://{LOOPBACK}:{port}"


def unanswered(node: str, error: BaseException) -> Refusal:
    return failure(f'the kubelet of node "{node}" does not answer: {type(error).__name__} {error}'.strip())


def failure(message: str) -> Refusal:
    return Refusal(500, "InternalError", message)
