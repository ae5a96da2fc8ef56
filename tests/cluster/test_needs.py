"""Each runbook on an API server that enforces roles, as an account that may do exactly what it says that it needs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from desk import DEPLOYMENT, NAMESPACE, Desk, opened
from faults import broken
from kubernetes import client, config
from test_deploy import books, needs, sometimes

from firstwatch.model import Verdict
from firstwatch.runs.catalog import Runbook

from .test_kinds_of_change import scaled
from .test_roles import posted

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
GROUPS = {
    "deployments": "apps", "replicasets": "apps", "horizontalpodautoscalers": "autoscaling",
    "endpointslices": "discovery.k8s.io", "ingresses": "networking.k8s.io", "poddisruptionbudgets": "policy",
}  # fmt: skip
BOOKS = [*books("investigate"), *books("mitigate")]
EACH = pytest.mark.parametrize("book", BOOKS, ids=lambda each: each.name)
Run = Callable[[Runbook, set[tuple[str, str]], str], broken.Ran]


@pytest.fixture(scope="module")
def desk(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(tmp_path_factory.mktemp("desk"), "--control-plane", str(binaries)) as made:
        scaled(made)
        released(made)
        yield made


def released(desk: Desk) -> None:
    """Make a second revision, so that there is one to go back to."""
    with desk.cluster() as api:
        noted = {"spec": {"template": {"metadata": {"annotations": {"released": "again"}}}}}
        api.patch_namespaced_deployment(DEPLOYMENT, NAMESPACE, noted)


@pytest.fixture
def run(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a runbook, observing, as an account that may do what is given and nothing else."""
    kubeconfig = desk("gameday", "status")["kubeconfig"]

    def ran(book: Runbook, granted: set[tuple[str, str]], name: str) -> broken.Ran:
        with config.new_client_from_config(kubeconfig) as api:
            token = account(api, name, granted)
        own = yaml.safe_load(Path(kubeconfig).read_text())
        own["users"] = [{"name": each["name"], "user": {"token": token}} for each in own["users"]]
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(own))
        said = (desk.world / "firstwatch.toml").read_text().replace(kubeconfig, str(tmp_path / "kubeconfig"))
        own_settings = desk.world / f"{name}.toml"  # beside what it names
        own_settings.write_text(said)
        monkeypatch.setenv("FIRSTWATCH_CONFIG", str(own_settings))
        monkeypatch.setenv("FIRSTWATCH_RECORDS", str(tmp_path / "incidents"))
        return broken.cells(
            book.name, {"live": True}, {"service": DEPLOYMENT, "value": "true", "replicas": 4, "within": "0s"}
        )

    return ran


def account(api: client.ApiClient, name: str, granted: set[tuple[str, str]]) -> str:
    """Make a service account that may do what is *granted*, and return a token of it."""
    rbac, accounts = "/apis/rbac.authorization.k8s.io/v1", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    version = "rbac.authorization.k8s.io/v1"
    own = {"metadata": {"name": name}}
    posted(api, accounts, {"apiVersion": "v1", "kind": "ServiceAccount", **own})
    posted(api, f"{rbac}/clusterroles", {"apiVersion": version, "kind": "ClusterRole", **own, "rules": rules(granted)})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    bound = {"apiVersion": version, "kind": "ClusterRoleBinding", **own, "roleRef": role, "subjects": [subject]}
    posted(api, f"{rbac}/clusterrolebindings", bound)
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(posted(api, f"{accounts}/{name}/token", asked)["status"]["token"])


def rules(granted: set[tuple[str, str]]) -> list[dict[str, Any]]:
    found = []
    for verb, what in sorted(granted):
        resource = what.removesuffix(".metrics.k8s.io")
        group = "metrics.k8s.io" if resource != what else GROUPS.get(resource, "")
        found.append({"apiGroups": [group], "resources": [resource], "verbs": [verb]})
    return found


def refused(ran: broken.Ran) -> list[str]:
    """Return all that was refused for want of a right."""
    said = [each.observed for each in ran.findings if each.verdict is Verdict.UNKNOWN]
    return [each for each in (*said, ran.sentence) if "403" in each]


OF_DATABASE = ("investigate/database", "mitigate/end-session")  # they ask nothing of Kubernetes
SAYS = {"mitigate/end-session": "NotFound: no session is to be ended"}  # where nobody waits for anybody


@EACH
def test_a_runbook_runs_with_what_it_says_that_it_needs(book: Runbook, run: Run) -> None:
    ran = run(book, set(needs(book)), book.name.replace("/", "-"))
    assert (refused(ran), ran.unforeseen) == ([], "")
    assert ran.sentence.partition(": others")[0] == SAYS.get(book.name, "")


@EACH
def test_a_runbook_that_lacks_one_of_its_needs_says_so(book: Runbook, run: Run) -> None:
    wanted = set(needs(book))
    telling = sorted(wanted - sometimes(book) - {("list", "events")})  # of those the pods say more, where they may
    if not telling:
        assert book.name in OF_DATABASE
        return
    ran = run(book, wanted - {telling[-1]}, book.name.replace("/", "-") + "-less")
    assert (refused(ran) != [], ran.unforeseen) == (True, "")
