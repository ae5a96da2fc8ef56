"""
Serves a world's API until it is told to stop: `python -m gameday.api --dir DIR [--port N]`.

In DIR it writes `kubeconfig` for clients, once it listens, and `kubelet-token`, which it shows to kubelets and which
they must be given. Both are new each time, and so is the certificate that the kubeconfig vouches for: nothing of an
earlier server is left, neither its objects nor its callers.
"""

import argparse
import asyncio
import base64
import json
import os
import secrets
import ssl
import tempfile
from pathlib import Path

from firstwatch.clock import WallClock
from gameday import program
from gameday.api.server import ADDRESS, Server
from gameday.certificates import Authority

NAME, NAMESPACE = "gameday", "claude-deployment-prod"


async def serve(directory: Path, port: int) -> None:
    """Serve until cancelled."""
    clear(directory)
    token, kubelet_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    write(directory / "kubelet-token", kubelet_token)
    authority = Authority.create(NAME, WallClock().now())
    tls = context(authority, directory)
    async with Server(WallClock(), token, kubelet_token).listening(tls, port) as bound:
        write(directory / "kubeconfig", kubeconfig(f"https://{ADDRESS}:{bound}", authority, token))
        await asyncio.Event().wait()


def clear(directory: Path) -> None:
    """Make *directory* its owner's alone, without the kubeconfig of an earlier server."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    (directory / "kubeconfig").unlink(missing_ok=True)


def context(authority: Authority, directory: Path) -> ssl.SSLContext:
    """Return what the server shows; OpenSSL reads its key from a file, which is there for that moment only."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = authority.server("api", [ADDRESS, "localhost"])
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".api-", suffix=".pem") as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        made.load_cert_chain(file.name)
    return made


def kubeconfig(server: str, authority: Authority, token: str) -> str:
    """Return a kubeconfig, as JSON, which is YAML too."""
    trusted = base64.b64encode(authority.certificate).decode()
    chosen = {"cluster": NAME, "user": NAME, "namespace": NAMESPACE}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": trusted}}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": chosen}],
        "current-context": NAME,
    }
    return json.dumps(document, indent=2) + "\n"


def write(path: Path, text: str) -> None:
    """Write *text* for the owner alone, and so that nobody finds half of it."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    scratch.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.api")
    parser.add_argument("--dir", type=Path, required=True, help="where kubeconfig and kubelet-token go")
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback; a free port unless given")
    given = parser.parse_args()
    program.run(serve(given.dir, given.port))


if __name__ == "__main__":
    main()
