"""
One container's life: pulled, configured, started, ended, and started again as its pod's policy says.

It says what it is in `now`, a frozen value, and calls `changed` at each step; it speaks to the API through events only.
A container that cannot start waits with the reason, as on a real node: its image is not in the map, or what its
configuration refers to is missing.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from firstwatch.model import Json
from gameday.images import Image
from gameday.kubelet import environment, instance, process, status
from gameday.kubelet.backoff import LONGEST, BackOff, spoken
from gameday.kubelet.environment import Unconfigured
from gameday.kubelet.instance import Instance
from gameday.kubelet.process import NotAllowed
from gameday.kubelet.sandbox import Sandbox
from gameday.kubelet.status import Running, Terminated, Waiting

PULL_SHOWN_S = 1.0
CONFIGURE_AGAIN_S = 10.0
UNCONFIGURED = "CreateContainerConfigError"


class Container:
    """
    One container of a pod.

    `before` is what an earlier kubelet told of it, `running` its process if it has one. One that is `once` runs until
    it has succeeded, as init containers do.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        spec: Json,
        changed: Callable[[], None],
        before: status.Container | None = None,
        *,
        once: bool = False,
    ) -> None:
        self.spec, self.once = spec, once
        self.running: Instance | None = None
        self.now = before or status.Container(spec["name"], spec["image"])
        self._sandbox, self._changed = sandbox, changed
        self._back_off = BackOff(sandbox.host.backoff_s)
        self._look_again = asyncio.Event()
        self._grace_s: float | None = None
        self._life: asyncio.Task[None] | None = None

    def log(self, *, previous: bool = False) -> Path:
        """Return where the log of the present start is, or of the one before it; while it waits, both are the last."""
        number = self.now.restarts
        folder: Path = self._sandbox.folder / "logs" / str(self.spec["name"])
        waits = isinstance(self.now.state, Waiting) and self.now.last is not None
        if waits and not (folder / f"{number}.log").exists():
            number -= 1
        return folder / f"{number - (previous and not waits)}.log"

    async def live(self) -> None:
        """Live until its end is final, or until it was stopped."""
        self._life = asyncio.current_task()
        while self._grace_s is None and not self._final():
            await self._pause()
            image = await self._pulled()
            settings = await self._configured()
            ended = await self._run(image, settings)
            self._set(state=ended, ready=False, started=False)

    def update(self, spec: Json) -> None:
        """Take a changed specification; a new image is started at once, in place of the old one."""
        if spec["image"] != self.spec["image"] and self.running:
            message = f"Container {spec['name']} definition changed, will be restarted"
            self._normal("Killing", message)
            self.running.stop(self.running.grace_s)
        if spec["image"] != self.spec["image"]:
            self._back_off = BackOff(self._sandbox.host.backoff_s)
            self._look_again.set()
        self.spec = spec

    def look_again(self) -> None:
        """What its configuration waits for may be there now."""
        if isinstance(self.now.state, Waiting) and self.now.state.reason == UNCONFIGURED:
            self._look_again.set()

    def stop(self, grace_s: float) -> None:
        """Ask it to end, and not to start again; a second, shorter *grace_s* hurries it."""
        first, self._grace_s = self._grace_s is None, grace_s
        if self.running:
            if first:
                self._normal("Killing", f"Stopping container {self.spec['name']}")
            self.running.stop(grace_s)
        elif self._life and first:
            self._life.cancel()

    def kill(self) -> None:
        """End it now, without a word: the kubelet itself ends."""
        if self.running:
            self.running.process.kill()

    def _final(self) -> bool:
        if not isinstance(self.now.state, Terminated):
            return False
        policy = self._sandbox.pod["spec"].get("restartPolicy", "Always")
        return policy == "Never" or ((self.once or policy == "OnFailure") and self.now.state.exit_code == 0)

    async def _pause(self) -> None:
        """Wait before the next start after an end, a little longer each time."""
        if not isinstance(self.now.state, Terminated):
            return
        wait = self._back_off.wait_s(asyncio.get_running_loop().time())
        if wait:
            pod = self._sandbox.pod["metadata"]
            subject = f"{pod['name']}_{pod['namespace']}({pod['uid']})"
            message = f"back-off {spoken(wait)} restarting failed container={self.spec['name']} pod={subject}"
            self._set(state=Waiting("CrashLoopBackOff", message), last=self.now.state)
            self._warning("BackOff", f"Back-off restarting failed container {self.spec['name']} in pod {subject}")
            await self._wait(wait)

    async def _pulled(self) -> Image:
        """Return the image; while it is not in the map, wait as one that cannot be pulled does."""
        wait = self._sandbox.host.backoff_s
        while (image := self._sandbox.host.images.get(self.spec["image"])) is None:
            await self._not_pulled(wait)
            wait = min(wait * 2, LONGEST * self._sandbox.host.backoff_s)
        self._normal("Pulled", f'Container image "{self.spec["image"]}" already present on machine')
        return image

    async def _not_pulled(self, wait: float) -> None:
        name = self.spec["image"]
        error = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": {name}: not found'
        self._normal("Pulling", f'Pulling image "{name}"')
        self._warning("Failed", f'Failed to pull image "{name}": {error}')
        self._warning("Failed", "Error: ErrImagePull")
        self._set(state=Waiting("ErrImagePull", error), last=self._last())
        await self._wait(min(PULL_SHOWN_S, wait))
        self._normal("BackOff", f'Back-off pulling image "{name}"')
        self._warning("Failed", "Error: ImagePullBackOff")
        self._set(state=Waiting("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {error}'))
        await self._wait(wait)

    async def _configured(self) -> dict[str, str]:
        """Return the environment; while something is missing, wait for it."""
        while True:
            self._look_again.clear()
            try:
                setting = self._sandbox.setting(self.spec["name"])
                made = await environment.build(self._sandbox.pod, self.spec, setting, self._sandbox.look)
                self._sandbox.volumes.mount(self.spec)
                return made
            except (Unconfigured, TimeoutError, KeyError) as error:
                message = str(error) or "the API did not answer in time"
                self._set(state=Waiting(UNCONFIGURED, message), last=self._last())
                self._warning("Failed", f"Error: {message}")
                await self._wait(CONFIGURE_AGAIN_S)

    async def _run(self, image: Image, settings: dict[str, str]) -> Terminated:
        restarts = self.now.restarts + (self._last() is not None)
        identity, begun = self._identity(restarts), self._sandbox.host.clock.now()
        self.now = replace(self.now, last=self._last(), state=Waiting(), restarts=restarts)
        try:
            argv = environment.arguments(process.command(image, self.spec), settings)
            path = self.log().with_name(f"{restarts}.log")
            self.running = await instance.begin(self._sandbox, self.spec, argv, settings, path, self._instance_changed)
        except (NotAllowed, OSError) as error:
            self._warning("Failed", f"Error: {error}")
            return Terminated(128, "StartError", begun, begun, identity, str(error))
        self._set(state=Running(begun), container_id=identity, image=self.spec["image"])
        return await self._watch(self.running, identity, begun)

    async def _watch(self, running: Instance, identity: str, begun: datetime) -> Terminated:
        self._normal("Created", "Container created")
        self._normal("Started", "Container started")
        if self._grace_s is not None:
            running.stop(self._grace_s)
        try:
            code = await running.run()
        finally:
            self.running = None
        reason = "OOMKilled" if running.out_of_memory else "Completed" if code == 0 else "Error"
        return Terminated(code, reason, begun, self._sandbox.host.clock.now(), identity)

    def _instance_changed(self) -> None:
        if self.running:
            self._set(ready=self.running.ready, started=self.running.started)

    async def _wait(self, seconds: float) -> None:
        """Wait, but no longer than until there is reason to look again."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._look_again.wait(), seconds)
        self._look_again.clear()

    def _last(self) -> Terminated | None:
        return self.now.state if isinstance(self.now.state, Terminated) else self.now.last

    def _set(self, **changes: Json) -> None:
        self.now = replace(self.now, **changes)
        self._changed()

    def _identity(self, restarts: int) -> str:
        text = f"{self._sandbox.uid}/{self.spec['name']}/{restarts}"
        return f"gameday://{hashlib.sha256(text.encode()).hexdigest()}"

    def _normal(self, reason: str, message: str) -> None:
        self._sandbox.normal(reason, message, self._field)

    def _warning(self, reason: str, message: str) -> None:
        self._sandbox.warning(reason, message, self._field)

    @property
    def _field(self) -> str:
        return f"spec.containers{{{self.spec['name']}}}"
