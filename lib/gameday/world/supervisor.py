"""
The one process that owns a world: it starts the parts in order, says how far it is, and ends them.

It holds the folder's lock as long as it lives, so there is never a second world in one folder. A part that ends by
itself makes the world failed, and says which and why; the others go on, for a look at them. Whatever ends this process,
`kill -9` included, ends its parts, since each follows its owner.
"""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import psutil
from filelock import FileLock

from firstwatch.errors import FirstwatchError, Unavailable
from firstwatch.model import timestamp
from gameday import controlplane, database
from gameday.kubelet import process as containers
from gameday.part import Part, begin, healthy, last_line
from gameday.world import configuration, objects, parts, trust
from gameday.world.folder import Folder, Process, State
from gameday.world.metrics import ERROR_RATE
from gameday.world.parts import Layout

WITHIN_S = 60.0
POLL_S = 0.05
LOOK_S = 0.5
GRACE_S = 8.0


class Supervisor:
    """A world in *folder*, its time *speed* times as fast; with *binaries* its control plane is the real one there."""

    def __init__(self, folder: Folder, binaries: Path | None, speed: float = 1) -> None:
        self._folder, self._binaries = folder, binaries
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        own, now = Process.of(psutil.Process().pid), timestamp(datetime.now(UTC))
        self._state = State(state="starting", supervisor=own, speed=speed, since=now)
        self._trust = trust.made(datetime.now(UTC))

    def run(self) -> None:
        """Live until SIGTERM or SIGINT; filelock's Timeout when the folder has a world already."""
        with FileLock(self._folder.path / "lock", timeout=0), _told_to_end():
            try:
                self._start()
                self._watch()
            except FirstwatchError as error:
                self._say(state="failed", why=str(error))
                raise
            finally:
                self._end()

    def _start(self) -> None:
        self._clean()
        self._say(doing="starting the control plane")
        layout = self._plan()
        for each in layout.cluster.parts:
            self._begin(each, layout)
        if layout.cluster.real:
            controlplane.admit(layout.cluster.real)
        for each in layout.others:
            self._begin(each, layout, wait=False)
        self._say(doing="starting the service's pods")
        account = _account(layout, "catalog")
        objects.fill(layout.cluster.kubeconfig, self._trust, layout.catalog_url, layout.service_url, account)
        self._begin(layout.load, layout, wait=False)
        self._settle(layout)
        self._say(state="up", doing="")

    def _plan(self) -> Layout:
        now = datetime.now(UTC)
        cluster = parts.real(self._folder, self._binaries, now) if self._binaries else parts.ours(self._folder)
        made = parts.layout(self._folder, cluster)
        self._state = replace(
            self._state, services_url=made.services_url, mail_port=made.mail_port, parts=made.said,
            kubeconfig=str(cluster.kubeconfig), service_url=made.service_url,
            prometheus_url=made.prometheus_url, catalog_url=made.catalog_url,
            database=_account(made, "firstwatch"),
        )  # fmt: skip
        configuration.write(self._folder, self._state, self._trust.authority)
        return made

    def _begin(self, part: Part, layout: Layout, *, wait: bool = True) -> None:
        self._running[part.name] = begin(part, self._folder.log(part.name))
        known = dict(self._state.processes) | {part.name: Process.of(self._running[part.name].pid)}
        self._say(processes=known)
        if wait:
            self._until(lambda: healthy(part, layout.cluster.trust), f"{part.name} to answer")

    def _settle(self, layout: Layout) -> None:
        """Wait for the steady state: the service answers through its front door, and its error rate is measured."""
        services = next(each for each in layout.others if each.name == "services")
        self._until(lambda: healthy(services), "the services to answer")
        self._say(doing="waiting for the error rate to be measured")
        prometheus = next(each for each in layout.others if each.name == "prometheus")
        self._until(lambda: healthy(prometheus), "prometheus to answer")
        self._until(lambda: healthy(Part("", (), layout.service_url + "/health")), "the service to answer")
        self._until(lambda: _measured(layout.prometheus_url), "the error rate to be measured")

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not holds():
            self._complain_of_ends()
            if time.monotonic() > deadline:
                raise Unavailable(f"waited {WITHIN_S:.0f} s for {what}; the parts' logs are in {self._folder.logs}")
            time.sleep(POLL_S)

    def _complain_of_ends(self) -> None:
        for name, each in self._running.items():
            if each.poll() is not None:
                said = last_line(self._folder.log(name))
                raise Unavailable(f"{name} ended with {each.returncode}: {said}; its log is {self._folder.log(name)}")

    def _watch(self) -> None:
        """Look at the parts until told to end; one that ended makes the world failed."""
        while True:
            time.sleep(LOOK_S)
            try:
                self._complain_of_ends()
            except Unavailable as error:
                if self._state.state != "failed":
                    self._say(state="failed", why=str(error))

    def _say(self, **changed: object) -> None:
        self._state = replace(self._state, **changed)  # type: ignore[arg-type]
        self._state.write(self._folder.state)

    def _clean(self) -> None:
        """Take away what an earlier world left: processes of its pods, its parts' files and logs."""
        containers.sweep(self._folder.path / "kubelet" / "pods")
        self._folder.clean()
        shutil.rmtree(self._folder.logs, ignore_errors=True)
        self._folder.logs.mkdir(mode=0o700)

    def _end(self) -> None:
        """End all parts, the newest first: those that need the API before the API."""
        for each in reversed(self._running.values()):
            with contextlib.suppress(ProcessLookupError):
                each.terminate()
            try:
                each.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        containers.sweep(self._folder.path / "kubelet" / "pods")
        if self._state.state != "failed":
            self._folder.state.unlink(missing_ok=True)


def _account(layout: Layout, name: str) -> str:
    """Return the file that says how *name* reaches the database; empty when there is none."""
    return str(database.connection(layout.database, name)) if layout.database else ""


def _measured(url: str) -> bool:
    try:
        with httpx2.Client(trust_env=False) as client:
            answer = client.get(f"{url}/api/v1/query", params={"query": ERROR_RATE}, timeout=2).json()
        return bool(answer["data"]["result"]) and answer["data"]["result"][0]["value"][1] != "NaN"
    except (httpx2.HTTPError, ValueError, KeyError):
        return False


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """End quietly at SIGTERM or SIGINT, wherever we are; a second one changes nothing."""

    class Told(BaseException):
        """Somebody asked for the end."""

    def end(*_: object) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise Told

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    with contextlib.suppress(Told):
        yield
