"""What a client learns before it asks for anything: versions, kinds, verbs, parameters and fields."""

import json

import httpx2
import pytest
from cluster.conftest import binaries, control_plane  # noqa: F401 - fixtures

from gameday import kubeconfig
from gameday.api import discovery
from gameday.api.resources import RESOURCES

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KUBECTL = f"{AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
SINCE_1_26 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"


def document(path: str, accept: str = "application/json"):
    found = discovery.document(path, accept)
    assert found
    return json.loads(found[1]) if isinstance(found[1], bytes) else found[1]


def legacy() -> set[tuple]:
    """Return everything that the documents of all group versions tell, one by one."""
    groups = [each["versions"][0]["groupVersion"] for each in document("/apis")["groups"]]
    lists = [document("/api/v1"), *(document(f"/apis/{each}") for each in groups)]
    return {
        (each["groupVersion"], one["name"], one["kind"], one["namespaced"], tuple(one["verbs"]))
        for each in lists for one in each["resources"]
    }  # fmt: skip


def at_once() -> set[tuple]:
    """Return the same from the aggregated documents."""
    found = set()
    for path in ("/api", "/apis"):
        for group in document(path, KUBECTL)["items"]:
            for version in group["versions"]:
                api = "/".join(filter(None, (group["metadata"].get("name"), version["version"])))
                found |= {entry for each in version["resources"] for entry in entries(api, each)}
    return found


def entries(api: str, resource: dict) -> list[tuple]:
    name, scope = resource["resource"], resource["scope"] == "Namespaced"
    parts = [
        (api, f"{name}/{each['subresource']}", each["responseKind"]["kind"], scope, tuple(each["verbs"]))
        for each in resource.get("subresources", [])
    ]
    return [(api, name, resource["responseKind"]["kind"], scope, tuple(resource["verbs"])), *parts]


def test_both_forms_tell_the_same() -> None:
    assert legacy() == at_once()
    assert len(legacy()) > 40


def test_every_resource_is_found() -> None:
    told = {(api, name) for api, name, *_ in legacy()}
    assert {(each.kind.api, each.kind.plural) for each in RESOURCES} <= told


def test_what_is_computed_is_found_too() -> None:
    told = {(api, name): verbs for api, name, _, _, verbs in legacy()}
    assert told["metrics.k8s.io/v1beta1", "pods"] == ("get", "list")
    assert told["authorization.k8s.io/v1", "selfsubjectaccessreviews"] == ("create",)
    assert told["v1", "pods/eviction"] == ("create",)


def test_scale_and_eviction_are_of_another_group_than_their_object() -> None:
    parts = {each["name"]: each for path in ("/api/v1", "/apis/apps/v1") for each in document(path)["resources"]}
    scale, eviction = parts["deployments/scale"], parts["pods/eviction"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")
    assert (eviction["group"], eviction["version"], eviction["kind"]) == ("policy", "v1", "Eviction")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [(KUBECTL, "APIGroupDiscoveryList"), (SINCE_1_26, "APIGroupList"), ("*/*", "APIGroupList"), ("", "APIGroupList")],
)
def test_a_client_gets_the_form_that_it_knows(accept, kind) -> None:
    assert document("/apis", accept)["kind"] == kind


def test_the_aggregated_form_says_so_in_its_content_type() -> None:
    assert discovery.document("/api", KUBECTL)[0] == AGGREGATED  # type: ignore[index]


def test_the_version_says_that_it_is_ours() -> None:
    assert document("/version/")["gitVersion"] == "v1.37.0-gameday"


@pytest.mark.parametrize("path", ["/", "/apis/nothing", "/api/v2", "/openapi/v3/apis/nothing/v1", "/openapi/v4"])
def test_other_paths_are_not_answered(path) -> None:
    assert discovery.document(path, "") is None


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.qualified)
def test_every_patch_takes_dry_runs_and_strict_fields(resource) -> None:
    api = next(path for path in document("/openapi/v3")["paths"] if path.endswith(resource.kind.api))
    described = document(f"/openapi/v3/{api}")
    patch = described["paths"][f"{resource.kind.path('{namespace}')}/{{name}}"]["patch"]
    assert {"dryRun", "fieldValidation"} <= {each["name"] for each in patch["parameters"] if each["in"] == "query"}
    assert patch["x-kubernetes-group-version-kind"]["kind"] == resource.kind.kind


def test_kubectl_merges_by_its_own_knowledge() -> None:
    """A patch that named its content would make kubectl read merge keys from our document, which has none."""
    paths = document("/openapi/v3/apis/apps/v1")["paths"]
    assert all("requestBody" not in each["patch"] for each in paths.values() if "patch" in each)


def test_fields_are_explained() -> None:
    schemas = document("/openapi/v3/apis/apps/v1")["components"]["schemas"]
    identity = {"group": "apps", "version": "v1", "kind": "Deployment"}
    (deployment,) = [each for each in schemas.values() if identity in each.get("x-kubernetes-group-version-kind", [])]
    assert deployment["description"] == "Deployment enables declarative updates for Pods and ReplicaSets."
    spec = schemas[deployment["properties"]["spec"]["allOf"][0]["$ref"].rpartition("/")[2]]
    assert spec["properties"]["replicas"]["type"] == "integer"
    assert spec["properties"]["replicas"]["description"].startswith("Number of desired pods")
    assert "selector" in spec["required"]


@pytest.mark.parametrize("api", document("/openapi/v3")["paths"])
def test_every_reference_leads_somewhere(api) -> None:
    schemas = document(f"/openapi/v3/{api}")["components"]["schemas"]
    assert {each.rpartition("/")[2] for each in references(schemas)} <= schemas.keys()


def references(value) -> list[str]:
    if isinstance(value, list):
        return [found for each in value for found in references(each)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for each in value.values() for found in references(each)]


@pytest.mark.parametrize(
    ("accept", "body"),
    [("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", b""), ("application/json", {})],
)
def test_old_clients_get_an_empty_description(accept, body) -> None:
    found = discovery.document("/openapi/v2", accept)
    assert found
    assert (found[1] if isinstance(found[1], bytes) else found[1]["paths"]) == body


@pytest.mark.cluster
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.qualified)
def test_each_resource_is_told_as_a_real_api_tells_it(control_plane, resource) -> None:  # noqa: F811
    access = kubeconfig.load(control_plane.plan.kubeconfig)
    path = resource.kind.path().rpartition("/")[0]
    with httpx2.Client(base_url=access.server, verify=access.tls, trust_env=False, timeout=10) as client:
        real = {each["name"]: each for each in client.get(path).json()["resources"]}
    for ours in document(path)["resources"]:
        if ours["name"].split("/")[0] == resource.kind.plural:
            theirs = {name: real[ours["name"]].get(name) for name in ours}
            assert {name: unordered(each) for name, each in ours.items()} == {
                name: unordered(each) for name, each in theirs.items()
            }


def unordered(value):
    return sorted(value) if isinstance(value, list) else value
