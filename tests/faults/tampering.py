"""The verifier under every way to change a journal, against chains made anew, and before other versions."""

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from faults.journal import ID, journal
from faults.programme import Figure, Row, Trial
from firstwatch.errors import RecordUnreadable
from firstwatch.model import canonical
from firstwatch.record.anchor import Anchor
from firstwatch.record.event import FIRST, body_sha256, chain_hash
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.verify import verify

EXAMPLES = Path(__file__).parents[2] / "incidents"
LINES = 24  # the beginning of a real journal is a journal


def changed(trial: Trial) -> Figure:
    """Change the beginning of a real journal in every way; at a fraction, in a sample of them."""
    folder = trial.folder / ID
    whole = _real(folder)
    *_, last = read(folder / "journal.jsonl")
    anchor = Anchor(last.incident, last.seq, last.hash, "chat")
    ways = list(_ways(whole))
    chosen = ways if trial.count >= len(ways) else trial.random.sample(ways, trial.count)
    false_alarms = int(not verify(folder, [anchor]).whole) + _false_alarms(trial.random, trial.folder)
    missed = []
    for number, way in enumerate(chosen):
        (folder / "journal.jsonl").write_bytes(way(whole))
        missed += [] if _found(folder, anchor) else [number]
        if number % 1000 == 0:
            trial.tell(number)
    note = f"{false_alarms} false alarms; {len(whole)} bytes, {len(ways)} ways"
    return Figure(len(chosen), len(missed) + false_alarms, note)


def _real(folder: Path) -> bytes:
    """Begin *folder* as the example that the site shows, with its first lines only, and return them."""
    example = min(EXAMPLES.glob("*/journal.jsonl"))
    shutil.copytree(example.parent, folder)
    whole = b"".join(example.read_bytes().splitlines(keepends=True)[:LINES])
    (folder / "journal.jsonl").write_bytes(whole)
    return whole


Way = Callable[[bytes], bytes]


def _ways(whole: bytes) -> Iterator[Way]:
    """Yield every flipped bit, every cut, every byte taken out, repeated or put in, every line moved."""
    for at in range(len(whole)):
        yield from (_flipped(at, bit) for bit in range(8))
        yield from (_put(at, at + 1, b""), _put(at, at, whole[at : at + 1]), _put(at, at, b" "), _put(at, at, b"\n"))
        yield _put(at, len(whole), b"")
    lines = whole.splitlines(keepends=True)
    for one in range(len(lines)):
        yield from (_moved([*lines[:other], lines[one], *lines[other:]]) for other in range(len(lines)))
        yield from (_moved(_swapped(lines, one, other)) for other in range(one))
        yield _moved(lines[:one] + lines[one + 1 :])


def _flipped(at: int, bit: int) -> Way:
    return lambda whole: whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]


def _put(begin: int, end: int, data: bytes) -> Way:
    return lambda whole: whole[:begin] + data + whole[end:]


def _moved(lines: list[bytes]) -> Way:
    return lambda _: b"".join(lines)


def _swapped(lines: list[bytes], one: int, other: int) -> list[bytes]:
    swapped = list(lines)
    swapped[one], swapped[other] = lines[other], lines[one]
    return swapped


def _found(folder: Path, anchor: Anchor) -> bool:
    """Whether it is found without an anchor; a cut between two lines is found with one, and says not anchored else."""
    checked = verify(folder)
    if not checked.whole:
        return True
    return "not anchored" in str(checked) and not verify(folder, [anchor]).consistent


def _false_alarms(random: Random, folder: Path) -> int:
    """Write journals of all that JSON can hold, and count those that do not verify."""
    return sum(_alarmed(random, folder / f"good-{number}") for number in range(20))


def _alarmed(random: Random, folder: Path) -> bool:
    folder.mkdir()
    book = journal(folder)
    for _ in range(random.randrange(1, 9)):
        book.append(
            "note", {"text": _text(random), "of": [random.random(), random.getrandbits(60), None, {"": _text(random)}]}
        )
    return not verify(folder / ID).whole


def _text(random: Random) -> str:
    return "".join(map(chr, random.choices((0, 10, 13, 34, 92, 127, 0x85, 0xE9, 0x2028, 0x202E, 0xFEFF, 0x1F525), k=9)))


def made_anew(trial: Trial) -> Figure:
    """Change one event and make the chain anew from there: consistent, and found by an anchor at it or after it."""
    folder = trial.folder / ID
    lines = _real(folder).splitlines()
    heads = [json.loads(line)["hash"] for line in lines]
    bad = 0
    for number in range(trial.count):
        at = trial.random.randrange(len(lines))
        (folder / "journal.jsonl").write_bytes(_forged(lines, at, number))
        bad += not _forgery_found(folder, heads, at)
        trial.tell(number + 1)
    return Figure(trial.count, bad)


def _forged(lines: list[bytes], at: int, number: int) -> bytes:
    prev, forged = FIRST, []
    for place, line in enumerate(lines):
        event = json.loads(line) | {"prev": prev}
        if place == at:
            event["body"] = event["body"] | {"forged": number}
            event["body_sha256"] = body_sha256(event["body"])
        event["hash"] = prev = chain_hash(event)
        forged.append(canonical(event) + b"\n")
    return b"".join(forged)


def _forgery_found(folder: Path, heads: list[str], at: int) -> bool:
    """Whether each anchor before the forged event holds, none after it does, and nothing is said without one."""
    plain = verify(folder)
    holds = [
        verify(folder, [Anchor(ID, seq, heads[seq - 1], "chat")]).consistent
        for seq in (1, at, at + 1, len(heads))
        if seq
    ]
    seqs = [seq for seq in (1, at, at + 1, len(heads)) if seq]
    return plain.consistent and "not anchored" in str(plain) and holds == [seq <= at for seq in seqs]


VERSIONS: tuple[Any, ...] = (0, 2, 99, -1, "1", None, 1.5, [], {})


def other_versions(trial: Trial) -> Figure:
    """Put events of other versions and unknown kinds in: said with the version, refused to append, bytes kept."""
    folder = trial.folder / ID
    lines = _real(folder).splitlines()
    bad = 0
    for number, version in enumerate(islice(_turns(), trial.count)):
        at = trial.random.randrange(len(lines))
        bad += not _version_said(trial.folder, lines, at, version)
        bad += not _kind_kept(trial.folder, lines, f"kind-{number}")
        trial.tell(number + 1)
    return Figure(2 * trial.count, bad)


def _turns() -> Iterator[Any]:
    while True:
        yield from VERSIONS


def _version_said(root: Path, lines: list[bytes], at: int, version: Any) -> bool:
    path = root / ID / "journal.jsonl"
    other = canonical(json.loads(lines[at]) | {"v": version, "more": "fields"})
    data = b"\n".join([*lines[:at], other]) + b"\n"
    path.write_bytes(data)
    said = [str(verify(path.parent)), _refusal(lambda: read(path)), _refusal(lambda: journal(root).append("note", {}))]
    return all(f"version {version!r}" in each for each in said) and path.read_bytes() == data


def _refusal(tried: Callable[[], object]) -> str:
    try:
        tried()
    except RecordUnreadable as error:
        return str(error) if error.exit_code == 8 else ""
    return ""


def _kind_kept(root: Path, lines: list[bytes], kind: str) -> bool:
    (root / ID / "journal.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    event = journal(root).append(kind, {"any": "thing"})
    state = fold(read(root / ID / "journal.jsonl"))
    return verify(root / ID).whole and (state.timeline[-1].kind, state.timeline[-1].seq) == (kind, event.seq)


ROWS = [
    Row("T57", "every bit flipped, byte cut, added or repeated, line moved", "none missed, no false alarm", 400_000,
        changed, least=500),
    Row("T58", "a chain made anew", "consistent, not anchored; against an anchor exit 8", 1000, made_anew, least=20),
    Row("T59", "events of other versions and unknown kinds", "said, kept; exit 8 with the version", 200, other_versions,
        least=18),
]  # fmt: skip
