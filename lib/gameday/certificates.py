"""
Certificates for a real control plane: who may speak to whom on loopback, for as long as one world lasts.

An `Authority` lives in memory only: its key is never written, so nobody can sign more once the files are there. Keys
are elliptic (P-256): all of a control plane's take some milliseconds. In Kubernetes a client certificate's common name
is the user and its organization the group; what these may do is the API's own matter.
"""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=30)
SKEW = timedelta(hours=1)  # a clock that was just set back must not refuse what it made a minute ago


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def write(self, directory: Path, name: str) -> None:
        """Write `NAME.crt` and `NAME.key` into *directory*, the key readable by its owner only."""
        (directory / f"{name}.crt").write_bytes(self.certificate)
        write_private(directory / f"{name}.key", self.key)


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who signs; `certificate` is what others are told to trust."""

    name: str
    key: ec.EllipticCurvePrivateKey
    now: datetime

    @classmethod
    def create(cls, name: str, now: datetime) -> "Authority":
        return cls(name, ec.generate_private_key(ec.SECP256R1()), now)

    @property
    def certificate(self) -> bytes:
        """Return the authority's own certificate, PEM."""
        builder = self._begin(_name(self.name), self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return _pem(builder.add_extension(_usage(signs=True), critical=True).sign(self.key, hashes.SHA256()))

    def client(self, user: str, group: str = "") -> Pair:
        """Return what *user* shows to a server; *group* is the one group it is in, if any."""
        return self._issue(_name(user, group), [ExtendedKeyUsageOID.CLIENT_AUTH], [])

    def server(self, name: str, hosts: Sequence[str]) -> Pair:
        """Return what a server shows that is reached as any of *hosts*: names or addresses. It may be a client too."""
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(_name(name), usages, [_host(host) for host in hosts])

    def _issue(self, subject: x509.Name, usages: list[x509.ObjectIdentifier], hosts: list[x509.GeneralName]) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._begin(subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return Pair(_pem(builder.sign(self.key, hashes.SHA256())), private_pem(key))

    def _begin(self, subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """Return the part that every certificate has; Python's strict verification wants both identifiers."""
        builder = x509.CertificateBuilder(_name(self.name), subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(self.now - SKEW).not_valid_after(self.now + LIFETIME)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.add_extension(own, critical=False)


def signing_key() -> tuple[bytes, bytes]:
    """Return a private key and its public half, PEM: what service account tokens are signed and checked with."""
    key = ec.generate_private_key(ec.SECP256R1())
    kind, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return private_pem(key), key.public_key().public_bytes(kind, form)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes) -> None:
    """Write *content* to *path* so that only its owner can read it, from the first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _name(common: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=signs, crl_sign=signs,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
