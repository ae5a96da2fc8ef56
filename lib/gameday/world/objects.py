"""What the cluster of a world is filled with: the namespace, and the example service's objects."""

import asyncio
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import yaml

from firstwatch.errors import Unavailable
from firstwatch.model import Json
from gameday import kinds, kubeconfig
from gameday.client import ApiError, Client
from gameday.controllers import pods
from gameday.kinds import Kind
from gameday.world.metrics import SERVICE
from gameday.world.parts import CATALOG, NODE
from gameday.world.trust import Trust

WITHIN_S = 60.0
POLL_S = 0.1
STANDBY = "maintenance-page"
MANIFESTS = {
    "config.yaml": kinds.CONFIG_MAP, "standby-page.yaml": kinds.CONFIG_MAP, "catalog-service.yaml": kinds.SERVICE,
    "service.yaml": kinds.SERVICE, "catalog.yaml": kinds.DEPLOYMENT, "standby.yaml": kinds.DEPLOYMENT,
    "deployment.yaml": kinds.DEPLOYMENT, "reports.yaml": kinds.DEPLOYMENT,
}  # fmt: skip
OF_DATABASE = {"backfill.yaml": kinds.DEPLOYMENT, "export.yaml": kinds.DEPLOYMENT}


def fill(path: Path, trust: Trust, catalog_url: str, service_url: str, database: str = "") -> None:
    """
    Create the example's objects in the cluster of the kubeconfig *path*, and wait until its pods serve.

    *trust* is what they show each other and believe. *catalog_url* is where the service reaches its catalog,
    *service_url* where others reach the service, *database* the file that says how its users reach the database; empty
    when there is none.

    Raises:
        Unavailable: The node or the pods were not ready within a minute.
        ApiError: The API refused an object.
    """
    places = {"{catalog_url}": catalog_url, "{service_url}": service_url, "{database}": database}
    asyncio.run(_fill(path, trust, places))


async def _fill(path: Path, trust: Trust, places: Mapping[str, str]) -> None:
    access = kubeconfig.load(path)
    async with Client(access) as client:
        await _create(client, kinds.NAMESPACE, {"metadata": {"name": access.namespace}})
        manifests = MANIFESTS | (OF_DATABASE if places["{database}"] else {})
        made = [(kind, _manifest(name, places)) for name, kind in manifests.items()]
        for kind, item in (*trust.objects(), *made):
            item["metadata"]["namespace"] = access.namespace
            await _create(client, kind, item)
        await _until_ready(client, kinds.NODE, "", NODE)
        for name in (CATALOG, STANDBY, SERVICE):
            await _until_ready(client, kinds.DEPLOYMENT, access.namespace, name)


def _manifest(name: str, places: Mapping[str, str]) -> Json:
    text = (files("gameday.world") / "manifests" / name).read_text("utf-8")
    for word, url in places.items():
        text = text.replace(word, url)
    return yaml.safe_load(text)


async def _create(client: Client, kind: Kind, item: Json) -> None:
    """Create one object; one that is there already is fine."""
    try:
        await client.create(kind, item)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


async def _until_ready(client: Client, kind: Kind, namespace: str, name: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not await _ready(client, kind, namespace, name):
        if time.monotonic() > deadline:
            raise Unavailable(
                f"{kind.kind} {name} was not ready within {WITHIN_S:.0f} s; see firstwatch gameday status"
            )
        await asyncio.sleep(POLL_S)


async def _ready(client: Client, kind: Kind, namespace: str, name: str) -> bool:
    try:
        item = await client.get(kind, namespace, name)
    except ApiError as error:
        if error.status != 404:
            raise
        return False
    if kind is kinds.NODE:
        return pods.ready(item) and not item["spec"].get("taints")
    return bool(item.get("status", {}).get("availableReplicas", 0) >= item["spec"]["replicas"])
