"""
A real Kubernetes control plane on loopback: etcd, API server, controllers and scheduler, as plain processes.

It takes the place of ours where the truth is wanted: quota, admission, RBAC and the autoscaler are only here. The
programs come from a folder (`tests/cluster/build.py` fills one). Everything that is written stays in one directory,
every port is free and on 127.0.0.1, and nobody gets in without a certificate. The nodes are somebody else's: our
kubelet joins with `kubeconfig` and lets only callers in whom `kubelet_ca` vouches for.

`plan` writes the certificates and kubeconfigs and says what to run; a supervisor runs it in that order, each part once
the one before is healthy, and then calls `admit`. `ControlPlane` is the smallest such supervisor, for tests.
"""

import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from firstwatch.errors import Unavailable
from gameday import credentials
from gameday.part import Part, begin, healthy, last_line

RBAC = "rbac.authorization.k8s.io"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
START_S = 60.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, in this order, and where its files are."""

    parts: tuple[Part, ...]
    server: str
    directory: Path

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's; our kubelet joins with it too."""
        return self.directory / "kubeconfig"

    @property
    def viewer(self) -> Path:
        return self.directory / "viewer.kubeconfig"

    @property
    def ca(self) -> Path:
        return self.directory / "pki" / "ca.crt"

    @property
    def kubelet_ca(self) -> Path:
        """Return whom the kubelet lets in: the API server, and nobody else."""
        return self.directory / "pki" / "kubelet-ca.crt"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)


def missing(binaries: Path) -> tuple[str, ...]:
    """Return the programs that *binaries* lacks; empty when a control plane can be started from it."""
    return tuple(name for name in PROGRAMS if not (binaries / name).is_file())


def plan(binaries: Path, directory: Path, *, now: datetime) -> Plan:
    """
    Write what a control plane needs into *directory* and return how to run it.

    Args:
        binaries: Folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler.
        directory: Where certificates, kubeconfigs and etcd's data go; made when absent.
        now: From when on the certificates are valid.
    """
    names = ("api", "etcd", "peer", "metrics", "controllers", "scheduler")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    server = f"https://127.0.0.1:{ports['api']}"
    credentials.write(directory, server, now)
    pki = directory / "pki"
    parts = (
        Part("etcd", _etcd(directory, ports), f"http://127.0.0.1:{ports['metrics']}/health"),
        Part("kube-apiserver", _apiserver(pki, ports), f"{server}/readyz"),
        Part("kube-controller-manager", _controllers(directory, ports), _healthz(ports["controllers"])),
        Part("kube-scheduler", _scheduler(directory, ports), _healthz(ports["scheduler"])),
    )
    located = tuple(replace(part, argv=(str(binaries / part.name), *part.argv)) for part in parts)
    return Plan(located, server, directory)


def free_ports(count: int) -> list[int]:
    """Return *count* different ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def admit(made: Plan, *, within_s: float = START_S) -> None:
    """
    Create the namespace, let the read-only user's group read, and wait until both can be used.

    At first nobody has the role `view`, whose rules are still being collected, and a namespace takes no pods before it
    has its service account.

    Raises:
        Unavailable: The API refuses, or the controllers took longer than *within_s*.
    """
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    viewers = {"apiGroup": RBAC, "kind": "Group", "name": credentials.VIEWERS}
    binding = {"metadata": {"name": "gameday-viewers"}, "roleRef": role, "subjects": [viewers]}
    deadline = time.monotonic() + within_s
    with _administrator(made) as client:
        _create(client, "/api/v1/namespaces", {"metadata": {"name": credentials.NAMESPACE}})
        _create(client, f"/apis/{RBAC}/v1/clusterrolebindings", binding)
        while not _settled(client):
            if time.monotonic() > deadline:
                raise Unavailable("starting the control plane: its controllers did not make the service account")
            time.sleep(0.05)


class ControlPlane:
    """
    A control plane for the length of a `with` block; its logs are in *directory*.

    Raises:
        Unavailable: A part ended or was not healthy within a minute; the message has the last line of its log.
    """

    def __init__(self, binaries: Path, directory: Path) -> None:
        self.plan = plan(binaries, directory, now=datetime.now(UTC))
        self._directory = directory
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            for part in self.plan.parts:
                self._start(part)
            admit(self.plan)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self, part: Part) -> None:
        log = self._directory / f"{part.name}.log"
        process = begin(part, log)
        self.running.append(process)
        deadline = time.monotonic() + START_S
        while not healthy(part, self.plan.trust):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"starting {part.name}: {last_line(log)}; its log is {log}")
            time.sleep(0.05)

    def _stop(self) -> None:
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()


def _etcd(directory: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
    client, peer = f"https://127.0.0.1:{ports['etcd']}", f"https://127.0.0.1:{ports['peer']}"
    pki = directory / "pki"
    own = {"cert-file": pki / "server.crt", "key-file": pki / "server.key", "trusted-ca-file": pki / "ca.crt"}
    return _flags(
        {"name": "gameday", "data-dir": directory / "etcd", "unsafe-no-fsync": "true", "log-level": "warn"}
        | {"listen-client-urls": client, "advertise-client-urls": client, "client-cert-auth": "true"}
        | {"listen-peer-urls": peer, "initial-advertise-peer-urls": peer, "peer-client-cert-auth": "true"}
        | {"initial-cluster": f"gameday={peer}", "listen-metrics-urls": f"http://127.0.0.1:{ports['metrics']}"}
        | own
        | {f"peer-{name}": value for name, value in own.items()}
    )


def _apiserver(pki: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
    own = _serving(pki) | {"bind-address": "127.0.0.1", "secure-port": ports["api"]}
    storage = {
        "etcd-servers": f"https://127.0.0.1:{ports['etcd']}",
        "etcd-cafile": pki / "ca.crt",
        "etcd-certfile": pki / "server.crt",
        "etcd-keyfile": pki / "server.key",
    }
    callers = {
        "client-ca-file": pki / "ca.crt",
        "authorization-mode": "Node,RBAC",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-account.pub",
        "service-account-signing-key-file": pki / "service-account.key",
    }
    kubelets = {
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP",
    }
    aggregated = {
        "proxy-client-cert-file": pki / "front-proxy.crt",
        "proxy-client-key-file": pki / "front-proxy.key",
        "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
        "requestheader-allowed-names": "front-proxy",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
    }
    # 127.0.0.1 is no legal endpoint, so the API server must not register itself as one.
    addresses = {
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.96.0.0/16",
    }
    return _flags(own | storage | callers | kubelets | aggregated | addresses)


def _controllers(directory: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
    pki = directory / "pki"
    # Seconds instead of minutes: a game day does not wait for periods that spare a large cluster.
    periods = {
        "node-monitor-period": "1s",
        "node-monitor-grace-period": "8s",
        "horizontal-pod-autoscaler-sync-period": "2s",
        "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
        "horizontal-pod-autoscaler-cpu-initialization-period": "5s",
        "horizontal-pod-autoscaler-downscale-stabilization": "10s",
    }
    secrets = {
        "service-account-private-key-file": pki / "service-account.key",
        "root-ca-file": pki / "ca.crt",
        "use-service-account-credentials": "true",
    }
    # Some forty controllers start at once, each with a token of its own: the usual 20 requests a second cost 5 s.
    speed = {"controllers": "*", "kube-api-qps": "500", "kube-api-burst": "1000"}
    # Made when absent, by default under /usr.
    plugins = {"flex-volume-plugin-dir": directory / "plugins"}
    own = _clients(directory / "controller-manager.kubeconfig") | {"secure-port": ports["controllers"]}
    return _flags(own | _serving(pki) | secrets | periods | speed | plugins)


def _scheduler(directory: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
    own = _clients(directory / "scheduler.kubeconfig") | {"secure-port": ports["scheduler"]}
    return _flags(own | _serving(directory / "pki"))


def _clients(kubeconfig: Path) -> dict[str, object]:
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return dict.fromkeys(names, kubeconfig) | {"bind-address": "127.0.0.1", "leader-elect": "false"}


def _serving(pki: Path) -> dict[str, object]:
    return {"tls-cert-file": pki / "server.crt", "tls-private-key-file": pki / "server.key"}


def _flags(values: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(f"--{name}={value}" for name, value in values.items())


def _healthz(port: int) -> str:
    return f"https://127.0.0.1:{port}/healthz"


def _administrator(made: Plan) -> httpx2.Client:
    pki = made.directory / "pki"
    trust = made.trust
    trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return httpx2.Client(base_url=made.server, verify=trust, trust_env=False, timeout=10)


def _create(client: httpx2.Client, path: str, body: Mapping[str, object]) -> None:
    """Create one object; one that is there already is fine."""
    answer = client.post(path, json=body)
    if answer.status_code not in {201, 409}:
        raise Unavailable(f"POST {path}: the API answered {answer.status_code}: {answer.text[:500]}")


def _settled(client: httpx2.Client) -> bool:
    account = client.get(f"/api/v1/namespaces/{credentials.NAMESPACE}/serviceaccounts/default")
    role = client.get(f"/apis/{RBAC}/v1/clusterroles/view")
    return account.status_code == 200 and role.status_code == 200 and bool(role.json().get("rules"))
