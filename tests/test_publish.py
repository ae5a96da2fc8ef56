"""`firstwatch publish`: the site, one record of it, its public page, and the archive that opens from a disk."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from faults.hostile import project, record
from playwright.sync_api import sync_playwright

from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter
from firstwatch.model import Actor
from firstwatch.publish import pack
from firstwatch.record.journal import Journal
from firstwatch.record.store import Record

FIRST, SECOND = "2026-11-24-000001", "2026-11-24-000002"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one record."""
    folder = project(tmp_path_factory.mktemp("home"))
    record(folder / "incidents", 1, "API errors")
    return folder


def publish(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firstwatch", "publish", *words]
    environ = os.environ | {"FIRSTWATCH_RECORDS": str(home / "incidents"), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, timeout=110, check=False)


def test_one_more_record_is_put_into_a_site_that_is_not_built_again(home: Path) -> None:
    assert publish(home).returncode == 0
    before = {each: each.stat().st_mtime_ns for each in (home / "site").rglob("*.html")}
    record(home / "incidents", 2, "Slow")
    done = publish(home, SECOND, "--json")
    assert json.loads(done.stdout) == {"site": str(home / "site"), "records": [SECOND], "unreadable": {}}
    after = {each: each.stat().st_mtime_ns for each in (home / "site").rglob("*.html")}
    changed = {each.name for each in after if after[each] != before.get(each)}
    assert changed == {f"{SECOND}.html", f"{SECOND}-post-mortem.html", "index.html"}
    assert SECOND in (home / "site" / "incidents" / "index.html").read_text()


def test_strict_ends_with_8_when_a_record_cannot_be_read(home: Path) -> None:
    publish(home, FIRST)
    broken = record(home / "incidents", 3, "Broken")
    broken.journal.write_bytes(b"[1]\n")
    plain, strict = publish(home, broken.id), publish(home, broken.id, "--strict")
    shutil.rmtree(broken.folder)
    assert (plain.returncode, strict.returncode) == (0, 8)
    assert f"unreadable {broken.id}" in strict.stdout


def told(root: Path) -> tuple[Record, Journal]:
    """A record of which customers were told one text of three."""
    folder = root / SECOND
    folder.mkdir(parents=True)
    book = Journal(folder / "journal.jsonl", WallClock(), Actor("responder-2"), "tester@here")
    book.append("opened", {"practice": False, "cluster": "prod-7"})
    book.append("declared", {"title": "db-3 is full", "impact": "inside", "severity": "SEV2", "source": "alert"})
    for name, approval, text in (
        ("a", "none", "for us"),
        ("b", "needed", "We see <b>errors</b>."),
        ("c", "needed", "draft"),
    ):
        said = {"id": name, "channel": "statuspage", "template": "t", "to": "all", "text": text, "approval": approval}
        book.append("message", said)
    for name in ("a", "b"):
        book.append("released-message", {"id": name}) if name == "b" else None
        book.append("delivered", {"id": name, "receipt": "r"})
    return Record(folder), book


def test_a_public_page_holds_what_customers_were_told_and_nothing_else(home: Path, tmp_path: Path) -> None:
    told(tmp_path / "incidents")
    (tmp_path / "mkdocs.yml").touch()
    assert publish(tmp_path, SECOND, "--public", "out.html").returncode == 0
    page = (tmp_path / "out.html").read_text()
    assert "We see &lt;b&gt;errors&lt;/b&gt;." in page
    for inside in ("for us", "draft", "db-3", "prod-7", "inside", "responder-2", "SEV2", "<script", "href", "src="):
        assert inside not in page, inside


def test_no_public_page_leaves_while_texts_are_held_back(tmp_path: Path) -> None:
    _, book = told(tmp_path / "incidents")
    book.append("flagged", {"flag": "breach", "value": True, "reason": "keys"})
    (tmp_path / "mkdocs.yml").touch()
    done = publish(tmp_path, SECOND, "--public", "out.html")
    assert (done.returncode, (tmp_path / "out.html").exists()) == (3, False)
    assert "held back" in done.stderr


def test_an_archive_has_a_name_that_says_what_it_is() -> None:
    with pytest.raises(BadParameter, match=r"\.zip, \.tar\.gz"):
        pack.ending(Path("site.rar"))


@pytest.mark.browser
def test_the_archive_opens_from_a_disk_with_its_search(home: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)("no chromium on PATH")
    done = publish(home, "--offline", str(tmp_path / "pack.zip"))
    assert done.returncode == 0, done.stderr
    zipfile.ZipFile(tmp_path / "pack.zip").extractall(tmp_path)
    assert (tmp_path / "firstwatch" / "contacts.toml").is_file() == (home / "contacts.toml").is_file()
    asked: list[str] = []
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]) as browser,
    ):
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "firstwatch" / "index.html").as_uri())
        page.get_by_role("textbox", name="Search").click()
        page.keyboard.type(FIRST)
        page.locator(".md-search-result__link").first.click()
        page.wait_for_url(f"**/incidents/{FIRST}*.html*")
        assert page.get_by_role("heading", name="API errors").first.is_visible()
    assert all(each.startswith("file://") for each in asked)
