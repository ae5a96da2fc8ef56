"""Clocks that jump: the order is kept, every span is at least zero, and the reader is told."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch.model import Actor
from firstwatch.publish import pages
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.store import Record
from firstwatch.record.verify import verify

START = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
HOUR, YEAR = timedelta(hours=1), timedelta(days=365)


class Set:
    """A clock that a test sets: what the wall says and what the monotonic one does."""

    def __init__(self) -> None:
        self.wall, self.passed = START, timedelta(0)

    def go(self, seconds: float, jump: timedelta = timedelta(0)) -> None:
        self.passed += timedelta(seconds=seconds)
        self.wall += timedelta(seconds=seconds) + jump

    def now(self) -> datetime:
        return self.wall

    def monotonic_ns(self) -> int:
        return int(self.passed / timedelta(microseconds=1)) * 1000

    def sleep(self, seconds: float) -> None:
        self.go(seconds)


def written(folder: Path, *jumps: timedelta) -> Record:
    """Write a note every second, each after one of *jumps*."""
    folder.mkdir()
    clock, record = Set(), Record(folder)
    journal = Journal(record.journal, clock, Actor("on-call"), "on-call@laptop", "")
    journal.append("opened", {})
    for jump in jumps:
        clock.go(1, jump)
        journal.append("note", {"text": "x"})
    return record


def test_a_clock_that_goes_back_is_told_and_the_order_is_kept(tmp_path: Path) -> None:
    record = written(tmp_path / "2026-11-24-020304", timedelta(0), -HOUR, timedelta(0))
    assert [str(each) for each in record.incident().jumps] == [
        "the clock of on-call@laptop went back by 1:00:00 before event 3"
    ]
    assert [each.seq for each in read(record.journal)] == [1, 2, 3, 4]
    assert verify(record.folder).consistent


def test_a_clock_that_goes_forward_may_be_a_machine_that_slept(tmp_path: Path) -> None:
    record = written(tmp_path / "2026-11-24-020304", YEAR)
    assert "went forward by 365 days, 0:00:00 before event 2, or it slept" in str(record.incident().jumps[0])


def test_a_clock_that_is_set_by_a_second_is_not_worth_a_word(tmp_path: Path) -> None:
    assert written(tmp_path / "2026-11-24-020304", timedelta(seconds=1), timedelta(seconds=-1)).incident().jumps == ()


def test_the_page_says_that_its_times_mislead(tmp_path: Path) -> None:
    record = written(tmp_path / "2026-11-24-020304", -HOUR)
    pages.write(record)
    assert "**The times mislead**: the clock of on-call@laptop went back by 1:00:00" in (
        record.folder / "page.md"
    ).read_text("utf-8")


def test_a_machine_that_restarted_is_not_judged(tmp_path: Path) -> None:
    record = written(tmp_path / "2026-11-24-020304")
    later = Set()
    later.wall += HOUR
    later.passed = timedelta(seconds=-1)
    Journal(record.journal, later, Actor("on-call"), "on-call@laptop", "").append("note", {"text": "x"})
    assert record.incident().jumps == ()


@given(st.lists(st.timedeltas(-YEAR, YEAR), max_size=8))
def test_the_order_is_the_sequence_whatever_the_clock_says(
    tmp_path_factory: pytest.TempPathFactory, jumps: list[timedelta]
) -> None:
    record = written(tmp_path_factory.mktemp("r") / "2026-11-24-020304", *jumps)
    events: tuple[Event, ...] = read(record.journal)
    told = {each.seq for each in fold(events).jumps}
    assert [each.seq for each in fold(events).timeline] == list(range(1, len(jumps) + 2))
    assert all(b.mono >= a.mono for a, b in pairwise(events))
    assert {n + 2 for n, jump in enumerate(jumps) if abs(jump) > timedelta(seconds=2.01)} <= told
