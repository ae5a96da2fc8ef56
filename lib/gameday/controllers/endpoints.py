"""Endpoints: the older, flatter list of a Service's pods, which `kubectl get endpoints` and old clients read."""

from typing import ClassVar

from firstwatch.model import Json
from gameday.client import Client
from gameday.controllers import pods
from gameday.controllers.controller import Controller
from gameday.controllers.services import ports, selected, touched
from gameday.informer import Informer, Key
from gameday.kinds import ENDPOINTS

MANAGED_BY = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}


class Endpoints(Controller):
    name: ClassVar[str] = "endpoints"

    def __init__(self, client: Client, *, services: Informer, pods: Informer, endpoints: Informer) -> None:
        super().__init__((services, pods, endpoints))
        self._client = client
        self._services, self._pods, self._endpoints = services, pods, endpoints
        self.follow(services)
        self.follow(endpoints)
        pods.on_change(lambda former, present: touched(self.queue, services, former, present))

    async def sync(self, key: Key) -> None:
        service, known = self._services.get(key), self._endpoints.get(key)
        if service is None:
            if known is not None and MANAGED_BY.items() <= (known["metadata"].get("labels") or {}).items():
                await self._client.delete(ENDPOINTS, known)
        elif service["spec"].get("selector"):
            await self._write(service, known)

    async def _write(self, service: Json, known: Json) -> None:
        found = [pod for pod in selected(service, self._pods) if not pods.leaving(pod)]
        subsets = [_subset(service, found)] if found else []
        if known is None:
            about = service["metadata"]
            metadata = {"name": about["name"], "namespace": about["namespace"]}
            metadata["labels"] = (about.get("labels") or {}) | MANAGED_BY
            self._endpoints.observe(await self._client.create(ENDPOINTS, {"metadata": metadata, "subsets": subsets}))
        elif (known.get("subsets") or []) != subsets:
            self._endpoints.observe(await self._client.replace(ENDPOINTS, known | {"subsets": subsets}))


def _subset(service: Json, found: list[Json]) -> Json:
    ready = [_address(pod) for pod in found if pods.ready(pod)]
    others = [_address(pod) for pod in found if not pods.ready(pod)]
    named = [{name: value for name, value in each.items() if value} for each in ports(service, found)]
    lists = {"addresses": ready, "notReadyAddresses": others, "ports": named}
    return {name: value for name, value in lists.items() if value}


def _address(pod: Json) -> Json:
    about = pod["metadata"]
    reference = {"kind": "Pod", "namespace": about["namespace"], "name": about["name"], "uid": about["uid"]}
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName"), "targetRef": reference}
