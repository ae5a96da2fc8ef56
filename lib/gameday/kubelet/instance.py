"""
One start of a container: its process, its log, who is attached to it, and its probes.

Probes begin in Kubernetes' order: the startup probe first, and only when it succeeded readiness and liveness. A failed
liveness or startup probe ends the process, and so does memory beyond its limit; whether it is started again is the
container's matter.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from firstwatch.model import Json
from firstwatch.systems import quantity
from gameday.kubelet import execution, probe, process, usage
from gameday.kubelet.logs import Log
from gameday.kubelet.process import Process
from gameday.kubelet.sandbox import Sandbox

DRAIN_S = 1.0
WEIGH_S = 1.0  # a kernel would look at each page; whoever grows faster is seen a second late

Listener: TypeAlias = Callable[[str, bytes], None]


@dataclass(slots=True)
class Instance:
    """A running container. `changed` is called when it became ready or started, or no longer is."""

    sandbox: Sandbox
    spec: Json
    environment: Mapping[str, str]
    process: Process
    log: Log
    changed: Callable[[], None]
    grace_s: float
    started: bool = False
    ready: bool = False
    out_of_memory: bool = False
    listeners: set[Listener] = field(default_factory=set)
    _probes: list[asyncio.Task[None]] = field(default_factory=list)
    _graces: list[asyncio.TimerHandle] = field(default_factory=list)
    _ending: bool = False

    @property
    def field_path(self) -> str:
        return f"spec.containers{{{self.spec['name']}}}"

    @property
    def folder(self) -> Path:
        return self.sandbox.volumes.root(self.spec["name"])

    async def run(self) -> int:
        """Probe it and keep its log until it ends; return its exit code."""
        pumps = [
            asyncio.create_task(self.log.take(name, stream, self._heard))
            for name, stream in self.process.streams.items()
        ]
        self._begin_probes()
        weighing = asyncio.create_task(self._weigh())
        try:
            code = await self.process.ended()
            await asyncio.wait(pumps, timeout=DRAIN_S)
            return code
        finally:
            self.process.kill()
            for task in (*self._probes, *pumps, weighing):
                task.cancel()
            for grace in self._graces:
                grace.cancel()  # its number may be another process' by then
            self.started = self.ready = False
            self.log.close()
            self._heard("", b"")

    def stop(self, grace_s: float) -> None:
        """Ask it to end, and end it after *grace_s*; asked again, the shorter time counts."""
        self._ending = True
        self.process.terminate()
        self._graces.append(asyncio.get_running_loop().call_later(grace_s, self.process.kill))

    async def _weigh(self) -> None:
        """End it once it holds more memory than its limit, as the kernel of a real node does."""
        limit = self.spec.get("resources", {}).get("limits", {}).get("memory")
        while limit and not self.out_of_memory:
            await asyncio.sleep(WEIGH_S)
            self.out_of_memory = usage.held(self.process.pid) > quantity.parse(limit)
        if self.out_of_memory:
            self.process.kill()

    def _heard(self, stream: str, content: bytes) -> None:
        """Pass on what was written to whoever is attached; nothing, on no stream, is the end."""
        for listener in list(self.listeners):
            listener(stream, content)

    def _begin_probes(self) -> None:
        if "startupProbe" in self.spec:
            self._probe("startupProbe", self._startup)
        else:
            self._start()

    def _start(self) -> None:
        self.started = True
        self.ready = "readinessProbe" not in self.spec
        if "readinessProbe" in self.spec:
            self._probe("readinessProbe", self._readiness)
        if "livenessProbe" in self.spec:
            self._probe("livenessProbe", self._liveness)
        self.changed()

    def _probe(self, kind: str, told: Callable[[bool], None]) -> None:
        sandbox, name = self.sandbox, kind.removesuffix("Probe").capitalize()
        target = probe.Target(sandbox.address, sandbox.ports, sandbox.names, self._execute)

        def heard(answer: probe.Answer, settled: bool | None) -> None:
            if not answer.good and not self._ending:
                sandbox.warning("Unhealthy", f"{name} probe failed: {answer.message}", self.field_path)
            if settled is not None:
                told(settled)

        self._probes.append(asyncio.create_task(probe.watch(self.spec[kind], target, heard)))

    def _startup(self, good: bool) -> None:
        if not good:
            self._unhealthy("startup")
        elif not self.started:
            self._probes[0].cancel()
            self._start()

    def _readiness(self, good: bool) -> None:
        if good != self.ready:
            self.ready = good
            self.changed()

    def _liveness(self, good: bool) -> None:
        if not good:
            self._unhealthy("liveness")

    def _unhealthy(self, kind: str) -> None:
        if not self._ending:
            message = f"Container {self.spec['name']} failed {kind} probe, will be restarted"
            self.sandbox.normal("Killing", message, self.field_path)
            self.stop(self.spec[f"{kind}Probe"].get("terminationGracePeriodSeconds") or self.grace_s)

    async def _execute(self, argv: list[str], limit_s: float) -> tuple[int, str]:
        return await execution.run(argv, self.environment, self.folder, limit_s)


async def begin(
    sandbox: Sandbox,
    spec: Json,
    argv: list[str],
    environment: Mapping[str, str],
    log: Path,
    changed: Callable[[], None],
) -> Instance:
    """Start *argv*; OSError when there is no such program."""
    grace = sandbox.pod["spec"].get("terminationGracePeriodSeconds")
    folder = sandbox.volumes.root(spec["name"])
    wanted = {"stdin": bool(spec.get("stdin")), "terminal": bool(spec.get("tty"))}
    running = await process.start(argv, environment, folder, **wanted)
    written = Log(log, sandbox.host.clock)
    return Instance(sandbox, spec, environment, running, written, changed, 30 if grace is None else grace)
