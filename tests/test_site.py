"""The site, built strictly and opened in a real browser: home, runbook, record, and no third party is asked."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

import firstwatch
from firstwatch.runs import catalog

ROOT = Path(__file__).resolve().parents[1]
NAMES = catalog.names(ROOT / "runbooks")


@pytest.mark.parametrize("name", firstwatch.__all__)
def test_each_name_of_the_library_is_in_the_reference(site: Path, name: str) -> None:
    text = (site / "reference" / "library" / "index.html").read_text()
    assert f".{name}" in text or name in ("actions", "probes")


@pytest.mark.parametrize("name", NAMES)
def test_each_runbook_has_its_page_with_its_outputs(site: Path, name: str) -> None:
    text = (site / "runbooks" / name / "index.html").read_text()
    assert "REPLAY of a recording" in text
    looks = name.startswith(("investigate/", "mitigate/"))
    assert "Verdict" in text or not looks  # of what it looked at


@pytest.mark.browser
def test_a_reader_gets_from_home_to_a_runbook_to_the_example_record(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Roll back").first.click()
    page.wait_for_url("**/runbooks/mitigate/rollback/")
    assert page.get_by_role("heading", name="What would a rollback change?").is_visible()
    page.get_by_role("navigation").get_by_role("link", name="Incidents").first.click()
    page.get_by_role("link", name="2026-").first.click()
    page.wait_for_url("**/incidents/2026-*.html")
    assert page.get_by_role("heading", name="Timeline").is_visible()
    plot = page.get_by_role("img", name="Share of failing requests")
    assert plot.evaluate("image => image.complete && image.naturalWidth > 300")


@pytest.mark.browser
def test_a_search_finds_a_command(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("exit codes")
    page.locator(".md-search-result__link", has_text="Exit codes").first.wait_for()
