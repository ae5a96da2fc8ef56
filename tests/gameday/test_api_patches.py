"""The patches, each as a table; the strategic one against kubectl's own, which needs no server."""

import json
import os
import shutil
import subprocess

import pytest

from gameday.api import patches
from gameday.api.errors import Refusal
from gameday.client import JSON_PATCH, MERGE, STRATEGIC

CONTAINERS = [
    {"name": "api", "image": "api:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
    {"name": "log", "image": "log:1", "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 81}]},
]
VOLUMES = [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "c"}}]
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "labels": {"app": "api"}, "finalizers": ["example.com/a", "example.com/b"]},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "api"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {"containers": CONTAINERS, "volumes": VOLUMES, "tolerations": [{"key": "k", "operator": "Exists"}]},
        },
    },
}


def pod(**spec) -> dict:
    return {"spec": {"template": {"spec": spec}}}


CASES = {
    "a-number": {"spec": {"replicas": 5}},
    "a-label-more": {"metadata": {"labels": {"more": "1"}}},
    "a-label-less": {"metadata": {"labels": {"app": None}}},
    "an-image": pod(containers=[{"name": "log", "image": "log:2"}]),
    "a-container-more": pod(containers=[{"name": "new", "image": "new:1"}]),
    "a-container-more-at-its-place": pod(
        **{"$setElementOrder/containers": [{"name": "api"}, {"name": "new"}, {"name": "log"}]},
        containers=[{"name": "new", "image": "new:1"}],
    ),
    "a-container-less": pod(containers=[{"name": "api", "$patch": "delete"}]),
    "other-containers": pod(containers=[{"$patch": "replace"}, {"name": "only", "image": "only:1"}]),
    "an-order": pod(**{"$setElementOrder/containers": [{"name": "log"}, {"name": "api"}]}),
    "a-variable-more": pod(containers=[{"name": "api", "env": [{"name": "C", "value": "3"}]}]),
    "a-variable-less": pod(containers=[{"name": "api", "env": [{"name": "A", "$patch": "delete"}]}]),
    "a-variable-in-the-middle": pod(
        containers=[{
            "name": "api",
            "env": [{"name": "C", "value": "3"}],
            "$setElementOrder/env": [{"name": "A"}, {"name": "C"}, {"name": "B"}],
        }]
    ),
    "a-port-by-its-number": pod(containers=[{"name": "log", "ports": [{"containerPort": 81, "name": "web"}]}]),
    "a-list-without-keys": pod(tolerations=[{"key": "other", "operator": "Exists"}]),
    "another-source-of-a-volume": pod(
        volumes=[{"name": "w", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]
    ),
    "a-strategy-alone": {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    "a-map-in-its-place": {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}},
    "a-value-from-a-set": {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}},
    "a-value-for-a-set": {"metadata": {"finalizers": ["example.com/c"]}},
}  # fmt: skip


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_a_strategic_merge_is_kubectls(change, tmp_path) -> None:
    kubectl = os.environ.get("FIRSTWATCH_KUBECTL") or shutil.which("kubectl")
    if not kubectl:
        pytest.skip("no kubectl to compare with: set FIRSTWATCH_KUBECTL, or put one on PATH")
    (tmp_path / "item.json").write_text(json.dumps(DEPLOYMENT))
    command = [kubectl, "patch", "--local", "--type=strategic", "-f", tmp_path / "item.json", "-o", "json", "-p"]
    said = subprocess.run([*command, json.dumps(change)], check=True, capture_output=True, env={"HOME": str(tmp_path)})
    assert patches.patched(STRATEGIC, DEPLOYMENT, change) == json.loads(said.stdout)


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_a_strategic_merge_leaves_what_it_was_given_as_it_was(change) -> None:
    before = json.dumps(DEPLOYMENT)
    patches.patched(STRATEGIC, DEPLOYMENT, change)
    assert json.dumps(DEPLOYMENT) == before


def test_an_element_without_its_key_is_refused() -> None:
    with pytest.raises(Refusal, match="does not contain declared merge key: name"):
        patches.patched(STRATEGIC, DEPLOYMENT, pod(containers=[{"image": "whose:1"}]))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"data": {"a": "2"}}, {"a": "2", "b": ["x"]}, id="set"),
        pytest.param({"data": {"a": None}}, {"b": ["x"]}, id="remove"),
        pytest.param({"data": {"b": ["y"]}}, {"a": "1", "b": ["y"]}, id="lists-are-one-value"),
        pytest.param({"data": {"c": {"d": None}}}, {"a": "1", "b": ["x"], "c": {}}, id="null-in-what-is-new"),
    ],
)
def test_a_merge_patch_merges_maps(change, expected) -> None:
    assert patches.patched(MERGE, {"metadata": {}, "data": {"a": "1", "b": ["x"]}}, change)["data"] == expected


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param([{"op": "test", "path": "/data/a", "value": "2"}], id="a-test-that-fails"),
        pytest.param([{"op": "remove", "path": "/data/zz"}], id="nothing-to-remove"),
        pytest.param([{"op": "jump", "path": "/data/a"}], id="no-such-operation"),
    ],
)
def test_a_json_patch_that_does_not_fit_is_422(patch) -> None:
    with pytest.raises(Refusal) as refused:
        patches.patched(JSON_PATCH, {"metadata": {}, "data": {"a": "1"}}, patch)
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_json_patch_replaces_what_is_there_and_sets_what_is_not(name) -> None:
    patch = [{"op": "replace", "path": f"/data/{name}", "value": "2"}]
    assert patches.patched(JSON_PATCH, {"metadata": {}, "data": {"a": "1"}}, patch)["data"][name] == "2"


@pytest.mark.parametrize("form", [JSON_PATCH, MERGE, STRATEGIC])
def test_a_patch_that_is_none_is_400(form) -> None:
    with pytest.raises(Refusal) as refused:
        patches.patched(form, {"metadata": {}}, "nothing")
    assert refused.value.code == 400
