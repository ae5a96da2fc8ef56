"""What only a real control plane does: who may do what, what is admitted, what is left over."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from kubernetes import client, config
from kubernetes.client import ApiException

from firstwatch.errors import Unavailable
from gameday import controlplane
from gameday.controlplane import ControlPlane

from . import build

NAMESPACE = "claude-deployment-prod"
pytestmark = pytest.mark.cluster


def connected(kubeconfig: Path) -> client.ApiClient:
    return config.new_client_from_config(str(kubeconfig))


@pytest.fixture
def owner(control_plane: ControlPlane) -> Iterator[client.CoreV1Api]:
    with connected(control_plane.plan.kubeconfig) as api:
        yield client.CoreV1Api(api)


@pytest.fixture
def viewer(control_plane: ControlPlane) -> Iterator[client.CoreV1Api]:
    with connected(control_plane.plan.viewer) as api:
        yield client.CoreV1Api(api)


def test_the_version_is_the_one_that_was_built(control_plane, binaries) -> None:
    with connected(control_plane.plan.kubeconfig) as api:
        assert client.VersionApi(api).get_code().git_version == binaries.name


def test_the_viewer_reads(viewer) -> None:
    assert viewer.list_namespaced_pod(NAMESPACE).items == []


def test_the_viewer_may_not_write_nor_read_secrets(viewer) -> None:
    for refused in (
        lambda: viewer.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "not-mine"}}),
        lambda: viewer.list_namespaced_secret(NAMESPACE),
    ):
        with pytest.raises(ApiException) as error:
            refused()
        assert error.value.status == 403


def _tried_for_30_s(call: Callable[[], object]) -> None:
    """Call again and again: the API server hears of a new quota a moment after it was made."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        call()
        time.sleep(0.1)


def test_a_quota_is_enforced(owner) -> None:
    owner.create_namespaced_resource_quota(NAMESPACE, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}})
    pod = {"metadata": {"name": "one-too-many"}, "spec": {"containers": [{"name": "a", "image": "b:1"}]}}
    with pytest.raises(ApiException) as error:
        _tried_for_30_s(lambda: owner.create_namespaced_pod(NAMESPACE, pod, dry_run="All"))
    owner.delete_namespaced_resource_quota("few", NAMESPACE)
    assert error.value.status == 403
    assert "exceeded quota" in error.value.body


def test_keys_and_kubeconfigs_are_readable_by_their_owner_only(control_plane) -> None:
    directory = control_plane.plan.directory
    private = [*directory.glob("*kubeconfig"), *directory.glob("pki/*.key")]
    assert len(private) > 4
    assert {path.stat().st_mode & 0o077 for path in private} == {0}


def test_it_listens_on_loopback_only(control_plane) -> None:
    listening = [
        each.laddr.ip
        for process in control_plane.running
        for each in psutil.Process(process.pid).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_a_part_that_cannot_start_is_named_and_the_others_are_ended(binaries, tmp_path) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "etcd").symlink_to(binaries / "etcd")
    (folder / "kube-apiserver").write_text("#!/bin/sh\necho this one is tired >&2\nexit 1\n")
    (folder / "kube-apiserver").chmod(0o755)
    broken = ControlPlane(folder, tmp_path / "world")
    with pytest.raises(Unavailable, match="starting kube-apiserver: this one is tired"):
        broken.__enter__()
    assert not broken.running


def test_programs_that_are_missing_are_named(tmp_path) -> None:
    assert controlplane.missing(tmp_path) == ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def test_building_again_does_nothing(binaries) -> None:
    done = subprocess.run([sys.executable, build.__file__], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "nothing to do\n")
