"""The two worlds as fixtures, each started once; a missing tool skips, but fails where tools are required."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import debian, worlds

KINDS = ["ours", pytest.param("real", marks=pytest.mark.cluster)]


@pytest.fixture(scope="session", params=KINDS)
def world(request: pytest.FixtureRequest, kubectl: Path) -> Iterator[worlds.World]:
    """One world at a time, for all the checks that run in it."""
    if request.param == "real" and not worlds.real_is_built():
        lacking("no control plane was built: run `make test-cluster`, which needs Go 1.26 or newer")
    with (
        tempfile.TemporaryDirectory(prefix="firstwatch-") as name,
        worlds.world(request.param, Path(name), kubectl) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def kubectl() -> Path:
    found = worlds.kubectl()
    return found or lacking("no kubectl: set FIRSTWATCH_KUBECTL, run `make test-cluster` once, or put one on PATH")


@pytest.fixture(scope="session")
def old_kubectl() -> Path:
    found = debian.kubectl()
    return found or lacking("no kubectl 1.20: set FIRSTWATCH_KUBECTL_OLD, or run tests/kubectl/debian.py on Debian")


def lacking(reason: str) -> Path:
    """Skip the test that needs a tool which is not here; where all tools must be, fail it."""
    if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_report_header() -> str:
    return f"kubectl: {worlds.kubectl() or 'none'}; kubectl 1.20: {debian.kubectl() or 'none'}"
