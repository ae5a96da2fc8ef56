"""The database of a world: a real PostgreSQL that the catalog reads, where there is one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gameday import catalog, database
from gameday.part import Part, begin
from gameday.world import configuration
from gameday.world.folder import Folder, State


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the part; yield its folder, once the catalog's account gets in."""
    if database.programs() is None:
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)("no PostgreSQL to run")
    folder = Folder(tmp_path_factory.mktemp("world"))
    home = folder.path / "database"
    part = Part("database", (sys.executable, "-m", "gameday.database", "--dir", str(home)))
    running = begin(part, folder.path / "database.log")
    try:
        asyncio.run(asyncio.wait_for(catalog.opened(database.connection(home, "catalog")), 30))
        yield home
    finally:
        running.terminate()
        _ended(running)
        folder.clean()


def _ended(running: "subprocess.Popen[bytes]") -> None:
    try:
        running.wait(10)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait(10)


def _dsn(home: Path, account: str) -> str:
    return database.connection(home, account).read_text("utf-8").strip()


@pytest.mark.parametrize("model", ["small", "large", "none"])
def test_the_database_knows_what_the_catalog_remembers(home: Path, model: str) -> None:
    read = catalog.stored(_dsn(home, "catalog"))
    assert asyncio.run(read(model)) == asyncio.run(catalog.remembered(model))


def test_the_database_listens_on_no_address(home: Path) -> None:
    with psycopg.connect(_dsn(home, "firstwatch")) as session:
        assert session.execute("SHOW listen_addresses").fetchone() == ("",)


def test_nobody_else_can_enter_its_folder(home: Path) -> None:
    assert (home / "place").resolve().stat().st_mode & 0o777 == 0o700


def test_who_looks_cannot_read_what_is_stored(home: Path) -> None:
    with psycopg.connect(_dsn(home, "firstwatch")) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("SELECT * FROM models")


def test_a_question_waits_for_who_holds_the_table(home: Path) -> None:
    read = catalog.stored(_dsn(home, "catalog"))
    with psycopg.connect(_dsn(home, "catalog")) as session:
        session.execute("LOCK TABLE models IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(read("small"), 0.5))


def test_a_world_tells_where_its_database_is_and_never_what_opens_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    configuration.write(folder, State(database="/somewhere/firstwatch"), b"")
    assert '[database]\ndsn = "file:/somewhere/firstwatch"\n' in folder.config.read_text("utf-8")


def test_a_world_without_a_database_configures_none(tmp_path: Path) -> None:
    configuration.write(Folder(tmp_path), State(), b"")
    assert "[database]" not in Folder(tmp_path).config.read_text("utf-8")
