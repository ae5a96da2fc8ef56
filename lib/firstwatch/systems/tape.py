"""
A recording: what every system answered during one run, on the wire, and its replay beneath the real clients.

The first line of a tape is its header: the runbook, the settings, the mode, who approved. Each other line is one
exchange. Replaying, an HTTP proxy on loopback answers from the tape; the real clients are pointed at it, so that all
of their code runs. The n-th asking of a question gets its n-th answer, and the last one again after that. A question
that is not on the tape is answered 599, which every wrapper turns into Unavailable: *not in the recording*.

The recording also drives the clock: "now" is the time of the latest exchange that was served. So a replay needs no
real time, and shows the same byte for byte.

Secrets are redacted before an exchange is written. Of `managedFields` only who wrote and when is kept, to keep a tape
small enough to review.
"""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from firstwatch.clock import Clock
from firstwatch.errors import BadParameter
from firstwatch.model import Json, parse_time, plain, timestamp
from firstwatch.systems.broken import Broken

NOT_RECORDED = 599  # no system answers this, so it cannot be mistaken for one
TAPE = "tape.jsonl"
_VOLATILE = {"time", "start", "end", "timeout"}  # Prometheus' "now", which differs at each asking
_KEY = re.compile(r"\d{4}-\d\d-\d\d-\d{6}\.[0-9a-f]{16}")  # the mark of a change, which names its plan
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer. `url` is absolute; `body` of either is JSON where it is JSON, else text."""

    method: str
    url: str
    sent: Json
    status: int
    content_type: str
    body: Json
    at: str

    @property
    def question(self) -> str:
        return question(self.method, self.url, self.sent)


def question(method: str, url: str, sent: Json) -> str:
    """Return what makes two requests the same: method, host, path, query and body, without times."""
    parts = urlsplit(url)
    asked = sorted((key, value) for key, value in parse_qsl(parts.query, True) if key not in _VOLATILE)
    body = _KEY.sub("KEY", _TIME.sub("TIME", json.dumps(sent, sort_keys=True))) if sent is not None else ""
    return f"{method} {parts.netloc}{parts.path}?{urlencode(asked)} {body}"


@dataclass(slots=True)
class Recorder:
    """Collects the exchanges of a run and writes them as a tape when the run ends."""

    clock: Clock
    exchanges: list[Exchange] = field(default_factory=list)

    def add(self, method: str, url: str, sent: Json, status: int, content_type: str, body: bytes) -> None:
        at = timestamp(self.clock.now())
        answer = _trimmed(_decoded(body)) if "json" in content_type else body.decode("utf-8", "surrogateescape")
        self.exchanges.append(Exchange(method, url, sent, status, content_type, answer, at))

    def save(self, folder: Path, header: Mapping[str, Json]) -> Path:
        """Write the tape into *folder*, redacted, and return its path."""
        from firstwatch.record.redact import redacted

        folder.mkdir(parents=True, exist_ok=True)
        lines = [dict(header), *(plain(each) for each in self.exchanges)]
        path = folder / TAPE
        path.write_text("".join(json.dumps(redacted(line), sort_keys=True) + "\n" for line in lines), "utf-8")
        return path


def _decoded(body: bytes) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "surrogateescape")


def _trimmed(body: Json) -> Json:
    for each in [body, *body.get("items", ())] if isinstance(body, dict) else ():
        if isinstance(each, dict) and isinstance(each.get("metadata"), dict):
            _shorten(each["metadata"])
    return body


def _shorten(metadata: Json) -> None:
    entries = metadata.get("managedFields")
    if isinstance(entries, list):
        told = ("manager", "operation", "subresource", "time")
        metadata["managedFields"] = [{key: each[key] for key in told if key in each} for each in entries]


@dataclass(frozen=True, slots=True)
class Tape:
    """A recording as read from disk."""

    header: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the tape in *folder*; BadParameter when there is none that can be read."""
        try:
            header, *rest = (json.loads(line) for line in (folder / TAPE).read_text("utf-8").splitlines())
            return cls(header, tuple(Exchange(**each) for each in rest))
        except (OSError, ValueError, TypeError) as error:
            raise BadParameter(f"no recording that can be read in {folder}: {error}") from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a sweep asks everything at once; whom five places turn away tries again a second later


class Replay:
    """
    A proxy on loopback that answers from a tape, and the clock that it drives; one system may be *broken*.

    Use as a context manager, or call `close`.
    """

    def __init__(self, tape: Tape, broken: Broken | None = None) -> None:
        self.tape = tape
        self.broken = broken
        self._answers = _by_question(tape.exchanges)
        self._now = parse_time(tape.header["at"])
        self._ticks = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="replay").start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, url: str, sent: Json) -> Exchange | None:
        """
        Return the next recorded answer to this question, or None when it was never asked.

        Raises:
            ConnectionRefusedError: Its system is broken, and refuses.
            TimeoutError: Its system is broken, and never answers.
        """
        with self._lock:
            taken = self._taken(question(method, url, sent))
        if self.broken and self.broken.asked(method, url) == self.broken.system:
            return self.broken.answer(taken or Exchange(method, url, sent, 200, "application/json", {}, ""))
        return taken

    def _taken(self, asked: str) -> Exchange | None:
        left = self._answers.get(asked)
        if not left:
            return None
        taken = left.pop(0) if len(left) > 1 else left[0]
        self._now = max(self._now, parse_time(taken.at))
        return taken

    def hang(self) -> None:
        """Return when this replay ends, and not before."""
        self._ended.wait()

    def now(self) -> datetime:
        return self._now

    def monotonic_ns(self) -> int:
        return int((self._now - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000

    def sleep(self, seconds: float) -> None:
        """Return at once, that much later: what was recorded came later still, and where a tape ends, waiting does."""
        with self._lock:
            self._now += timedelta(seconds=seconds)


def _by_question(exchanges: Iterable[Exchange]) -> dict[str, list[Exchange]]:
    answers: dict[str, list[Exchange]] = defaultdict(list)
    for each in exchanges:
        answers[each.question].append(each)
    return answers


def _handler(replay: Replay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = _decoded(self.rfile.read(length)) if length else None
            try:
                self._tell(replay.answer(self.command, self.path, sent))
            except OSError as error:  # broken on purpose; or whoever asked is gone
                self.close_connection = True
                if isinstance(error, TimeoutError):
                    replay.hang()

        def _tell(self, found: Exchange | None) -> None:
            status, kind, body = (found.status, found.content_type, found.body) if found else _absent(self.path)
            data = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else json.dumps(body).encode()
            self.send_response_only(status)  # without a date: today's is not the recording's
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815  # the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing: standard error is the notebook's."""

    return Handler


def _absent(url: str) -> tuple[int, str, str]:
    return NOT_RECORDED, "text/plain", f"not in the recording: {urlsplit(url).path}"
