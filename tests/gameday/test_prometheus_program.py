"""The program through the wire, and Debian's beside it where there is one: scrapes, a rule, an alert, an outage."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_world import Asker, Service, free_port, metric, ours, program, target, until

RATE = "claude_deployment:api_error_rate_5m"
RULES = """
groups:
  - name: api
    rules:
      - record: claude_deployment:api_error_rate_5m
        expr: (sum(rate(http_requests_total{code=~"5.."}[10s])) or vector(0)) / sum(rate(http_requests_total[10s]))
      - alert: ClaudeDeploymentApiErrorRateHigh
        expr: claude_deployment:api_error_rate_5m > 0.05
        for: 2s
        labels: {severity: critical}
        annotations:
          summary: "{{ $value | humanizePercentage }} of requests fail"
"""
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: api
    scheme: http
    static_configs:
      - targets: ["{address}"]
        labels: {{tier: front}}
"""


@dataclass
class Traffic:
    """Counters that grow with the time: a hundred requests a second, of which a share fails."""

    failing: float = 0.0
    began: float = 0.0
    errors: float = 0.0

    def fail(self, share: float) -> None:
        self.errors, self.began, self.failing = self.failed(), time.monotonic(), share

    def failed(self) -> float:
        return self.errors + self.failing * 100 * (time.monotonic() - self.began)

    def text(self) -> str:
        good = 100 * time.monotonic() - self.failed()
        counts = {"200": good, "500": self.failed()}
        lines = [f'http_requests_total{{code="{code}"}} {count}' for code, count in counts.items()]
        return "\n".join(["# TYPE http_requests_total counter", *lines, ""])


def written(folder: Path, address: str) -> Path:
    (folder / "rules.yml").write_text(RULES)
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(address=address))
    return config


def debian(config: Path, port: int, folder: Path) -> list[str]:
    return [
        "prometheus",
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={folder / 'data'}",
    ]


@dataclass
class Scene:
    traffic: Traffic
    service: Service
    askers: dict[str, Asker]

    def until(self, query: str, wanted: Callable[[dict[str, str]], bool], seconds: float) -> None:
        for name, asker in self.askers.items():
            until(partial(shows, asker, query, wanted), seconds, partial(str.format, "{} of {}", query, name))


def shows(asker: Asker, query: str, wanted: Callable[[dict[str, str]], bool]) -> bool:
    return wanted(asker.now(query))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    traffic = Traffic()
    programs = {"ours": ours, **({"debian": debian} if shutil.which("prometheus") else {})}
    with ExitStack() as stack:
        service = stack.enter_context(target(Service(traffic.text)))
        askers = {}
        for name, arguments in programs.items():
            folder, port = tmp_path_factory.mktemp(name), free_port()
            started = program(arguments(written(folder, service.address), port, folder), port, folder / "log")
            askers[name] = stack.enter_context(started)
        yield Scene(traffic, service, askers)


def test_an_error_rate_is_recorded_and_pages_and_an_outage_ends_its_series(scene) -> None:
    scene.until(RATE, lambda found: list(found.values()) == ["0"], 30)

    scene.traffic.fail(0.5)
    pending = metric(
        _name_="ALERTS", alertname="ClaudeDeploymentApiErrorRateHigh", alertstate="pending", severity="critical"
    )
    scene.until("ALERTS", lambda found: list(found) in ([pending], [pending.replace("pending", "firing")]), 30)
    scene.until("ALERTS", lambda found: list(found) == [pending.replace("pending", "firing")], 30)
    for asker in scene.askers.values():
        (alert,) = asker.get("/api/v1/alerts")[1]["data"]["alerts"]
        assert alert["labels"] == {"alertname": "ClaudeDeploymentApiErrorRateHigh", "severity": "critical"}
        assert alert["annotations"]["summary"].endswith("% of requests fail")
        assert float(alert["value"]) > 0.05
    assert_same_shapes(scene.askers)

    scene.service.status = 503
    up = metric(_name_="up", instance=scene.service.address, job="api", tier="front")
    scene.until("up", lambda found: found == {up: "0"}, 30)
    scene.until("http_requests_total", lambda found: not found, 20)
    for asker in scene.askers.values():  # the last scrape may be one that had no answer in time
        until(partial(is_down, asker, "server returned HTTP status 503 Service Unavailable"), 30)


def is_down(asker: Asker, why: str) -> bool:
    (found,) = asker.get("/api/v1/targets")[1]["data"]["activeTargets"]
    return (found["health"], found["lastError"]) == ("down", why)


def assert_same_shapes(askers: dict[str, Asker]) -> None:
    """What one API answers has the same fields, with the same kinds of values, as the other's."""
    for path in ("rules", "alerts", "targets", "status/buildinfo", "query?query=up", "labels", "rules?type=record"):
        shapes = [shape(asker.send(f"/api/v1/{path}")[1]) for asker in askers.values()]
        assert shapes[0] == shapes[-1], path


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: shape(each) for name, each in value.items() if not name.startswith("__meta") and name not in OTHER
        }
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


OTHER = {
    "keepFiringFor",  # a field of newer versions
    "__scheme__",  # what relabelling would see, which we do not do
    "__scrape_interval__",
    "__scrape_timeout__",
}


def test_a_target_that_discovery_lists_no_more_is_gone_at_once(tmp_path) -> None:
    listed = [{"targets": ["127.0.0.1:1"], "labels": {"pod": "a", "__meta_x": "y"}}]
    with target(Service(lambda: "")) as pod, target(Service(lambda: json.dumps(listed))) as directory:
        pod.text = lambda: 'pod_info{job="own"} 1\n'
        listed[0]["targets"] = [pod.address]
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            "scrape_configs:\n"
            "  - job_name: pods\n"
            "    metrics_path: /own\n"
            f"    http_sd_configs: [{{url: 'http://{directory.address}/targets', refresh_interval: 200ms}}]\n"
        )
        port = free_port()
        with program(ours(config, port, tmp_path), port, tmp_path / "log") as asker:
            labels = {"_name_": "pod_info", "exported_job": "own", "instance": pod.address, "job": "pods", "pod": "a"}
            until(lambda: asker.now("pod_info") == {metric(**labels): "1"}, 30, lambda: asker.now("up"))
            assert set(pod.asked) == {"/own"}
            listed.clear()
            until(lambda: asker.now("{job='pods'}") == {}, 20)
            directory.status = 500
            assert asker.get("/api/v1/targets")[1]["data"]["activeTargets"] == []


def test_when_one_discovery_answers_nonsense_its_targets_stay_and_the_other_goes_on(tmp_path) -> None:
    with ExitStack() as stack:
        pod, spare = (stack.enter_context(target(Service(lambda: "a 1\n"))) for _ in range(2))
        broken, good = (stack.enter_context(target(Service(lambda: "[]"))) for _ in range(2))
        broken.text = lambda: json.dumps([{"targets": [pod.address]}])
        urls = [f"{{url: 'http://{each.address}/targets', refresh_interval: 100ms}}" for each in (broken, good)]
        config = tmp_path / "prometheus.yml"
        job = f"{{job_name: pods, scrape_interval: 1s, http_sd_configs: [{', '.join(urls)}]}}"
        config.write_text(f"scrape_configs: [{job}]\n")
        port = free_port()
        with program(ours(config, port, tmp_path), port, tmp_path / "log") as asker:
            until(lambda: len(asker.now("a")) == 1, 30)
            for bad in ("[", '{"a": 1}', '[{"targets": ["not an address"]}]'):
                broken.text = lambda bad=bad: bad
                asked = len(broken.asked)
                until(lambda asked=asked: len(broken.asked) > asked + 1, 30)
            good.text = lambda: json.dumps([{"targets": [spare.address]}])
            until(lambda: len(asker.now("a")) == 2, 30)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("global: {external_labels: {a: b}}", "external_labels is not supported"),
        ("rule_files: [none.yml]", "none.yml"),
    ],
)
def test_a_configuration_that_is_not_understood_ends_with_2_and_its_name(tmp_path, content, problem) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(content)
    ended = subprocess.run(ours(config, 0, tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert problem in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_ends_with_2(tmp_path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("global: {}\n")
    with target(Service(lambda: "")) as other:
        ended = subprocess.run(ours(config, other.port, tmp_path), capture_output=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert b"listening on 127.0.0.1" in ended.stderr


def test_it_is_ready_soon_and_leaves_nothing_behind(tmp_path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("global: {}\n")
    port = free_port()
    with program(ours(config, port, tmp_path / "new"), port, tmp_path / "log") as asker:
        assert (tmp_path / "new" / "prometheus.pid").read_text().strip().isdigit()
        assert asker.get("/-/healthy")[0] == 200
    assert list((tmp_path / "new").iterdir()) == []
    assert "Traceback" not in (tmp_path / "log").read_text()
