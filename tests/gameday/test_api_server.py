"""Our API server as a program: who gets in, what it leaves on the disk, how it begins and ends."""

import signal
import socket
import subprocess
import sys
import time

import httpx2
import psutil
import pytest
from apiserver import Api, calling, started


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A directory of its own, the server's process, and a client of it."""
    directory = tmp_path_factory.mktemp("world") / "api"
    with started(directory) as process, calling(directory) as api:
        yield api, process


@pytest.fixture
def api(served) -> Api:
    return served[0]


def test_without_the_token_nobody_gets_in(api) -> None:
    answer = api.http.get("/api/v1/pods", headers={"Authorization": "Bearer nobodys"})
    assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez", "/version"])
def test_whether_it_is_well_is_told_to_all(api, path) -> None:
    assert api.http.get(path, headers={"Authorization": ""}).status_code == 200


def test_it_listens_on_loopback_alone(served) -> None:
    sockets = psutil.Process(served[1].pid).net_connections()
    assert [each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN] == ["127.0.0.1"]


def test_its_files_are_its_owners_alone(api) -> None:
    modes = {each.name: each.stat().st_mode & 0o777 for each in api.directory.iterdir()}
    assert api.directory.stat().st_mode & 0o777 == 0o700
    assert modes == {"kubeconfig": 0o600, "kubelet-token": 0o600}


def test_what_an_earlier_server_left_lets_nobody_in(tmp_path) -> None:
    with started(tmp_path), calling(tmp_path) as former:
        shown = former.http.headers["Authorization"]
    with started(tmp_path), calling(tmp_path) as api:
        assert api.http.get("/api/v1/pods", headers={"Authorization": shown}).status_code == 401


def test_it_ends_soon_although_somebody_watches(tmp_path) -> None:
    with (
        started(tmp_path) as process,
        calling(tmp_path) as api,
        api.http.stream("GET", "/api/v1/pods", params={"watch": "true"}) as told,
    ):
        before = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert time.monotonic() - before < 20  # the watch would go on for half an hour, and be waited for for a minute
        assert list(told.iter_lines()) == []


def test_without_a_port_to_listen_on_there_is_no_kubeconfig(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with started(tmp_path, "--port", str(taken.getsockname()[1])) as process:
            assert process.wait(60) == 2
        assert not (tmp_path / "kubeconfig").exists()


def test_a_body_that_is_too_large_is_413(api) -> None:
    body = {"metadata": {"name": "large"}, "data": {"a": "x" * 4_000_000}}
    assert api("POST", "/api/v1/namespaces/default/configmaps", body)[0] == 413


def test_it_speaks_no_plain_http(api) -> None:
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(api.server.replace("https", "http") + "/healthz", trust_env=False)


def test_it_begins_without_the_clients_heavy_models() -> None:
    begin = (
        "import sys; from firstwatch.clock import WallClock; from gameday.api import __main__, registry, store; "
        "registry.Registry(store.Store(), WallClock()).begin(); sys.exit('kubernetes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", begin], check=False).returncode == 0
