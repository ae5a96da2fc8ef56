"""The roles of deploy/ on an API server that enforces them: each kind of run with what it needs, and no more."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from desk import NAMESPACE, Desk, opened
from kubernetes import client, config

from firstwatch import actions, probes, settings
from firstwatch.clock import WallClock
from firstwatch.errors import Refused
from firstwatch.model import Verdict
from firstwatch.systems import Systems, connect

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1000)]
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
As = Callable[..., Systems]


@pytest.fixture(scope="module")
def desk(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(tmp_path_factory.mktemp("desk"), "--control-plane", str(binaries)) as made:
        yield made


@pytest.fixture(scope="module")
def systems(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> As:
    """Return what connects as an account that is bound to the roles of that name, and to no others."""
    folder, kubeconfig = tmp_path_factory.mktemp("accounts"), desk("gameday", "status")["kubeconfig"]
    with config.new_client_from_config(kubeconfig) as api:
        for path in sorted(DEPLOY.glob("rbac-*.yaml")):
            granted(api, yaml.safe_load(path.read_text()))

    def connected(*roles: str) -> Systems:
        with config.new_client_from_config(kubeconfig) as api:
            token = account(api, "-".join(roles), roles)
        own = yaml.safe_load(Path(kubeconfig).read_text())
        own["users"] = [{"name": each["name"], "user": {"token": token}} for each in own["users"]]
        path = folder / "-".join(roles)
        path.write_text(json.dumps(own))
        found = settings.load(desk.world / "firstwatch.toml")
        there = found.kubernetes.model_copy(update={"kubeconfig": str(path)})
        return connect(found.model_copy(update={"kubernetes": there}))

    return connected


def granted(api: client.ApiClient, role: dict) -> None:
    """Create *role*, and read by the client that it is there."""
    inside = f"/namespaces/{role['metadata']['namespace']}" if role["kind"] == "Role" else ""
    path = f"/apis/rbac.authorization.k8s.io/v1{inside}/{role['kind'].lower()}s"
    posted(api, path, role)


def posted(api: client.ApiClient, path: str, body: dict) -> dict:
    header = {"Content-Type": "application/json", "Accept": "application/json"}
    api.update_params_for_auth(header, [], ["BearerToken"], path, "POST", body)
    answer = api.rest_client.request("POST", api.configuration.host + path, headers=header, body=body)
    found = json.loads(answer.response.data)
    assert found["kind"] != "Status", found
    return found


def account(api: client.ApiClient, name: str, roles: tuple[str, ...]) -> str:
    """Make a service account, bind it to *roles*, and return a token of it."""
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    posted(api, accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    for role in roles:
        cluster = role != "mitigate"
        kind, inside = ("ClusterRole", "") if cluster else ("Role", f"/namespaces/{NAMESPACE}")
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": f"{kind}Binding",
            "metadata": {"name": f"{name}-{role}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": f"firstwatch-{role}"},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
        }  # fmt: skip
        posted(api, f"/apis/rbac.authorization.k8s.io/v1{inside}/{kind.lower()}bindings", binding)
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(posted(api, f"{accounts}/{name}/token", asked)["status"]["token"])


PLANS = [
    pytest.param(actions.scale, {"replicas": 4}, id="scale"),
    pytest.param(actions.restart, {}, id="restart"),
    pytest.param(actions.circuit_breaker, {}, id="circuit breaker"),
    pytest.param(actions.maintenance, {}, id="maintenance"),
]


def test_who_investigates_may_look_at_everything_and_change_nothing(systems: As) -> None:
    with systems("investigate") as reading:
        for probe in probes.FIRST_FIVE_MINUTES:
            said = [f.observed for f in probes.ask(probe, reading, WallClock().now()) if f.verdict is Verdict.UNKNOWN]
            assert not any("403" in each for each in said), said
        for case in PLANS:
            with pytest.raises(Refused, match="403"):
                case.values[0].plan(reading, case.values[1])


def test_who_mitigates_may_change_the_service_and_no_node(systems: As) -> None:
    with systems("investigate", "mitigate") as changing:
        for case in PLANS:
            assert case.values[0].plan(changing, case.values[1]).changes
        with pytest.raises(Refused, match="403"):
            actions.cordon.plan(changing, {"node": "node-1"})


def test_who_breaks_the_glass_may_cordon(systems: As) -> None:
    with systems("investigate", "break-glass") as everything:
        assert actions.cordon.plan(everything, {"node": "node-1"}).changes
