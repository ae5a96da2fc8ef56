"""Ours against Debian's Prometheus: the same samples, the same questions, the same answers."""

import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from prometheus_world import BASE_S, Asker, filled, free_port, program, serving

SECONDS = 420


Samples: TypeAlias = Iterator[tuple[str, int, float]]


def samples() -> Samples:
    """Yield series, milliseconds and value of what both are given."""
    for second in range(SECONDS):
        yield from counters(second)
        if second % 5 == 0:
            yield from gauges(second)
        yield from edges(second)


def counters(second: int) -> Samples:
    """Yield a counter of three pods: one is reset and has a gap, one begins late."""
    at = second * 1000 + second * 37 % 11  # scrapes are never quite punctual
    for pod, pace in (("a", 5), ("b", 3)):
        since = second if second < 200 or pod == "a" else second - 200
        for code, share in (("200", 7), ("404", 2), ("500", 1)):
            if not (pod == "b" and 100 <= second < 130):
                labels = f'http_requests_total{{code="{code}",pod="{pod}",job="api"}}'
                yield labels, at, float(since * pace * share + since // 3)
    if second >= 250:
        yield 'http_requests_total{code="503",pod="c",job="api"}', at, float((second - 250) * 2)


def gauges(second: int) -> Samples:
    at = second * 1000 + second * 37 % 11
    yield 'temperature{room="é \\"x\\" \\\\"}', at, 20 + 5 * math.sin(second / 20)
    yield 'temperature{room="cellar"}', at, -3.25 + second / 100
    yield 'limit{room="cellar"}', at, 0.0
    for bound, count in (("0.1", second), ("0.5", second * 2), ("1", second * 2 + 3), ("+Inf", second * 3)):
        yield f'latency_seconds_bucket{{le="{bound}"}}', at, float(count)
    yield "odd", at, math.nan if second % 10 else math.inf


def edges(second: int) -> Samples:
    """Yield what lies just on an edge of the rules, or just beyond it."""
    if second < 60:
        yield "brief", second * 1000 + 7, float(second)
    if second == 60:
        yield "last_at_a_minute", second * 1000, 1.0  # five minutes later it is just still there
    if second % 10 == 0 and 40 <= second <= 240:
        yield "slow_total", second * 1000, 1000.0 + second  # at 88 s a minute begins 1.2 distances before it


EXPRESSIONS = [
    "http_requests_total",
    'http_requests_total{code=~"5..",pod!="a"}',
    'sum(rate(http_requests_total{code=~"5.."}[10s])) / sum(rate(http_requests_total[10s]))',
    '(sum(rate(http_requests_total{code="599"}[10s])) or vector(0)) / sum(rate(http_requests_total[10s])) > 0.05',
    'sum by (pod) (rate(http_requests_total{code=~"5.."}[1m])) / on (pod) sum by (pod) (rate(http_requests_total[1m]))',
    "increase(http_requests_total[5m])",
    "irate(http_requests_total[30s])",
    "delta(temperature[2m])",
    "rate(http_requests_total[3s] offset 10s)",
    "http_requests_total offset -20s",
    "avg_over_time(temperature[1m])",
    "max_over_time(temperature[1m]) - min_over_time(temperature[1m])",
    "sum_over_time(odd[30s])",
    "count_over_time(brief[5m])",
    "last_over_time(brief[5m])",
    "brief",
    "last_at_a_minute",
    "increase(slow_total[1m])",
    "timestamp(brief)",
    "timestamp(-temperature)",
    "topk(2, http_requests_total)",
    "bottomk by (pod) (1, http_requests_total)",
    "quantile by (pod) (0.75, http_requests_total)",
    "avg without (code, job) (http_requests_total)",
    "count(http_requests_total) by (code)",
    "group(max(odd) or min(odd))",
    "-temperature ^ 2",
    "2 ^ 3 ^ 2 - -1",
    "7 % 4 * 2 / 3 - 10 % -3",
    "temperature % 7 > bool 2",
    "5 < temperature",
    "temperature > on (room) limit",
    "http_requests_total / ignoring (code) group_left () sum without (code) (http_requests_total)",
    "sum by (pod) (http_requests_total) * on (pod) group_right () http_requests_total",
    "temperature * on (room) group_left (job) limit",
    'http_requests_total{pod="a"} and ignoring (pod) http_requests_total{pod="b"}',
    "http_requests_total unless on (pod) http_requests_total{pod='b'}",
    "temperature or limit or odd",
    "absent(missing{job='api',code=~'5..',pod=`p`})",
    "absent(temperature)",
    "clamp_min(temperature, 0) + clamp_max(temperature, 21)",
    "round(temperature, 0.5) + ceil(temperature) - floor(temperature)",
    "round(-temperature)",
    "abs(temperature)",
    "clamp_min(odd, Inf) + clamp_max(odd, -Inf) + clamp_min(odd, NaN)",
    "limit + on () 1",
    "histogram_quantile(0, round(latency_seconds_bucket, Inf))",
    "histogram_quantile(0.9, rate(latency_seconds_bucket[1m]))",
    "histogram_quantile(0.2, latency_seconds_bucket)",
    "histogram_quantile(1.5, latency_seconds_bucket)",
    'label_replace(http_requests_total, "class", "${1}xx", "code", "(.).*")',
    'label_replace(http_requests_total, "pod", "", "pod", "a")',
    "scalar(brief)",
    "scalar(temperature) + time()",
    "vector(time()) / 0",
    "odd / odd",
    "sort(http_requests_total)",
    "sort_desc(temperature)",
    "1 > bool 2",
    "http_requests_total[3s]",
    '"text"',
    "sum(rate(http_requests_total[1m])) > 0 and vector(1) or vector(0) unless vector(2)",
]

WRONG = [
    "rate(http_requests_total)",
    "1 > 2",
    "sum(",
    "http_requests_total{code=~'('}",
    "{}",
    "http_requests_total + on (pod) http_requests_total",
    'http_requests_total / ignoring (code) sum without (code) (http_requests_total{pod="a"})',
    "-{__name__=~'temperature|limit'}",
    "up[5m] + 1",
    "'a' + 1",
    "sum by (pod) (1)",
    "http_requests_total and 1",
    "1 + bool 2",
    "up offset 5",
    """'\\"'""",
    "unknown_function(up)",
    'label_replace(temperature, "0", "", "room", ".*")',
    "up{job='a' pod='b'}",
    "1 + on (b) up",
    "",
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Debian's Prometheus with the samples as blocks of its own format."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        reason = "prometheus and promtool are not on PATH"
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)(reason)
    folder = tmp_path_factory.mktemp("real")
    yield from started(folder, blocks(folder))


@pytest.fixture(scope="module")
def own() -> Iterator[Asker]:
    text = "\n".join(f"{series} {value} {at}" for series, at, value in samples())
    with serving(filled(text)) as asker:
        yield asker


def blocks(folder: Path) -> Path:
    """Write the samples through promtool, which takes times in seconds and a series' samples together."""
    ordered = sorted(samples(), key=lambda sample: sample[0])
    lines = [f"{series} {value} {BASE_S + at / 1000:.3f}" for series, at, value in ordered]
    (folder / "samples.txt").write_text("\n".join([*lines, "# EOF\n"]))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.txt"), str(folder / "data")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    return folder / "data"


def started(folder: Path, data: Path) -> Iterator[Asker]:
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n")
    port = free_port()
    arguments = ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    kept = ["--storage.tsdb.retention.time=100y", f"--storage.tsdb.path={data}"]
    with program([*arguments, *kept], port, folder / "log") as asker:
        yield asker


def assert_same(one: Any, other: Any) -> None:
    """Compare answers: the same series at the same moments, numbers within 1e-9."""
    assert one["resultType"] == other["resultType"]
    if one["resultType"] in {"scalar", "string"}:
        assert_close([one["result"]], [other["result"]])
        return
    left, right = by_metric(one), by_metric(other)
    assert left.keys() == right.keys()
    for metric, points in left.items():
        assert_close(points, right[metric])


def by_metric(data: Any) -> dict[str, Any]:
    return {
        json.dumps(each["metric"], sort_keys=True): each.get("values") or [each["value"]] for each in data["result"]
    }


def assert_close(one: list[Any], other: list[Any]) -> None:
    assert [at for at, _ in one] == [at for at, _ in other]
    for (at, left), (_, right) in zip(one, other, strict=True):
        if left != right:
            assert float(left) == pytest.approx(float(right), rel=1e-9, abs=1e-12), at


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_instant_query_answers_as_prometheus_does(real, own, expression) -> None:
    for second in (0.5, 57.25, 88, 119, 200.009, 262, 360, 419.5):
        asked = {"query": expression, "time": BASE_S + second}
        one, other = own.get("/api/v1/query", **asked), real.get("/api/v1/query", **asked)
        assert one[0] == other[0] == 200, (one, other)
        assert_same(one[1]["data"], other[1]["data"])


@pytest.mark.parametrize("expression", [each for each in EXPRESSIONS if "[3s]" not in each[-5:] and each != '"text"'])
def test_a_range_query_answers_as_prometheus_does(real, own, expression) -> None:
    asked = {"query": expression, "start": BASE_S - 10, "end": BASE_S + 500, "step": "7s"}
    one, other = own.post("/api/v1/query_range", **asked), real.post("/api/v1/query_range", **asked)
    assert one[0] == other[0] == 200, (one, other)
    assert_same(one[1]["data"], other[1]["data"])


@pytest.mark.parametrize("expression", WRONG)
def test_what_prometheus_refuses_is_refused_in_the_same_way(real, own, expression) -> None:
    asked = {"query": expression, "time": BASE_S + 262}
    one, other = own.get("/api/v1/query", **asked), real.get("/api/v1/query", **asked)
    assert (one[0], one[1].get("errorType")) == (other[0], other[1].get("errorType")), (one, other)


@pytest.mark.parametrize("expression", ["sort(http_requests_total)", "sort_desc(temperature)", "topk(3, limit or odd)"])
def test_the_order_of_a_sorted_answer_is_prometheus_own(real, own, expression) -> None:
    asked = {"query": expression, "time": BASE_S + 200}
    one, other = (asker.get("/api/v1/query", **asked)[1]["data"]["result"] for asker in (own, real))
    assert [each["value"][1] for each in one] == [each["value"][1] for each in other]


@pytest.mark.parametrize("path", ["labels", "label/pod/values", "label/__name__/values", "label/none/values"])
def test_labels_and_their_values_are_the_same(real, own, path) -> None:
    assert own.get(f"/api/v1/{path}") == real.get(f"/api/v1/{path}")


def test_the_series_that_selectors_match_are_the_same(real, own) -> None:
    asked = {"match[]": ["temperature", '{pod="c"}'], "start": BASE_S, "end": BASE_S + SECONDS}
    assert own.get("/api/v1/series", **asked) == real.get("/api/v1/series", **asked)
