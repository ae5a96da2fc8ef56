"""What the service leans on: reachable from here, as expected, in time; and what a provider says of itself."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from wire import Wire, saying

from firstwatch import probes, settings
from firstwatch.errors import Unavailable
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.probes.dependencies import judged, reported
from firstwatch.probes.probe import Probe, ask
from firstwatch.systems import connect
from firstwatch.systems.deck import Deck
from firstwatch.systems.endpoint import Endpoint, expiry
from firstwatch.systems.tape import Recorder, Replay, Tape
from gameday.certificates import Authority

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
Look = Callable[..., Findings]


@pytest.fixture
def look(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Look:
    def asked(probe: Probe, world: fakes.Server, said: str = "") -> Findings:
        path = fakes.configuration(tmp_path, serve(world).url)
        path.write_text(path.read_text() + said.replace("URL", world.url))
        return ask(probe, connect(settings.load(path)), datetime.now(UTC))

    return asked


RATES = '[[dependencies]]\nname = "rates"\nurl = "URL/rates"\nexpected = [200, 401]\nslow_s = 0.5\n'


def answering(status: int, after_s: float = 0) -> fakes.Server:
    world = fakes.healthy()

    def answer(_: fakes.Asked) -> fakes.Answer:
        time.sleep(after_s)
        return status, {}

    world.answers["GET", "/rates"] = answer
    return world


@pytest.mark.parametrize(
    ("world", "mechanism"),
    [(answering(200), ""), (answering(401), ""), (answering(503), "dependency-refuses"),
     (answering(200, 0.7), "dependency-slow"), (answering(0), "dependency-down")],
    ids=["well", "wants a key", "refuses", "slow", "drops"],
)  # fmt: skip
def test_a_dependency_is_judged_by_what_is_expected_of_it(look: Look, world: fakes.Server, mechanism: str) -> None:
    found = look(probes.dependencies, world, RATES)[0]
    assert (found.object, found.mechanism) == ("Dependency//127.0.0.1", mechanism)
    assert found.verdict is (Verdict.BAD if mechanism else Verdict.OK)


def test_a_dependency_that_does_not_listen_is_down_and_one_without_an_address_has_no_name(look: Look) -> None:
    said = RATES.replace("URL/rates", "http://127.0.0.1:1/") + RATES.replace("URL", "http://rates.invalid")
    found = look(probes.dependencies, fakes.healthy(), said)
    assert [each.mechanism for each in found] == ["dependency-down", "name-not-resolved"]


def test_no_dependency_is_not_configured(look: Look) -> None:
    found = look(probes.dependencies, fakes.healthy())[0]
    assert (found.verdict, "not configured: dependencies" in found.observed) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("failure", "mechanism"),
    [
        ("GET x: its certificate is not trusted (certificate has expired); is it", "certificate-expired"),
        ("GET x: its certificate is not trusted (self-signed certificate); is it", "certificate-untrusted"),
        ("GET x: no answer within 6 s", "dependency-slow"),
        ("GET x: the connection was refused", "dependency-down"),
    ],
)
def test_the_reason_of_a_failure_says_its_mechanism(failure: str, mechanism: str) -> None:
    assert Endpoint(0, 1, failure).mechanism == mechanism


@pytest.mark.parametrize(("days", "mechanism"), [(3, "certificate-expires"), (30, "")])
def test_a_certificate_that_ends_soon_is_bad(systems: Callable[[fakes.Server], Any], days: int, mechanism: str) -> None:
    named = settings.Dependency(name="rates", url="https://rates.example/")
    found: Finding = judged(
        probes.dependencies, systems(fakes.healthy()), named, Endpoint(200, 0.1, ends=NOW + timedelta(days=days)), NOW
    )
    assert found.mechanism == mechanism


def certificate(folder: Path, ends: datetime) -> Path:
    """Make a certificate for this machine that ends at *ends*, with its key, in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1)).not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "both.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def test_the_end_of_a_certificate_is_read_from_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    path = certificate(tmp_path, ends)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True) as caller:
                caller.recv(1)

        threading.Thread(target=accept, daemon=True).start()
        assert expiry(f"https://localhost:{listener.getsockname()[1]}/") == ends
    assert expiry("http://localhost/") is None


# Authorities of one's own.


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serve what an authority in `own.crt` signed *ago* for *host*, and return where."""
    with ExitStack() as stack:

        def serve(ago: timedelta = timedelta(0), host: str = "127.0.0.1") -> str:
            authority = Authority.create("own", datetime.now(UTC))
            (tmp_path / "own.crt").write_bytes(authority.certificate)
            replace(authority, now=authority.now - ago).server("rates", [host]).write(tmp_path, "rates")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "rates.crt", tmp_path / "rates.key")
            return stack.enter_context(closing(Wire(saying("200 OK", b"{}"), context))).url

        yield serve


OWN = '[[dependencies]]\nname = "rates"\nurl = "{url}"\nca = "{ca}"\n'


@pytest.mark.parametrize(
    ("made", "ca", "mechanism"),
    [({}, "own.crt", ""), ({}, "", "certificate-untrusted"),
     ({"ago": timedelta(days=31)}, "own.crt", "certificate-expired"),
     ({"host": "rates.internal"}, "own.crt", "certificate-untrusted")],
    ids=["trusted", "signed by a stranger", "ended", "for another name"],
)  # fmt: skip
def test_a_certificate_is_believed_from_the_authorities_that_are_named(
    look: Look, signed: Callable[..., str], made: dict[str, Any], ca: str, mechanism: str
) -> None:
    (found,) = look(probes.dependencies, fakes.healthy(), OWN.format(url=signed(**made), ca=ca))
    assert (found.verdict, found.mechanism) == (Verdict.BAD if mechanism else Verdict.OK, mechanism)


def test_the_command_names_the_authorities_file_beside_the_configuration(
    look: Look, signed: Callable[..., str], tmp_path: Path
) -> None:
    url = signed()
    (found,) = look(probes.dependencies, fakes.healthy(), OWN.format(url=url, ca="own.crt"))
    assert found.command.endswith(f" --cacert {tmp_path / 'own.crt'} {url}")


@pytest.mark.parametrize("text", [None, "no certificate"], ids=["not there", "no certificate in it"])
def test_authorities_that_cannot_be_read_are_unknown_never_bad(look: Look, tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "own.crt").write_text(text)
    (found,) = look(probes.dependencies, fakes.healthy(), OWN.format(url="https://127.0.0.1:1/", ca="own.crt"))
    assert (found.verdict, "cannot read the authorities in" in found.observed) == (Verdict.UNKNOWN, True)


def test_a_door_with_nobody_behind_it_is_down_whatever_is_spoken(look: Look) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            server.accept()[0].close()

        threading.Thread(target=accept, daemon=True).start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        (found,) = look(probes.dependencies, fakes.healthy(), OWN.format(url=url, ca=""))
    assert (found.mechanism, "does it speak TLS" in found.observed) == ("dependency-down", False)


# The provider's feed.

RSS = "<rss><channel><title>Status</title>{}</channel></rss>"


def item(title: str) -> str:
    return f"<item><title>{title}</title></item>"


@pytest.mark.parametrize(
    ("feed", "incident"),
    [
        ('{"status": {"indicator": "none", "description": "All well"}}', ""),
        ('{"status": {"indicator": "major", "description": "API errors"}}', "major: API errors"),
        (RSS.format(""), ""),
        (RSS.format(item("[RESOLVED] Errors") + item("Errors")), ""),
        (RSS.format(item("Increased error rates") + item("[RESOLVED] Old")), "Increased error rates"),
    ],
    ids=["well", "incident", "no entry", "resolved", "open"],
)
def test_a_feed_tells_of_an_open_incident(feed: str, incident: str) -> None:
    assert reported(feed) == incident


@pytest.mark.parametrize("feed", ["<html><body>All good</body></html>", "fine", "{}", "null", '{"status": 1}', "[]"])
def test_a_page_that_answers_is_no_feed(feed: str) -> None:
    with pytest.raises(Unavailable):
        reported(feed)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [(200, {"status": {"indicator": "none"}}, "OK"), (503, {}, "UNKNOWN"), (302, {}, "UNKNOWN"),
     (200, b"<html>", "UNKNOWN")],
)  # fmt: skip
def test_a_provider_is_well_only_by_its_feed(look: Look, status: int, body: Any, verdict: str) -> None:
    world = fakes.healthy()
    world.on("/feed", status, body)
    assert look(probes.provider, world, '[provider]\nfeed = "URL/feed"\n').verdict == verdict


# The deck.


def test_what_is_asked_otherwise_than_over_http_is_recorded_and_replayed(tmp_path: Path) -> None:
    class At:
        def now(self) -> datetime:
            return NOW

    recorder = Recorder(At())  # type: ignore[arg-type]
    assert Deck(recorder).asked("SQL", "postgresql://database", "SELECT 1", 2, lambda: (0, [[1]])) == (0, [[1]])
    recorder.save(tmp_path, {"at": "2026-11-24T01:00:00Z"})
    with Replay(Tape.load(tmp_path)) as replay:
        played = Deck(replay=replay)
        assert played.asked("SQL", "postgresql://database", "SELECT 1", 2, lambda: (9, None)) == (0, [[1]])
        with pytest.raises(Unavailable, match="not in the recording"):
            played.asked("SQL", "postgresql://database", "SELECT 2", 2, lambda: (9, None))


def test_what_takes_too_long_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no answer within"):
        Deck().asked("GIT", "git:x", [], 0.05, lambda: (time.sleep(0.5), None))  # type: ignore[func-returns-value,return-value,arg-type]
