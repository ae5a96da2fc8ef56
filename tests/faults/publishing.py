"""
What others wrote, on the site: T60 to T65. A real site is built of hostile sources and read in a real browser.

The control is the same texts in a bare page: that so many of them act there is why a zero on the site says something.
"""

# ruff: noqa: E501 - sources are as long as they are

import json
import re
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

from exchange import NOTICE, UPDATE, draft, exchange

from faults import planted
from faults.hostile import built, hostile, notebook, project, record
from faults.payloads import payloads
from faults.programme import Figure, Row, Trial
from firstwatch.publish.assembly import FRAME, Site
from firstwatch.publish.shelf import Shelf
from firstwatch.publish.shell import CONTENT, TITLE
from firstwatch.record.messages import pending
from firstwatch.record.store import Record


@dataclass(frozen=True, slots=True)
class Visit:
    """What happened in the browser: pages read, scripts run, links and handlers that act, requests to others."""

    pages: int
    ran: dict[str, int]
    links: int
    handlers: int
    foreign: int
    notes: tuple[str, ...]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def handle(self) -> None:
            with suppress(ConnectionError):  # the browser left the page before it had all of it
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


LOOK = """
() => {
  const all = [...document.querySelectorAll('*')], acts = /^[\\s\\x00-\\x20]*(javascript|vbscript|data:text)/i;
  const urls = e => ['href', 'src', 'action', 'formaction', 'xlink:href', 'data', 'srcdoc'].map(a => e.getAttribute(a) || '');
  for (const e of document.querySelectorAll('article *')) e.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
  return [all.filter(e => urls(e).some(u => acts.test(u))).length, all.filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length];
}
"""


def read(folder: Path, paths: list[str], tell: Callable[[int], None]) -> Visit:
    """Open *paths* of the site in *folder* with its policy off and on, and count what acts."""
    from playwright.sync_api import sync_playwright

    ran: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    notes: list[str] = []
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with served(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for word in ("off", "on"):
            context = browser.new_context(bypass_csp=word == "off")
            context.add_init_script("window.fw = n => console.log('FW' + n)")
            page = context.new_page()
            page.on("dialog", lambda dialog: dialog.dismiss())

            def said(message: Any, word: str = word) -> None:
                if message.text.startswith("FW"):
                    ran[word] += 1
                    notes.append(f"{word}: {message.text} on {page.url}")  # noqa: B023  # the page that is open

            def asked(request: Any) -> None:
                if not request.url.startswith((url, "data:", "about:", "blob:")):
                    counts["foreign"] += 1
                    notes.append(request.url)

            page.on("console", said)
            context.on("request", asked)
            for path in paths:
                page.goto(url + path, wait_until="load")
                links, handlers = page.evaluate(LOOK)
                counts.update(links=links, handlers=handlers, pages=1)
                tell(counts["pages"])
            _search(page)
            context.close()
        browser.close()
    return Visit(counts["pages"], dict(ran), counts["links"], counts["handlers"], counts["foreign"], tuple(notes[:5]))


def _search(page: Any) -> None:
    """Search for what the texts say: what is found is put into the page."""
    for word in ("Incident", "script", "onerror", "elsewhere"):
        field = page.locator("input[data-md-component=search-query]")
        if field.count():
            field.first.click()
            field.first.fill("")
            field.first.press_sequentially(word)
            page.wait_for_timeout(400)
            page.evaluate(LOOK)


def chosen(count: int) -> list[str]:
    """Return *count* of the payloads, always the same."""
    every = list(payloads())
    return Random(f"payloads {count}").sample(every, min(count, len(every)))


@cache
def visited(count: int) -> tuple[Visit, int, int]:
    """Build a site of *count* payloads and read all of it; with it what a bare page runs of them, and raw markup in the search."""
    with tempfile.TemporaryDirectory(prefix="firstwatch-hostile-") as name:
        folder, texts = Path(name), chosen(count)
        hostile(folder, texts)
        done = built(folder)
        assert done.returncode == 0, done.stderr
        site = folder / "site"
        paths = sorted(each.relative_to(site).as_posix() for each in site.rglob("*.html"))
        visit = read(site, paths, lambda _: None)
        return visit, bare(folder / "bare", texts), markup(site)


def bare(folder: Path, texts: list[str]) -> int:
    """Return how often *texts* run a script, ask somebody else or are a link that acts when nothing is done to them."""
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number}.html").write_text(f"<!doctype html><meta charset=utf-8><body><article>{text}", "utf-8")
    visit = read(folder, [f"{number}.html" for number in range(min(len(texts), 60))], lambda _: None)
    return sum(visit.ran.values()) + visit.foreign + visit.links


def markup(site: Path) -> int:
    """Return how many entries of the search hold markup other than that of its own plain lines."""
    docs = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    plain = re.compile(r"</?(?:p|code|pre|ul|ol|li|em|strong|h\d)>")
    return sum("<" in plain.sub("", each["title"] + each["text"]) for each in docs)


def executed(trial: Trial) -> Figure:
    """Read every page in a browser, the policy off and on: nothing of theirs may run."""
    visit, control, _ = visited(trial.count)
    note = f"{trial.count} texts by every route, {visit.pages} page views, policy off and on; {control} acts of the first 60 in a bare page"
    return Figure(
        visit.pages,
        sum(visit.ran.values()) + visit.handlers + (control < min(trial.count, 60) // 3),
        "; ".join([note, *visit.notes]),
    )


def clickable(trial: Trial) -> Figure:
    """No link, form or frame of a page may act."""
    visit, _, _ = visited(trial.count)
    return Figure(visit.pages, visit.links, f"{trial.count} texts")


def foreign(trial: Trial) -> Figure:
    """No page may ask anybody but the site."""
    visit, _, _ = visited(trial.count)
    return Figure(visit.pages, visit.foreign, f"{trial.count} texts")


def search(trial: Trial) -> Figure:
    """The search holds no markup of theirs, and no page, list, entry, record or message a planted secret."""
    _, _, raw = visited(min(trial.count, 300))
    kinds = planted.kinds()
    cases = [
        (trial.random.choice(kinds).made(trial.random), how) for _ in range(trial.count) for how in planted.ENCODINGS
    ]
    with tempfile.TemporaryDirectory(prefix="firstwatch-secrets-") as name:
        texts = [planted.ENCODINGS[how](each.text) for each, how in cases]
        kept = f"{_published(Path(name), texts)}\n{_told(Path(name) / 'told', texts)}"
    lost = [f"{each.group} in {how}" for each, how in cases if planted.told(each.core, kept)]
    by_class = ", ".join(f"{name} {number}" for name, number in Counter(lost).items())
    return Figure(
        len(cases) + 1,
        len(lost) + raw,
        f"{len(cases)} secrets in {len(planted.ENCODINGS)} encodings, in records, pages, search and messages; "
        f"missed: {by_class or 'none'}",
    )


def _published(folder: Path, texts: list[str]) -> str:
    """Publish *texts* in records, post-mortems and runbooks, and return what can be read of the site."""
    project(folder)
    for number, at in enumerate(range(0, len(texts), 25)):
        for each, text in enumerate(texts[at : at + 25]):
            record(folder / "incidents", at + each, text)
        book = notebook(texts[at : at + 25], "Secrets")
        (folder / "runbooks" / "investigate" / f"book-{number}.ipynb").write_text(json.dumps(book))
    done = built(folder)
    assert done.returncode == 0, done.stderr
    files = [
        each for each in (folder / "site").rglob("*") if each.suffix in (".html", ".json", ".xml") and each.is_file()
    ]
    shown = (planted.readings(each.read_text("utf-8")) for each in files if "assets" not in each.parts)
    return "\n".join({line for text in shown for line in text.splitlines()})  # the frame is in each, and read once


def _told(folder: Path, texts: list[str]) -> str:
    """Say *texts* in updates and mails, and return what the chat and the mail server got, and what the record has."""
    folder.mkdir()
    with exchange(folder) as world:
        box = world.outbox(within_s=120)
        for number, at in enumerate(range(0, len(texts), 10)):
            said = " , ".join(texts[at : at + 10])
            update = draft("slack", "update", UPDATE | {"summary": said}, key=f"update-{number}")
            box.queue(
                update, draft("mail", "notice", NOTICE | {"impact": said}, "manager@example.com", f"mail-{number}")
            )
        for _ in range(len(texts)):  # the chat takes a few at a time
            if pending(box.record.incident().messages):
                box.deliver()
                world.clock.sleep(60)
        got = [each for channel in world.services.slack.channels for each in channel.messages] + world.mail.letters
        assert len(got) >= 2 * len(texts) // 10, "not all arrived"
        return planted.readings("\n".join([*map(str, got), box.record.journal.read_text("utf-8")]))


def corrupt(trial: Trial) -> Figure:
    """Break one record of two in a random way: the other is published, and the broken one says so when it cannot be read."""
    bad: list[str] = []
    good = record(trial.folder / "incidents", 1, "good")
    whole = good.journal.read_bytes()
    for number in range(trial.count):
        broken = Record(trial.folder / "incidents" / f"2026-11-25-{number:06}")
        broken.folder.mkdir()
        name, data = _broken(trial.random, whole)
        broken.journal.write_bytes(data)
        site = Site(trial.folder / "site", Shelf(trial.folder / "kept"))
        (site.folder / FRAME).parent.mkdir(parents=True, exist_ok=True)
        (site.folder / FRAME).write_text(f"<title>{TITLE}</title><h1>Incidents</h1><p>{CONTENT}</p><h2>x</h2>")
        lines = site.put([broken, good])
        page = (site.folder / "incidents" / f"{broken.id}.html").read_text("utf-8")
        if lines[1].unreadable or bool(lines[0].unreadable) != ("unreadable" in page):
            bad.append(f"{name}: {lines}")
        shutil.rmtree(broken.folder)
    return Figure(trial.count + 1, len(bad) + _books(trial.folder / "books"), "; ".join(bad[:3]))


def _broken(random: Random, whole: bytes) -> tuple[str, bytes]:
    at = random.randrange(len(whole))
    return random.choice([
        ("cut", whole[:at]), ("empty", b""), ("not UTF-8", whole[:at] + b"\xff\xfe" + whole[at:]), ("a list", b"[1]\n"),
        ("another version", whole.replace(b'"v":1', b'"v":99')), ("junk", random.randbytes(200)), ("null", b"null\n"),
        ("deep", b"[" * 100_000), ("a bit", whole[:at] + bytes([whole[at] ^ 1 << random.randrange(8)]) + whole[at + 1 :]),
    ])  # fmt: skip


def _books(folder: Path) -> int:
    """Build a site with six broken runbooks and two broken records; return what was wrong."""
    project(folder)
    good = json.dumps(notebook(["well"], "Well"))
    kinds = {
        "cut": good[:200], "empty": "", "utf8": b"\xff\xfe\x00", "output": good.replace('"stream"', '"odd"'),
        "format": good.replace('"nbformat": 4', '"nbformat": 99'), "list": "[]", "well": good,
    }  # fmt: skip
    for name, data in kinds.items():
        path = folder / "runbooks" / "investigate" / f"{name}.ipynb"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    record(folder / "incidents", 1, "well")
    (record(folder / "incidents", 2, "ill").journal).write_bytes(b"\xff")
    done, strict = built(folder), built(folder, "--strict")
    there = [(folder / "site" / "runbooks" / "investigate" / name / "index.html").is_file() for name in kinds]
    page = (folder / "site" / "incidents" / "2026-11-24-000002.html").read_text()
    return (
        (done.returncode != 0)
        + there.count(False)
        + ("unreadable" not in page)
        + ("is unreadable" not in strict.stderr)
    )


def executes(trial: Trial) -> Figure:
    """Build a site with notebooks and programs that would leave a mark if they were run, or published."""
    folder, mark = project(trial.folder), trial.folder / "mark"
    source = f"open({str(mark)!r}, 'w').write('run')\nsecret = 'left-in-the-source'"
    book = notebook(["well"], "Well")
    book["cells"].append(
        {"cell_type": "code", "id": "mark", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    )
    (folder / "runbooks" / "investigate" / "well.ipynb").write_text(json.dumps(book))
    jupytext = (
        f"---\nkernelspec: {{language: python, name: python3, display_name: x}}\n---\n\n```python\n{source}\n```\n"
    )
    for name, text in {
        "docs/stray.py": source,
        "docs/stray.ipynb": json.dumps(book),
        "docs/text.md": jupytext,
        "runbooks/investigate/stray.py": source,
    }.items():
        (folder / name).write_text(text)
    done = built(folder)
    sources = [each for each in (folder / "site").rglob("*") if each.suffix in (".ipynb", ".py")]
    return Figure(5, (done.returncode != 0) + mark.exists() + len(sources), " ".join(map(str, sources)))


ROWS = [
    Row("T60", "a record or a runbook that cannot be read", "a page that says so; all else is published", 600, corrupt, least=60),
    Row("T61", "text that would run a script, by every route", "nothing runs, the policy off and on", 540, executed, least=27, needs="chromium"),
    Row("T62", "text that would be a link that acts", "none can be clicked", 540, clickable, least=27, needs="chromium"),
    Row("T63", "text that would fetch from elsewhere", "nobody but the site is asked", 540, foreign, least=27, needs="chromium"),
    Row("T64", "markup and planted secrets in search and pages", "none; what is missed by class", 200, search, least=10, needs="chromium"),
    Row("T65", "notebooks and programs among the sources", "not run, not published", 1, executes),
]  # fmt: skip
