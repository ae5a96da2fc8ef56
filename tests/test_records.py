"""Verifying, anchoring and purging records, by the command and by the verifier that the documentation gives away."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter, NotFound, RecordNotWritable
from firstwatch.model import Actor, Finding, Findings, Verdict, canonical
from firstwatch.publish import pages
from firstwatch.record.anchor import Anchor, pasted
from firstwatch.record.event import body_sha256, chain_hash
from firstwatch.record.incident import fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.purge import purge
from firstwatch.record.store import Record, Store, attach
from firstwatch.record.verify import verify

ID = "2026-11-24-020304"
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "verify-a-record.md"
PROGRAM = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]  # type: ignore[index]


@pytest.fixture
def book(tmp_path: Path) -> Journal:
    """A small record: a declaration, a few notes, an attached file."""
    folder = tmp_path / "incidents" / ID
    folder.mkdir(parents=True)
    made = Journal(folder / "journal.jsonl", WallClock(), Actor("on-call"), "tester@here", "r1")
    made.append("opened", {"practice": True})
    made.append("declared", {"title": "API errors", "impact": "6 of 10 requests fail", "severity": "SEV1"})
    for number in range(4):
        made.append("note", {"text": f"no. {number}: swordfish — ünïcode"})
    file = folder / "notebook.ipynb"
    file.write_text("the password is swordfish")
    attach(made, file, "the executed notebook")
    return made


def typed(book: Journal, *arguments: str, expected: int = 0) -> str:
    environment = {"PATH": "/usr/bin:/bin", "FIRSTWATCH_RECORDS": str(book.path.parents[1]), "NO_COLOR": "1",
                   "HOME": str(book.path.parents[2]), "FIRSTWATCH_ACTOR": "responder-2", "COLUMNS": "300"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "firstwatch", *arguments], env=environment, cwd=book.path.parents[2],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_anchored_record_says_so_and_one_cut_between_lines_ends_with_8(book: Journal) -> None:
    line = typed(book, "anchor", "--print").strip()
    assert re.fullmatch(rf"firstwatch anchor {ID} 7 [0-9a-f]{{64}}", line)
    assert "consistent, anchored at event 7 (the line given): 8 events" in typed(book, "verify", "--anchor", line)
    lines = book.path.read_bytes().splitlines(keepends=True)
    book.path.write_bytes(b"".join(lines[:5]))
    assert "consistent, not anchored" in typed(book, "verify")
    assert "events 6 to 7 are missing" in typed(book, "verify", ID, "--anchor", f"on-call: {line}", expected=8)


def test_a_git_tag_is_an_anchor_that_verify_finds(book: Journal) -> None:
    root = book.path.parents[1]
    for command in (["init", "-q"], ["config", "user.name", "on-call"], ["config", "user.email", "on-call@localhost"],
                    ["commit", "-q", "--allow-empty", "-m", "Begin"]):  # fmt: skip
        subprocess.run(["git", "-C", str(root), *command], check=True)
    assert f"firstwatch/{ID}/7" in typed(book, "anchor", "--git-tag")
    assert f"anchored at event 7 (git tag firstwatch/{ID}/7)" in typed(book, "verify")
    assert json.loads(typed(book, "verify", "--json"))[ID]["anchored"] is True
    _made_anew(book)
    assert "the chain was made anew" in typed(book, "verify", expected=8)


def _made_anew(book: Journal) -> None:
    """Do what an attacker does: write a whole new chain, with another text in it."""
    events = read(book.path)
    book.path.write_bytes(b"")
    forged = Journal(book.path, WallClock(), Actor("on-call"), "tester@here", "r1")
    for event in events:
        forged.append(event.kind, event.body | ({"text": "all was well"} if event.kind == "note" else {}))


def test_a_chain_made_anew_shows_against_an_anchor_only(book: Journal) -> None:
    anchor = Anchor(ID, 5, read(book.path)[4].hash, "chat")
    assert verify(book.path.parent, [anchor]).anchored == anchor
    _made_anew(book)
    assert "not anchored" in str(verify(book.path.parent))
    assert "made anew" in str(verify(book.path.parent, [anchor]))


@pytest.mark.parametrize("text", ["", "hello", "firstwatch anchor x 1 abc", f"firstwatch anchor {ID} 0 {'a' * 64}"])
def test_a_line_that_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="firstwatch anchor"):
        pasted(text)


def test_an_anchor_without_a_repository_ends_with_4_and_records_nothing(book: Journal) -> None:
    assert "could not make the tag" in typed(book, "anchor", "--git-tag", expected=4)
    assert read(book.path)[-1].kind == "attached"


def test_a_purged_secret_is_gone_and_the_record_verifies_against_its_anchor(book: Journal) -> None:
    anchor = Anchor(ID, 7, read(book.path)[6].hash, "chat")
    purged = typed(book, "purge", ID, "3", "4", "5", "6", "--attachment", "notebook.ipynb", "--reason", "a password")
    assert "event 8" in purged
    everything = b"".join(path.read_bytes() for path in book.path.parent.rglob("*") if path.is_file())
    assert b"swordfish" not in everything
    assert verify(book.path.parent, [anchor]).anchored == anchor
    last = read(book.path)[-1]
    assert (last.kind, last.who, last.body["events"]) == ("purged", "responder-2", [3, 4, 5, 6])
    assert "what it said was purged" in (book.path.parent / "page.md").read_text()


def test_a_journal_that_is_open_goes_on_after_a_purge(book: Journal) -> None:
    other = Journal(book.path, WallClock(), Actor("responder-2"), "tester@here")
    purge(other, [3], [], "a password")
    assert book.append("note", {"text": "next"}).seq == 9
    assert other.append("note", {"text": "after"}).seq == 10
    assert verify(book.path.parent).whole


def test_a_tombstone_that_no_event_tells_of_is_found(book: Journal) -> None:
    lines = book.path.read_bytes().splitlines()
    event = json.loads(lines[2])
    lines[2] = canonical(event | {"body": {"purged": event["body_sha256"]}})
    book.path.write_bytes(b"\n".join(lines) + b"\n")
    assert "no event says by whom" in str(verify(book.path.parent))


KINDS = """opened declared run-started cell run-ended looked planned approved intent outcome verified resolved measured
attached note gate anchored repaired unheard-of"""


@pytest.mark.parametrize("kind", KINDS.split())
def test_the_fold_copes_with_a_tombstone_of_every_kind(book: Journal, kind: str) -> None:
    event = read(book.path)[2]
    state = fold([event._replace(kind=kind, body={"purged": event.body_sha256})])
    assert state.timeline[-1].text == f"{kind}: what it said was purged"


def looked(book: Journal, run: str, **said: str) -> str:
    """Let *run* look, and return what the incident has seen then."""
    found = [
        Finding(probe=name, verdict=Verdict(verdict), observed="x", object="", expected="")
        for name, verdict in said.items()
    ]
    replace(book, run=run).append("looked", {"findings": found, "verdict": Findings(found).verdict})
    return " ".join(f"{each.probe}={each.verdict}" for each in fold(read(book.path)).findings)


def test_the_looks_of_a_run_add_up_so_that_one_which_is_ok_hides_nothing(book: Journal) -> None:
    for run in ("r2", "r3"):
        replace(book, run=run).append("run-started", {"runbook": "investigate/database"})
    assert looked(book, "r2", health="OK", locks="BAD") == "locks=BAD health=OK"
    assert looked(book, "r2", replication="OK", nodes="UNKNOWN") == "locks=BAD nodes=UNKNOWN replication=OK health=OK"
    assert looked(book, "r3", pods="OK") == "pods=OK", "what another run saw is its own"
    assert looked(book, "r2", locks="OK") == "nodes=UNKNOWN locks=OK replication=OK health=OK"
    assert looked(book, "", health="BAD") == "health=BAD", "outside of a run there is nothing to add to"


def test_what_was_bad_for_an_earlier_run_is_shown_until_somebody_asks_again(book: Journal) -> None:
    looked(book, "r2", locks="BAD", pods="BAD", health="OK")
    assert fold(read(book.path)).bad_before == (), "it is what was seen last"
    looked(book, "r3", pods="OK")
    (sight,) = fold(read(book.path)).bad_before
    assert (sight.finding.probe, sight.at) == ("locks", read(book.path)[-2].time)
    assert f"| {sight.at:%H:%M:%S} | locks | x |" in pages.write(Record(book.path.parent)).read_text()
    assert "not looked at since: BAD  locks  x" in typed(book, "status", ID)
    assert [each["finding"]["probe"] for each in json.loads(typed(book, "status", ID, "--json"))["bad_before"]] == [
        "locks"
    ]
    looked(book, "r4", locks="UNKNOWN")
    assert fold(read(book.path)).bad_before == ()


def test_what_a_change_in_force_needs_is_not_purged(book: Journal) -> None:
    plan = {"action": "scale", "summary": [], "sticks": [], "changes": [], "undo": [], "destructive": False,
            "target": {"kind": "Deployment", "namespace": "a", "name": "b", "uid": "1", "generation": 1}}  # fmt: skip
    intent = book.append("intent", {"key": "k", "hash": "k", "plan": plan})
    with pytest.raises(BadParameter, match="in force or in doubt"):
        purge(book, [intent.seq], [], "")
    book.append("outcome", {"key": "k", "plan": "k", "result": "refused"})
    purge(book, [intent.seq], [], "")
    assert verify(book.path.parent).whole


@pytest.mark.parametrize(("numbers", "files"), [([99], []), ([0], []), ([], ["no.png"]), ([], ["../journal.jsonl"])])
def test_what_is_not_there_is_not_purged(book: Journal, numbers: list[int], files: list[str]) -> None:
    before = book.path.read_bytes()
    with pytest.raises(NotFound):
        purge(book, numbers, files, "")
    assert book.path.read_bytes() == before


def test_a_file_that_is_not_what_was_attached_is_not_purged(book: Journal) -> None:
    (book.path.parent / "notebook.ipynb").write_text("another")
    with pytest.raises(RecordNotWritable, match="not what was attached"):
        purge(book, [], ["notebook.ipynb"], "")


def test_a_flipped_last_byte_is_not_taken_for_a_torn_line(book: Journal) -> None:
    whole = book.path.read_bytes()
    for bit in range(8):
        book.path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1 << bit]))
        assert "its end was changed" in str(verify(book.path.parent))


def test_a_torn_record_does_not_pass_until_the_next_event_says_so(book: Journal) -> None:
    with book.path.open("ab") as file:
        file.write(b'{"actor":{"name":"on-c')
    assert "torn after its last event" in typed(book, "verify", expected=8)
    typed(book, "note", "back again")
    typed(book, "verify")


def _independent() -> Callable[[Path, str], list[str]]:
    names: dict[str, Any] = {}
    exec(PROGRAM.partition("\nproblems = ")[0], names)
    return names["wrong"]  # type: ignore[no-any-return]


def test_the_verifier_of_the_documentation_is_short_and_needs_no_firstwatch(book: Journal, tmp_path: Path) -> None:
    assert len(PROGRAM.splitlines()) < 60
    (tmp_path / "check.py").write_text(PROGRAM)
    command = [sys.executable, "-I", str(tmp_path / "check.py"), str(book.path.parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "consistent\n"
    head = read(book.path)[5].hash
    assert subprocess.run([*command, f"firstwatch anchor {ID} 6 {head}"], check=False).returncode == 0
    assert subprocess.run([*command, f"firstwatch anchor {ID} 5 {head}"], check=False).returncode == 8
    (book.path.parent / "notebook.ipynb").unlink()
    assert subprocess.run(command, check=False).returncode == 8


def test_the_verifier_of_the_documentation_agrees_on_damaged_records(book: Journal) -> None:
    purge(book, [4], ["notebook.ipynb"], "a password")
    whole, random, independent = book.path.read_bytes(), Random(20261125), _independent()
    for damaged in [whole, *(_damaged(whole, random) for _ in range(400))]:
        book.path.write_bytes(damaged)
        ours, theirs = verify(book.path.parent).whole, not independent(book.path.parent, "")
        assert ours == theirs == (damaged == whole), damaged


def _damaged(whole: bytes, random: Random) -> bytes:
    at, lines = random.randrange(len(whole)), whole.splitlines(keepends=True)
    line = random.randrange(len(lines) - 1)
    return random.choice([
        whole[:at] + bytes([whole[at] ^ 1 << random.randrange(8)]) + whole[at + 1 :],
        whole[:at] + bytes([random.randrange(256)]) + whole[at:],
        whole[: at + 1] + whole[at + 2 :] if at + 2 < len(whole) else whole[:-1],
        b"".join([*lines[: line + 1], lines[line], *lines[line + 1 :]]),
        b"".join([*lines[:line], lines[line + 1], lines[line], *lines[line + 2 :]]),
    ])  # fmt: skip


def test_a_record_that_was_killed_before_its_first_event_is_not_an_open_incident(book: Journal) -> None:
    empty = book.path.parents[1] / "2026-11-24-020305"
    empty.mkdir()
    (empty / "journal.jsonl").write_bytes(b'{"actor":{"na')
    assert [record.id for record in Store(book.path.parents[1]).unresolved()] == [ID]


def test_a_file_that_is_not_there_is_not_attached(book: Journal) -> None:
    with pytest.raises(RecordNotWritable, match=r"no\.png"):
        attach(book, book.path.parent / "no.png", "a picture")


def test_a_line_that_was_written_anew_breaks_the_link_of_the_next_one(book: Journal) -> None:
    lines = book.path.read_bytes().splitlines()
    event = json.loads(lines[2])
    event["body"] = {"text": "nothing happened"}
    event["body_sha256"] = body_sha256(event["body"])
    event["hash"] = chain_hash(event)
    book.path.write_bytes(b"\n".join([*lines[:2], canonical(event), *lines[3:]]) + b"\n")
    assert [str(each) for each in verify(book.path.parent).problems] == ["line 4: it does not follow the line before"]
