"""What the containers of one pod share: address, local ports, volumes, folder, and the pod as the API has it now."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday.client import Client
from gameday.events import Recorder
from gameday.images import Image
from gameday.kinds import POD
from gameday.kubelet.environment import Setting
from gameday.kubelet.ports import Addresses, Ports
from gameday.kubelet.sources import Source, Sources
from gameday.kubelet.volumes import Volumes

ADDRESS = "127.0.0.1"
PORTS = "gameday.firstwatch.local/ports"


@dataclass(frozen=True, slots=True)
class Host:
    """The node, as its pods use it. `backoff_s` is the first wait before a container is started again."""

    name: str
    folder: Path
    client: Client
    clock: Clock
    recorder: Recorder
    images: Mapping[str, Image]
    sources: Sources
    ports: Ports
    addresses: Addresses
    backoff_s: float

    @classmethod
    def create(
        cls, name: str, folder: Path, client: Client, clock: Clock, images: Mapping[str, Image], *, backoff_s: float
    ) -> "Host":
        recorder, choose = Recorder(client, clock, "kubelet", name), random.SystemRandom()
        shared = Sources(client), Ports(choose), Addresses(name)
        return cls(name, folder, client, clock, recorder, images, *shared, backoff_s)


class Sandbox:
    """One pod's. `changed` is called when an object that the pod is made from changes."""

    def __init__(self, host: Host, pod: Json, changed: Callable[[], None]) -> None:
        self.host, self.pod = host, pod
        self.address = host.addresses.take()
        self.folder = host.folder / "pods" / pod["metadata"]["uid"]
        self.volumes = Volumes(self.folder, self.address, ADDRESS)
        self.ports = {number: host.ports.take() for number in dict.fromkeys(_declared(pod).values())}
        self._changed = changed

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def names(self) -> dict[str, int]:
        """Return the container ports that have a name."""
        return {name: number for name, number in _declared(self.pod).items() if not name.isdigit()}

    def setting(self, container: str) -> Setting:
        root = str(self.volumes.root(container))
        return Setting(self.address, ADDRESS, self.ports, root, str(self.folder))

    async def look(self, source: Source) -> Json:
        """Return a ConfigMap or Secret, or None, and follow it as long as the pod lives."""
        return await self.host.sources.get(source, self.uid, self._changed)

    def normal(self, reason: str, message: str, field: str = "") -> None:
        self.host.recorder.normal(POD, self.pod, reason, message, field)

    def warning(self, reason: str, message: str, field: str = "") -> None:
        self.host.recorder.warning(POD, self.pod, reason, message, field)

    def remove(self) -> None:
        self.host.sources.release(self.uid)
        for port in self.ports.values():
            self.host.ports.give_back(port)
        self.volumes.remove()


def _declared(pod: Json) -> dict[str, int]:
    """Return all container ports, by name, or by number where they have none."""
    ports = [port for each in pod["spec"]["containers"] for port in each.get("ports") or []]
    return {port.get("name") or str(port["containerPort"]): port["containerPort"] for port in ports}
