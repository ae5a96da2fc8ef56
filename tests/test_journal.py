"""The journal: what was acknowledged is there, in order, and every byte of it is covered."""

import errno
import json
import multiprocessing
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch.clock import WallClock
from firstwatch.errors import RecordNotWritable, RecordUnreadable
from firstwatch.model import Actor, Json, canonical
from firstwatch.record.event import Pen, chain_hash
from firstwatch.record.journal import Journal, read
from firstwatch.record.store import attach
from firstwatch.record.verify import verify


def journal(folder: Path, run: str = "r1") -> Journal:
    (folder / "2026-11-24-020304").mkdir(exist_ok=True)
    return Journal(folder / "2026-11-24-020304" / "journal.jsonl", WallClock(), Actor("on-call"), "tester@here", run)


def test_an_event_carries_who_when_and_what(tmp_path: Path) -> None:
    event = journal(tmp_path).append("note", {"text": "looked at the graphs"})
    assert (event.seq, event.kind, event.who, event.run) == (1, "note", "on-call", "r1")
    assert event.body == {"text": "looked at the graphs"}
    assert event.at.endswith("Z")
    assert read(journal(tmp_path).path) == (event,)


def test_a_journal_of_many_events_verifies(tmp_path: Path) -> None:
    book = journal(tmp_path)
    for number in range(20):
        book.append("note", {"text": f"no. {number} — ünïcode"})
    checked = verify(book.path.parent)
    assert checked.consistent
    assert checked.events == 20
    assert "not anchored" in str(checked)


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    book = journal(tmp_path)
    for text in ("first", "second"):
        book.append("note", {"text": text})
    whole = book.path.read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[position] ^= 1 << bit
            book.path.write_bytes(changed)
            checked = verify(book.path.parent)
            assert not checked.consistent or checked.torn, f"bit {bit} of byte {position}: {changed[position]!r}"


@pytest.mark.parametrize(
    ("what", "lines"),
    [("swapped", [0, 2, 1]), ("repeated", [0, 1, 1, 2]), ("cut out", [0, 2])],
)
def test_lines_that_moved_are_found(tmp_path: Path, what: str, lines: list[int]) -> None:
    book = journal(tmp_path)
    for number in range(3):
        book.append("note", {"text": str(number)})
    kept = book.path.read_bytes().splitlines(keepends=True)
    book.path.write_bytes(b"".join(kept[number] for number in lines))
    assert not verify(book.path.parent).consistent, what


def test_bytes_that_are_not_canonical_are_refused(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "x"})
    event = json.loads(book.path.read_bytes())
    book.path.write_text(json.dumps(event) + "\n")
    assert "not the canonical ones" in str(verify(book.path.parent))


def test_a_torn_tail_is_cut_by_an_event_that_says_so(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "whole"})
    with book.path.open("ab") as file:
        file.write(b'{"v":1,"seq":2,"half')
    journal(tmp_path).append("note", {"text": "after the crash"})
    assert [event.kind for event in read(book.path)] == ["note", "repaired", "note"]
    assert verify(book.path.parent).consistent


def test_a_changed_attachment_is_found(tmp_path: Path) -> None:
    book = journal(tmp_path)
    picture = book.path.parent / "picture.png"
    picture.write_bytes(b"one")
    attach(book, picture, "a picture")
    assert verify(book.path.parent).consistent
    picture.write_bytes(b"two")
    assert "picture.png was changed" in str(verify(book.path.parent))


def _write(folder: Path, name: str) -> None:
    book = journal(folder, run=name)
    for number in range(50):
        book.append("note", {"text": f"{name} {number}"})


def test_two_writers_make_one_chain_and_lose_nothing(tmp_path: Path) -> None:
    journal(tmp_path).append("opened", {})
    writers = [multiprocessing.get_context("spawn").Process(target=_write, args=(tmp_path, n)) for n in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    events = read(journal(tmp_path).path)
    assert len(events) == 101
    assert verify(journal(tmp_path).path.parent).consistent


def test_a_folder_that_is_gone_is_not_writable(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.path.parent.rmdir()
    with pytest.raises(RecordNotWritable, match="nothing was attempted"):
        book.append("note", {"text": "x"})


def test_a_journal_that_became_shorter_is_not_written_on(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "x"})
    book.path.write_bytes(b"")
    with pytest.raises(RecordUnreadable, match="shorter than it was"):
        book.append("note", {"text": "y"})


def test_a_file_that_is_no_journal_is_unreadable_and_says_where(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.path.write_text("hello\n")
    with pytest.raises(RecordUnreadable, match=r"journal\.jsonl"):
        read(book.path)


def test_a_secret_does_not_reach_the_disk(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "psql postgres://app:hunter2secret@db/prod", "token": "abcdef"})
    written = book.path.read_text()
    assert "hunter2secret" not in written
    assert "abcdef" not in written


def test_what_is_written_is_the_canonical_form_of_the_event(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": ',"body_sha256":"x","incident":'})
    (line,) = book.path.read_bytes().splitlines()
    assert canonical(json.loads(line)) == line


def test_an_append_reads_no_more_than_the_last_line(tmp_path: Path) -> None:
    first = journal(tmp_path)
    for number in range(3):
        first.append("note", {"text": str(number) * 100_000})
    assert journal(tmp_path).append("note", {"text": "x"}).seq == 4
    assert first.append("note", {"text": "y"}).seq == 5
    assert verify(first.path.parent).consistent


def _fails(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_after_a_failed_fsync_nothing_more_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "kept"})
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", _fails)
        with pytest.raises(RecordNotWritable):
            book.append("note", {"text": "not acknowledged"})
    with pytest.raises(RecordNotWritable, match="failed before"):
        book.append("note", {"text": "neither"})
    assert journal(tmp_path).append("note", {"text": "another process goes on"}).seq == 2
    assert verify(book.path.parent).consistent


def test_a_write_that_was_refused_leaves_nothing_and_the_next_one_counts(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "kept"})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (book.path.stat().st_size + 100, before[1]))
    try:
        with pytest.raises(RecordNotWritable, match="too large"):
            book.append("note", {"text": "refused"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert book.append("note", {"text": "room again"}).seq == 2
    assert verify(book.path.parent).consistent


def test_no_change_is_begun_without_room_for_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = journal(tmp_path)
    book.append("opened", {})
    assert book.reserve.stat().st_size == 16_384
    book.reserve.unlink()
    with monkeypatch.context() as full:
        full.setattr(os, "urandom", _fails)
        with pytest.raises(RecordNotWritable, match="nothing was attempted"):
            book.append("intent", {"key": "1"})
    book.append("intent", {"key": "1"})
    assert book.reserve.exists()


def test_a_journal_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "x"})
    other = book.path.with_suffix(".other")
    other.write_bytes(book.path.read_bytes())
    other.replace(book.path)
    assert book.append("note", {"text": "y"}).seq == 2
    assert verify(book.path.parent).events == 2


def test_a_journal_that_was_taken_away_is_not_begun_again(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "x"})
    book.path.unlink()
    for _ in range(2):
        with pytest.raises((RecordNotWritable, RecordUnreadable)):
            book.append("note", {"text": "y"})


def test_an_event_of_another_version_is_kept_and_said(tmp_path: Path) -> None:
    book = journal(tmp_path)
    book.append("note", {"text": "x"})
    line = json.loads(book.path.read_bytes())
    newer = canonical({**line, "v": 2, "seq": 2, "more": "fields"}) + b"\n"
    with book.path.open("ab") as file:
        file.write(newer)
    with pytest.raises(RecordUnreadable, match="version 2"):
        read(book.path)
    with pytest.raises(RecordUnreadable, match="version 2"):
        journal(tmp_path).append("note", {"text": "y"})
    assert "version 2" in str(verify(book.path.parent))
    assert book.path.read_bytes().endswith(newer)


def test_a_value_that_json_lacks_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    book = journal(tmp_path)
    with pytest.raises(RecordNotWritable):
        book.append("note", {"number": float("nan")})
    assert book.append("note", {"text": "x"}).seq == 1


@given(
    st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=30),
    st.dictionaries(st.text(max_size=9), st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists)),
)  # fmt: skip
def test_a_line_is_the_canonical_form_of_its_event(
    name: str, credential: str, kind: str, body: dict[str, Json]
) -> None:
    pen = Pen("2026-11-24-020304", "r1", Actor(name), credential)
    event, line = pen.line(7, "0" * 64, "2026-11-24T02:03:04.567Z", 89, kind, body)
    assert line == canonical(event._asdict()) + b"\n"
    assert event.hash == chain_hash(event._asdict())
