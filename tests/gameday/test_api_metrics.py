"""What `kubectl top` asks: our metrics API, and a kubelet whose counters grow as a test says."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from kubelets import TOKEN, node, pod, serving

from firstwatch.model import Json
from gameday.api import scrape
from gameday.api.errors import Refusal
from gameday.api.metrics import Metrics
from gameday.api.scrape import Interval, Series
from gameday.kinds import NODE

ROOT = "/apis/metrics.k8s.io/v1beta1"
START = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = '{container="api",namespace="prod",pod="api-1"}'


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a kubelet for as long as a busy machine may make it take."""
    monkeypatch.setattr(scrape, "DEADLINE_S", 30.0)


class Kubelet:
    """Two seconds pass between readings, in which a container uses 0.5 and the node 3 seconds of CPU."""

    def __init__(self) -> None:
        self.readings = 0

    async def __call__(self, _: web.Request) -> web.Response:
        turn = self.readings
        self.readings += 1
        return web.Response(text=text(START + timedelta(seconds=2 * turn), 10 + 0.5 * turn, 100 + 3 * turn))


def text(at: datetime, container: float, node: float) -> str:
    moment = int(at.timestamp() * 1000)
    return (
        "# TYPE container_cpu_usage_seconds_total counter\n"
        f"container_cpu_usage_seconds_total{LABELS} {container:.6f} {moment}\n"
        f"container_memory_working_set_bytes{LABELS} 2048.000000 {moment}\n"
        f"container_start_time_seconds{LABELS} {START.timestamp() - 20:.6f} {moment}\n"
        f"node_cpu_usage_seconds_total {node:.6f} {moment}\n"
        f"node_memory_working_set_bytes 1048576.000000 {moment}\n"
        "resource_scrape_error 0\n"
    )


def ask(*asked: str, kubelet=None, dead: bool = False) -> list[Json]:
    """Return the answers to what is *asked*, paths with their query, one after another, of one server."""

    async def run() -> list[Json]:
        async with serving(kubelet or Kubelet(), tls=True) as port:
            nodes = [node(port), *([node(1, name="node-2")] if dead else [])]
            pods = [pod("api"), {"metadata": {"name": "new", "namespace": "prod"}, "spec": {}}]
            pods[0]["metadata"]["labels"] = {"app": "api"}
            metrics = Metrics(lambda kind, _: nodes if kind is NODE else pods, TOKEN)
            try:
                return [await answer(metrics, each) for each in asked]
            finally:
                await metrics.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


async def answer(metrics: Metrics, asked: str) -> Json:
    path, _, query = asked.partition("?labelSelector=")
    try:
        return await metrics.answer(ROOT + path, {"labelSelector": query})
    except Refusal as refusal:
        return refusal.status


def test_cpu_is_how_fast_the_counter_grows() -> None:
    (answer,) = ask("/nodes")
    assert (answer["kind"], answer["apiVersion"]) == ("NodeMetricsList", "metrics.k8s.io/v1beta1")
    (measured,) = answer["items"]
    assert measured["metadata"]["name"] == "node-1"
    assert measured["usage"] == {"cpu": "1500000000n", "memory": "1024Ki"}
    assert (measured["timestamp"], measured["window"]) == ("2026-01-01T00:00:02Z", "2.000s")


def test_a_pods_containers_are_told_one_by_one() -> None:
    (answer,) = ask("/namespaces/prod/pods")
    (measured,) = answer["items"]
    assert measured["metadata"] | {"creationTimestamp": ""} == {
        "name": "api-1", "namespace": "prod", "labels": {"app": "api"}, "creationTimestamp": ""
    }  # fmt: skip
    assert measured["containers"] == [{"name": "api", "usage": {"cpu": "250000000n", "memory": "2Ki"}}]


def test_who_asks_again_waits_for_one_reading_only() -> None:
    kubelet = Kubelet()
    ask("/pods", "/nodes", kubelet=kubelet)
    assert kubelet.readings == 3


def test_one_pod_and_one_node_are_told_alone() -> None:
    of_pod, of_node = ask("/namespaces/prod/pods/api-1", "/nodes/node-1")
    assert (of_pod["kind"], of_pod["metadata"]["name"]) == ("PodMetrics", "api-1")
    assert (of_node["kind"], of_node["metadata"]["name"]) == ("NodeMetrics", "node-1")


def test_what_nobody_measured_is_not_found() -> None:
    pod, node = ask("/namespaces/prod/pods/new", "/nodes/x")
    assert (pod["code"], pod["message"]) == (404, 'podmetrics.metrics.k8s.io "prod/new" not found')
    assert (node["code"], node["message"]) == (404, 'nodemetrics.metrics.k8s.io "x" not found')


def test_a_selector_is_honoured() -> None:
    other, own = ask("/pods?labelSelector=app=other", "/pods?labelSelector=app in (api)")
    assert other["items"] == []
    assert len(own["items"]) == 1


def test_a_node_that_does_not_answer_is_left_out_and_the_others_are_told() -> None:
    (answer,) = ask("/nodes", dead=True)
    assert [each["metadata"]["name"] for each in answer["items"]] == ["node-1"]


@pytest.mark.parametrize("path", ["", "/pods/api-1", "/namespaces/prod/nodes", "/sandwiches"])
def test_other_paths_are_not_answered(path) -> None:
    assert ask(path) == [None]


def test_a_container_that_was_not_there_before_is_measured_since_its_start() -> None:
    before = scrape.reading("node_cpu_usage_seconds_total 1.0 1767225600000", 0)
    after = scrape.reading(text(START, 10, 100), 2)
    assert Interval(before, after).rate(Series("container_cpu_usage_seconds_total", "prod", "api-1", "api")) == 0.5
