"""
The world's own Kubernetes client: small, asynchronous, raw JSON.

Controllers, kubelet and front door speak to the API through it, and only by Kubernetes' protocol, so that each works
against our API server and against a real one. Every call has a deadline and is sent once; whoever asks decides whether
to ask again. What `informer` adds is a copy of the objects that keeps itself up to date.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self

import aiohttp

from firstwatch.errors import FirstwatchError
from firstwatch.model import Json
from gameday.kinds import Kind
from gameday.kubeconfig import Access

DEADLINE_S = 10.0
WATCH_S = 240
LONGEST_LINE = 4 * 1024 * 1024  # objects are at most some 1.5 MB

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class ApiError(FirstwatchError):
    """The API did not do what was asked. `status` is the HTTP status, or 0 when there was no answer in time."""

    exit_code = 4

    def __init__(self, asked: str, status: int, reason: str, message: str) -> None:
        super().__init__(f"{asked}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Client:
    """A connection to one API server, for the length of an `async with` block."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"User-Agent": "firstwatch-gameday", "Accept": "application/json"}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        # A watch holds its connection, so their number has no limit.
        connector = aiohttp.TCPConnector(limit=0, ssl=self._access.tls or True)
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, read_bufsize=LONGEST_LINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        return await self.request("GET", kind.path(namespace, name))

    async def list(self, kind: Kind, namespace: str = "", **query: str) -> Json:
        """Return a list object: `items`, and the version to watch from in `metadata.resourceVersion`."""
        return await self.request("GET", kind.path(namespace), query=query)

    async def create(self, kind: Kind, body: Json, subresource: str = "") -> Json:
        """Create *body*; with *subresource*, such as `binding`, post it to the object of that name."""
        namespace = body["metadata"].get("namespace", "")
        name = body["metadata"]["name"] if subresource else ""
        return await self.request("POST", kind.path(namespace, name, subresource), body=body)

    async def replace(self, kind: Kind, body: Json, subresource: str = "") -> Json:
        """Write all of *body*; 409 when it carries a resourceVersion that is no longer current."""
        return await self.request("PUT", kind.of(body, subresource), body=body)

    async def patch(self, kind: Kind, item: Json, change: Json, *, form: str = MERGE, subresource: str = "") -> Json:
        """Change *item*, of which only name and namespace are read; *form* is the patch's media type."""
        return await self.request("PATCH", kind.of(item, subresource), body=change, form=form)

    async def delete(self, kind: Kind, item: Json, *, grace_s: int | None = None) -> Json:
        """Delete exactly *item*, and not another that took its name meanwhile (409)."""
        options: dict[str, Json] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        options["preconditions"] = {"uid": item["metadata"]["uid"]}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        return await self.request("DELETE", kind.of(item), body=options)

    async def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Json = None, form: str = ""
    ) -> Json:
        """Send one request and return the JSON of its answer; ApiError when the answer is none or an error."""
        headers = {"Content-Type": form or "application/json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        limit = aiohttp.ClientTimeout(total=DEADLINE_S)
        try:
            async with self._open.request(
                method, self._access.server + path, params=query, data=data, headers=headers, timeout=limit
            ) as response:
                return _json(f"{method} {path}", response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unanswered(f"{method} {path}", error) from error

    async def watch(self, path: str, version: str, query: Mapping[str, str]) -> AsyncIterator[Json]:
        """
        Yield what changes under *path* after *version*, as `{"type": …, "object": …}`, until the API ends the watch.

        Raises:
            ApiError: 410 when the API no longer knows *version*: list again. Any other when it does not answer.
        """
        limit = aiohttp.ClientTimeout(total=WATCH_S + DEADLINE_S, sock_connect=DEADLINE_S)
        params = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
        params |= {"timeoutSeconds": str(WATCH_S), **query}
        try:
            async with self._open.get(self._access.server + path, params=params, timeout=limit) as response:
                if response.status != 200:
                    _json(f"WATCH {path}", response.status, await response.read())
                async for line in response.content:
                    yield _told(path, line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unanswered(f"WATCH {path}", error) from error

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is used outside of its `async with` block")
        return self._session


def _told(path: str, line: bytes) -> Json:
    event = _json(f"WATCH {path}", 200, line)
    if event["type"] == "ERROR":
        _json(f"WATCH {path}", int(event["object"].get("code") or 500), json.dumps(event["object"]).encode())
    return event


def _json(asked: str, status: int, body: bytes) -> Json:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status < 400 and answer is not None:
        return answer
    told = answer if isinstance(answer, dict) else {"message": body[:500].decode(errors="replace")}
    raise ApiError(asked, status, str(told.get("reason", "")), str(told.get("message", "")) or f"HTTP {status}")


def _unanswered(asked: str, error: BaseException) -> ApiError:
    return ApiError(asked, 0, "Unavailable", f"no answer: {type(error).__name__} {error}".strip())


async def patiently(attempt: int) -> None:
    """Wait before asking again, longer each time: 0.1 s doubling to 3 s."""
    await asyncio.sleep(min(0.1 * 2**attempt, 3.0))
