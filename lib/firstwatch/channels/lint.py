"""
What must not leave: a look at a text before it is sent. Pure: a text goes in, complaints come out.

Every text: no placeholder left, times in UTC, the next update said. A text for customers besides: no host names,
addresses, stack traces, internal addresses of pages, blame or ticket numbers. It finds shapes, not meanings: a person's
name or a code word passes, which is why a person reads each text for customers too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from firstwatch.channels.texts import CUSTOMERS, Fields, literal
from firstwatch.model import Severity

LEVELS = {Severity.SEV1: "critical", Severity.SEV2: "major", Severity.SEV3: "minor", Severity.SEV4: "none"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that should not be in a text: the rule's name, what it found, what to do."""

    rule: str
    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.found!r}; {self.advice}"


@dataclass(frozen=True, slots=True)
class House:
    """What is public and what is not: host names that customers may read, and names of our own that they may not."""

    public: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()


_PLACEHOLDER = re.compile(
    r"\$\{?[a-z_]+\}?|\[[^\]\n]{2,80}\]|\{\{[^{}\n]*\}\}|\{[A-Za-z]\w*\}|\bYYYY\b|\bHH:MM\b|\b(?:TBD|TODO|FIXME|XXX+)\b|\?\?\?"
    r"|<(?:insert|your|name|service|customer)[^>\n]*>"
)
_TIME = re.compile(
    r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?P<after>[^,;\n]{0,12})|\b(?:1[0-2]|0?\d)\s?[ap]\.?m\b\.?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"^\s*(?:to|until|and|[-–])\s*(?:\d{4}-\d\d-\d\d )?\d{1,2}:\d\d", re.IGNORECASE)
_UTC = re.compile(r"^\s*(?:UTC\b|Z\b|GMT\b)")
_NEXT = {
    "declaration": re.compile(r"^Next update in \d+ minutes\.$", re.MULTILINE),
    "update": re.compile(r"^Next update: \d\d:\d\d UTC$", re.MULTILINE),
    "customer-notice": re.compile(r"\bupdates?\b", re.IGNORECASE),
}

_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)\]]+|\barn:aws[\w-]*:\S+", re.IGNORECASE)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_FOUR = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?::\d+)?(?![\d.]*\d)")
_SIX = re.compile(
    r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,7}(?![\w:])|(?<![\w:])::1\b|\bfe80::\S+", re.IGNORECASE
)
_PORT = re.compile(r"\b[a-z][\w.-]*:\d{2,5}\b|\bport \d{2,5}\b", re.IGNORECASE)
_DOTTED = re.compile(r"\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,18}\b", re.IGNORECASE)
_MACHINE = re.compile(
    r"\b(?:ip-\d+(?:-\d+){3}|i-[0-9a-f]{8,17}|localhost"
    r"|[a-z]+(?:-[a-z0-9]+)*-[a-f0-9]{8,10}-[a-z0-9]{5}|[a-z]+(?:-[a-z0-9]+)+-\d+"
    r"|(?:db|web|app|node|host|srv|cache|redis|pg|k8s|kube|prod|worker|lb)-?\d{1,4}[a-z]?)\b",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?<![\w/:.])/(?:var|etc|usr|opt|home|srv|tmp|proc|mnt|root|data)/\S+|\b[A-Z]:\\\S+")
_TRACE = re.compile(
    r"Traceback \(most recent|^\s*File \".+\", line \d+|^\s*at [\w.$<>]+\(.*\)|\b[\w.]*[a-z](?:Error|Exception)\b"
    r"|\bpanic:|\bgoroutine \d+|\bcore dumped\b|\bsegmentation fault\b|\bsegfault|\bSIG(?:SEGV|KILL|TERM|ABRT)\b"
    r"|\b0x[0-9a-f]{4,}\b|\bSQLSTATE\b|\bOOMKilled\b|\bCrashLoopBackOff\b|\bImagePullBackOff\b|\berrno\b|\bE[A-Z]{5,}\b(?=:)"
    r"|\bat line \d+|\w+\.(?:py|go|java|js|ts|rb|rs|c|cpp):\d+|\b(?:null ?pointer|stack ?trace|stack overflow)\b"
    r"|\bexit(?:ed)? (?:code|status|with) \d+",
    re.IGNORECASE | re.MULTILINE,
)
_BLAME = re.compile(
    r"\bblame|\bfault of\b|['’]s (?:fault|mistake|error)\b|\b(?:human|operator|user|engineer) error\b|\bcareless"
    r"|\bnegligen|\bincompeten|\bsloppy|\bforgot\b|\bmistaken?ly\b|\bby mistake\b|\bmessed up\b|\bscrewed up\b"
    r"|\bshould(?:n['’]t| not)? have\b"
    r"|\b(?:engineer|developer|operator|admin|contractor|intern|colleague|employee|vendor|team|someone|somebody)s? "
    r"(?:\w+ )?(?:broke|caused|failed to|deleted|misconfigured|pushed|ran the wrong|neglected|ignored|overlooked)\b",
    re.IGNORECASE,
)
_TICKET = re.compile(
    r"\b(?!(?:UTF|SHA|ISO|AES|RSA|HTTP|TLS|SSL|MD|IPV|RFC|COVID|OAUTH|WPA|EC|CVE)-)[A-Z][A-Z0-9]{1,9}-\d+\b|\bCVE-\d{4}-\d+"
    r"|(?<![\w&])#\d+\b|\b(?i:ticket|issue|case|PR|pull request|incident|bug)(?: (?:no\.?|number|id))?[ :#]+\d{2,}"
    r"|\bINC\d{4,}|\bCHG\d{4,}|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b|\b\d{4}-\d\d-\d\d-\d{6}\b"
)

_CUSTOMER_RULES: tuple[tuple[str, Sequence[re.Pattern[str]], str], ...] = (
    ("stack trace", (_TRACE,), "say what customers feel instead"),
    ("address", (_FOUR, _SIX, _PORT), "leave it out"),
    ("host name", (_MACHINE, _DOTTED, _PATH), "say which part of the service it is"),
    ("blame", (_BLAME,), "say what happened, not who did it"),
    ("ticket number", (_TICKET,), "leave it out"),
)


def check(name: str, text: str, house: House | None = None) -> tuple[Complaint, ...]:
    """
    Return what is wrong with *text*, made from the template *name*; nothing when all is well.

    Args:
        name: The template: it decides whether customers read it, and whether it must say when the next update is.
        text: As it would be sent.
        house: Which host names are public, and which names are internal.
    """
    short = _LONG.sub(r"\1 ", text)
    found = [*_unfilled(short), *_times(short), *_next(name, short)]
    return tuple(found + (list(_customers(short, house or House())) if name in CUSTOMERS else []))


_LONG = re.compile(r"(\S{200})")  # no word is that long; a pattern that looks far ahead takes its square


def _unfilled(text: str) -> Iterator[Complaint]:
    for each in _PLACEHOLDER.finditer(text):
        yield Complaint("field", each[0], "fill it")


def _times(text: str) -> Iterator[Complaint]:
    for each in _TIME.finditer(text):
        after = text[each.start("after") :] if each["after"] is not None else ""
        if each["after"] is None or not (_UTC.match(after) or _RANGE.match(after)):
            yield Complaint("time", each[0].strip(), "say it in UTC, as 02:03 UTC")


def _next(name: str, text: str) -> Iterator[Complaint]:
    if name in _NEXT and not _NEXT[name].search(text):
        yield Complaint("next update", "", "say when people hear again")


def _customers(text: str, house: House) -> Iterator[Complaint]:
    yield from _links(text, house)
    rest = _MAIL.sub(" ", _SCHEME.sub(" ", text))
    for name in house.internal:
        if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", rest, re.IGNORECASE):
            yield Complaint("host name", name, "say which part of the service it is")
    for rule, patterns, advice in _CUSTOMER_RULES:
        words = dict.fromkeys(each[0].strip() for pattern in patterns for each in pattern.finditer(rest))
        yield from (Complaint(rule, word, advice) for word in words if word.lower() not in house.public)


def _links(text: str, house: House) -> Iterator[Complaint]:
    """Complain of addresses of pages, and of people, that are not public."""
    for each in _SCHEME.finditer(text):
        host = re.sub(r"^.*?://|[/?#:].*$", "", each[0]).lower()
        if not (each[0].startswith("https://") and host in house.public):
            yield Complaint("internal address", each[0], "link the status page only")
    for each in _MAIL.finditer(_SCHEME.sub(" ", text)):
        if each[0].lower().rpartition("@")[2] not in house.public:
            yield Complaint("address", each[0], "leave it out")


def impacts(severity: Severity, said: Mapping[str, Fields]) -> tuple[Complaint, ...]:
    """
    Return where chat, status page and e-mail do not say the same impact.

    Args:
        severity: Decides the level on the status page: critical, major, minor or none.
        said: The fields that each template was filled with, by the template's name.
    """
    told = {name: literal(str(said[name]["impact"])).rstrip(".").casefold() for name in _SENTENCES if name in said}
    wrong = [name for name in told if told[name] != next(iter(told.values()))]
    level = LEVELS[severity]
    pages = [name for name in ("investigating", "identified") if name in said and said[name]["impact"] != level]
    return (
        *(Complaint("impact", f"{name}: {said[name]['impact']}", "say the same as the declaration") for name in wrong),
        *(Complaint("impact", f"{name}: {said[name]['impact']}", f"{severity} is {level}") for name in pages),
    )


_SENTENCES = ("declaration", "update", "customer-notice")
