"""Selectors, as tables: what each selects, and what cannot be read."""

import pytest

from gameday.api import resources, selectors
from gameday.api.errors import Refusal
from gameday.kinds import CONFIG_MAP, EVENT, NODE, POD

ITEM = {
    "metadata": {"name": "api-1", "namespace": "prod", "labels": {"app": "api", "tier": "web", "example.com/a": ""}},
    "spec": {"nodeName": "node-1", "restartPolicy": "Always"},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("labels", "selected"),
    [
        ("", True),
        ("app=api", True),
        ("app==api", True),
        ("app = api", True),
        ("app!=api", False),
        ("absent!=api", True),
        ("app", True),
        ("absent", False),
        ("!absent", True),
        ("! app", False),
        ("app in (api, other)", True),
        ("app in (other)", False),
        ("app notin (other),tier=web", True),
        ("absent notin (a)", True),
        ("app in (api, other),tier=db", False),
        ("example.com/a=", True),
        ("app=api,tier in (web,db),!absent", True),
    ],
)
def test_labels_select(labels, selected) -> None:
    assert selectors.selects(resources.of(POD), labels, "")(ITEM) is selected


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        ("metadata.name=api-1", True),
        ("metadata.namespace!=prod", False),
        ("spec.nodeName=node-1,status.phase=Running", True),
        ("status.phase!=Running", False),
        ("status.podIP=", True),
        ("spec.hostNetwork=false", True),
    ],
)
def test_fields_select(fields, selected) -> None:
    assert selectors.selects(resources.of(POD), "", fields)(ITEM) is selected


def test_a_node_that_nobody_cordoned_is_selected_as_schedulable() -> None:
    assert selectors.selects(resources.of(NODE), "", "spec.unschedulable=false")({"metadata": {}, "spec": {}})


def test_an_events_source_is_its_component() -> None:
    event = {"metadata": {}, "source": {"component": "kubelet"}, "involvedObject": {"kind": "Pod"}}
    assert selectors.selects(resources.of(EVENT), "", "source=kubelet,involvedObject.kind=Pod")(event)


@pytest.mark.parametrize("labels", ["a b", "a in b", "=x", "a in (b", "a=b c"])
def test_labels_that_cannot_be_read_are_400(labels) -> None:
    with pytest.raises(Refusal) as refused:
        selectors.selects(resources.of(POD), labels, "")
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (POD, "spec.colour=red", "field label not supported: spec.colour"),
        (CONFIG_MAP, "data=x", '"data" is not a known field selector: only "metadata.name", "metadata.namespace"'),
        (POD, "spec.nodeName", "invalid selector: 'spec.nodeName'; can't understand 'spec.nodeName'"),
    ],
)
def test_fields_that_a_kind_does_not_offer_are_400(kind, fields, message) -> None:
    with pytest.raises(Refusal) as refused:
        selectors.selects(resources.of(kind), "", fields)
    assert (refused.value.code, refused.value.message) == (400, message)
