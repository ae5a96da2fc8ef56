"""
An address outside, looked at once: what it answers, how fast, why not, and until when its certificate is valid.

What keeps it from answering is an answer here, not an error: whether it can be reached is the very question. Time is
measured where it is asked, so that a replay shows the time of the recording.
"""

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from firstwatch.errors import Unavailable
from firstwatch.model import parse_time, timestamp
from firstwatch.systems.deck import Deck, Told
from firstwatch.systems.http import Http
from firstwatch.systems.retry import Budget

DEADLINE_S = 6.0
CONNECT_S = 3.0
# What the reason of a failure says of its mechanism.
FAILURES: Mapping[str, str] = {
    "cannot be resolved": "name-not-resolved",
    "certificate has expired": "certificate-expired",
    "certificate is not trusted": "certificate-untrusted",
    "no answer in time": "dependency-slow",
    "no answer within": "dependency-slow",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`status` is 0 when nothing answered; then `failure` says why, and `mechanism` in a word."""

    status: int
    seconds: float
    failure: str = ""
    ends: datetime | None = None

    @property
    def mechanism(self) -> str:
        found = (word for said, word in FAILURES.items() if said in self.failure)
        return next(found, "dependency-down") if self.failure else ""


def look(deck: Deck, http: Http, url: str, ca: str = "") -> Endpoint:
    """
    Return what *url* answers from here, within six seconds; no redirect is followed, and no credential sent.

    *ca* is a file of the authorities that are trusted in place of the public ones; empty for those.

    Raises:
        Unavailable: *ca* cannot be read, so that nobody can tell.
    """
    status, body = deck.asked("LOOK", url, None, DEADLINE_S + CONNECT_S + 1, lambda: _looked(http, url, _trust(ca)))
    ends = parse_time(body["ends"]) if body.get("ends") else None
    return Endpoint(status, body["seconds"], body.get("failure", ""), ends)


def _trust(ca: str) -> ssl.SSLContext | None:
    try:
        return ssl.create_default_context(cafile=ca) if ca else None
    except OSError as error:
        raise Unavailable(f"cannot read the authorities in {ca}: {error.strerror or error}") from error


def _looked(http: Http, url: str, trust: ssl.SSLContext | None) -> Told:
    # A connection of its own, so that reaching it is measured too.
    own = replace(http, recorder=None, trust=trust, _client=None)
    began = time.monotonic()
    body: dict[str, object] = {}
    try:
        status = own.get(url, budget=Budget(DEADLINE_S, ())).status
    except Unavailable as error:
        status, body["failure"] = 0, str(error)
    finally:
        own.close()
    body["seconds"] = round(time.monotonic() - began, 3)
    end = expiry(url, trust) if status else None
    return status, body | ({"ends": timestamp(end)} if end else {})


def expiry(url: str, trust: ssl.SSLContext | None = None) -> datetime | None:
    """Return when the certificate at *url* ends; None when it is not https, or does not say."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    context = trust or ssl.create_default_context()
    with contextlib.suppress(OSError):
        connection = socket.create_connection((parts.hostname, parts.port or 443), timeout=CONNECT_S)
        with connection, context.wrap_socket(connection, server_hostname=parts.hostname) as secure:
            told = secure.getpeercert() or {}
            return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)
    return None
