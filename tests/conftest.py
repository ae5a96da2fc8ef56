"""Fixtures shared by the tests: a server that answers, the systems pointed at it, and the site in a browser."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import fakes
import hypothesis
import postgresql
import psycopg
import pytest

from firstwatch import settings
from firstwatch.systems import Systems, connect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
hypothesis.settings.register_profile("ours", deadline=None)  # how long an example takes says what else the machine does
hypothesis.settings.load_profile("ours")
os.environ["COLUMNS"] = "250"  # as wide for each test: the console asks once, when it is imported


@pytest.fixture
def serve() -> Iterator[Callable[[fakes.Server], fakes.Server]]:
    """Serve a `fakes.Server` until the test ends."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(fakes.serving(server))


@pytest.fixture
def systems(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path
) -> Iterator[Callable[[fakes.Server], Systems]]:
    """Connect the real clients to a server that a test describes, until the test ends."""
    with ExitStack() as stack:

        def to(server: fakes.Server) -> Systems:
            return stack.enter_context(connect(settings.load(fakes.configuration(tmp_path, serve(server).url))))

        yield to


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Run a PostgreSQL with room for few connections; yield the connection string of a superuser."""
    found = postgresql.programs()
    if found is None or os.geteuid():
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)("no PostgreSQL to run")
    with postgresql.running(found) as dsn:
        yield dsn


@pytest.fixture
def role(postgres: str) -> Iterator[Callable[[str], str]]:
    """Make a role, a member of others, and return the connection string of its account."""
    made = []

    def member(of: str) -> str:
        with psycopg.connect(postgres, autocommit=True) as root:
            name = f"role_{len(made)}"
            root.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'not-a-secret' {of}".encode())
            made.append(name)
        return postgres.replace("user=postgres", f"user={name}")

    yield member
    with psycopg.connect(postgres, autocommit=True) as root:
        for name in made:
            root.execute(f"DROP ROLE {name}".encode())


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep each test from the machine's configuration, records and name."""
    for name in ("FIRSTWATCH_CONFIG", "FIRSTWATCH_RUN", "FIRSTWATCH_RECORDS", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIRSTWATCH_ACTOR", "on-call")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time build the site: all put its pages together in one folder of the project."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "site.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "FIRSTWATCH_RECORDS": ""}
    with _alone():
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False
        )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def url(site: Path) -> Iterator[str]:
    """Where that site is served."""
    from faults.publishing import served

    with served(site) as address:
        yield address


@pytest.fixture(scope="module")  # no longer: its event loop would be in the way of the next module's own
def chromium() -> "Iterator[Browser]":
    """Debian's chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)("no chromium on PATH")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=flags) as browser:
        yield browser


@pytest.fixture
def page(chromium: "Browser", url: str) -> "Iterator[Page]":
    """A page; a request to anybody but the site fails the test, and so does what the policy had to refuse."""
    wrong: list[str] = []
    opened = chromium.new_page()
    opened.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith((url, "data:")) else None)
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield opened
    opened.close()
    assert wrong == []
