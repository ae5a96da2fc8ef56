"""Who is let in where: real TLS handshakes with the files that a control plane gets."""

import json
import socket
import ssl
import threading
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gameday import credentials

NOW = datetime.now(UTC)


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    credentials.write(tmp_path, "https://127.0.0.1:6443", NOW)
    return tmp_path / "pki"


def server(pki: Path, trusts: str) -> ssl.SSLContext:
    """Return a server that shows `server.crt` and lets in whom *trusts* vouches for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki / f"{trusts}.crt")
    context.load_cert_chain(pki / "server.crt", pki / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def caller(pki: Path, who: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=pki / "ca.crt")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(pki / f"{who}.crt", pki / f"{who}.key")
    return context


def name_seen(serving: ssl.SSLContext, calling: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    """Return the name that the server reads in the caller's certificate, after a handshake over a socket."""
    seen: list[str] = []
    here, there = socket.socketpair()
    answering = threading.Thread(target=answer, args=(serving, there, seen))
    answering.start()
    with calling.wrap_socket(here, server_hostname=host) as channel:
        channel.sendall(b"?")
        channel.recv(1)
    answering.join(30)
    return "".join(seen)


def answer(serving: ssl.SSLContext, there: socket.socket, seen: list[str]) -> None:
    try:
        with serving.wrap_socket(there, server_side=True) as channel:
            subject = dict(part[0] for part in channel.getpeercert()["subject"])
            seen.append(f"{subject['commonName']} in {subject.get('organizationName', 'no group')}")
            channel.sendall(channel.recv(1))
    except OSError:  # it is refused, or the caller has hung up
        there.close()


def test_the_administrator_is_known_by_name_and_group(pki) -> None:
    assert name_seen(server(pki, "ca"), caller(pki, "admin")) == "gameday in system:masters"


def test_the_kubelet_lets_the_api_server_in(pki) -> None:
    assert name_seen(server(pki, "kubelet-ca"), caller(pki, "kubelet-client")) == "apiserver in no group"


def test_the_kubelet_lets_nobody_else_in_not_even_the_administrator(pki) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - an alert or a closed connection, as TLS's version has it
        name_seen(server(pki, "kubelet-ca"), caller(pki, "admin"))


def test_a_server_that_is_called_by_another_name_is_not_believed(pki) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        name_seen(server(pki, "ca"), caller(pki, "admin"), host="example.com")


def test_certificates_of_another_month_have_expired(tmp_path) -> None:
    credentials.write(tmp_path, "https://127.0.0.1:6443", NOW - timedelta(days=40))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        name_seen(server(tmp_path / "pki", "ca"), caller(tmp_path / "pki", "admin"))


@pytest.mark.parametrize("name", credentials.PEOPLE)
def test_a_kubeconfig_holds_all_that_it_needs(pki, name) -> None:
    written = json.loads((pki.parent / name).read_text())
    (user,) = written["users"]
    assert written["current-context"] == "gameday"
    assert written["contexts"][0]["context"]["namespace"] == "claude-deployment-prod"
    assert b64decode(user["user"]["client-key-data"]).startswith(b"-----BEGIN PRIVATE KEY")


def test_what_is_private_is_readable_by_its_owner_only(pki) -> None:
    private = [*pki.glob("*.key"), *(pki.parent / name for name in credentials.PEOPLE)]
    assert {path.stat().st_mode & 0o077 for path in private} == {0}
