"""
Who is who in a real control plane: its files of certificates, and a kubeconfig for each person and program.

Each authority vouches for one thing only, so a viewer's certificate opens the API and no kubelet. Service account
tokens have a key of their own. The administrator (context `gameday`, group `system:masters`) may do everything; the
viewer is in the group `VIEWERS`, which has to be bound to the built-in role `view` once the API is up.
"""

import json
from base64 import b64encode
from datetime import datetime
from pathlib import Path

from gameday.certificates import Authority, Pair, signing_key, write_private

NAMESPACE = "claude-deployment-prod"
VIEWERS = "gameday:viewers"
HOSTS = ("127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.96.0.1")

# The kubeconfig's name: its user and that user's group.
PEOPLE = {
    "kubeconfig": ("gameday", "system:masters"),
    "viewer.kubeconfig": ("viewer", VIEWERS),
    "controller-manager.kubeconfig": ("system:kube-controller-manager", ""),
    "scheduler.kubeconfig": ("system:kube-scheduler", ""),
}


def write(directory: Path, server: str, now: datetime) -> None:
    """
    Write `pki/` and the kubeconfigs into *directory*, all of them new.

    Args:
        directory: Made when absent; keys and kubeconfigs in it are readable by their owner only.
        server: Where the API will be, such as `https://127.0.0.1:6443`.
        now: From when on the certificates are valid.
    """
    pki = directory / "pki"
    pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca, kubelet, proxy = (Authority.create(name, now) for name in ("ca", "kubelet-ca", "front-proxy-ca"))
    for authority in (ca, kubelet, proxy):
        (pki / f"{authority.name}.crt").write_bytes(authority.certificate)
    ca.server("server", HOSTS).write(pki, "server")
    ca.client("gameday", "system:masters").write(pki, "admin")
    kubelet.client("apiserver").write(pki, "kubelet-client")
    proxy.client("front-proxy").write(pki, "front-proxy")
    private, public = signing_key()
    write_private(pki / "service-account.key", private)
    (pki / "service-account.pub").write_bytes(public)
    for name, (user, group) in PEOPLE.items():
        write_private(directory / name, kubeconfig(server, ca.certificate, ca.client(user, group)))


def kubeconfig(server: str, ca: bytes, client: Pair) -> bytes:
    """Return a kubeconfig that holds all it needs, so that the one file can be copied. JSON is YAML too."""
    user = {"client-certificate-data": _text(client.certificate), "client-key-data": _text(client.key)}
    context = {"cluster": "gameday", "user": "gameday", "namespace": NAMESPACE}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "gameday", "cluster": {"server": server, "certificate-authority-data": _text(ca)}}],
        "users": [{"name": "gameday", "user": user}],
        "contexts": [{"name": "gameday", "context": context}],
        "current-context": "gameday",
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _text(content: bytes) -> str:
    return b64encode(content).decode()
