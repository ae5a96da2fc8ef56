"""
What a world runs, and which of it is real.

A control plane, ours or a real one from a folder of programs, and then what needs it: controllers, kubelet, the front
door, the load. Prometheus is the one on PATH, else ours.
"""

import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gameday import controlplane, database
from gameday.controlplane import free_ports
from gameday.part import Part
from gameday.world import messages, metrics
from gameday.world.folder import Folder

RATE = 20  # requests a second: enough for a stable ratio, little enough for a laptop
BACKOFF = "1s"  # a container's first wait before a restart; a real node waits 10 s
NODE = "node-1"
CATALOG = "claude-deployment-catalog"
PATH = "/v1/deployments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A control plane to run, in this order, and how our kubelet joins it."""

    parts: tuple[Part, ...]
    said: str
    kubeconfig: Path
    kubelet: tuple[str, ...]
    trust: ssl.SSLContext | None = None
    real: controlplane.Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    A whole world: its cluster, what runs beside it, where one reaches it, and what is real in it.

    `load` comes last: users who ask before there is a service would only be counted as failures.
    """

    cluster: Cluster
    others: tuple[Part, ...]
    load: Part
    service_url: str
    services_url: str
    mail_port: int
    prometheus_url: str
    catalog_url: str
    database: Path | None
    said: Mapping[str, str]


def ours(folder: Folder) -> Cluster:
    """Return our own API server and controllers."""
    (port,) = free_ports(1)
    home = folder.path / "api"
    api = Part("api", _module("api", "--dir", str(home), "--port", str(port)), f"https://127.0.0.1:{port}/readyz")
    kubeconfig = home / "kubeconfig"
    controllers = Part("controllers", _module("controllers", "--kubeconfig", str(kubeconfig)))
    return Cluster(
        parts=(api, controllers), said="ours, an API server and controllers in memory", kubeconfig=kubeconfig,
        kubelet=("--token-file", str(home / "kubelet-token")),
    )  # fmt: skip


def real(folder: Folder, binaries: Path, now: datetime) -> Cluster:
    """Return the real control plane in *binaries*, with certificates made *now*."""
    plan = controlplane.plan(binaries, folder.path / "control-plane", now=now)
    return Cluster(
        parts=plan.parts, said=f"real, Kubernetes {binaries.name}", kubeconfig=plan.kubeconfig,
        kubelet=("--client-ca", str(plan.kubelet_ca)), trust=plan.trust, real=plan,
    )  # fmt: skip


def layout(folder: Folder, cluster: Cluster) -> Layout:
    """Return the whole world around *cluster*; writes what Prometheus is told."""
    door, discovery, port, catalog, unused = free_ports(5)
    service = f"http://127.0.0.1:{door}"
    web, mail = free_ports(2)
    configuration = metrics.write(folder.path / "prometheus", f"http://127.0.0.1:{discovery}/targets")
    access = ("--kubeconfig", str(cluster.kubeconfig))
    kubelet = ("--dir", str(folder.path / "kubelet"), "--name", NODE, "--backoff", BACKOFF, *cluster.kubelet)
    behind = ("--port", str(catalog), "--discovery", str(unused))
    ports = ("--port", str(door), "--discovery", str(discovery))
    prometheus, said = _prometheus(configuration, port, folder)
    stored, of_database, home = _database(folder)
    others = (
        *stored,
        messages.part(folder, _module("services"), web, mail),
        Part("kubelet", _module("kubelet", *access, *kubelet)),
        Part("front-door", _module("frontdoor", *access, "--service", metrics.SERVICE, *ports)),
        Part("catalog-door", _module("frontdoor", *access, "--service", CATALOG, *behind)),
        prometheus,
    )
    load = Part("load", _module("load", "--url", service + PATH, "--rate", str(RATE), "--told", str(folder.load)))
    parts = {
        "kubernetes": cluster.said,
        "kubelet": "ours, pods are local processes",
        "service": f"real, {RATE} requests a second over HTTP on loopback",
        "prometheus": said,
        "services": messages.SAID,
        "database": of_database,
    }
    return Layout(
        services_url=f"http://127.0.0.1:{web}", mail_port=mail,
        cluster=cluster, others=others, load=load, service_url=service, prometheus_url=f"http://127.0.0.1:{port}",
        catalog_url=f"https://127.0.0.1:{catalog}", said=parts, database=home,
    )  # fmt: skip


def _database(folder: Folder) -> tuple[tuple[Part, ...], str, Path | None]:
    """Return the database as parts, in words, and where it is: none without a PostgreSQL on this machine."""
    found, home = database.programs(), folder.path / "database"
    if found is None:
        return (), "none, there is no PostgreSQL on this machine: the catalog answers from memory", None
    part = Part("database", _module("database", "--dir", str(home)))
    return (part,), f"real, PostgreSQL {found.parent.name}", home


def _prometheus(configuration: Path, port: int, folder: Folder) -> tuple[Part, str]:
    health = f"http://127.0.0.1:{port}/-/ready"
    data = folder.path / "prometheus" / "data"
    found = shutil.which("prometheus")
    if found is None:
        own = ("--config", str(configuration), "--port", str(port), "--dir", str(data))
        return Part("prometheus", _module("prometheus", *own), health), "ours, the subset that runbooks ask"
    flags = (
        f"--config.file={configuration}", f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=2h",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    )  # fmt: skip
    return Part("prometheus", (found, *flags), health), f"real, Prometheus {_version(found)}"


def _version(program: str) -> str:
    """Return what *program* calls its version: the third word of its first line."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    words = (done.stdout or done.stderr).split()
    return words[2] if len(words) > 2 else "of an unknown version"


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"gameday.{name}", *arguments)
