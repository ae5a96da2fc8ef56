"""
How to reach a cluster, from a kubeconfig: the current context's server, whom to trust and what to show.

Certificates may be in the file or beside it, tokens too. Programs that make credentials (`exec`) are refused: a part of
the world starts nothing that a file names. A client key goes through a file that only its owner can read, for a moment,
because OpenSSL takes keys from files only.
"""

import ssl
import tempfile
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from firstwatch.errors import BadParameter
from firstwatch.model import Json


@dataclass(frozen=True, slots=True)
class Access:
    """A server and the way in. `tls` is None for plain HTTP; credentials never show in a `repr`."""

    server: str
    namespace: str
    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


def load(path: Path) -> Access:
    """Return what *path*'s current context says; BadParameter when the file or the context cannot be used."""
    try:
        document = yaml.safe_load(path.read_text())
        return _access(document, path.parent)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise BadParameter(f"reading the kubeconfig {path}: {type(error).__name__}: {error}") from error


def _access(document: Json, folder: Path) -> Access:
    context = _named(document, "contexts", document["current-context"])["context"]
    cluster = _named(document, "clusters", context["cluster"])["cluster"]
    user = _named(document, "users", context["user"])["user"] or {}
    if "exec" in user or "auth-provider" in user:
        raise ValueError("programs that make credentials are not run here")
    server = str(cluster["server"]).rstrip("/")
    tls = _tls(cluster, user, folder) if server.startswith("https://") else None
    return Access(server, str(context.get("namespace") or "default"), _token(user, folder), tls)


def _named(document: Json, kind: str, name: str) -> Json:
    for each in document[kind]:
        if each["name"] == name:
            return each
    raise KeyError(f"no {name!r} under {kind}")


def _token(user: Json, folder: Path) -> str:
    if "tokenFile" in user:
        return (folder / str(user["tokenFile"])).read_text().strip()
    return str(user.get("token") or "")


def _tls(cluster: Json, user: Json, folder: Path) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = (_content(user, f"client-{part}", folder) for part in ("certificate", "key"))
    if certificate and key:
        _show(context, certificate + b"\n" + key)
    return context


def _content(entry: Json, name: str, folder: Path) -> bytes:
    if f"{name}-data" in entry:
        return b64decode(entry[f"{name}-data"])
    return (folder / entry[name]).read_bytes() if name in entry else b""


def _show(context: ssl.SSLContext, pair: bytes) -> None:
    with tempfile.NamedTemporaryFile(prefix="client-", suffix=".pem") as file:
        file.write(pair)
        file.flush()
        context.load_cert_chain(file.name)
