"""Where the front door leads: only to pods that are ready, and that have told their local ports."""

import json
from typing import Any

from gameday import frontdoor
from gameday.kubelet.sandbox import PORTS


def pod(name: str, local: int | None, **status: Any) -> dict[str, Any]:
    annotations = {PORTS: json.dumps({"8080": local})} if local else {}
    metadata = {"name": name, "labels": {"app": "api"}, "annotations": annotations}
    return {"metadata": metadata, "status": {"phase": "Running"} | status}


def slice_of(**ready: bool) -> dict[str, Any]:
    ends = [{"conditions": {"ready": each}, "targetRef": {"name": name}} for name, each in ready.items()]
    return {"endpoints": ends, "ports": [{"port": 8080}]}


def test_it_leads_to_the_ready_pods_in_the_order_of_their_names() -> None:
    pods = {"b": pod("b", 20002), "a": pod("a", 20001), "c": pod("c", 20003)}
    assert frontdoor.ready([slice_of(b=True, a=True, c=False)], pods) == [20001, 20002]


def test_a_pod_that_is_gone_or_has_told_no_port_is_passed_over() -> None:
    assert frontdoor.ready([slice_of(gone=True, silent=True)], {"silent": pod("silent", None)}) == []


def test_a_slice_without_endpoints_leads_nowhere() -> None:
    assert frontdoor.ready([{"endpoints": None, "ports": None}], {}) == []


def test_prometheus_is_told_of_running_pods_ready_or_not() -> None:
    leaving = pod("d", 20004)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-24T02:03:04Z"
    pods = [pod("b", 20002), pod("a", 20001, conditions=[]), pod("c", 20003, phase="Succeeded"), leaving]
    told = frontdoor.targets(pods, "api")
    assert [each["targets"] for each in told] == [["127.0.0.1:20001"], ["127.0.0.1:20002"]]
    assert frontdoor.targets(pods, "another") == []
