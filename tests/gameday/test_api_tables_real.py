"""Our tables beside a real API server's: the same columns of every kind that we serve, and the same cells."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
import yaml
from cluster.conftest import binaries, control_plane  # noqa: F401 - fixtures

from gameday import kubeconfig
from gameday.api import tables
from gameday.api.resources import RESOURCES, Resource

pytestmark = pytest.mark.cluster

NAMESPACE = "claude-deployment-prod"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
OBJECTS = list(yaml.safe_load_all((Path(__file__).parent / "tables.yaml").read_text()))


@pytest.fixture(scope="module")
def real(control_plane) -> Iterator[httpx2.Client]:  # noqa: F811
    access = kubeconfig.load(control_plane.plan.kubeconfig)
    with httpx2.Client(base_url=access.server, verify=access.tls, trust_env=False, timeout=10) as client:
        for item in OBJECTS:
            create(client, item)
        yield client


def create(client: httpx2.Client, item: dict) -> None:
    resource = next(each for each in RESOURCES if (each.kind.api, each.kind.kind) == (item["apiVersion"], item["kind"]))
    metadata = item["metadata"] | ({"namespace": NAMESPACE} if resource.kind.namespaced else {})
    if "involvedObject" in item:
        item = item | {"involvedObject": item["involvedObject"] | {"namespace": NAMESPACE}}
    answer = client.post(resource.kind.path(NAMESPACE), json=item | {"metadata": metadata})
    assert answer.status_code == 201, answer.text
    path = resource.kind.path(NAMESPACE, metadata["name"])
    if "status" in item:
        form = {"Content-Type": "application/merge-patch+json"}
        told = client.patch(f"{path}/status", json={"status": item["status"]}, headers=form)
        assert told.status_code == 200, told.text
    if "finalizers" in metadata:
        client.delete(path)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.qualified)
def test_tables_are_the_real_ones(real: httpx2.Client, resource: Resource) -> None:
    before = datetime.now(UTC)
    theirs = real.get(resource.kind.path(NAMESPACE), params={"includeObject": "Object"}, headers=TABLE).json()
    after = datetime.now(UTC)
    items = [row["object"] for row in theirs["rows"]]
    # Ages are counted at the real server's now, which is between our two.
    ours = [tables.table(resource, items, now=now, include="None", version="1") for now in (before, after)]
    assert shape(ours[0]) == shape(theirs)
    for index, row in enumerate(theirs["rows"]):
        assert row["cells"] in [each["rows"][index]["cells"] for each in ours]


def test_every_kind_that_is_compared_has_objects(real: httpx2.Client) -> None:
    lists = [real.get(each.kind.path(NAMESPACE)).json()["items"] for each in RESOURCES]
    assert all(lists)


def shape(table: dict) -> list[tuple[str, str, str, int]]:
    return [tuple(each[name] for name in ("name", "type", "format", "priority")) for each in table["columnDefinitions"]]
