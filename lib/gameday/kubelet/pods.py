"""All pods of this node: what the API has bound to it runs here, and nothing else does."""

import asyncio
import logging
from collections.abc import Iterator

from firstwatch.model import Json
from gameday.informer import Informer
from gameday.kinds import POD
from gameday.kubelet.pod import Pod
from gameday.kubelet.sandbox import Host

log = logging.getLogger(__name__)


class Pods:
    """The pods that are here, by uid."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._informer = Informer(host.client, POD, fieldSelector=f"spec.nodeName={host.name}")
        self._informer.on_change(self._changed)
        self._here: dict[str, tuple[Pod, asyncio.Task[None]]] = {}

    def __iter__(self) -> Iterator[Pod]:
        return iter([pod for pod, _ in self._here.values()])

    def find(self, namespace: str, name: str) -> Pod | None:
        """Return the pod of that name; of two, which is so for a moment when one replaces another, the newer."""
        wanted = (namespace, name)
        found = [
            pod for pod, _ in self._here.values()
            if (pod.item["metadata"]["namespace"], pod.item["metadata"]["name"]) == wanted
        ]  # fmt: skip
        return found[-1] if found else None

    async def run(self) -> None:
        """Follow the API until cancelled; then no process of any pod is left."""
        try:
            await self._informer.run()
        finally:
            tasks = [task for _, task in self._here.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, former: Json, present: Json) -> None:
        if former is not None and (present is None or _uid(former) != _uid(present)):
            self._vanished(_uid(former))
        if present is not None:
            self._seen(present)

    def _seen(self, item: Json) -> None:
        known = self._here.get(_uid(item))
        if known is not None:
            known[0].update(item)
            return
        pod = Pod(self._host, item)
        self._here[_uid(item)] = (pod, asyncio.create_task(self._run(pod)))

    def _vanished(self, uid: str) -> None:
        known = self._here.get(uid)
        if known is None:
            return
        pod, task = known
        pod.vanish()
        task.add_done_callback(lambda _: self._forget(uid, pod))

    async def _run(self, pod: Pod) -> None:
        try:
            await pod.run()
        except Exception:  # one odd pod must not end all others
            log.exception("pod %s", pod.item["metadata"]["name"])

    def _forget(self, uid: str, pod: Pod) -> None:
        self._here.pop(uid, None)
        pod.sandbox.remove()


def _uid(item: Json) -> str:
    return str(item["metadata"]["uid"])
