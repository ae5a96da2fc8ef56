"""
EndpointSlices: where a Service's pods are, and which of them take requests.

A pod is there as soon as it has an address. It is *ready* while it is ready and not on its way out, *serving* while it
is ready even if it is leaving, and *terminating* once it leaves: what forwards requests can tell the three apart.
"""

from typing import ClassVar

from firstwatch.model import Json
from gameday import labels
from gameday.client import Client
from gameday.controllers import ownership, pods
from gameday.controllers.controller import Controller
from gameday.controllers.services import ports, selected, touched
from gameday.informer import Informer, Key
from gameday.kinds import ENDPOINT_SLICE, SERVICE

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
US = "endpointslice-controller.k8s.io"


class EndpointSlices(Controller):
    name: ClassVar[str] = "endpointslice"

    def __init__(self, client: Client, *, services: Informer, pods: Informer, slices: Informer) -> None:
        super().__init__((services, pods, slices))
        self._client = client
        self._services, self._pods, self._slices = services, pods, slices
        self.follow(services)
        pods.on_change(lambda former, present: touched(self.queue, services, former, present))
        slices.on_change(lambda former, present: self._slice_changed(present or former))

    async def sync(self, key: Key) -> None:
        service = self._services.get(key)
        if service is None or not service["spec"].get("selector") or service["metadata"].get("deletionTimestamp"):
            return
        found = selected(service, self._pods)
        wanted = {
            "endpoints": [_endpoint(service, pod) for pod in found],
            "ports": [{"protocol": "TCP"} | each for each in ports(service, found)],
        }
        known = next((each for each in self._slices.within(key[0]) if _of(each) == key[1] and _ours(each)), None)
        if known is None:
            self._slices.observe(await self._client.create(ENDPOINT_SLICE, _slice(service) | wanted))
        elif any((known.get(name) or []) != value for name, value in wanted.items()):
            self._slices.observe(await self._client.replace(ENDPOINT_SLICE, known | wanted))

    def _slice_changed(self, item: Json) -> None:
        if _of(item) and _ours(item):
            self.queue.add((item["metadata"]["namespace"], _of(item)))


def _slice(service: Json) -> Json:
    about = service["metadata"]
    own = {
        "generateName": f"{about['name']}-",
        "namespace": about["namespace"],
        "labels": (about.get("labels") or {}) | {SERVICE_NAME: about["name"], MANAGED_BY: US},
        "ownerReferences": [ownership.reference(SERVICE, service)],
    }
    return {"metadata": own, "addressType": "IPv4"}


def _endpoint(service: Json, pod: Json) -> Json:
    about, leaving = pod["metadata"], pods.leaving(pod)
    serving = pods.ready(pod) or bool(service["spec"].get("publishNotReadyAddresses"))
    reference = {"kind": "Pod", "namespace": about["namespace"], "name": about["name"], "uid": about["uid"]}
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serving and not leaving, "serving": serving, "terminating": leaving},
        "targetRef": reference,
        "nodeName": pod["spec"].get("nodeName"),
    }


def _of(item: Json) -> str:
    return str((item["metadata"].get("labels") or {}).get(SERVICE_NAME) or "")


def _ours(item: Json) -> bool:
    return labels.includes({MANAGED_BY: US}, item["metadata"].get("labels"))
