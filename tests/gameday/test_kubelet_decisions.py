"""The kubelet's small decisions: how long to wait, what an environment says, when a probe counts, what may run."""

import asyncio
import random
import socket
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from gameday.images import IMAGES
from gameday.kubelet import contents, environment, process, usage
from gameday.kubelet.backoff import BackOff, spoken
from gameday.kubelet.environment import Setting, Unconfigured
from gameday.kubelet.ports import Addresses, Ports
from gameday.kubelet.probe import Tally
from gameday.kubelet.volumes import Volumes

SETTING = Setting("10.244.1.2", "127.0.0.1", {8080: 20001, 9090: 20002}, "/roots/api", "/home")
POD = {
    "metadata": {"name": "api-1", "namespace": "prod", "uid": "u-1", "labels": {"app": "api", "a": "b"}},
    "spec": {"nodeName": "node-1", "containers": [{"name": "api"}]},
}
OBJECTS = {
    "settings": {"kind": "ConfigMap", "data": {"REGION": "eu", "LEVEL": "info"}},
    "keys": {"kind": "Secret", "data": {"KEY": b64encode(b"k-1").decode()}},
}


async def look(source):
    return OBJECTS.get(source.name)


def built(**container) -> dict[str, str]:
    return asyncio.run(environment.build(POD, {"name": "api"} | container, SETTING, look))


def variable(name: str, **origin) -> dict:
    return {"name": name, "valueFrom": origin}


# --- back-off


def test_the_first_restart_is_at_once_and_each_further_wait_is_twice_as_long_up_to_thirty_times() -> None:
    back_off, now, waits = BackOff(10), 0.0, []
    for _ in range(8):
        waits.append(back_off.wait_s(now))
        now += waits[-1] + 1
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_container_that_ran_for_twice_the_longest_wait_is_forgiven() -> None:
    back_off = BackOff(10)
    assert [back_off.wait_s(now) for now in (0.0, 1.0, 11.0 + 600, 11.0 + 600 + 20 + 601)] == [0, 10, 20, 0]


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "500ms"), (10, "10s"), (160, "2m40s"), (300, "5m0s")])
def test_a_wait_is_told_as_go_prints_it(seconds, text) -> None:
    assert spoken(seconds) == text


# --- environment


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("$(A)", "1"),
        ("x$(A)y", "x1y"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(B)", "$(B)"),
        ("$A", "$A"),
        ("$(", "$("),
    ],
)
def test_references_to_what_is_known_are_filled_in_and_others_stay(text, made) -> None:
    assert environment.expanded(text, {"A": "1"}) == made


def test_a_container_knows_its_local_ports_and_its_root() -> None:
    made = built()
    assert (made["PORT"], made["PORT_8080"], made["PORT_9090"]) == ("20001", "20001", "20002")
    assert (made["HOSTNAME"], made["HOME"], made["VOLUMES_ROOT"]) == ("api-1", "/home", "/roots/api")


def test_nothing_else_of_the_kubelets_own_environment_reaches_a_container(monkeypatch) -> None:
    monkeypatch.setenv("SOMEBODYS_TOKEN", "secret")
    assert "SOMEBODYS_TOKEN" not in built()


def test_own_values_win_over_whole_maps_and_may_refer_to_what_is_above_them() -> None:
    sources = [{"configMapRef": {"name": "settings"}, "prefix": "S_"}, {"secretRef": {"name": "keys"}}]
    own = [{"name": "S_LEVEL", "value": "debug"}, {"name": "URL", "value": "$(S_REGION)/$(S_LEVEL)"}]
    made = built(envFrom=sources, env=own)
    assert (made["S_REGION"], made["S_LEVEL"], made["KEY"], made["URL"]) == ("eu", "debug", "k-1", "eu/debug")


def test_values_come_from_maps_secrets_the_pod_and_its_limits() -> None:
    limit = {"resource": "limits.memory", "divisor": "1Mi"}
    made = built(
        resources={"limits": {"memory": "1.5Mi"}},
        env=[
            variable("REGION", configMapKeyRef={"name": "settings", "key": "REGION"}),
            variable("KEY", secretKeyRef={"name": "keys", "key": "KEY"}),
            variable("IP", fieldRef={"fieldPath": "status.podIP"}),
            variable("APP", fieldRef={"fieldPath": "metadata.labels['app']"}),
            variable("MEMORY", resourceFieldRef=limit),
        ],
    )
    assert [made[name] for name in ("REGION", "KEY", "IP", "APP", "MEMORY")] == ["eu", "k-1", "10.244.1.2", "api", "2"]


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "A"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "none", "key": "A"}}, 'secret "none" not found'),
        ({"secretKeyRef": {"name": "keys", "key": "A"}}, "couldn't find key A in Secret prod/keys"),
    ],
)
def test_what_is_missing_is_named_unless_it_is_optional(origin, message) -> None:
    with pytest.raises(Unconfigured) as told:
        built(env=[variable("A", **origin)])
    assert str(told.value) == message
    ((kind, reference),) = origin.items()
    assert "A" not in built(env=[variable("A", **{kind: reference | {"optional": True}})])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "api-1"),
        ("metadata.namespace", "prod"),
        ("metadata.uid", "u-1"),
        ("metadata.labels", 'a="b"\napp="api"'),
        ("metadata.annotations['none']", ""),
        ("spec.nodeName", "node-1"),
        ("status.hostIP", "127.0.0.1"),
    ],
)
def test_a_field_of_the_pod_is_told_as_text(path, value) -> None:
    assert contents.field(POD, path, "10.244.1.2", "127.0.0.1") == value


# --- what may run


@pytest.mark.parametrize(
    ("container", "argv"),
    [
        ({}, ("sh",)),
        ({"args": ["-c", "true"]}, ("sh", "-c", "true")),
        ({"command": ["sleep"], "args": ["9"]}, ("sleep", "9")),
        ({"args": ["sleep", "9"]}, ("sleep", "9")),
    ],
)
def test_a_pod_may_run_what_its_image_offers(container, argv) -> None:
    assert process.command(IMAGES["busybox:1.36"], container) == argv


@pytest.mark.parametrize("command", ["rm", "/bin/sh", "python"])
def test_a_pod_may_run_nothing_else(command) -> None:
    with pytest.raises(process.NotAllowed, match="executable file not found"):
        process.command(IMAGES["busybox:1.36"], {"command": [command]})


# --- probes


@pytest.mark.parametrize(
    ("probe", "answers", "settled"),
    [
        ({}, "+", True),
        ({}, "-", None),
        ({}, "---", False),
        ({}, "+--", True),
        ({}, "--+--", True),
        ({"failureThreshold": 1}, "+-", False),
        ({"successThreshold": 2}, "+", None),
        ({"successThreshold": 2}, "---+", False),
        ({"successThreshold": 2}, "---++", True),
    ],
)
def test_answers_count_only_after_enough_of_them_in_a_row(probe, answers, settled) -> None:
    tally = Tally.of(probe)
    for each in answers:
        tally.count(each == "+")
    assert tally.settled is settled


# --- volumes


@pytest.fixture
def filled(tmp_path):
    """Fill a volume of a ConfigMap with the given data, and return its folder."""
    volume = {"name": "etc", "configMap": {"name": "settings"}}
    pod = POD | {"spec": POD["spec"] | {"volumes": [volume]}}

    def fill(**data: str):
        async def look(_):
            return {"kind": "ConfigMap", "data": {name.replace("_", "."): value for name, value in data.items()}}

        asyncio.run(Volumes(tmp_path, "10.244.1.2", "127.0.0.1").fill(pod, look))
        return tmp_path / "volumes" / "etc"

    return fill


def test_a_volume_follows_its_source_and_drops_what_is_gone(filled) -> None:
    assert (filled(a="1", b="2") / "a").read_text() == "1"
    folder = filled(a="3")
    assert (folder / "a").read_text() == "3"
    assert sorted(each.name for each in folder.iterdir() if not each.name.startswith("..")) == ["a"]


def test_all_files_of_a_volume_change_by_the_turn_of_one_link(filled) -> None:
    folder = filled(a="1", b="1")
    before = (folder / "..data").readlink()
    filled(a="2", b="2")
    assert (folder / "a").readlink().parts[0] == (folder / "b").readlink().parts[0] == "..data"
    assert (folder / "..data").readlink() != before
    assert len([each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]) == 1


def test_a_volume_that_is_as_it_should_be_is_left_alone(filled) -> None:
    before = (filled(a="1") / "..data").readlink()
    assert (filled(a="1") / "..data").readlink() == before


def filling(tmp_path, volume, data=None) -> None:
    async def look(source):
        return {"kind": "ConfigMap", "data": data} if data is not None else None

    pod = POD | {"spec": POD["spec"] | {"volumes": [{"name": "etc"} | volume]}}
    asyncio.run(Volumes(tmp_path, "10.244.1.2", "127.0.0.1").fill(pod, look))


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/etc/out", "..data"])
def test_no_file_leaves_its_volume(tmp_path, path) -> None:
    volume = {"configMap": {"name": "settings", "items": [{"key": "a", "path": path}]}}
    with pytest.raises(Unconfigured, match="no file name"):
        filling(tmp_path, volume, {"a": "1"})


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"hostPath": {"path": "/"}}, "a volume of kind hostPath is not available on this node"),
    ],
)
def test_a_volume_that_cannot_be_says_which_and_why(tmp_path, volume, message) -> None:
    with pytest.raises(Unconfigured) as told:
        filling(tmp_path, volume)
    assert str(told.value) == f'MountVolume.SetUp failed for volume "etc" : {message}'


def test_a_mount_that_leaves_the_container_is_refused(tmp_path) -> None:
    mount = {"name": "etc", "mountPath": "/a/../../b"}
    with pytest.raises(Unconfigured, match="leaves the container"):
        Volumes(tmp_path, "", "").mount({"name": "api", "volumeMounts": [mount]})


# --- ports and usage


class InOrder(random.Random):
    """Chance that chooses each port twice, one after the other."""

    def randrange(self, start: int, *_: int) -> int:
        self.turn = getattr(self, "turn", -1) + 1
        return start + self.turn // 2


def test_a_port_that_somebody_listens_on_is_not_given_and_none_is_given_twice() -> None:
    with socket.create_server(("127.0.0.1", Ports(InOrder()).take())) as taken:
        ports = Ports(InOrder())
        assert len({taken.getsockname()[1], ports.take(), ports.take()}) == 3


def test_addresses_of_a_node_are_in_its_own_range_and_do_not_come_back_at_once() -> None:
    addresses = Addresses("node-7")
    taken = [addresses.take() for _ in range(254)]
    assert taken[0] == "10.244.7.2"
    assert len(set(taken)) == 254
    assert addresses.take() == taken[0]


def test_usage_is_told_in_prometheus_format_with_its_time() -> None:
    labels = (("container", "api"), ("namespace", "prod"), ("pod", "api-1"))
    samples = [usage.Sample("container_cpu_usage_seconds_total", labels, 1.5)]
    lines = usage.text(samples, datetime(2026, 11, 24, tzinfo=UTC)).splitlines()
    assert "# TYPE container_cpu_usage_seconds_total counter" in lines
    told = 'container_cpu_usage_seconds_total{container="api",namespace="prod",pod="api-1"} 1.500000 1795478400000'
    assert told in lines
    assert lines[-1] == "resource_scrape_error 0"
