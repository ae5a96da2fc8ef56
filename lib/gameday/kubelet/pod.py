"""
One pod's life on this node, and the only writer of its status.

First its local ports are told in an annotation, then its volumes are filled, its init containers run one after the
other, and then its containers side by side. Whatever changes sets one flag; one loop then patches the status, and only
if it differs. When the pod is deleted, its containers get their time to end, and then the object is removed.
"""

import asyncio
import contextlib
import json
import logging

from firstwatch.model import Json
from gameday.client import STRATEGIC, ApiError, patiently
from gameday.kinds import POD
from gameday.kubelet import status
from gameday.kubelet.container import Container
from gameday.kubelet.environment import Unconfigured
from gameday.kubelet.sandbox import ADDRESS, PORTS, Host, Sandbox

log = logging.getLogger(__name__)

MOUNT_AGAIN_S = 10.0
ENDED = {"Succeeded", "Failed"}
ANOTHER = {404, 409, 422}  # it is gone, or another pod has its name


class Pod:
    """A pod that is bound to this node."""

    def __init__(self, host: Host, item: Json) -> None:
        self.item = item
        self._dirty, self._leaving, self._sources = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.sandbox = Sandbox(host, item, self._sources_changed)
        self.inits = self._containers("initContainers", "initContainerStatuses", once=True)
        self.mains = self._containers("containers", "containerStatuses")
        self._host = host
        self._place = status.Place(self.sandbox.address, ADDRESS, host.clock.now())
        self._vanished = False
        self._sent: tuple[Json, str] = (None, "")

    @property
    def containers(self) -> list[Container]:
        return [*self.inits, *self.mains]

    def container(self, name: str) -> Container | None:
        return next((each for each in self.containers if each.spec["name"] == name), None)

    def update(self, item: Json) -> None:
        """Take the pod as the API has it now."""
        self.item = self.sandbox.pod = item
        for container in self.containers:
            container.update(_spec(item, container.spec["name"]))
        if item["metadata"].get("deletionTimestamp"):
            self._leave()
        self._dirty.set()

    def vanish(self) -> None:
        """The object is gone: nothing is left to tell."""
        self._vanished = True
        self._leave()

    async def run(self) -> None:
        """Live until the pod is gone from the API; cancelled, end its processes and tell nobody."""
        reporting, living = asyncio.create_task(self._report_changes()), asyncio.create_task(self._live())
        try:
            if self.item["metadata"].get("deletionTimestamp"):
                self._leave()
            await self._leaving.wait()
            await self._end(living)
            reporting.cancel()
            if not self._vanished:
                await self._remove()
        finally:
            living.cancel()
            reporting.cancel()
            for container in self.containers:
                container.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(living, reporting, return_exceptions=True)
            self._host.sources.release(self.sandbox.uid)

    async def _live(self) -> None:
        self._dirty.set()
        if (self.item.get("status") or {}).get("phase") in ENDED:
            return
        await self._announce()
        await self._fill()
        for container in self.inits:
            await container.live()
            if not status.succeeded(container.now):
                return
        following = asyncio.create_task(self._follow())
        try:
            ends = await asyncio.gather(*(container.live() for container in self.mains), return_exceptions=True)
        finally:
            following.cancel()
        for each in ends:
            if isinstance(each, Exception):
                log.error("pod %s", self.item["metadata"]["name"], exc_info=each)

    async def _announce(self) -> None:
        """Tell the local ports, before anybody could see the pod ready."""
        if not self.sandbox.ports:
            return
        told = json.dumps({str(port): local for port, local in self.sandbox.ports.items()})
        change = {"metadata": {"uid": self.sandbox.uid, "annotations": {PORTS: told}}}
        attempt = 0
        while True:
            try:
                await self._host.client.patch(POD, self.item, change)
                return
            except ApiError as error:
                log.warning("%s", error)
                await patiently(attempt)
                attempt += 1

    async def _fill(self) -> None:
        """Fill the volumes; while one cannot be, say so and try again."""
        while True:
            self._sources.clear()
            try:
                await self.sandbox.volumes.fill(self.item, self.sandbox.look)
                return
            except (Unconfigured, TimeoutError) as error:
                self.sandbox.warning("FailedMount", str(error) or "the API did not answer in time")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._sources.wait(), MOUNT_AGAIN_S)

    async def _follow(self) -> None:
        """Write the volumes anew whenever what they are made from changes."""
        while True:
            await self._sources.wait()
            self._sources.clear()
            with contextlib.suppress(Unconfigured, TimeoutError):
                await self.sandbox.volumes.fill(self.item, self.sandbox.look)

    async def _end(self, living: asyncio.Task[None]) -> None:
        """Give all containers their time to end."""
        self._hurry()
        if not any(each.running for each in self.containers):
            living.cancel()
        await asyncio.gather(living, return_exceptions=True)

    async def _remove(self) -> None:
        """Tell how it ended, and then remove the object: its grace is over."""
        attempt = 0
        while not self._vanished:
            try:
                await self._report()
                await self._host.client.delete(POD, self.item, grace_s=0)
                return
            except ApiError as error:
                if error.status in ANOTHER:
                    return
                log.warning("%s", error)
                await patiently(attempt)
                attempt += 1

    def _leave(self) -> None:
        if self._leaving.is_set():
            self._hurry()
        self._leaving.set()

    def _hurry(self) -> None:
        grace = self.item["metadata"].get("deletionGracePeriodSeconds")
        if grace is None:
            grace = self.item["spec"].get("terminationGracePeriodSeconds")
        for container in self.containers:
            container.stop(30 if grace is None else grace)

    async def _report_changes(self) -> None:
        attempt = 0
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._report()
                attempt = 0
            except ApiError as error:
                if error.status not in ANOTHER:
                    log.warning("%s", error)
                    await patiently(attempt)
                    attempt += 1
                    self._dirty.set()

    async def _report(self) -> None:
        """Patch the status if it differs from what was told, or if somebody else changed what was told."""
        inits, mains = ([each.now for each in some] for some in (self.inits, self.mains))
        made = status.of(self.item, inits, mains, self._place, self._host.clock.now())
        told, version = self._sent
        known, now_version = self.item.get("status") or {}, self.item["metadata"]["resourceVersion"]
        if made == told and (version == now_version or _agree(made, known)):
            return
        change = {"metadata": {"uid": self.sandbox.uid}, "status": made}
        answer = await self._host.client.patch(POD, self.item, change, form=STRATEGIC, subresource="status")
        self._sent = (made, answer["metadata"]["resourceVersion"])

    def _containers(self, field: str, told: str, *, once: bool = False) -> list[Container]:
        known = {each["name"]: each for each in (self.item.get("status") or {}).get(told) or []}
        now = self.sandbox.host.clock.now()
        before = {name: status.restored(each, now) for name, each in known.items()}
        specs = self.item["spec"].get(field) or []
        return [Container(self.sandbox, spec, self._dirty.set, before.get(spec["name"]), once=once) for spec in specs]

    def _sources_changed(self) -> None:
        self._sources.set()
        for container in self.containers:
            container.look_again()


def _spec(item: Json, name: str) -> Json:
    specs = [*(item["spec"].get("initContainers") or []), *item["spec"]["containers"]]
    return next(each for each in specs if each["name"] == name)


def _agree(made: Json, known: Json) -> bool:
    """Tell whether the API has what we told, conditions by type."""
    states = {each["type"]: each["status"] for each in known.get("conditions") or []}
    conditions = all(states.get(each["type"]) == each["status"] for each in made["conditions"])
    return conditions and known.get("phase") == made["phase"]
