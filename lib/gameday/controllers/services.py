"""What a Service selects: its pods that have an address, and the ports they are reached at."""

from collections.abc import Sequence

from firstwatch.model import Json
from gameday import labels
from gameday.controllers import pods
from gameday.controllers.controller import Queue
from gameday.informer import Informer, key_of


def selected(service: Json, known: Informer) -> list[Json]:
    """Return the pods that *service* selects, that have an address and have not ended, by name."""
    wanted, namespace = service["spec"]["selector"], service["metadata"]["namespace"]
    fitting = [pod for pod in known.within(namespace) if labels.includes(wanted, pod["metadata"].get("labels"))]
    placed = [pod for pod in fitting if (pod.get("status") or {}).get("podIP") and not pods.ended(pod)]
    return sorted(placed, key=lambda pod: str(pod["metadata"]["name"]))


def ports(service: Json, found: Sequence[Json]) -> list[Json]:
    """Return a Service's ports as its pods have them; a port by name is the one of the first pod that has the name."""
    resolved = []
    for port in service["spec"].get("ports") or []:
        number = _number(port.get("targetPort", port["port"]), found)
        if number:
            told = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": number}
            resolved.append(told | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {}))
    return resolved


def touched(queue: Queue, services: Informer, former: Json, present: Json) -> None:
    """Look at each Service that selects a pod, or did before it changed."""
    for service in services.within((present or former)["metadata"]["namespace"]):
        wanted = service["spec"].get("selector")
        states = [each["metadata"].get("labels") for each in (former, present) if each is not None]
        if wanted and any(labels.includes(wanted, each) for each in states):
            queue.add(key_of(service))


def _number(target: int | str, found: Sequence[Json]) -> int:
    if isinstance(target, int):
        return target
    declared = (port for pod in found for each in pod["spec"]["containers"] for port in each.get("ports") or [])
    return next((port["containerPort"] for port in declared if port.get("name") == target), 0)
