"""Fields that a kind does not have are named in the real API's words; free keys are nobody's business."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import yaml
from cluster.conftest import binaries, control_plane  # noqa: F401 - fixtures

from gameday import kinds, kubeconfig
from gameday.api import fields
from gameday.api.resources import RESOURCES
from gameday.kinds import Kind

OBJECTS = list(yaml.safe_load_all((Path(__file__).parent / "tables.yaml").read_text()))
BY_KIND = {each.kind.kind: each.kind for each in RESOURCES}
WRONG = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: wrong, lables: {}, labels: {free: key}}
spec:
  selector: {matchLabels: {app: a}}
  replica: 3
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 50%}}
  template:
    metadata: {labels: {app: a}}
    spec:
      contianers: []
      containers:
      - {name: a, image: "a:1", resources: {limits: {cpu: 1}}, readinessProbe: {httpGet: {port: http, pth: /}}}
      - {name: b, image: "a:1", ports: [{containerPort: 80, hostport: 1}], env: [{name: A, vlaue: "1"}]}
"""
COMPLAINTS = [
    "metadata.lables",
    "spec.replica",
    "spec.template.spec.containers[0].readinessProbe.httpGet.pth",
    "spec.template.spec.containers[1].env[0].vlaue",
    "spec.template.spec.containers[1].ports[0].hostport",
    "spec.template.spec.contianers",
]


def test_each_unknown_field_is_named_with_its_path() -> None:
    found = fields.unknown(kinds.DEPLOYMENT, yaml.safe_load(WRONG))
    assert sorted(found) == [f'unknown field "{path}"' for path in COMPLAINTS]


def test_a_field_at_the_top_is_named_alone() -> None:
    body = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a"},
        "dta": {"a": "b"},
        "data": {"any": "key"},
    }
    assert fields.unknown(kinds.CONFIG_MAP, body) == ['unknown field "dta"']


@pytest.mark.parametrize("item", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_what_a_real_api_takes_is_not_complained_of(item) -> None:
    assert fields.unknown(BY_KIND[item["kind"]], item) == []


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.qualified)
def test_every_kind_that_is_served_is_checked(resource) -> None:
    assert fields.unknown(resource.kind, {"metadata": {}, "nosuch": 1}) == ['unknown field "nosuch"']


def test_a_kind_that_nobody_described_is_not_checked() -> None:
    assert fields.unknown(Kind("example.com/v1", "Sandwich", "sandwiches"), {"filling": "cheese"}) == []


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    code = "import sys, gameday.api.fields; print([name for name in sys.modules if name.startswith('kubernetes')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.cluster
def test_a_real_api_complains_of_the_same(control_plane) -> None:  # noqa: F811
    access = kubeconfig.load(control_plane.plan.kubeconfig)
    strict = {"fieldValidation": "Strict", "dryRun": "All"}
    with httpx2.Client(base_url=access.server, verify=access.tls, trust_env=False, timeout=10) as client:
        path = kinds.DEPLOYMENT.path("claude-deployment-prod")
        answer = client.post(path, params=strict, json=yaml.safe_load(WRONG)).json()
    told = answer["message"].partition("strict decoding error: ")[2].split(", ")
    assert sorted(told) == [f'unknown field "{path}"' for path in COMPLAINTS]
