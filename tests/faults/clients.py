"""Systems that do not answer as they should: what is asked again, what is sent once, and that every call ends."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import fakes
from wire import Behave, Wire, answer, dripping, saying, silent

from faults.programme import Figure, Row, Trial
from firstwatch import settings
from firstwatch.errors import FirstwatchError, Refused, Unavailable
from firstwatch.systems import Systems, connect
from firstwatch.systems.retry import Budget

PATIENT = Budget(deadline_s=5, pauses_s=(0.005, 0.01))  # where it is not about time
NODES = json.dumps({"items": [fakes.node()]}).encode()
OPERATIONS = [{"op": "test", "path": "/metadata/uid", "value": "d-1"}]
Call = Callable[[], object]


@contextmanager
def connected(folder: Path, url: str, budget: Budget = PATIENT) -> Iterator[Systems]:
    with connect(settings.load(fakes.configuration(folder, url)), budget=budget) as systems:
        yield systems


@contextmanager
def wired(behave: Behave, secured: ssl.SSLContext | None = None) -> Iterator[Wire]:
    made = Wire(behave, secured)
    try:
        yield made
    finally:
        made.close()


def reads(systems: Systems) -> dict[str, Call]:
    """Return a read through each client, by the words that its error must have."""
    return {
        f"GET /api/v1/nodes of cluster test at {systems.cluster.host}": lambda: systems.cluster.list("Node"),
        f"GET {systems.prometheus.url}/api": lambda: systems.prometheus.instant("up"),
    }


def patch(systems: Systems, *, dry_run: bool = False) -> object:
    return systems.cluster.patch("Deployment", fakes.NAMESPACE, fakes.NAME, OPERATIONS, dry_run=dry_run)


def raised(call: Call) -> FirstwatchError | None:
    """Return what of ours *call* raises, or None; anything else that it raises ends the row."""
    try:
        call()
    except FirstwatchError as error:
        return error
    return None


def unreachable(trial: Trial) -> Figure:
    """Ask what refuses, has no name, does not speak TLS, or is signed by a stranger."""
    bad: list[str] = []
    with ExitStack() as stack:
        ways = _unreachable(trial.folder, stack)
        for number in range(trial.count):
            (way, (url, words)) = list(ways.items())[number % len(ways)]
            with connected(trial.folder, url) as systems:
                for asked, call in reads(systems).items():
                    said = raised(call)
                    if type(said) is not Unavailable:
                        bad.append(f"{way}: {said!r}")
                    elif asked not in str(said) or words not in str(said):
                        bad.append(f"{way}: {said}")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _unreachable(folder: Path, stack: ExitStack) -> dict[str, tuple[str, str]]:
    """Return the addresses that cannot be reached, each with words that say why."""
    plain = stack.enter_context(wired(saying("200 OK", NODES))).url
    strange = stack.enter_context(wired(saying("200 OK", NODES), _stranger(folder))).url
    with wired(silent) as gone:
        dead = gone.url
    return {
        "refused": (dead, "the connection was refused"),
        "no such name": ("http://no-such-host.invalid:6443", "its name cannot be resolved"),
        "no TLS": (plain.replace("http://", "https://"), "does it speak TLS there?"),
        "wrong authority": (strange, "its certificate is not trusted"),
    }


def _stranger(folder: Path) -> ssl.SSLContext:
    from gameday.certificates import Authority

    Authority.create("nobody", datetime.now(UTC)).server("wire", ["127.0.0.1"]).write(folder, "wire")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "wire.crt", folder / "wire.key")
    return context


def _ends(trial: Trial, behave: Behave) -> Figure:
    """Ask what *behave* answers, with deadlines of less than a second; each call ends, and says so."""
    bad, over = [], [0.0]
    with wired(behave) as server:
        with connected(trial.folder, server.url):
            pass  # the client is imported, which may take as long as these deadlines
        for number in range(trial.count):
            budget = Budget(trial.random.uniform(0.4, 0.8))
            with connected(trial.folder, server.url, budget) as systems:
                calls = reads(systems) | {"PATCH": lambda systems=systems: patch(systems)}
                for asked, call in calls.items():
                    began = time.monotonic()
                    said = raised(call)
                    over.append(time.monotonic() - began - budget.deadline_s)
                    if said is None or asked not in str(said) or over[-1] > 1:
                        bad.append(f"{asked}: {said}, {over[-1]:.2f} s over")
            trial.tell(number + 1)
        writes = server.sent("PATCH")
    bad += [] if writes == trial.count else [f"{writes} writes for {trial.count}"]
    p99 = sorted(over)[int(len(over) * 0.99)]
    return Figure(trial.count, len(bad), "; ".join([*bad[:3], f"p99 {p99 * 1000:.0f} ms over the deadline"]))


def black_hole(trial: Trial) -> Figure:
    return _ends(trial, silent)


def drip(trial: Trial) -> Figure:
    return _ends(trial, dripping)


def server_errors(trial: Trial) -> Figure:
    """Answer 500, 502, 503 or 504 so many times and then well: a read comes through if it may, a write is sent once."""
    bad: list[str] = []
    for number in range(trial.count):
        status, failing = trial.random.choice(["500 A", "502 B", "503 C", "504 D"]), number % 5
        with wired(_after(failing, answer(status, b"{}"), answer("200 OK", NODES))) as server:
            with connected(trial.folder, server.url) as systems:
                said = raised(lambda: systems.cluster.list("Node"))
                tries = server.sent("GET")
                for dry_run in (True, False):
                    raised(partial(patch, systems, dry_run=dry_run))
            if (said is None, tries, server.sent("PATCH")) != (failing < 3, min(failing + 1, 3), 2):
                bad.append(f"{failing} times {status}: {said}, {tries} reads, {server.sent('PATCH')} writes")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _after(failing: int, first: bytes, then: bytes) -> Behave:
    left = [first] * failing
    return lambda connection, _: connection.sendall(left.pop() if left else then)


def too_many(trial: Trial) -> Figure:
    """Answer 429 with every kind of Retry-After: no longer than the deadline, and it says what was asked."""
    bad: list[str] = []
    for number in range(trial.count):
        asked, tries, words = list(_waits().values())[number % len(_waits())]
        with (
            wired(saying("429 Too Many Requests", b"{}", *asked)) as server,
            connected(trial.folder, server.url) as to,
        ):
            began = time.monotonic()
            said = raised(lambda: to.cluster.list("Node"))
            took, reads_sent = time.monotonic() - began, server.sent("GET")
            refused = raised(lambda: patch(to))
            once = server.sent("PATCH") == 1 and isinstance(refused, Refused)
        if took > PATIENT.deadline_s + 1 or reads_sent != tries or words not in str(said) or not once:
            bad.append(f"{asked}: {said}, {reads_sent} reads in {took:.2f} s")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _waits() -> dict[str, tuple[tuple[str, ...], int, str]]:
    """Return the headers of each kind, how many tries they leave, and what must be said."""
    now = datetime.now(UTC)
    ahead, ago = (f"{now + timedelta(seconds=each):%a, %d %b %Y %H:%M:%S} GMT" for each in (600, -600))
    return {
        "none": ((), 3, "answered 429"),
        "0": (("Retry-After: 0",), 3, "asked to wait 0 s"),
        "600": (("Retry-After: 600",), 1, "asked to wait 600 s, longer than the 5 s of a call"),
        "a date": ((f"Retry-After: {ahead}", f"Date: {now:%a, %d %b %Y %H:%M:%S} GMT"), 1, "asked to wait 600 s"),
        "a date that has passed": ((f"Retry-After: {ago}",), 3, "asked to wait 0 s"),
        "junk": (("Retry-After: soon \xff",), 3, "answered 429"),
        "no number": (("Retry-After: -5",), 3, "answered 429"),
        "for ever": ((f"Retry-After: {'9' * 400}",), 1, "longer than"),
    }


def expired(trial: Trial) -> Figure:
    """Let the token expire in mid-run: the credentials are read anew once; if they are no better, that is said."""
    bad: list[str] = []
    token = trial.folder / "token"
    for number in range(trial.count):
        renewed = number % 2 == 0
        token.write_text("t-1")
        good = {b"t-1"}
        with wired(_asking_for(good)) as server, _by_token(trial.folder, server.url, token) as systems:
            systems.cluster.list("Node")
            good.clear()
            good.update({b"t-2"})
            token.write_text("t-2" if renewed else "t-1")
            said = raised(lambda: systems.cluster.list("Node"))
            named = said is None or (isinstance(said, Refused) and said.exit_code == 4 and server.url in str(said))
            if (said is None) != renewed or server.sent("GET") != 3 or not named:
                bad.append(f"{'renewed' if renewed else 'not renewed'}: {said}, {server.sent('GET')} requests")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _asking_for(good: set[bytes]) -> Behave:
    def behave(connection: object, request: bytes) -> None:
        known = any(b"Bearer " + each in request for each in good)
        said = answer("200 OK", NODES) if known else answer("401 Unauthorized", b'{"message":"expired"}')
        connection.sendall(said)  # type: ignore[attr-defined]

    return behave


@contextmanager
def _by_token(folder: Path, url: str, token: Path) -> Iterator[Systems]:
    configuration = fakes.configuration(folder, url)
    kubeconfig = json.loads((folder / "kubeconfig").read_text())
    kubeconfig["users"][0]["user"] = {"tokenFile": str(token)}
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
    with connect(settings.load(configuration), budget=PATIENT) as systems:
        yield systems


PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def elsewhere(trial: Trial) -> Figure:
    """Redirect to another host, with proxies in the environment: nobody else is asked, and nobody gets the token."""
    leaks, unsafe = 0, []
    with wired(saying("200 OK", NODES)) as other:
        for number in range(trial.count):
            status = trial.random.choice(["301 A", "302 B", "303 C", "307 D", "308 E"])
            proxies = dict.fromkeys(PROXIES, other.url) | {"no_proxy": "", "NO_PROXY": ""}
            redirect = saying(status, b"", f"Location: {other.url}/api/v1/nodes")
            with (
                mock.patch.dict("os.environ", proxies),
                wired(redirect) as server,
                connected(trial.folder, server.url) as systems,
            ):
                calls = [*reads(systems).values(), lambda systems=systems: patch(systems)]
                unsafe += [status for call in calls if raised(call) is None]
            trial.tell(number + 1)
        leaks = len(other.requests)
    return Figure(trial.count, leaks + len(unsafe), f"{leaks} requests elsewhere" if leaks else "")


ROWS = [
    Row("T14", "refused, no such name, no TLS, another authority", "exit 4 naming host, call and reason", 400,
        unreachable, least=8),
    Row("T15", "a black hole", "ends within the deadline + 1 s; a write sent once", 200, black_hole, least=8),
    Row("T16", "an answer that drips", "ends within the deadline + 1 s; a write sent once", 200, drip, least=8),
    Row("T18", "500, 502, 503, 504", "reads three times at most, writes once", 500, server_errors, least=20),
    Row("T19", "429 with every kind of Retry-After", "within the deadline; says what was asked", 400, too_many,
        least=16),
    Row("T21", "401 in mid-run", "credentials read anew once, then exit 4 naming the host", 200, expired, least=10),
    Row("T24", "redirects and proxies", "nobody else is asked", 200, elsewhere, least=10),
]  # fmt: skip
