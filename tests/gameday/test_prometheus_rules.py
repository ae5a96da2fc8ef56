"""Rules evaluated at given moments: what is recorded, when an alert fires, and what is refused when they are loaded."""

from pathlib import Path
from typing import Any

import pytest

from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter
from gameday.prometheus import configuration, labelset, rulefile, templates
from gameday.prometheus.discovery import Sought
from gameday.prometheus.evaluate import Evaluation
from gameday.prometheus.labelset import NAME
from gameday.prometheus.language import parse
from gameday.prometheus.rules import Running
from gameday.prometheus.series import Store
from gameday.world import metrics

CLOCK = WallClock()


def running(**rule: Any) -> Running:
    content = {"groups": [{"name": "g", "rules": [rule]}]}
    ((only,),) = (group.rules for group in rulefile.groups(content, Path("rules.yml"), 1000))
    return Running(only)


def put(store: Store, at_ms: int, value: float, **labels: str) -> None:
    store.append(labelset.of({NAME: "errors", **labels}), at_ms, value)


def value(store: Store, query: str, at_ms: int) -> dict[str, float]:
    return {labelset.show(each.labels): each.value for each in Evaluation(store, parse(query)).at(at_ms)}


def test_a_recorded_series_has_the_rule_name_and_labels_and_ends_with_its_result() -> None:
    store, rule = Store(), running(record="job:errors", expr="errors > 1", labels={"team": "api", "pod": ""})
    put(store, 0, 5, pod="a")
    rule.evaluate(store, 0, CLOCK)
    assert value(store, "job:errors", 0) == {'job:errors{team="api"}': 5}
    put(store, 1000, 0, pod="a")
    rule.evaluate(store, 1000, CLOCK)
    assert value(store, "job:errors", 1000) == {}


def test_an_alert_is_pending_then_fires_then_is_gone() -> None:
    store, rule = Store(), running(alert="Errors", expr="errors > 1", **{"for": "2s"})
    states = []
    for second, errors in enumerate((0, 5, 5, 6, 6, 0, 5)):
        put(store, second * 1000, errors)
        rule.evaluate(store, second * 1000, CLOCK)
        states.append(
            (rule.state, *value(store, "ALERTS", second * 1000), *(each.value for each in rule.alerts.values()))
        )
    pending, firing = (f'ALERTS{{alertname="Errors", alertstate="{state}"}}' for state in ("pending", "firing"))
    assert states == [
        ("inactive",),
        ("pending", pending, 5),
        ("pending", pending, 5),
        ("firing", firing, 6),
        ("firing", firing, 6),
        ("inactive",),
        ("pending", pending, 5),
    ]
    assert value(store, "ALERTS_FOR_STATE", 4000) == {'ALERTS_FOR_STATE{alertname="Errors"}': 1}


def test_an_alert_without_for_fires_at_once_with_its_texts() -> None:
    texts = {"summary": "{{ $labels.pod }} fails {{$value|humanizePercentage}} ({{ $value }}) {{ $labels.none }}"}
    rule = running(alert="Errors", expr="errors", labels={"severity": "{{ $labels.level }}"}, annotations=texts)
    store = Store()
    put(store, 0, 0.12345, pod="a", level="critical")
    rule.evaluate(store, 0, CLOCK)
    (alert,) = rule.alerts.values()
    assert alert.state == "firing"
    assert dict(alert.labels) == {"alertname": "Errors", "level": "critical", "pod": "a", "severity": "critical"}
    assert dict(alert.annotations) == {"summary": "a fails 12.35% (0.12345) "}


@pytest.mark.parametrize("kind", ["record", "alert"])
def test_results_that_would_be_one_series_are_an_error_of_the_rule(kind) -> None:
    store, rule = Store(), running(**{kind: "one"}, expr="errors", labels={"pod": "x"})
    put(store, 0, 1, pod="a")
    put(store, 0, 1, pod="b")
    rule.evaluate(store, 0, CLOCK)
    assert rule.report.health == "err"
    assert "same labelset after applying" in rule.report.error


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("{{ $value }}", 1e7, "10000000"),
        ("{{ $value }}", 0.00001, "1e-05"),
        ("{{ humanizePercentage $value }}", 1.0, "100%"),
        ("{{ $value | humanizePercentage }}", 123.456789, "1.235e+04%"),
        ("plain {} }}", 1.0, "plain {} }}"),
    ],
)
def test_a_template_shows(text, value, shown) -> None:
    assert templates.expand(templates.check(text), (), value) == shown


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"alert": "A", "expr": "up", "annotations": {"a": "{{ printf $value }}"}}, "printf"),
        ({"alert": "A", "expr": "up", "labels": {"a": "{{ $value"}}, "without an end"),
        ({"alert": "A", "expr": "up["}, "expr: 1:4: parse error"),
        ({"alert": "A", "expr": "up[5m]"}, "expr is a range vector"),
        ({"alert": "A", "expr": "up", "for": "soon"}, "for: 'soon' is no time span"),
        ({"alert": "A", "expr": "up", "keep_firing_for": "1m"}, "keep_firing_for is not supported"),
        ({"alert": "A", "record": "b", "expr": "up"}, "either record or alert"),
        ({"record": "1b", "expr": "up"}, "'1b' is no metric name"),
        ({"record": "b", "expr": "up", "for": "1s"}, "for is not supported"),
        ({"record": "b", "expr": "up", "labels": {"a-b": "c"}}, "'a-b' is no label name"),
        ({"record": "b", "expr": "up", "labels": {"a": 1}}, "labels is no mapping of texts"),
        ({"record": "b"}, "expr is missing"),
        ("b", "a mapping is wanted"),
    ],
)
def test_a_rule_that_is_not_understood_is_refused_with_its_place(rule, problem) -> None:
    with pytest.raises(BadParameter) as refused:
        rulefile.groups({"groups": [{"name": "g", "rules": [rule]}]}, Path("rules.yml"), 1000)
    assert str(refused.value).startswith("rules.yml: groups[0]: rules[0]")
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("alerting: {}", "alerting is not supported"),
        ("remote_write: []", "remote_write is not supported"),
        ("scrape_configs: [{job_name: a, relabel_configs: []}]", "relabel_configs is not supported"),
        ("scrape_configs: [{job_name: a, scheme: https}]", "scheme 'https' is not supported"),
        ("scrape_configs: [", "prometheus.yml"),
        ("scrape_configs: [{job_name: a}, {job_name: a}]", "job_name 'a' is there twice"),
        ("scrape_configs: [{job_name: a, scrape_interval: 1s, scrape_timeout: 2s}]", "longer than scrape_interval"),
        ("scrape_configs: [{job_name: a, scrape_interval: 0s}]", "must be more than 0"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['http://a/b']}]}]", "is no host or host:port"),
        ("scrape_configs: [{job_name: a, http_sd_configs: [{url: 'https://a'}]}]", "only http://"),
        ("scrape_configs: {}", "scrape_configs is no list"),
        ("scrape_configs: [{metrics_path: /a}]", "job_name is missing"),
        ("rule_files: [twice.yml]", "group 'g' is there twice"),
        ("[]", "a mapping is wanted"),
    ],
)
def test_a_configuration_that_is_not_understood_is_refused_by_name(tmp_path, content, problem) -> None:
    (tmp_path / "twice.yml").write_text("groups: [{name: g}, {name: g}]")
    (tmp_path / "prometheus.yml").write_text(content)
    with pytest.raises(BadParameter) as refused:
        configuration.load(tmp_path / "prometheus.yml")
    assert problem in str(refused.value)


def test_what_a_world_writes_is_understood(tmp_path) -> None:
    wanted = configuration.load(metrics.write(tmp_path, "http://127.0.0.1:1/targets"))
    assert [job.sought for job in wanted.jobs] == [(Sought("http://127.0.0.1:1/targets", 1000),)]
    assert [rule.name for group in wanted.groups for rule in group.rules] == [metrics.ERROR_RATE, metrics.ALERT]


def test_a_configuration_has_the_defaults_of_prometheus(tmp_path) -> None:
    (tmp_path / "a.rules").write_text("groups: [{name: g, rules: []}]")
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 5s}\n"
        "rule_files: ['*.rules', 'none*.yml']\n"
        "scrape_configs: [{job_name: a, static_configs: [{targets: [host], labels: {x: y}}]}]\n"
    )
    wanted = configuration.load(tmp_path / "prometheus.yml")
    ((target,),) = (job.targets([]) for job in wanted.jobs)
    assert (target.url, target.interval_ms, target.timeout_ms) == ("http://host:80/metrics", 5000, 5000)
    assert dict(target.labels) == {"instance": "host:80", "job": "a", "x": "y"}
    assert [(group.name, group.interval_ms) for group in wanted.groups] == [("g", 60_000)]
