"""Whether the site can be read: found by search, by keys, on a phone, at night, on paper, and by those who hear it."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from firstwatch.cli import listing
from firstwatch.publish import home
from firstwatch.runs import catalog

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = min(each for each in (ROOT / "incidents").glob("????-??-??-??????"))
RECORD = f"incidents/{EXAMPLE.name}.html"
POST_MORTEM = f"incidents/{EXAMPLE.name}-post-mortem.html"
READ = (
    "",
    "quick-card/",
    "runbooks/mitigate/rollback/",
    "incidents/",
    RECORD,
    POST_MORTEM,
    "severities/sev1/",
    "procedures/lifecycle/",
    "how-to/game-day/",
)
ADDRESSES = (
    "https://status.claude-deployment.com", "https://grafana.claude-deployment.com",
    "https://api.claude-deployment.com/health", "https://console.aws.amazon.com",
)  # fmt: skip
CONTACTS = ("+1-555-0123", "+1-555-0125", "security@company.com", "Enterprise Support Portal")
PARTS = (
    "1 Overview", "2 Classification", "3 Response team", "4 Lifecycle", "5 Communication", "6 After the incident",
    "7 Escalation", "8 Tools and resources",
)  # fmt: skip


def alerts() -> set[str]:
    books = [catalog.find(name) for name in catalog.names(ROOT / "runbooks")]
    return {alert for book in books for alert in book.metadata.get("alerts", ())}


@pytest.fixture(scope="module")
def found(site: Path) -> str:
    """All that the search knows, as text."""
    docs = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    return "\n".join(re.sub(r"<[^>]*>", "", f"{each['title']} {each['text']}") for each in docs)


@pytest.mark.parametrize("command", [typed for typed, _ in listing.commands()])
def test_the_search_knows_each_command(found: str, command: str) -> None:
    assert re.search(rf"{re.escape(command)}\b", found)


def test_each_command_says_what_it_does() -> None:
    known = dict(listing.commands())
    assert {"firstwatch run", "firstwatch publish", "firstwatch gameday up"} <= known.keys()
    assert all(known.values())


@pytest.mark.parametrize("name", sorted(each.stem for each in (ROOT / "lib/firstwatch/channels/templates").iterdir()))
def test_the_search_knows_each_template(found: str, name: str) -> None:
    assert name in found


@pytest.mark.parametrize("alert", sorted(alerts()))
def test_the_search_knows_each_alert(found: str, alert: str) -> None:
    assert alert in found


@pytest.mark.parametrize("name", catalog.names(ROOT / "runbooks"))
def test_each_runbook_is_on_the_home_page_with_its_one_command(site: Path, name: str) -> None:
    text = (site / "index.html").read_text()
    assert f'href="runbooks/{name}/"' in text
    assert f"firstwatch run {name}</code>" in text
    assert f"firstwatch run {name}</code></pre>" in (site / "runbooks" / name / "index.html").read_text()


@pytest.mark.parametrize("who", ["+1-555-0123", "+1-555-0125", "security@company.com", "Enterprise Support Portal"])
def test_whom_to_call_is_on_the_home_page(site: Path, who: str) -> None:
    assert who in (site / "index.html").read_text()


def test_what_a_runbook_says_is_one_sentence_without_its_stop() -> None:
    about = "**When** errors\nbegan. Never else. **Changes** `a.b` of it. **Who** anybody."
    book = catalog.Runbook("mitigate/x", Path(), "X", about, {}, ())
    assert (home.said(book, "When"), home.said(book, "Changes"), home.said(book, "Takes")) == (
        "Errors began", "`a.b` of it", "X",
    )  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_the_parts_of_the_procedures_are_in_the_navigation(site: Path, part: str) -> None:
    assert part in (site / "procedures" / "overview" / "index.html").read_text()


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids.add(said.get("id") or "")
        self.links += [said[each] or "" for each in ("href", "src") if each in said]


def test_every_link_within_the_site_leads_to_a_page_and_to_a_place_in_it(site: Path) -> None:
    pages = {
        path: _Links(path.read_text()) for path in site.rglob("*.html") if path.name not in ("404.html", "frame.html")
    }
    broken = [(path.relative_to(site).as_posix(), link) for path in pages for link in _broken(path, pages)]
    assert broken == []


def test_every_link_to_elsewhere_is_well_formed(site: Path) -> None:
    links = {link for path in site.rglob("*.html") for link in _Links(path.read_text()).links}
    out = sorted(link for link in links if re.match(r"[a-z][a-z0-9+.-]*:|//", link))
    assert [link for link in out if not _well_formed(link)] == []


def _well_formed(link: str) -> bool:
    parts = urlsplit(link)
    host = re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", parts.hostname or "")
    return parts.scheme == "https" and host is not None and parts.username is None and not re.search(r"[\s<>\"]", link)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_the_procedures_is_on_the_page_of_tools(site: Path, address: str) -> None:
    assert address in _Links((site / "procedures" / "tools" / "index.html").read_text()).links


def _broken(path: Path, pages: dict[Path, _Links]) -> Iterator[str]:
    for link in pages[path].links:
        if not re.match(r"[a-z]+:|//", link):
            target, place = urldefrag(link)
            to = (path.parent / unquote(target)).resolve() if target else path
            to = to / "index.html" if to.is_dir() else to
            if not to.is_file() or (place and to in pages and unquote(place) not in pages[to].ids):
                yield link


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", READ)
def test_nothing_serious_keeps_anybody_from_reading(chromium: Browser, url: str, path: str, scheme: str) -> None:
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme)  # the policy lets no checker in
    page = context.new_page()
    page.goto(url + path)
    assert page.locator("body").get_attribute("data-md-color-scheme") == {"light": "default", "dark": "slate"}[scheme]
    found = Axe().run(page).response["violations"]
    context.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


@pytest.mark.browser
@pytest.mark.parametrize("path", READ)
def test_a_page_fits_a_phone(page: Page, url: str, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(url + path)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.browser
def test_a_responder_gets_to_a_runbook_by_keys_alone(page: Page, url: str) -> None:
    page.goto(url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to content"
    page.keyboard.press("/")
    page.keyboard.type("rollback")
    page.locator(".md-search-result__link").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks/mitigate/rollback/**")


@pytest.mark.browser
def test_on_paper_there_is_the_text_alone(page: Page, url: str) -> None:
    page.goto(url + "quick-card/")
    page.emulate_media(media="print")
    assert not page.locator(".md-header").is_visible()
    assert not page.locator(".md-sidebar--primary").is_visible()
    assert page.get_by_role("heading", name="Quick card").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("path", ["quick-card/", "how-to/first-ten-minutes/"])
def test_what_is_for_the_wall_is_one_sheet(page: Page, url: str, path: str) -> None:
    page.goto(url + path)
    for paper in ("A4", "Letter"):
        assert b"/Count 1\n" in page.pdf(format=paper, scale=1.04)  # another machine has other fonts


@pytest.mark.browser
def test_the_quick_card_says_whom_to_call_and_where_to_look(page: Page, url: str) -> None:
    page.goto(url + "quick-card/")
    text = page.locator("article").inner_text()
    assert [each for each in (*ADDRESSES, *CONTACTS) if each not in text] == []
