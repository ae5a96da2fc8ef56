"""What `kubectl get` shows: the columns, each pod's status in one word, ages, and what a row has of its object."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from gameday import kinds
from gameday.api import tables
from gameday.api.resources import RESOURCES
from gameday.api.rows import column

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
NOW = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
OBJECTS = list(yaml.safe_load_all((Path(__file__).parent / "tables.yaml").read_text()))
BY_KIND = {each.kind.kind: each for each in RESOURCES}


def shown(item: dict, **options) -> dict:
    return tables.table(BY_KIND[item["kind"]], [item], now=NOW, version="7", **{"include": "Metadata"} | options)


def cells(item: dict) -> dict:
    made = shown(item)
    return dict(zip((each["name"] for each in made["columnDefinitions"]), made["rows"][0]["cells"], strict=True))


def named(kind: str, name: str) -> dict:
    return next(each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize(
    ("name", "ready", "status", "restarts"),
    [
        ("serving", "1/2", "Running", "3 (5m ago)"),
        ("crashing", "0/1", "CrashLoopBackOff", "5 (5m ago)"),
        ("partly-done", "1/2", "NotReady", "0"),
        ("done-and-failed", "0/2", "Error", "0"),
        ("killed", "0/1", "Signal:9", "0"),
        ("evicted", "0/1", "Evicted", "0"),
        ("beginning", "1/2", "Init:2/3", "1"),
        ("not-beginning", "0/1", "Init:ExitCode:2", "2"),
    ],
)
def test_a_pods_state_is_told_in_one_word(name, ready, status, restarts) -> None:
    row = cells(named("Pod", name))
    assert (row["Ready"], row["Status"], row["Restarts"]) == (ready, status, restarts)


def test_a_pod_that_is_being_deleted_is_terminating() -> None:
    pod = named("Pod", "crashing")
    leaving = pod | {"metadata": pod["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert cells(leaving)["Status"] == "Terminating"


def test_a_pod_whose_gates_are_open_counts_them() -> None:
    assert cells(named("Pod", "serving"))["Readiness Gates"] == "1/2"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (5, "5s"), (119, "119s"), (120, "2m"), (192, "3m12s"), (3599, "59m"),
        (3 * 3600, "3h"), (5 * 3600 + 420, "5h7m"), (9 * 3600 + 420, "9h"), (3 * 86400, "3d"),
        (3 * 86400 + 7200, "3d2h"),        (30 * 86400, "30d"), (800 * 86400, "2y70d"), (9 * 365 * 86400, "9y"),
    ],
)  # fmt: skip
def test_ages_have_the_two_units_that_matter(seconds, text) -> None:
    assert column.duration(seconds) == text


def test_an_age_is_counted_from_creation() -> None:
    item = {"kind": "ServiceAccount", "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}}
    assert shown(item)["rows"][0]["cells"] == ["a", "5m"]
    assert shown({"kind": "ServiceAccount", "metadata": {"name": "a"}})["rows"][0]["cells"] == ["a", "<unknown>"]


def test_an_event_seen_before_is_told_by_its_last_time() -> None:
    row = cells(named("Event", "old.1") | {"lastTimestamp": "2026-01-01T00:04:00Z"})
    assert (row["Last Seen"], row["First Seen"], row["Count"]) == ("60s", "5m", 7)
    assert (row["Object"], row["Source"], row["Message"]) == ("pod/serving", "kubelet, node-1", "again and again")


def test_a_row_has_of_its_object_what_was_asked_for() -> None:
    item = named("ConfigMap", "both")
    assert shown(item)["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]
    }  # fmt: skip
    assert shown(item, include="Object")["rows"][0]["object"] == item
    assert "object" not in shown(item, include="None")["rows"][0]


def test_a_table_says_from_where_to_watch_and_where_the_next_page_begins() -> None:
    made = shown(named("ConfigMap", "both"), continue_="next", headers=False)
    assert made["metadata"] == {"resourceVersion": "7", "continue": "next"}
    assert made["columnDefinitions"] is None


@pytest.mark.parametrize("item", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_every_column_has_a_cell(item) -> None:
    made = shown(item)
    assert len(made["rows"][0]["cells"]) == len(made["columnDefinitions"])


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", True),
        (f"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io, {TABLE}", True),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", False),
        (f"application/json, {TABLE}", False),
        ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", False),
        ("*/*", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_table_is_for_clients_that_prefer_one(accept, wanted) -> None:
    assert tables.wants_table(accept) is wanted


def test_a_clock_that_is_a_little_behind_shows_no_negative_age() -> None:
    ahead = (NOW + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    item = {"kind": "Lease", "metadata": {"name": "a", "creationTimestamp": ahead}}
    assert cells(item)["Age"] == "0s"


def test_a_kind_that_nobody_described_has_name_and_age() -> None:
    assert [each.name for each in tables.layouts.of(kinds.SERVICE_ACCOUNT).columns] == ["Name", "Age"]
