"""
Two small worlds for the same checks: our API server with our controllers, and a real control plane.

Both have our kubelet as their only node, and the same objects. What is started here ends with the `with` block, in
reverse order, and its logs stay in the directory.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from cluster import build

from gameday.controlplane import ControlPlane, missing

from .checks import HERE, Kubectl

NODE = "node-1"
READY_S = 60.0
IMAGES = {"image": "claude-deployment-api:1.4.2", "other_image": "claude-deployment-api:1.4.1", "shell": "busybox:1.36"}


@dataclass(frozen=True, slots=True)
class World:
    """A cluster that answers, its node ready, the fixture's pods too. `names` fills the checks' `${…}`."""

    kind: str
    directory: Path
    kubeconfig: Path
    names: Mapping[str, str]

    def kubectl(self, binary: Path) -> Kubectl:
        home = self.directory / f"home-{binary.parent.name}"
        home.mkdir(exist_ok=True)
        return Kubectl(binary, self.kubeconfig, home)


@contextmanager
def world(kind: str, directory: Path, kubectl: Path) -> Iterator[World]:
    """Start a world of *kind*, `ours` or `real`, and fill it with the fixture, by *kubectl*."""
    with {"ours": _ours, "real": _real}[kind](directory) as kubeconfig:
        names = IMAGES | {"node": NODE, "logged": "\\S", "folder": str(_manifests(directory))}
        made = World(kind, directory, kubeconfig, names)
        _fill(made.kubectl(kubectl))
        yield made


def kubectl() -> Path | None:
    """Return the kubectl to use: `FIRSTWATCH_KUBECTL`, else the one built with the control plane, else PATH's."""
    built = build.folder() / "kubectl"
    found = os.environ.get("FIRSTWATCH_KUBECTL") or (str(built) if built.is_file() else shutil.which("kubectl"))
    return Path(found) if found else None


@contextmanager
def _ours(directory: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        kubeconfig = directory / "kubeconfig"
        _start(stack, directory, "gameday.api", "--dir", str(directory))
        _until(kubeconfig.exists, "our API server")
        _start(stack, directory, "gameday.controllers", "--kubeconfig", str(kubeconfig))
        _kubelet(stack, directory, kubeconfig, "--token-file", str(directory / "kubelet-token"))
        yield kubeconfig


@contextmanager
def _real(directory: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        plan = stack.enter_context(ControlPlane(build.folder(), directory)).plan
        _kubelet(stack, directory, plan.kubeconfig, "--client-ca", str(plan.kubelet_ca))
        yield plan.kubeconfig


def real_is_built() -> bool:
    return not missing(build.folder())


def _kubelet(stack: ExitStack, directory: Path, kubeconfig: Path, *callers: str) -> None:
    own = directory / "kubelet"
    own.mkdir()
    _start(
        stack,
        directory,
        "gameday.kubelet",
        "--kubeconfig",
        str(kubeconfig),
        "--dir",
        str(own),
        "--name",
        NODE,
        *callers,
    )


def _start(stack: ExitStack, directory: Path, module: str, *arguments: str) -> None:
    log = stack.enter_context((directory / f"{module}.log").open("ab"))
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    stack.callback(_stop, process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _manifests(directory: Path) -> Path:
    """Write the fixture's manifests with the images' names filled in, and one variant that differs in one line."""
    folder = directory / "manifests"
    folder.mkdir()
    for source in sorted((HERE / "manifests").glob("*.yaml")):
        (folder / source.name).write_text(Template(source.read_text()).substitute(IMAGES))
    fewer = (folder / "deployment.yaml").read_text().replace("replicas: 3", "replicas: 2")
    (folder / "deployment-of-two.yaml").write_text(fewer)
    return folder


def _fill(run: Kubectl) -> None:
    """Create the fixture and wait until its pods serve."""
    run("create namespace claude-deployment-prod")
    _until(lambda: run("get serviceaccount default").exit == 0 and run(f"get node {NODE}").exit == 0, "the node")
    folder = run.kubeconfig.parent / "manifests"
    for name in ("config", "service", "deployment"):
        done = run(f"apply -f {folder}/{name}.yaml")
        assert done.exit == 0, done.output
    done = run("rollout status deployment/claude-deployment-api --timeout=60s")
    assert done.exit == 0, f"{done.output}\n{run('get nodes,pods -o wide').output}"


def _until(true, what: str) -> None:
    deadline = time.monotonic() + READY_S
    while not true():
        assert time.monotonic() < deadline, f"{what} was not there after {READY_S:.0f} s"
        time.sleep(0.1)
