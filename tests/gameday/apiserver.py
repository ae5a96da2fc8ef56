"""Our API server as a process of its own, and a client for it that says what it sends."""

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from gameday import kubeconfig

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
CORE, APPS, POLICY = "/api/v1", "/apis/apps/v1", "/apis/policy/v1"
_numbers = itertools.count(1)


class Api:
    """Calls answer `(status, body)`; bodies and patches are JSON."""

    def __init__(self, directory: Path) -> None:
        access = kubeconfig.load(directory / "kubeconfig")
        headers = {"Authorization": f"Bearer {access.token}"}
        self.http = httpx2.Client(
            base_url=access.server, headers=headers, verify=access.tls, trust_env=False, timeout=30
        )
        self.directory, self.server = directory, access.server

    def __call__(self, method: str, path: str, body=None, form: str = "application/json", **query: str):
        content = None if body is None else json.dumps(body)
        answer = self.http.request(
            method, path, content=content, params=query, headers={"Content-Type": form} if content else {}
        )
        return answer.status_code, answer.json()

    def namespace(self) -> str:
        """Create a namespace and return the path of what is in it."""
        name = f"test-{next(_numbers)}"
        assert self("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})[0] == 201
        return name

    def watch(self, path: str, **query: str) -> list:
        """Return what a watch tells within a second."""
        told = self.http.get(path, params={"watch": "true", "timeoutSeconds": "1", **query})
        return [json.loads(line) for line in told.text.splitlines()]

    def gone(self, path: str, within_s: float = 20.0) -> bool:
        """Tell whether *path* is no longer there after at most *within_s*."""
        deadline = time.monotonic() + within_s
        while self("GET", path)[0] != 404:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


@contextmanager
def started(directory: Path, *arguments: str) -> Iterator[subprocess.Popen]:
    """Run the server until the block ends; it listens, or has ended, once the block begins."""
    former = _written(directory)
    process = subprocess.Popen([sys.executable, "-m", "gameday.api", "--dir", str(directory), *arguments])
    try:
        deadline = time.monotonic() + 60
        while _written(directory) in {former, 0} and process.poll() is None:
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def calling(directory: Path) -> Iterator[Api]:
    api = Api(directory)
    with api.http:
        yield api


def _written(directory: Path) -> int:
    try:
        return (directory / "kubeconfig").stat().st_mtime_ns
    except FileNotFoundError:
        return 0
