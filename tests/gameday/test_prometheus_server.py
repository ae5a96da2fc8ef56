"""The HTTP API through the wire: values by hand, shapes, errors, and the page."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_world import BASE_S, Asker, filled, metric, serving

from firstwatch.errors import Refused
from firstwatch.systems.http import Http
from firstwatch.systems.prometheus import Prometheus
from gameday.prometheus import exposition, number, page
from gameday.prometheus.rulefile import Group
from gameday.prometheus.rulefile import groups as read_groups
from gameday.prometheus.rules import Rules
from gameday.prometheus.series import Store

# Two counters of ten samples, a second apart: `a` gains 2 a second, `b` 1 and is reset at 55 s.
COUNTERS = "\n".join(
    f'hits_total{{pod="{pod}"}} {value} {second * 1000}'
    for second in range(50, 60)
    for pod, value in (("a", 100 + 2 * second), ("b", second if second < 55 else second - 55))
)
TEXT = f"""
{COUNTERS}
level{{room="x"}} 1.5 59000
level{{room="y"}} -2.5 59000
many{{room="x",door="1"}} 10 59000
many{{room="x",door="2"}} 20 59000
wait_bucket{{le="1"}} 50 59000
wait_bucket{{le="2"}} 90 59000
wait_bucket{{le="+Inf"}} 100 59000
odd NaN 59000
evil{{text="<script>\\"&\\n"}} 1 59000
"""
A, B, X, Y = metric(pod="a"), metric(pod="b"), metric(room="x"), metric(room="y")


@pytest.fixture(scope="module")
def own() -> Iterator[Asker]:
    with serving(filled(TEXT)) as asker:
        yield asker


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("1 + 2 * 3", {"scalar": "7"}),
        ("-2 ^ 2", {"scalar": "-4"}),
        ("1 / 0", {"scalar": "+Inf"}),
        ("-1 / 0", {"scalar": "-Inf"}),
        ("0 / 0", {"scalar": "NaN"}),
        ("5 % 0", {"scalar": "NaN"}),
        ("0 ^ -1", {"scalar": "+Inf"}),
        ("-8 ^ 0.5", {"scalar": repr(-(8**0.5))}),
        ("(0 - 8) ^ 0.5", {"scalar": "NaN"}),
        ("1e300 * 1e300", {"scalar": "+Inf"}),
        ("10 ^ 400", {"scalar": "+Inf"}),
        ("1e21", {"scalar": "1e+21"}),
        ("123456789012345678", {"scalar": "123456789012345680"}),
        ("0.0000001", {"scalar": "1e-07"}),
        ("2 > bool 1", {"scalar": "1"}),
        ("'text'", {"string": "text"}),
        ("time()", {"scalar": str(BASE_S + 59)}),
        ("rate(hits_total[9s])", {A: "2", B: "0.8888888888888888"}),
        ("increase(hits_total[9s])", {A: "18", B: "8"}),
        ("irate(hits_total[9s])", {A: "2", B: "1"}),
        ("delta(hits_total[9s])", {A: "18", B: "-46"}),
        ("hits_total offset 9s", {metric(_name_="hits_total", pod=pod): v for pod, v in (("a", "200"), ("b", "50"))}),
        ("max_over_time(hits_total[9s])", {A: "218", B: "54"}),
        ("min_over_time(hits_total[9s])", {A: "200", B: "0"}),
        ("count_over_time(hits_total[9s])", {A: "10", B: "10"}),
        ("avg_over_time(hits_total[2s])", {A: "216", B: "3"}),
        ("sum(hits_total)", {"{}": "222"}),
        ("count(level) by (none)", {"{}": "2"}),
        ("group by (room) (level)", {X: "1", Y: "1"}),
        ("avg(level)", {"{}": "-0.5"}),
        ("quantile(0.25, level)", {"{}": "-1.5"}),
        ("quantile(2, level)", {"{}": "+Inf"}),
        ("topk(1, level)", {metric(_name_="level", room="x"): "1.5"}),
        ("bottomk(1, level)", {metric(_name_="level", room="y"): "-2.5"}),
        ("topk(0, level)", {}),
        ("max(odd)", {"{}": "NaN"}),
        ("level > 0", {metric(_name_="level", room="x"): "1.5"}),
        ("0 > level", {metric(_name_="level", room="y"): "-2.5"}),
        ("level > bool 0", {X: "1", Y: "0"}),
        ("many / on (room) group_left () level", {metric(room="x", door=str(d)): repr(d * 10 / 1.5) for d in (1, 2)}),
        ("level unless on (room) many", {metric(_name_="level", room="y"): "-2.5"}),
        ("level and on (room) many", {metric(_name_="level", room="x"): "1.5"}),
        ("sum(nothing) or vector(0)", {"{}": "0"}),
        ("nothing / level", {}),
        ("absent(nothing{room='x',door!='1'})", {X: "1"}),
        ("absent(level)", {}),
        ("clamp_min(level, 0)", {X: "1.5", Y: "0"}),
        ("clamp_max(level, 0)", {X: "0", Y: "-2.5"}),
        ("round(level)", {X: "2", Y: "-2"}),
        ("round(level, 5)", {X: "0", Y: "0"}),
        ("ceil(level)", {X: "2", Y: "-2"}),
        ("floor(level)", {X: "1", Y: "-3"}),
        ("abs(level)", {X: "1.5", Y: "2.5"}),
        ("-level", {X: "-1.5", Y: "2.5"}),
        ("scalar(level)", {"scalar": "NaN"}),
        ("timestamp(odd)", {"{}": str(BASE_S + 59)}),
        ("histogram_quantile(0.5, wait_bucket)", {"{}": "1"}),
        ("histogram_quantile(0.7, wait_bucket)", {"{}": "1.5"}),
        ("histogram_quantile(0.99, wait_bucket)", {"{}": "2"}),
        ("label_replace(odd, 'a', '$1-${1}$$', '__name__', '(o).*')", {metric(_name_="odd", a="o-o$"): "NaN"}),
        ("label_replace(odd, 'a', 'b', '__name__', 'x')", {metric(_name_="odd"): "NaN"}),
    ],
)
def test_a_query_is_worth(own, query, result) -> None:
    assert own.value(query, 59) == result


def test_a_form_is_as_good_as_a_query_string(own) -> None:
    asked = {"query": "sum(level)", "time": "2023-11-14T22:14:19Z"}
    assert own.post("/api/v1/query", **asked) == own.get("/api/v1/query", **asked)
    assert own.post("/api/v1/query", **asked)[1]["data"]["result"] == [{"metric": {}, "value": [BASE_S + 59, "-1"]}]


def test_a_range_query_has_a_value_a_step_and_none_where_there_is_none(own) -> None:
    asked = {"query": "hits_total{pod='a'}", "start": BASE_S + 48.5, "end": BASE_S + 51, "step": "500ms"}
    ((found),) = own.get("/api/v1/query_range", **asked)[1]["data"]["result"]
    assert found["values"] == [[BASE_S + 50, "200"], [BASE_S + 50.5, "200"], [BASE_S + 51, "202"]]


@pytest.mark.parametrize(
    ("path", "asked", "status", "kind", "problem"),
    [
        ("query", {}, 400, "bad_data", 'invalid parameter "query"'),
        ("query", {"query": "up{"}, 400, "bad_data", "1:4: parse error"),
        ("query", {"query": "stddev(up)"}, 400, "bad_data", "stddev"),
        ("query", {"query": "up", "time": "soon"}, 400, "bad_data", 'invalid parameter "time"'),
        ("query", {"query": "up", "time": "1e99"}, 400, "bad_data", "out of range"),
        ("query", {"query": "many + on (room) many"}, 422, "execution", "duplicate series"),
        ("query", {"query": "level + on () level"}, 422, "execution", "duplicate series"),
        ("query", {"query": "label_replace(level, '1', '', '', '')"}, 422, "execution", "invalid destination label"),
        ("query", {"query": "label_replace(level, 'room', 'z', '', '')"}, 422, "execution", "same labelset"),
        ("query", {"query": "topk(scalar(level), level)"}, 422, "execution", "no number of series"),
        ("query_range", {"query": "up", "start": 2, "end": 1, "step": 1}, 400, "bad_data", "must not be before start"),
        ("query_range", {"query": "up", "start": 1, "end": 2, "step": 0}, 400, "bad_data", "zero or negative"),
        ("query_range", {"query": "up", "start": 1, "end": 2, "step": "x"}, 400, "bad_data", 'parameter "step"'),
        ("query_range", {"query": "up", "start": 1, "end": 2}, 400, "bad_data", 'parameter "step"'),
        ("query_range", {"query": "up", "start": 0, "end": 99999, "step": 1}, 400, "bad_data", "maximum resolution"),
        ("query_range", {"query": "up[5m]", "start": 1, "end": 2, "step": 1}, 400, "bad_data", "range vector"),
        ("query_range", {"query": "1", "start": 0, "end": 9, "step": 1, "timeout": 0}, 503, "timeout", "timed out"),
        ("series", {}, 400, "bad_data", "no match[] parameter"),
        ("series", {"match[]": "sum(up)"}, 400, "bad_data", "no plain series selector"),
        ("rules", {"type": "other"}, 400, "bad_data", "not supported value 'other'"),
    ],
)
def test_what_cannot_be_answered_has_prometheus_error_shape(own, path, asked, status, kind, problem) -> None:
    if path == "query":
        asked = {"time": BASE_S + 59, **asked}
    answered, body = own.get(f"/api/v1/{path}", **asked)
    assert (answered, body["status"], body["errorType"]) == (status, "error", kind)
    assert problem in body["error"]


def test_labels_values_and_series_are_those_of_the_time_asked_for(own) -> None:
    later = {"start": BASE_S + 60, "end": BASE_S + 70}
    assert own.get("/api/v1/labels")[1]["data"] == ["__name__", "door", "le", "pod", "room", "text"]
    assert own.get("/api/v1/label/room/values", **{"match[]": "many"})[1]["data"] == ["x"]
    assert own.get("/api/v1/label/room/values", **later)[1]["data"] == []
    assert own.post("/api/v1/series", **{"match[]": ["odd", "none"]})[1]["data"] == [{"__name__": "odd"}]


def test_the_client_of_the_runbooks_reads_it(own) -> None:
    http = Http()
    client = Prometheus(own.url, http)
    start = datetime.fromtimestamp(BASE_S + 50, UTC)
    found = client.range("sum(hits_total)", start, start + timedelta(seconds=2), timedelta(seconds=1))
    assert [(each.value, (each.at - start).total_seconds()) for each in found] == [(250, 0), (253, 1), (256, 2)]
    assert client.instant("vector(-Inf)")[0].value == -math.inf
    with pytest.raises(Refused, match="unknown function with name 'stddev'"):
        client.instant("stddev(up)")
    http._open().close()


def test_it_says_that_it_is_ours_and_what_it_holds(own) -> None:
    assert own.get("/api/v1/status/buildinfo")[1]["data"]["version"] == "0.0.0-gameday"
    values = {name: value for ((_, name), *_), value, _ in exposition.parse(own.get("/metrics")[1])}
    assert values["prometheus_tsdb_head_series"] == 11
    assert "This is not Prometheus" in own.get("/graph")[1]
    assert own.get("/nothing")[0] == 404


def test_the_page_escapes_what_others_wrote() -> None:
    rule = {"alert": "<i>", "expr": "evil", "labels": {"a": "{{ $labels.text }}"}}
    rules = Rules(groups([rule]), Store(), None)  # type: ignore[arg-type]
    ((_, (running,)),) = rules.groups
    running.evaluate(filled(TEXT), (BASE_S + 59) * 1000, Standing())
    shown = page.render(rules, [])
    assert "&lt;script&gt;" in shown
    assert "<i>" not in shown
    assert "<script>" not in shown


def groups(rules: list[dict[str, object]]) -> list[Group]:
    return read_groups({"groups": [{"name": "g", "rules": rules}]}, Path("rules.yml"), 1000)


class Standing:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_ns(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None: ...


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0625, "6.25e-02"),
        (0.0, "0e+00"),
        (120.0, "1.2e+02"),
        (-1.0, "-1e+00"),
        (math.inf, "+Inf"),
        (1e-300, "1e-300"),
    ],
)
def test_an_alert_value_has_an_exponent_as_in_prometheus(value, text) -> None:
    assert number.scientific(value) == text
