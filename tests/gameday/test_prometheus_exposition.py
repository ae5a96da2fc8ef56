"""The text that a target answers, and the series that are kept of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.prometheus import exposition, labelset, series
from gameday.prometheus.labelset import NAME
from gameday.prometheus.series import LOOKBACK_MS, RETENTION_MS, Store, TooManySeries
from gameday.prometheus.syntax import Matcher

UP = ((NAME, "up"),)


@pytest.mark.parametrize(
    ("line", "labels", "value", "at_ms"),
    [
        ("up 1", {}, 1.0, None),
        ("up{} 1", {}, 1.0, None),
        ('up{a="b",c="d",} 1.5e3', {"a": "b", "c": "d"}, 1500.0, None),
        (' up { a = "b" , c="d" } 1\t1700000000123 ', {"a": "b", "c": "d"}, 1.0, 1_700_000_000_123),
        (r'up{a="x \"y\" \\ \n \t"} -0.25 -1', {"a": 'x "y" \\ \n \\t'}, -0.25, -1),
        ("up +Inf", {}, math.inf, None),
        ("up -Inf", {}, -math.inf, None),
        ('up{a="",b="}{,"} 1\r', {"b": "}{,"}, 1.0, None),
        ('up{a="é ✓"} 0x10', {"a": "é ✓"}, 16.0, None),
    ],
)
def test_a_line_is_a_sample(line, labels, value, at_ms) -> None:
    assert exposition.parse(f"# HELP up is it?\n# TYPE up gauge\n# a remark\n\n{line}\n") == [
        (labelset.of({NAME: "up", **labels}), value, at_ms)
    ]


def test_nan_is_a_value() -> None:
    ((_, value, _),) = exposition.parse("up NaN")
    assert math.isnan(value)


@pytest.mark.parametrize(
    "line",
    [
        "up",
        "up one",
        "up 1 2 3",
        "up 1 soon",
        "up 1_000",
        "{a='b'} 1",
        'up{a="b" 1',
        'up{a="b"c="d"} 1',
        "up{a=b} 1",
        'up{a="b",a="c"} 1',
        'up{1="b"} 1',
        "1up 1",
        "# TYPE up number",
        "<html>",
    ],
)
def test_a_line_that_cannot_be_read_spoils_the_whole_and_is_named(line) -> None:
    with pytest.raises(ValueError, match="line 2: "):
        exposition.parse(f"good 1\n{line}\n")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False))
def test_a_label_value_and_a_number_that_are_written_are_read_back(text, value) -> None:
    labels = labelset.of({NAME: "up", "a": text})
    assert exposition.parse(f"{labelset.show(labels)} {value!r}") == [(labels, value, None)]


def test_a_sample_that_is_not_newer_is_dropped() -> None:
    store = Store()
    assert [store.append(UP, at, at) for at in (10, 10, 9, 11)] == [True, False, False, True]


def test_a_series_that_ended_is_absent_until_it_is_there_again() -> None:
    store = Store()
    store.append(UP, 1000, 1.0)
    store.end([UP], 2000)
    store.append(UP, 3000, 2.0)
    (found,) = store.select([Matcher(NAME, "=", "up")])
    assert [found.latest(at) for at in (999, 1999, 2000, 2999, 3000)] == [None, (1000, 1.0), None, None, (3000, 2.0)]
    assert found.latest(3000 + LOOKBACK_MS) == (3000, 2.0)
    assert found.latest(3001 + LOOKBACK_MS) is None


def test_a_full_store_refuses_a_new_series_and_keeps_on_with_the_old() -> None:
    store = Store(most_series=1)
    store.append(UP, 1, 1.0)
    with pytest.raises(TooManySeries, match=r'at most 1 series, and 1 are new: down\{job="a"\}'):
        store.append(((NAME, "down"), ("job", "a")), 1, 1.0)
    assert store.append(UP, 2, 1.0)


def test_what_is_older_than_the_retention_is_forgotten() -> None:
    store = Store()
    for at, name in ((0, "old"), (0, "up"), (RETENTION_MS, "up")):
        store.append(((NAME, name),), at, 1.0)
    store.forget(RETENTION_MS + 1)
    assert [(each.labels, len(each)) for each in store] == [(UP, 1)]
    assert len(store) == 1


def test_a_store_of_too_many_samples_keeps_half_as_long(monkeypatch, caplog) -> None:
    monkeypatch.setattr(series, "MOST_SAMPLES", 3)
    store = Store()
    for at in (0, RETENTION_MS // 4, RETENTION_MS // 2, RETENTION_MS):
        store.append(UP, at, 1.0)
    store.forget(RETENTION_MS)
    assert "only 3600 s are kept" in caplog.text
    store.forget(RETENTION_MS)
    assert sum(map(len, store)) == 2
