"""What a cluster needs: the roles grant what the runbooks need, and no write that none needs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from firstwatch.runs import catalog
from firstwatch.systems.tape import Tape

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
GITOPS = {"applications", "kustomizations", "helmreleases"}


def role(name: str) -> set[tuple[str, str]]:
    """Return the (verb, resource) pairs that a role grants."""
    rules = yaml.safe_load((DEPLOY / f"rbac-{name}.yaml").read_text())["rules"]
    return {(verb, what) for rule in rules for verb in rule["verbs"] for what in rule["resources"]}


def needs(book: catalog.Runbook) -> Iterator[tuple[str, str]]:
    """Yield what the metadata of *book* says that it needs of Kubernetes: `get, list: pods, deployments`."""
    for line in book.metadata["needs"]:
        verbs, _, resources = line.partition(": ")
        if set(verbs.split(", ")) <= {"get", "list", "create", "patch", "delete"}:
            yield from ((verb, what) for verb in verbs.split(", ") for what in resources.split(", "))


def books(kind: str) -> list[catalog.Runbook]:
    folder = ROOT / "runbooks"
    return [catalog.find(name) for name in catalog.names(folder) if name.startswith(kind)]


# What is asked only for a reason, which a recorded world may lack: a quota that is used up, another workload, a change
# of the number of pods, a flag that is read as environment, so that a restart follows, a page that is not there yet.
SOMETIMES = {
    "quotas": {("list", "replicasets")},
    "neighbours": {("list", "replicasets")},
    "reload": {("patch", "deployments"), ("list", "poddisruptionbudgets")},
    "CHANGES": {("list", "events")},
    "maintenance": {("create", "services"), ("delete", "services")},
}
PATH = re.compile(r"/(?:api|apis/([^/]+))/[^/]+(?:/namespaces/[^/]+)?/([^/]+)(?:/([^/]+)(?:/(log))?)?")
VERBS = {"PATCH": "patch", "POST": "create", "DELETE": "delete"}


def asked(book: catalog.Runbook) -> Iterator[tuple[str, str]]:
    """Yield what the recording of *book* asked of Kubernetes."""
    for each in Tape.load(book.recording).exchanges:
        parts = urlsplit(each.url)
        found = PATH.fullmatch(parts.path) if parts.netloc == "kubernetes" else None
        if found:
            group, resource, name, log = found.groups()
            part = f"{'/log' if log else ''}{'.metrics.k8s.io' if group == 'metrics.k8s.io' else ''}"
            yield VERBS.get(each.method, "get" if name else "list"), resource + part


def sometimes(book: catalog.Runbook) -> set[tuple[str, str]]:
    source = "".join("".join(each["source"]) for each in book.cells if each["cell_type"] == "code")
    called = {
        word for word in SOMETIMES if f".{word}" in source or ("FIRST_FIVE_MINUTES" in source and word[0] in "qn")
    }
    return set[tuple[str, str]]().union(*(SOMETIMES[word] for word in called))


@pytest.mark.parametrize("book", books(""), ids=lambda each: each.name)
def test_a_runbook_says_exactly_what_it_needs_of_kubernetes(book: catalog.Runbook) -> None:
    seen = set(asked(book))
    assert seen <= set(needs(book)) <= seen | sometimes(book)


@pytest.mark.parametrize("book", books("investigate"), ids=lambda each: each.name)
def test_an_investigation_needs_no_more_than_its_role_grants(book: catalog.Runbook) -> None:
    metrics = {(verb, f"{what}.metrics.k8s.io") for verb, what in role("investigate") if what in ("pods", "nodes")}
    assert set(needs(book)) <= role("investigate") | metrics


@pytest.mark.parametrize("book", books("mitigate"), ids=lambda each: each.name)
def test_a_mitigation_needs_no_more_than_its_roles_grant(book: catalog.Runbook) -> None:
    assert set(needs(book)) <= role("investigate") | role("mitigate") | role("break-glass")


def test_no_role_grants_a_write_that_no_runbook_needs() -> None:
    wanted = {need for book in books("mitigate") for need in needs(book)}
    writes: set[Any] = {each for each in role("mitigate") | role("break-glass") if each[1] not in GITOPS}
    assert writes <= wanted


def test_who_investigates_may_change_nothing_and_read_no_secret() -> None:
    granted = role("investigate")
    assert {verb for verb, _ in granted} == {"get", "list"}
    assert "secrets" not in {what for _, what in granted}
    assert "*" not in {word for pair in granted for word in pair}


def test_the_manifest_of_the_maintenance_page_is_one_object() -> None:
    assert yaml.safe_load((DEPLOY / "maintenance-page.yaml").read_text())["kind"] == "Service"
