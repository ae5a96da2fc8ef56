"""What others wrote reaches a record's page as text: no markup, no template, no control character of theirs works."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from firstwatch.clock import WallClock
from firstwatch.model import Actor, cell
from firstwatch.publish import pages
from firstwatch.record.journal import Journal
from firstwatch.record.store import Record

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title><script>alert(1)</script>",
    "[x](javascript:alert(1))", "![x](http://elsewhere/x.png)", "a | b | c", "`code`", "{{ 7191 * 7 }}", "{% raw %}",
    "%s %(x)s {0} {x.__class__}", "\x1b[31mred\x1b[0m", "\u202egnp.exe", "a\u200bb", "\x00", "# heading", "**bold**",
]  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.chdir(tmp_path)  # away from the project's own configuration, and its links
    folder = tmp_path / datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC).strftime("%Y-%m-%d-%H%M%S")
    folder.mkdir()
    made = Journal(folder / "journal.jsonl", WallClock(), Actor("on-call"), "tester@here")
    made.append("opened", {"practice": False})
    return made


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_hostile_text_is_shown_and_does_nothing(journal: Journal, text: str) -> None:
    journal.append("declared", {"title": text, "impact": text, "severity": "SEV2", "source": text})
    journal.append("note", {"text": text})
    journal.append("resolved", {"summary": text})
    page = pages.write(Record(journal.path.parent)).read_text("utf-8")
    assert "<" not in page
    assert "](" not in page.replace("\\](", "")
    assert "50337" not in page
    assert all(char.isprintable() or char == "\n" for char in page)


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_a_cell_stays_one_cell_of_a_table(text: str) -> None:
    shown = cell(text)
    assert "\n" not in shown
    assert "|" not in shown.replace("\\|", "")
    assert "<" not in shown


def told(journal: Journal) -> str:
    return pages.write(Record(journal.path.parent)).read_text("utf-8")


def looked(journal: Journal, verdict: str, *, following: str = "") -> None:
    seen = {"verdict": verdict, "probe": "pods", "object": "o", "expected": "e", "observed": "s", "next": following}
    journal.append("looked", {"probe": "pods", "findings": [seen]})


def test_a_page_tells_the_key_moments_and_how_long_after_the_detection_they_came(journal: Journal) -> None:
    said = {"title": "t", "impact": "i", "severity": "SEV2", "source": "alert", "detected_at": "2026-01-01T00:00:00Z"}
    journal.append("declared", said)
    (line,) = [each for each in told(journal).splitlines() if each.startswith("| Incident declared")]
    assert line.endswith("| as SEV2 |")
    assert line.split(" | ")[2].endswith(" min")


def test_a_page_tells_where_each_text_went_and_the_timeline_does_not_repeat_it(journal: Journal) -> None:
    for name, approval in (("a", "none"), ("b", "needed")):
        said = {"id": name, "channel": "slack", "template": f"t-{name}", "to": "#x", "text": "told"}
        journal.append("message", said | {"approval": approval})
    journal.append("delivering", {"id": "a", "attempt": 1})
    journal.append("delivered", {"id": "a", "receipt": "r", "attempt": 1})
    page = told(journal)
    assert "| slack | #x | t-a | delivered |" in page
    assert "| slack | #x | t-b | waits for an approval |" in page
    assert "attempt" not in page


def test_a_page_says_what_comes_next_only_when_something_does(journal: Journal) -> None:
    looked(journal, "OK")
    assert "what next" not in told(journal)
    looked(journal, "BAD", following="firstwatch run mitigate/rollback")
    assert "| BAD | pods | o: s | e | firstwatch run mitigate/rollback |" in told(journal)


@pytest.mark.parametrize(("moment", "shown"), [
    (datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC), "23:59:59"),
    (datetime(2026, 11, 25, 0, 0, 1, tzinfo=UTC), "2026-11-25 00:00:01"),
])  # fmt: skip
def test_a_time_of_another_day_has_its_date(moment: datetime, shown: str) -> None:
    assert pages.clock(moment, datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)) == shown


def test_a_record_that_cannot_be_read_gets_a_page_that_says_so(journal: Journal) -> None:
    journal.path.write_text("{}\n")
    assert "cannot be read" in pages.write(Record(journal.path.parent)).read_text("utf-8")


def test_a_page_says_who_owed_what_by_when_and_what_became_of_it(journal: Journal) -> None:
    journal.append("declared", {"title": "t", "impact": "i", "severity": "SEV1", "source": "alert"})
    assert "| acknowledge |" in told(journal)
    assert "| on-call | due |" in told(journal)
    journal.append("acknowledged", {})
    line = next(each for each in told(journal).splitlines() if each.startswith("| acknowledge |"))
    assert "| met |" in line


def test_a_page_says_the_same_at_any_time(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append("declared", {"title": "t", "impact": "i", "severity": "SEV1", "source": "alert"})
    before = told(journal)
    monkeypatch.setattr("firstwatch.clock.WallClock.now", lambda _: datetime(2036, 1, 1, tzinfo=UTC))
    assert told(journal) == before


def test_an_incident_that_nobody_declared_owes_nobody_anything(journal: Journal) -> None:
    journal.append("note", {"text": "x"})
    assert "Who owed what" not in told(journal)
