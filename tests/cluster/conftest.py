"""A real control plane, started once; without Go or the programs it skips, but fails where tools are required."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.controlplane import ControlPlane, missing

from . import build


@pytest.fixture(scope="session")
def binaries() -> Path:
    reason = "no control plane was built: run `make test-cluster`, which needs Go 1.26 or newer"
    if missing(build.folder()):
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)(reason)
    return build.folder()


@pytest.fixture(scope="session")
def control_plane(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(binaries, tmp_path_factory.mktemp("control-plane")) as running:
        yield running
