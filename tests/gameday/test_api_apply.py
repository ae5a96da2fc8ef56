"""Server-side apply and who owns what: pure cases of the rules, and a few through the wire."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from apiserver import APPLY, CORE, MERGE, calling, started

from gameday.api import apply, fieldsets, managed, target
from gameday.api.apply import Application
from gameday.api.errors import Refusal
from gameday.api.managed import Writer
from gameday.api.options import Options
from gameday.api.registry import Registry
from gameday.api.store import Store
from gameday.kinds import CONFIG_MAP

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIRST, SECOND = Writer("first", "v1", "Apply"), Writer("second", "v1", "Apply")
POD = {
    "metadata": {"name": "p", "labels": {"app": "p"}},
    "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}], "nodeSelector": {"a": "b"}},
}


def wants(writer: Writer, wanted: dict) -> Application:
    return Application(writer, wanted, frozenset(fieldsets.leaves(wanted, status=False)))


def settings(**data: str) -> dict:
    return {"metadata": {"name": "settings"}, "data": data}


def after(before: dict, application: Application, *, force: bool = False) -> dict:
    """Return *before* after *application*, with its owners noted."""
    item, others = apply.merged(before, application, force=force)
    share = managed.Share(application.writer, "2026-03-01T00:00:00Z", application.fields)
    return managed.noted(item, {**others, application.writer.same: share})


def owners(item: dict) -> dict[str, set[str]]:
    return {same.name: {fieldsets.shown(path) for path in each.fields} for same, each in managed.shares(item).items()}


@pytest.fixture
def applied() -> dict:
    return after(settings(), wants(FIRST, settings(a="1", b="1")))


def test_who_applies_owns_what_it_says(applied) -> None:
    assert owners(applied) == {"first": {".data.a", ".data.b"}}


def test_who_says_the_same_owns_it_too(applied) -> None:
    both = after(applied, wants(SECOND, settings(a="1")))
    assert owners(both) == {"first": {".data.a", ".data.b"}, "second": {".data.a"}}


def test_another_value_is_a_conflict_that_names_owner_and_field(applied) -> None:
    with pytest.raises(Refusal) as refused:
        apply.merged(applied, wants(SECOND, settings(a="2")), force=False)
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "first": .data.a'


def test_several_conflicts_are_told_one_a_line(applied) -> None:
    with pytest.raises(Refusal) as refused:
        apply.merged(applied, wants(SECOND, settings(a="2", b="2")), force=False)
    told = 'Apply failed with 2 conflicts: conflicts with "first":\n- .data.a\n- .data.b'
    assert refused.value.message == told


def test_force_takes_the_field_and_leaves_the_others(applied) -> None:
    forced = after(applied, wants(SECOND, settings(a="2")), force=True)
    assert forced["data"] == {"a": "2", "b": "1"}
    assert owners(forced) == {"first": {".data.b"}, "second": {".data.a"}}


def test_what_is_no_longer_said_is_removed(applied) -> None:
    assert after(applied, wants(FIRST, settings(a="1")))["data"] == {"a": "1"}


def test_what_somebody_else_says_too_stays(applied) -> None:
    both = after(applied, wants(SECOND, settings(b="1")))
    assert after(both, wants(FIRST, settings(a="1")))["data"] == {"a": "1", "b": "1"}


def test_a_container_that_is_no_longer_said_goes_as_a_whole() -> None:
    two = {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]}}
    one = {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "i"}]}}
    before = after({"metadata": {"name": "p"}, "spec": {"containers": []}}, wants(FIRST, two))
    assert after(before, wants(FIRST, one))["spec"] == one["spec"]


def test_a_plain_write_takes_the_fields_that_it_changes(applied) -> None:
    changed = {**applied, "data": {"a": "9", "b": "1"}}
    noted = managed.updated(applied, changed, Writer("editor", "v1"), NOW)
    assert owners(noted) == {"first": {".data.b"}, "editor": {".data.a"}}


def test_a_plain_write_of_the_same_takes_nothing(applied) -> None:
    assert managed.updated(applied, applied, Writer("editor", "v1"), NOW) == applied


def test_a_plain_write_of_the_same_by_the_one_who_wrote_it_moves_no_time() -> None:
    editor = Writer("editor", "v1")
    written = managed.updated(None, settings(a="1"), editor, NOW)
    assert managed.updated(written, written, editor, NOW + timedelta(hours=1)) == written


def test_fields_are_written_as_the_api_does_and_read_again() -> None:
    paths = set(fieldsets.leaves(POD, status=False))
    written = fieldsets.written(paths)
    assert fieldsets.read(written) == paths
    container = written["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert (written["f:spec"]["f:nodeSelector"], container["."], container["f:image"]) == ({}, {}, {})
    assert list(container["f:ports"]) == ['k:{"containerPort":80,"protocol":"TCP"}']


def test_an_elements_place_is_shown_by_its_key() -> None:
    shown = {fieldsets.shown(path) for path in fieldsets.leaves(POD, status=False)}
    assert '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]' in shown


class Ticking:
    """A clock that goes on by a minute each time it is asked."""

    def __init__(self) -> None:
        self._times = (NOW + timedelta(minutes=each) for each in count())

    def now(self) -> datetime:
        return next(self._times)


@pytest.mark.parametrize("again", ["apply", "write"])
def test_to_say_the_same_later_is_no_change(again) -> None:
    registry, options = Registry(Store(), Ticking()), Options(manager="first")
    registry.begin()
    place = target.of(CONFIG_MAP, "default", "settings")
    made, _ = apply.applied(registry, place, whole(a="1"), options)
    if again == "apply":
        assert apply.applied(registry, place, whole(a="1"), options) == (made, False)
    else:
        assert registry.write(place, made, made, Options(manager="editor")) is made


# --- through the wire


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    directory = tmp_path_factory.mktemp("api")
    with started(directory), calling(directory) as made:
        yield made


@pytest.fixture
def path(api) -> str:
    return f"{CORE}/namespaces/{api.namespace()}/configmaps/settings"


def whole(**data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", **settings(**data)}


def test_applying_the_same_twice_is_one_change(api, path) -> None:
    made, again = (api("PATCH", path, whole(a="1"), APPLY, fieldManager="first") for _ in range(2))
    assert (made[0], again[0]) == (201, 200)
    assert made[1]["metadata"]["resourceVersion"] == again[1]["metadata"]["resourceVersion"]


def test_an_editor_is_named_with_the_version_it_used(api, path) -> None:
    api("PATCH", path, whole(a="1"), APPLY, fieldManager="first")
    api("PATCH", path, {"data": {"a": "2"}}, MERGE, fieldManager="editor")
    status, body = api("PATCH", path, whole(a="1"), APPLY, fieldManager="first")
    assert (status, body["reason"]) == (409, "Conflict")
    assert body["message"] == 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a'


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        pytest.param(whole(a="1"), {}, 422, id="by-nobody"),
        pytest.param(settings(a="1"), {"fieldManager": "first"}, 400, id="of-no-kind"),
        pytest.param(
            whole() | {"metadata": {"managedFields": [{"manager": "x"}]}}, {"fieldManager": "first"}, 400, id="owned"
        ),
    ],
)
def test_an_apply_that_cannot_be_is_refused(api, path, body, query, status) -> None:
    assert api("PATCH", path, body, APPLY, **query)[0] == status
