"""What cannot be, as a table: the field that is named, and the words."""

import copy

import pytest

from gameday.api import defaults, validation

GOOD = {
    "Deployment": {
        "metadata": {"name": "api"},
        "spec": {
            "selector": {"matchLabels": {"app": "api"}},
            "template": {
                "metadata": {"labels": {"app": "api"}},
                "spec": {"containers": [{"name": "api", "image": "api:1"}]},
            },
        },
    },
    "ConfigMap": {"metadata": {"name": "settings"}, "data": {"a": "1"}},
    "Service": {"metadata": {"name": "api"}, "spec": {"ports": [{"port": 80}]}},
    "Pod": {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
}
CONTAINERS = "spec.template.spec.containers"
ROLLING = "spec.strategy.rollingUpdate"


def changed(kind: str, place: str, value) -> dict:
    """Return a good object of *kind*, with *value* at *place*."""
    item = copy.deepcopy(GOOD[kind])
    *parents, last = place.split(".")
    node = item
    for name in parents:
        node = node[int(name)] if name.isdigit() else node.setdefault(name, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return item


def complaints(kind: str, item: dict, former=None) -> list:
    defaults.fill(kind, item)
    return [(each.field, each.message) for each in validation.complaints(kind, item, former)]


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_right_is_not_complained_of(kind) -> None:
    item = copy.deepcopy(GOOD[kind])
    assert complaints(kind, item) == []
    assert complaints(kind, copy.deepcopy(item), item) == []


@pytest.mark.parametrize(
    ("kind", "place", "value", "field", "words"),
    [
        ("ConfigMap", "metadata.name", "No", "metadata.name", 'Invalid value: "No": a lowercase RFC 1123 subdomain'),
        ("ConfigMap", "metadata.name", "", "metadata.name", "Required value: name or generateName is required"),
        ("ConfigMap", "metadata.labels", {"a b": "c"}, "metadata.labels", 'Invalid value: "a b": name part must'),
        ("ConfigMap", "metadata.labels", {"a": "b c"}, "metadata.labels", 'Invalid value: "b c": a valid label must'),
        ("ConfigMap", "metadata.finalizers", ["x"], "metadata.finalizers[0]", 'Invalid value: "x": name is neither'),
        ("ConfigMap", "data", {"a b": "1"}, "data[a b]", 'Invalid value: "a b": a valid config key must'),
        ("Deployment", "spec.replicas", -1, "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        ("Deployment", "spec.selector", None, "spec.selector", "Required value"),
        (
            "Deployment",
            "spec.selector",
            {"matchLabels": {"app": "other"}},
            "spec.template.metadata.labels",
            'Invalid value: {"app":"api"}: `selector` does not match template `labels`',
        ),
        ("Deployment", CONTAINERS, [], CONTAINERS, "Required value"),
        ("Deployment", f"{CONTAINERS}.0.image", None, f"{CONTAINERS}[0].image", "Required value"),
        (
            "Deployment",
            CONTAINERS,
            [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}],
            f"{CONTAINERS}[1].name",
            'Duplicate value: "a"',
        ),
        (
            "Deployment",
            f"{CONTAINERS}.0.volumeMounts",
            [{"name": "v", "mountPath": "/v"}],
            f"{CONTAINERS}[0].volumeMounts[0].name",
            'Not found: "v"',
        ),
        (
            "Deployment",
            "spec.template.spec.restartPolicy",
            "Never",
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Never": supported values: "Always"',
        ),
        (
            "Deployment",
            ROLLING,
            {"maxSurge": 0, "maxUnavailable": "0%"},
            f"{ROLLING}.maxUnavailable",
            "Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ),
        ("Deployment", ROLLING, {"maxSurge": "many"}, f"{ROLLING}.maxSurge", 'Invalid value: "many": a valid percent'),
        ("Service", "spec.ports", None, "spec.ports", "Required value"),
        ("Service", "spec.ports", [{"port": 0}], "spec.ports[0].port", "Invalid value: 0: must be between 1 and 65535"),
        ("Service", "spec.type", "Door", "spec.type", 'Unsupported value: "Door": supported values: "ClusterIP"'),
        ("Pod", "spec.restartPolicy", "Often", "spec.restartPolicy", 'Unsupported value: "Often": supported values'),
    ],
)
def test_what_is_wrong_is_named(kind, place, value, field, words) -> None:
    where, message = complaints(kind, changed(kind, place, value))[0]
    assert (where, message[: len(words)]) == (field, words)


@pytest.mark.parametrize(
    ("kind", "place", "value", "field"),
    [
        ("Deployment", "spec.selector.matchLabels", {"app": "api", "x": "y"}, "spec.selector"),
        ("Pod", "spec.containers.0.command", ["sh"], "spec"),
        ("Service", "spec.clusterIP", "10.96.0.9", "spec.clusterIPs[0]"),
    ],
)
def test_what_may_not_change_is_named(kind, place, value, field) -> None:
    before = copy.deepcopy(GOOD[kind])
    defaults.fill(kind, before)
    if kind == "Service":
        before["spec"]["clusterIP"] = "10.96.0.8"
    assert field in {where for where, _ in complaints(kind, changed(kind, place, value), before)}


def test_an_image_of_a_pod_may_change() -> None:
    before = copy.deepcopy(GOOD["Pod"])
    defaults.fill("Pod", before)
    assert complaints("Pod", changed("Pod", "spec.containers.0.image", "other"), before) == []
