"""What a world's catalog shows its callers: one certificate that is good, and two that lie beside it and are not."""

import json
import os
import random
import signal
import ssl
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from firstwatch.systems.reason import reason
from gameday.kubelet.ports import Ports
from gameday.world import trust
from gameday.world.trust import Trust

PORTS = Ports(random.SystemRandom())
Serve = Callable[[str], str]


@pytest.fixture(scope="module")
def made() -> Trust:
    return trust.made(datetime.now(UTC))


@pytest.fixture
def serve(made: Trust, tmp_path: Path) -> Iterator[Serve]:
    """Start a catalog whose volume has a Secret's files, and return its address."""
    with ExitStack() as stack:
        yield lambda secret: start(stack, made, secret, tmp_path)


def start(stack: ExitStack, made: Trust, secret: str, root: Path) -> str:
    port, folder = PORTS.take(), root / "etc" / "tls"
    folder.mkdir(parents=True)
    made.signed[secret].write(folder, "tls")
    environment = os.environ | {"PORT": str(port), "VOLUMES_ROOT": str(root)}
    process = subprocess.Popen([sys.executable, "-m", "gameday.catalog", "--release", "1.0.0"], env=environment)
    stack.callback(process.wait)
    stack.callback(process.send_signal, signal.SIGTERM)
    url, deadline = f"https://127.0.0.1:{port}", time.monotonic() + 60
    while not ready(url):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return url


def ready(url: str) -> bool:
    """Ask as a kubelet does, which believes every certificate."""
    try:
        return httpx2.get(f"{url}/ready", verify=False, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def refused(made: Trust, url: str) -> str:
    """Return why a caller who trusts the authority does not get its answer; empty when it does."""
    believed = ssl.create_default_context(cadata=made.authority.decode())
    try:
        httpx2.get(f"{url}/v1/models/small", verify=believed, trust_env=False).raise_for_status()
    except httpx2.HTTPError as error:
        return reason(error)
    return ""


@pytest.mark.parametrize(
    ("secret", "why"),
    [(trust.IN_USE, ""), (trust.NEXT, "certificate has expired"), (trust.INNER, "not valid for '127.0.0.1'")],
)
def test_a_catalog_is_ready_with_any_certificate_and_believed_with_one(
    made: Trust, serve: Serve, secret: str, why: str
) -> None:
    told = refused(made, serve(secret))
    assert why in told
    assert bool(told) == bool(why)


def test_what_lies_in_the_namespace_is_whole_and_has_no_authority_s_key(made: Trust) -> None:
    objects = {item["metadata"]["name"]: item for _, item in made.objects()}
    assert set(objects) == {trust.AUTHORITY, trust.IN_USE, trust.NEXT, trust.INNER}
    assert "PRIVATE KEY" not in json.dumps(objects[trust.AUTHORITY])
    assert b64decode(objects[trust.NEXT]["data"]["tls.crt"]) == made.signed[trust.NEXT].certificate
