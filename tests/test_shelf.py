"""Records in the site: each rendered once, when it changes; one that cannot be read is a page that says so."""

# ruff: noqa: E501 - the frame is one line

import json
from pathlib import Path

import pytest

from firstwatch.clock import WallClock
from firstwatch.errors import NotFound
from firstwatch.model import Actor
from firstwatch.publish.assembly import FRAME, INDEX, LINES, Site
from firstwatch.publish.shelf import Shelf
from firstwatch.publish.shell import CONTENT, PLACE, TITLE
from firstwatch.record.journal import Journal
from firstwatch.record.store import Record

SHELL = f'<title>{TITLE}</title><li class="md-nav__item"><a href="#{PLACE}">{PLACE}</a></li><h1>Incidents</h1><p>{CONTENT}</p><h2>{PLACE}</h2>'
ID = "2026-11-24-02030"


def recorded(root: Path, number: int = 4, title: str = "API errors") -> Record:
    folder = root / f"{ID}{number}"
    folder.mkdir(parents=True)
    book = Journal(folder / "journal.jsonl", WallClock(), Actor("on-call"), "tester@here")
    book.append("opened", {"practice": False})
    book.append("declared", {"title": title, "impact": "slow", "severity": "SEV2", "source": "alert"})
    return Record(folder)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "site", Shelf(tmp_path / "kept"))
    (made.folder / "incidents").mkdir(parents=True)
    (made.folder / FRAME).write_text(SHELL)
    (made.folder / INDEX).parent.mkdir()
    (made.folder / INDEX).write_text(json.dumps({"config": {}, "docs": [{"location": "", "title": "H", "text": "h"}]}))
    return made


def test_a_record_gets_a_page_a_line_and_an_entry_in_the_search(site: Site, tmp_path: Path) -> None:
    (line,) = site.put([recorded(tmp_path / "incidents")])
    assert (line.title, line.severity, line.status, line.unreadable) == ("API errors", "SEV2", "investigating", "")
    assert "<title>SEV2: API errors</title>" in (site.folder / f"incidents/{ID}4.html").read_text()
    assert f'<a href="{ID}4.html"' in (site.folder / "incidents/index.html").read_text()
    docs = json.loads((site.folder / INDEX).read_text())["docs"]
    assert [each["location"] for each in docs] == ["", f"incidents/{ID}4.html"]


def test_one_more_record_leaves_the_others_as_they_are(site: Site, tmp_path: Path) -> None:
    site.put([recorded(tmp_path / "incidents")])
    older = site.folder / f"incidents/{ID}4.html"
    before = older.stat().st_mtime_ns
    site.put([recorded(tmp_path / "incidents", 5)])
    assert older.stat().st_mtime_ns == before
    assert [each["id"] for each in json.loads((site.folder / LINES).read_text())] == [f"{ID}4", f"{ID}5"]
    assert (site.folder / "incidents/index.html").read_text().index(f"{ID}5") < (
        site.folder / "incidents/index.html"
    ).read_text().index(f"{ID}4")


def test_a_record_is_rendered_again_only_when_its_journal_or_its_post_mortem_changed(tmp_path: Path) -> None:
    record, shelf = recorded(tmp_path / "incidents"), Shelf(tmp_path / "kept")
    shelf.shown(record)
    (kept,) = shelf.folder.iterdir()
    kept.write_text(kept.read_text().replace("API errors", "kept as it is"))
    assert shelf.shown(record).line.title == "kept as it is"
    (record.folder / "post-mortem.md").write_text("# Post-mortem\n")
    assert shelf.shown(record).line.title == "API errors"
    Journal(record.journal, WallClock(), Actor("on-call"), "tester@here").append("resolved", {"summary": "done"})
    assert shelf.shown(record).line.status == "resolved"
    assert len(list(shelf.folder.iterdir())) == 1


def test_a_line_says_nothing_that_the_search_would_take_for_markup(site: Site, tmp_path: Path) -> None:
    record = recorded(tmp_path / "incidents", title="<b>t</b>")
    said = {"title": "<b>t</b>", "impact": "i", "severity": "<img src=x onerror=fw(1)>", "source": "alert"}
    Journal(record.journal, WallClock(), Actor("on-call"), "tester@here").append("declared", said)
    site.put([record])
    assert "<" not in json.dumps(json.loads((site.folder / INDEX).read_text())["docs"])


def test_what_stands_beside_the_journal_is_not_believed(site: Site, tmp_path: Path) -> None:
    record = recorded(tmp_path / "incidents")
    (record.folder / "page.md").write_text("# forged\n")
    (record.folder / "attachments").mkdir()
    (record.folder / "attachments/error-rate.png").write_text("<script>fw(1)</script>")
    (record.folder / "attachments/other.html").write_text("<script>fw(1)</script>")
    site.put([record])
    assert "forged" not in (site.folder / f"incidents/{ID}4.html").read_text()
    assert not (site.folder / f"incidents/{ID}4").exists()


def test_a_post_mortem_is_a_page_of_its_own_without_html_or_secrets(site: Site, tmp_path: Path) -> None:
    record = recorded(tmp_path / "incidents")
    token = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    (record.folder / "post-mortem.md").write_text(f"# Post-mortem\n\n<script>fw(1)</script> {token}\n")
    site.put([record])
    page = (site.folder / f"incidents/{ID}4-post-mortem.html").read_text()
    assert "<script" not in page
    assert token not in page
    assert f'<a href="{ID}4-post-mortem.html"' in (site.folder / "incidents/index.html").read_text()


@pytest.mark.parametrize("bad", [
    b"", b"{", b"[]\n", b"null\n", b"\xff\xfe\n", b'{"v":99}\n', b'{"v":1,"seq":"x"}\n', b"\x00" * 100,
], ids=repr)  # fmt: skip
def test_a_record_that_cannot_be_read_is_a_page_that_says_so_and_the_others_are_published(
    site: Site, tmp_path: Path, bad: bytes
) -> None:
    good, broken = recorded(tmp_path / "incidents"), recorded(tmp_path / "incidents", 5)
    broken.journal.write_bytes(bad)
    lines = site.put([broken, good])
    assert [bool(each.unreadable) for each in lines] == [True, False]
    assert f"Record {ID}5 unreadable" in (site.folder / f"incidents/{ID}5.html").read_text()
    assert "API errors" in (site.folder / f"incidents/{ID}4.html").read_text()


def test_a_record_whose_journal_leads_elsewhere_is_not_followed(site: Site, tmp_path: Path) -> None:
    record = recorded(tmp_path / "incidents")
    (tmp_path / "passwords").write_text("# secret\n")
    (record.folder / "post-mortem.md").symlink_to(tmp_path / "passwords")
    (line,) = site.put([record])
    assert "is a link" in line.unreadable


def test_without_a_site_the_message_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="firstwatch publish builds it"):
        Site(tmp_path, Shelf(tmp_path / "kept")).put([])
