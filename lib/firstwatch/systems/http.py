"""
Plain HTTP: health checks, and the transport beneath Prometheus.

Reads only. Redirects are not followed, the environment's proxies and netrc are not used: an answer from elsewhere is
not an answer of the system that was asked. No compression is asked for, so that a small answer cannot unfold into a
large one.
"""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firstwatch.clock import Clock, WallClock
from firstwatch.errors import BadParameter, Unavailable
from firstwatch.systems import retry
from firstwatch.systems.answer import Answer
from firstwatch.systems.deadline import bounded
from firstwatch.systems.reason import lost, reason
from firstwatch.systems.retry import USUAL, Budget, Lost
from firstwatch.systems.tape import NOT_RECORDED, Recorder

if TYPE_CHECKING:
    import ssl

    import httpx2

MOST_BYTES = 8_000_000


@dataclass(slots=True)
class Http:
    """One pool of connections. With *proxy* every request goes to a replay; *trust* replaces public authorities."""

    recorder: Recorder | None = None
    proxy: str = ""
    budget: Budget = USUAL
    clock: Clock = field(default_factory=WallClock)
    trust: "ssl.SSLContext | None" = field(default=None, repr=False)
    _client: Any = field(default=None, repr=False)
    _opening: Any = field(default_factory=threading.Lock, repr=False)

    def get(self, url: str, query: dict[str, str] | None = None, *, budget: Budget | None = None) -> Answer:
        """
        Return what *url* answers, whatever its status.

        Args:
            url: http or https.
            query: What is asked, if anything.
            budget: How often it is asked again, and how long it may take, if that is less than this client allows.

        Raises:
            BadParameter: *url* is not http or https.
            Unavailable: No whole answer in time, or one of more than 8 MB.
        """
        if not url.startswith(("http://", "https://")):
            raise BadParameter(f"{url!r} is not a web address: it must begin with http:// or https://")
        allowed = budget.within(self.budget) if budget else self.budget
        try:
            answer, asked = bounded(allowed.deadline_s, f"GET {url}", lambda: self._read(url, query or {}, allowed))
        except Lost as error:
            raise Unavailable(str(error)) from error  # exit codes go by the public names
        if answer.status == NOT_RECORDED:
            raise Unavailable(f"GET {url}: not in the recording")
        if self.recorder:
            self.recorder.add("GET", asked, None, answer.status, answer.kind, answer.body)
        return answer

    def close(self) -> None:
        """Close the connections that are kept open for the next request."""
        if self._client is not None:
            self._client.close()

    def _read(self, url: str, query: dict[str, str], budget: Budget) -> tuple[Answer, str]:
        """Return the answer, and the address with its query as it was asked."""
        asked = ""

        def once(left_s: float) -> Answer:
            nonlocal asked
            answer, asked = self._once(url, query, left_s)
            return answer

        return retry.reading(once, budget, self.clock), asked

    def _once(self, url: str, query: dict[str, str], left_s: float) -> tuple[Answer, str]:
        import httpx2

        # A replay's proxy cannot see into https, and needs not: it never leaves this machine.
        sent_to = url.replace("https://", "http://", 1) if self.proxy else url
        try:
            with self._open().stream("GET", sent_to, params=query, timeout=left_s) as response:
                answer = Answer(response.status_code, _capped(response, url), dict(response.headers))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            again = lost(error) or isinstance(error, httpx2.RemoteProtocolError)
            raise (Lost if again else Unavailable)(f"GET {url}: {reason(error)}") from error
        return answer, str(response.request.url)

    def _open(self) -> "httpx2.Client":
        import httpx2

        with self._opening:  # many ask at once, and one client is closed in the end
            if self._client is None:
                self._client = httpx2.Client(
                    trust_env=False, follow_redirects=False, proxy=self.proxy or None, verify=self.trust or True,
                    headers={"Accept-Encoding": "identity", "User-Agent": "firstwatch"},
                )  # fmt: skip
            client: httpx2.Client = self._client
        return client


def _capped(response: "httpx2.Response", url: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unavailable(f"GET {url}: the answer is larger than {MOST_BYTES:,} bytes; it was not read on")
    return bytes(body)
