"""Fixtures shared by the tests: a server that answers, and the systems pointed at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import fakes
import pytest

from firstwatch import settings
from firstwatch.systems import Systems, connect


@pytest.fixture
def serve() -> Iterator[Callable[[fakes.Server], fakes.Server]]:
    """Serve a `fakes.Server` until the test ends."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(fakes.serving(server))


@pytest.fixture
def systems(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Callable[[fakes.Server], Systems]:
    """Connect the real clients to a server that a test describes."""

    def to(server: fakes.Server) -> Systems:
        return connect(settings.load(fakes.configuration(tmp_path, serve(server).url)))

    return to


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep each test from the machine's configuration, records and name."""
    for name in ("FIRSTWATCH_CONFIG", "FIRSTWATCH_RUN", "FIRSTWATCH_RECORDS", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIRSTWATCH_ACTOR", "on-call")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
