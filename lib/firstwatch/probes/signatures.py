"""
Log lines, grouped: what the lines that tell of an error have in common, and what mechanism their words say.

A signature is a line without what differs each time: times, numbers, ids. Of a traceback it is the last line, the one
that names the exception. Words are matched that programs and libraries really write, most telling first.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from firstwatch.systems.logs import Line

LONGEST = 200
READ = 2000  # of a line: what happened often comes last in it, behind the names of those that passed it on

_LEVEL = re.compile(
    r"\b(ERROR|CRITICAL|FATAL|PANIC|SEVERE)\b|^E\d{4} |\"level\": ?\"(error|fatal)\"|^(fatal|panic|error):"
)
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*\.)?[A-Z]\w*(Error|Exception|Timeout|Refused|Interrupt|Exit|Fault)\b(:|$)")
_TRACEBACK = "Traceback (most recent call last):"
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b"), "ID"),
    (re.compile(r"\b(0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"), "ID"),
    (re.compile(r"(?<![\w.])\d+(\.\d+)*(?![\w.])"), "N"),
)  # fmt: skip

MEANINGS: tuple[tuple[str, str], ...] = (
    (r"too many clients|remaining connection slots|too many connections", "connections-exhausted"),
    (
        r"password authentication failed|authentication failed|[Ii]nvalid (api|API)[ _-]?key|\b401\b.*[Uu]nauthorized",
        "credentials-refused",
    ),
    (r"read-only transaction|cannot execute \w+ in a read", "database-read-only"),
    (
        r"database system is (starting|shutting|not)|terminating connection due to admin|port 5432|:5432",
        "database-down",
    ),
    (r"deadlock detected", "deadlocks"),
    (r"(relation|column|table) \S+ does not exist|no such (table|column)|Undefined(Table|Column)", "schema-mismatch"),
    (r"lock timeout|LockNotAvailable|could not obtain lock", "lock-wait"),
    (r"QueuePool limit|[Pp]ool ?[Tt]imeout|couldn't get a connection|pool (is )?exhausted", "pool-exhausted"),
    (r"statement timeout|canceling statement", "slow-query"),
    (r"KeyError: '[A-Z][A-Z0-9_]{2,}'|environment variable\W.*(not set|required|missing)", "setting-missing"),
    (r"ENOSPC|No space left on device|could not extend file", "disk-full"),
    (r"EMFILE|Too many open files", "file-descriptors-exhausted"),
    (r"[Nn]ame or service not known|name resolution|getaddrinfo|no such host|not known", "name-not-resolved"),
    (r"certificate has expired|certificate expired", "certificate-expired"),
    (r"not yet valid|used before issued|clock skew", "clock-skew"),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|self.signed certificate", "certificate-untrusted"),
    (
        r"ECONNREFUSED|[Cc]onnection ?refused|[Cc]onnect call failed|ConnectError|ECONNRESET|annot connect to .*reset",
        "dependency-down",
    ),
    (r"ETIMEDOUT|[Tt]imed ?out|TimeoutError|ReadTimeout|deadline exceeded", "dependency-slow"),
)
_MEANINGS = tuple((re.compile(words), mechanism) for words, mechanism in MEANINGS)
_HOST = re.compile(r"(?:https?://|host[='\" ]{1,3}|\(')([a-zA-Z0-9.-]+)(?:', |:| port )(\d{2,5})")


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one signature: how many, in how many pods, first and last, and one of them as it was."""

    signature: str
    mechanism: str
    count: int
    pods: int
    first: datetime
    last: datetime
    sample: str

    @property
    def host(self) -> str:
        """Return the host that the line names, if it does."""
        found = _HOST.search(self.sample)
        return found[1] if found else ""


def groups(lines: Iterable[Line]) -> tuple[Group, ...]:
    """Return what goes wrong in *lines*, those first whose words say a mechanism, then the most frequent."""
    seen: dict[str, list[Line]] = {}
    for each in problems(list(lines)):
        seen.setdefault(signature(each.text), []).append(each)
    found = [_group(text, members) for text, members in seen.items()]
    return tuple(sorted(found, key=lambda each: (not each.mechanism, -each.count, each.signature)))


def _group(text: str, members: list[Line]) -> Group:
    times = [each.at for each in members]
    pods = len({each.pod for each in members})
    first = min(members, key=lambda each: each.at).text
    return Group(text, meaning(first[:READ]), len(members), pods, min(times), max(times), first[:LONGEST])


def problems(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines that tell of an error, one a traceback; *lines* of one container are in a row and in order."""
    told: Line | None = None  # an error whose traceback may follow
    inside = False
    for line in lines:
        if line.text.startswith(_TRACEBACK):
            told, inside = None, True
        elif inside:
            inside = line.text.startswith((" ", "\t")) or not line.text
            if not inside:
                yield line
        else:
            yield from (told,) if told else ()
            told = line if _LEVEL.search(line.text) or _EXCEPTION.match(line.text) else None
    yield from (told,) if told else ()


def signature(text: str) -> str:
    """Return *text* without what differs each time."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text[:LONGEST]


def meaning(text: str) -> str:
    """Return the mechanism that the words of *text* say; empty when they say none."""
    return next((mechanism for words, mechanism in _MEANINGS if words.search(text)), "")
