"""A small world of our own parts, each a process: API server, controllers, and a kubelet that restarts after 0.4 s."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
from apiserver import CORE, Api, calling, started

NODE = f"{CORE}/nodes/node-1"
SHELL = "busybox:1.36"
T = TypeVar("T")


class World:
    """What tests do in it. Objects are written by `api`, and looked at until they are as they should be."""

    def __init__(self, api: Api) -> None:
        self.api, self.folder = api, api.directory / "kubelet"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str, *arguments: str) -> None:
        own = ["--kubeconfig", str(self.api.directory / "kubeconfig"), *arguments]
        with (self.api.directory / f"{module}.log").open("ab") as log:
            command = [sys.executable, "-m", f"gameday.{module}", *own]
            self.running[module] = subprocess.Popen(command, stdout=log, stderr=log)

    def end(self, module: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.running.pop(module)
        process.send_signal(how)
        process.wait(30)

    def kubelet(self) -> None:
        token = str(self.api.directory / "kubelet-token")
        self.start("kubelet", "--dir", str(self.folder), "--token-file", token, "--backoff", "400ms")

    def create(self, path: str, body: dict) -> str:
        """Create *body* and return its own path."""
        status, answer = self.api("POST", path, body)
        assert status == 201, answer
        return f"{path}/{answer['metadata']['name']}"

    def patch(self, path: str, change: dict) -> dict:
        status, answer = self.api("PATCH", path, change, "application/merge-patch+json")
        assert status == 200, answer
        return answer

    def get(self, path: str) -> dict:
        status, answer = self.api("GET", path)
        assert status == 200, answer
        return answer

    def items(self, path: str, **query: str) -> list[dict]:
        return self.api("GET", path, **query)[1]["items"]

    def pod(self, namespace: str, *containers: dict, name: str = "p", **spec) -> str:
        """Create a pod and return its path."""
        about = {"name": name, "labels": {"app": name}}
        spec = {"containers": [*containers], "terminationGracePeriodSeconds": 1} | spec
        return self.create(f"{CORE}/namespaces/{namespace}/pods", {"metadata": about, "spec": spec})

    def container(self, path: str, kind: str = "containerStatuses") -> dict:
        """Return the status of a pod's first container, or nothing yet."""
        return (self.get(path).get("status", {}).get(kind) or [{"state": {}, "restartCount": 0}])[0]

    def log(self, path: str, **query: str) -> str:
        return self.api.http.get(f"{path}/log", params=query).text

    def said(self, path: str) -> str:
        """Return what is in a pod's log; nothing as long as there is none to read."""
        answer = self.api.http.get(f"{path}/log")
        return answer.text if answer.status_code == 200 else ""

    def events(self, namespace: str, reason: str) -> list[str]:
        told = self.items(f"{CORE}/namespaces/{namespace}/events")
        return [each["message"] for each in told if each["reason"] == reason]

    def processes(self, uid: str) -> list[psutil.Process]:
        """Return all processes of the pod with this *uid*, in this world."""
        roots = ((each, _root(each)) for each in psutil.process_iter())  # read once: a process may end any moment
        return [each for each, root in roots if str(self.folder) in root and uid in root]


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """Start all parts; the node takes pods once the block begins."""
    with started(directory), calling(directory) as api:
        made = World(api)
        try:
            made.start("controllers")
            made.kubelet()
            until(lambda: api("GET", NODE)[0] == 200 and ready(made.get(NODE)) and not taints(made), 60)
            yield made
        finally:
            for module in [*made.running]:
                made.end(module)


def until(true: Callable[[], T], within_s: float = 30.0) -> T:
    """Return what *true* gives as soon as it is something; fail when that takes too long."""
    deadline = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < deadline, f"still not so after {within_s} s"
        time.sleep(0.05)
    return found


def shell(script: str, name: str = "c", **more) -> dict:
    """Return a container that runs *script*, in its own root."""
    return {"name": name, "image": SHELL, "args": ["-c", script]} | more


def probe(script: str, **more) -> dict:
    return {"exec": {"command": ["sh", "-c", script]}, "periodSeconds": 1, "failureThreshold": 1} | more


def ready(item: dict) -> bool:
    conditions = item.get("status", {}).get("conditions") or []
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def taints(made: World) -> list[str]:
    return [each["key"] for each in made.get(NODE)["spec"].get("taints") or []]


def waits(container: dict) -> str:
    return container["state"].get("waiting", {}).get("reason", "")


def _root(process: psutil.Process) -> str:
    try:
        return process.environ().get("VOLUMES_ROOT", "")
    except psutil.Error:
        return ""
