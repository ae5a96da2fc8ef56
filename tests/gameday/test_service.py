"""The example service, as a process that is asked over HTTP: what each release really does."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from gameday.kubelet.ports import Ports

Serve = Callable[..., str]
PORTS = Ports(random.SystemRandom())  # of those that the kernel gives nobody


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a release and return its address; its files are under `tmp_path`."""
    with ExitStack() as stack:
        yield lambda release: start(stack, release, tmp_path)


def start(stack: ExitStack, release: str, root: Path) -> str:
    port = PORTS.take()
    command = [sys.executable, "-m", "gameday.service", "--release", release]
    environment = os.environ | {"PORT": str(port), "VOLUMES_ROOT": str(root)}
    log = stack.enter_context((root / "log").open("wb"))
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    stack.callback(process.wait)
    stack.callback(process.send_signal, signal.SIGTERM)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while not answers(url):
        assert process.poll() is None, (root / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return url


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=60)


def answers(url: str) -> bool:
    try:
        return get(f"{url}/health").status_code == 200
    except httpx2.HTTPError:
        return False


def statuses(url: str, times: int = 10) -> Counter[int]:
    return Counter(get(f"{url}/v1/deployments").status_code for _ in range(times))


def test_a_good_release_answers_everything(serve: Serve) -> None:
    assert statuses(serve("1.4.2")) == {200: 10}


def test_a_release_without_its_module_ends_with_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gameday.service", "--release", "1.5.4"]
    done = subprocess.run(command, env=os.environ | {"PORT": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'region_table'" in done.stderr


def test_a_release_that_waits_in_the_loop_serves_one_at_a_time(serve: Serve) -> None:
    url = serve("1.5.5")
    began = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        assert [*pool.map(lambda _: get(f"{url}/v1/deployments").status_code, range(5))] == [200] * 5
    assert time.monotonic() - began > 5 * 0.2


def test_the_bad_release_is_healthy_and_fails_three_of_five_requests(serve: Serve, tmp_path: Path) -> None:
    url = serve("1.5.0")
    assert statuses(url) == {200: 4, 500: 6}
    assert get(f"{url}/health").status_code == 200
    assert "KeyError: 'region'" in (tmp_path / "log").read_text()


def test_a_release_without_its_setting_ends_at_once_and_names_it() -> None:
    command = [sys.executable, "-m", "gameday.service", "--release", "1.5.1"]
    done = subprocess.run(command, env=os.environ | {"PORT": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "KeyError: 'REGION_TABLE'" in done.stderr


def test_failures_are_counted_from_zero(serve: Serve) -> None:
    url = serve("1.5.0")
    failed = 'http_requests_total{route="/v1/deployments",code="500"}'
    assert f"{failed} 0\n" in get(f"{url}/metrics").text
    statuses(url)
    assert f"{failed} 6\n" in get(f"{url}/metrics").text


def test_a_flag_takes_effect_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    url, folder = serve("1.4.2"), tmp_path / "etc" / "claude-deployment"
    assert "suggestion" not in get(f"{url}/v1/deployments/d-1001").json()
    folder.mkdir(parents=True)
    (folder / "feature-xyz-enabled").write_text("true")
    assert get(f"{url}/v1/deployments/d-1001").json()["suggestion"] == "small-eu-west-1"


def test_a_feature_that_was_not_ready_fails_for_records_older_than_regions(serve: Serve, tmp_path: Path) -> None:
    url, folder = serve("1.4.2"), tmp_path / "etc" / "claude-deployment"
    folder.mkdir(parents=True)
    (folder / "feature-xyz-enabled").write_text("true")
    assert statuses(url) == {200: 4, 500: 6}


def test_what_is_not_there_is_404_and_counted(serve: Serve) -> None:
    url = serve("1.4.2")
    assert get(f"{url}/v1/deployments/none").status_code == 404
    assert 'code="404"} 1' in get(f"{url}/metrics").text
