"""
Plain HTTP: health checks, and the transport beneath Prometheus.

Reads only. Redirects are not followed, the environment's proxies and netrc are not used: an answer from elsewhere is
not an answer of the system that was asked.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firstwatch.errors import BadParameter, Unavailable
from firstwatch.systems.deadline import bounded
from firstwatch.systems.tape import NOT_RECORDED, Recorder

if TYPE_CHECKING:
    import httpx2

DEADLINE_S = 10.0
MOST_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(slots=True)
class Http:
    """One pool of connections. With *proxy* every request goes to a replay."""

    recorder: Recorder | None = None
    proxy: str = ""
    _client: Any = field(default=None, repr=False)

    def get(self, url: str, query: dict[str, str] | None = None, *, deadline_s: float = DEADLINE_S) -> Answer:
        """
        Return what *url* answers, whatever its status.

        Raises:
            BadParameter: *url* is not http or https.
            Unavailable: No whole answer within *deadline_s*, or one of more than 8 MB.
        """
        if not url.startswith(("http://", "https://")):
            raise BadParameter(f"{url!r} is not a web address: it must begin with http:// or https://")
        answer = bounded(deadline_s, f"GET {url}", lambda: self._get(url, query or {}, deadline_s))
        if answer.status == NOT_RECORDED:
            raise Unavailable(f"GET {url}: not in the recording")
        return answer

    def _get(self, url: str, query: dict[str, str], deadline_s: float) -> Answer:
        import httpx2

        # A replay's proxy cannot see into https, and needs not: it never leaves this machine.
        sent_to = url.replace("https://", "http://", 1) if self.proxy else url
        try:
            with self._open().stream("GET", sent_to, params=query, timeout=deadline_s) as response:
                answer = Answer(response.status_code, _capped(response, url))
        except httpx2.HTTPError as error:
            raise Unavailable(
                f"GET {url}: {error or type(error).__name__}; is it running, and is this its address?"
            ) from error
        if self.recorder:
            kind = response.headers.get("content-type", "")
            self.recorder.add("GET", str(response.request.url), None, answer.status, kind, answer.body)
        return answer

    def _open(self) -> "httpx2.Client":
        import httpx2

        if self._client is None:
            self._client = httpx2.Client(trust_env=False, follow_redirects=False, proxy=self.proxy or None)
        client: httpx2.Client = self._client
        return client


def _capped(response: "httpx2.Response", url: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unavailable(f"GET {url}: the answer is larger than {MOST_BYTES:,} bytes; it was not read on")
    return bytes(body)
