"""
Planted secrets, clean lines, and how fast they are looked through.

    PYTHONPATH=tests python -m faults.redaction        prints the tables of docs/reference/redaction.md

Each secret goes through one of the ways in which text reaches the disk, and what is on the disk is then read by whoever
would look for it: eight letters running of its core, as they are or decoded, are a miss.
"""

# ruff: noqa: T201 - it is also a command

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from faults import planted
from faults.clean import clean_lines
from faults.dying import ROOT, Bench
from faults.programme import SEED, Figure, Row, Trial
from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record import redact
from firstwatch.record.journal import Journal
from firstwatch.record.redact import redacted
from firstwatch.runs import executed, lab
from firstwatch.systems.tape import Recorder

Way = Callable[[Random, Path, list[str]], str]
Counts = Counter[tuple[str, bool]]  # of a class, whether it was caught


def journal(random: Random, folder: Path, texts: list[str]) -> str:
    """Append *texts* to a journal, in all places of a body."""
    book = Journal(folder / "journal.jsonl", WallClock(), Actor("on-call"), "on-call@laptop")
    for some in _groups(texts, 50):
        book.append("note", {"text": some[0], "error": some[1:25], "parameters": {"line": some[25:]}})
    return book.path.read_text("utf-8")


def engine(random: Random, folder: Path, texts: list[str]) -> str:
    """Let a cell print *texts* in pieces of any size, return them and raise them, and keep the notebook."""
    outputs: list[dict[str, Any]] = []
    for text in texts:
        outputs += [_stream(piece) for piece in _pieces(random, text + "\n")]
    half = len(texts) // 2
    outputs.append(
        {
            "output_type": "execute_result",
            "data": {"text/plain": [f"{each}\n" for each in texts[:half]]},
            "metadata": {},
        }
    )
    outputs += [
        {"output_type": "error", "ename": "E", "evalue": text, "traceback": ["a", text]} for text in texts[half:]
    ]
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": "", "outputs": outputs}
    executed.clean(cell)
    executed.keep(folder / "out.ipynb", {"cells": [cell], "metadata": {}})
    return (folder / "out.ipynb").read_text("utf-8")


def tape(random: Random, folder: Path, texts: list[str]) -> str:
    """Let a recorded system answer with *texts*, as lines and within JSON."""
    recorder = Recorder(WallClock())
    for number, text in enumerate(texts):
        body = text if number % 2 else json.dumps({"items": [{"metadata": {"name": "x"}, "log": text}]})
        recorder.add("GET", "http://kubernetes/api", None, 200, "text/plain", body.encode())
    return recorder.save(folder, {"v": 1}).read_text("utf-8")


def jupyterlab(random: Random, folder: Path, texts: list[str]) -> str:
    """Save a notebook in JupyterLab with *texts* in its cells and outputs."""
    record, copies = folder / "2026-11-25-020304", folder / "lab"
    record.mkdir()
    copies.mkdir()
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": text.splitlines(True), "execution_count": 1,
         "outputs": [_stream(piece) for piece in _pieces(random, text)]}
        for n, text in enumerate(texts)
    ]  # fmt: skip
    (copies / "x.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    told = {"journal": str(record / "journal.jsonl"), "run": "r", "credential": "", "seq": 1, "runbook": "x"}
    (copies / ".x.run").write_text(json.dumps(told | {"actor": {"name": "on-call", "trust": "claimed"}}))
    lab.saved(str(copies / "x.ipynb"), {"type": "notebook"}, None)
    return (record / "notebooks" / "0001-x.ipynb").read_text("utf-8")


def parameters(random: Random, folder: Path, texts: list[str]) -> str:
    """Inject *texts* as parameters, as papermill writes them into the notebook and its metadata."""
    source = "\n".join(f"p{n} = {text!r}" for n, text in enumerate(texts))
    cell = {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": source, "outputs": []}
    notebook = {
        "cells": [cell],
        "metadata": {"papermill": {"parameters": {f"p{n}": text for n, text in enumerate(texts)}}},
    }
    executed.keep(folder / "out.ipynb", executed.without_values(notebook))
    return (folder / "out.ipynb").read_text("utf-8")


WAYS: dict[str, Way] = {
    "journal": journal, "engine": engine, "recording": tape, "JupyterLab": jupyterlab, "parameters": parameters
}  # fmt: skip


def _stream(piece: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": piece}


def _pieces(random: Random, text: str) -> Iterator[str]:
    """Yield *text* in pieces: letter by letter, or of any size."""
    at = 0
    most = random.choice([1, 7, 400])
    while at < len(text):
        size = random.randint(1, most)
        yield text[at : at + size]
        at += size


def _groups(texts: list[str], size: int) -> Iterator[list[str]]:
    yield from (texts[at : at + size] for at in range(0, len(texts), size))


def plant(count: int, random: Random, folder: Path) -> Counts:
    """Send *count* secrets of every kind and encoding down every way, and count by class what was caught."""
    cases = list(product(planted.kinds(), planted.ENCODINGS))
    random.shuffle(cases)
    dealt = [cases[n % len(cases)] for n in range(count)]
    counts: Counts = Counter()
    for number, way in enumerate(WAYS):
        own = [(kind.made(random), encoding) for kind, encoding in dealt[number :: len(WAYS)]]
        counts += _caught(random, folder / way, way, own)
    return counts


def _caught(random: Random, folder: Path, way: str, own: list[tuple[planted.Planted, str]]) -> Counts:
    counts: Counts = Counter()
    for number, some in enumerate(_batches(own)):
        place = folder / str(number)
        place.mkdir(parents=True)
        kept = WAYS[way](random, place, [planted.ENCODINGS[how](each.text) for each, how in some])
        read = planted.readings(kept)
        for each, how in some:
            lost = planted.told(each.core, read)
            for name in (each.group, f"in {how}", f"by {way}"):
                counts[name, not lost] += 1
            if lost:
                counts[f"missed: {each.kind}, {how}, {way}", False] += 1
    return counts


def _batches(own: list[Any]) -> Iterator[list[Any]]:
    yield from (own[at : at + 100] for at in range(0, len(own), 100))


def known(count: int, random: Random) -> Counts:
    """Let *count* values be known, and say each in every form, with and without its neighbours."""
    counts: Counts = Counter()
    for _ in range(count):
        value = (
            "".join(random.choices(planted.ALPHABETS["B"] + "$&%!\"'<> é", k=random.randint(12, 40))).strip("'\" ")
            + "x"
        )
        with knowing(value):
            for name, text in planted.said(random, value):
                counts[f"a known value {name}", not planted.told(value, planted.readings(str(redacted(text))))] += 1
    return counts


@contextmanager
def knowing(value: str) -> Iterator[None]:
    """Know *value* for a while; the product never forgets."""
    redact.know(value)
    try:
        yield
    finally:
        redact._known.discard(value)
        redact._found.cache_clear()


def beyond(count: int, random: Random) -> Counts:
    """Say secrets in ways that nobody promises to see."""
    counts: Counts = Counter()
    for name, encode in planted.BEYOND.items():
        for _ in range(count):
            text = encode(random.choice(planted.kinds()).made(random).text)
            counts[name, redacted(text) != text] += 1
    bare = [" ".join(random.choices(planted.ALPHABETS["A"], k=24)).replace(" ", "") for _ in range(count)]
    counts.update(
        ("a password under no name, known to nobody", redacted(f"it is {each}") != f"it is {each}") for each in bare
    )
    return counts


PRINTING = """
import base64, json, os, sys, urllib.parse
value = os.environ["PLANTED_TOKEN"]
for letter in value: print(letter, end="", flush=True)
print(urllib.parse.quote(value), json.dumps(json.dumps(value)), value.encode().hex())
for n in range(3): print(base64.b64encode(b"x" * n + value.encode()).decode(), file=sys.stderr)
os.write(2, value.encode())
value
"""


def real_run(folder: Path, random: Random) -> Counts:
    """Run a runbook that says secrets in every way a cell has, and watch every file at each millisecond."""
    value = "".join(random.choices(planted.ALPHABETS["A"], k=40))
    texts = [kind.made(random) for kind in planted.kinds() if kind.group != "named value"]
    bench = Bench(folder)
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "said.json"
    said.write_text(json.dumps([each.text for each in texts]))
    show = f"import json\nfor text in json.load(open({str(said)!r})): print(text)"
    bench.write(PRINTING, show, "raise ValueError(value)")
    with watched(folder / "incidents", folder / "state") as seen:
        command = [sys.executable, "-m", "firstwatch", "run", "investigate/dying"]
        done = subprocess.run(
            command, cwd=ROOT, env=bench.environ | {"PLANTED_TOKEN": value}, capture_output=True, text=True, check=False
        )
    counts: Counts = Counter()
    everything = [planted.readings(text) for text in {*seen, done.stdout, done.stderr}]
    for core in (value, *(each.core for each in texts)):
        counts["by a real run", not any(planted.told(core, each) for each in everything)] += 1
    return counts


@contextmanager
def watched(*folders: Path) -> Iterator[set[str]]:
    """Collect what every file under *folders* holds, at every millisecond or so."""
    seen: set[str] = set()
    stopped = threading.Event()
    sizes: dict[tuple[str, int, int], None] = {}

    def look() -> None:
        for path in (each for folder in folders for each in folder.rglob("*")):
            try:
                now = path.stat()
                if path.is_file() and (key := (str(path), now.st_mtime_ns, now.st_size)) not in sizes:
                    sizes[key] = None
                    seen.add(path.read_text("utf-8", "replace"))
            except OSError:
                continue  # it is gone, as a draft is

    def watch() -> None:
        while not stopped.wait(0.001):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        stopped.set()
        watcher.join()
        look()


def planted_secrets(trial: Trial) -> Figure:
    """Plant secrets in all the ways, and tell what was caught by class."""
    counts = plant(trial.count, trial.random, trial.folder)
    trial.tell(trial.count)
    counts += known(max(5, trial.count // 100), trial.random) + real_run(trial.folder / "run", trial.random)
    names = sorted({name for name, _ in counts if not name.startswith(("in ", "by ", "missed"))} | {"by a real run"})
    bad = sum(counts[name, False] for name in names)
    tried = sum(counts[name, True] for name in names) + bad
    missed = [name for name, _ in counts if name.startswith("missed")]
    return Figure(tried, bad, "; ".join([*(f"{name} {_rate(counts, name)}" for name in names), *missed[:3]]))


def _rate(counts: Counts, name: str) -> str:
    return f"{counts[name, True]:,} / {counts[name, True] + counts[name, False]:,}"


def false_alarms(trial: Trial) -> Figure:
    """Look through lines that hold no secret: hashes, uids, digests, times, addresses, prose."""
    lines = [*clean_lines(trial.random, trial.count)]
    changed = [line for line in lines if redacted(line) != line]
    rate = f"{100 * len(changed) / len(lines):.2f} %"
    return Figure(len(lines), len(changed), "; ".join([rate, *(repr(line[:90]) for line in changed[:3])]))


EVIL = {
    "web token": "eyJ-",
    "PEM": "-----BEGIN PRIVATE KEY-----!",
    "PEM, half": "-----BEGIN ",
    "address": "://a:",
    "name": "password=",
    "letters": "a",
    "quote": '"password": "\\',
    "percent": "%41",
    "percent, nested": "25",
    "Base64 lines": "A" * 76 + "\n",
    "dashes": "--",
    "pair": "name: a_token value ",
    "basic": "basic ",
    "header": "Authorization:",
    "beginning": "ghp_",
    "hash": "$2a$",
    "login": "login a password ",
    "pgpass": "a:5432:",
    "blank": " ",
    "discord": "discord.com/api/webhooks/",
    "bearer": "bearer  ",
    "option": "--a-token ",
    "hex": "61",
    "Azure": "aaa8Q~",
    "name, name": "tokentoken",
}


def speed(trial: Trial) -> Figure:
    """Measure MB/s on a log, and see that text made to be slow takes time in proportion to its length."""
    log = "\n".join(clean_lines(trial.random, 10_000))
    plain = _megabytes(log)
    values = ["".join(trial.random.choices(planted.ALPHABETS["B"], k=40)) for _ in range(20)]
    for value in values:
        redact.know(value)
    with_known = _megabytes(log)
    for value in values:
        redact._known.discard(value)
    redact._found.cache_clear()
    slow = {name: (_megabytes(_long(text, 50_000)), _megabytes(_long(text, 400_000))) for name, text in EVIL.items()}
    bad = [name for name, (short, long) in slow.items() if long < short / 4 and long < 1]  # 8 times the length
    slowest = min(slow, key=lambda name: slow[name][1])
    note = f"{plain:.1f} MB/s, {with_known:.1f} with 20 known values"
    note += f"; of the texts made to be slow the slowest {slow[slowest][1]:.1f} ({slowest})"
    return Figure(len(EVIL), len(bad), "; ".join([note, *bad]))


def _long(text: str, letters: int) -> str:
    return ("%" if text == "25" else "") + text * (letters // len(text))


def _megabytes(text: str) -> float:
    def once() -> float:
        began = time.process_time()
        redacted(text)
        return time.process_time() - began

    return len(text) / 1e6 / max(1e-6, min(once() for _ in range(2)))


ROWS = [
    Row(
        "T66",
        "planted secrets, every kind, encoding and way",
        "never on the disk; by class in the note",
        20_000,
        planted_secrets,
        least=2_000,
    ),
    Row("T67", "lines without a secret", "as they were", 10_000, false_alarms, least=2_000),
    Row("T68", "text made to be slow", "time in proportion to its length", 1, speed),
]


def main() -> int:
    """Print the tables of the page."""
    random = Random(f"{SEED} redaction")
    with tempfile.TemporaryDirectory() as name:
        counts = plant(20_000, random, Path(name)) + known(300, random) + real_run(Path(name) / "run", random)
    _print("Class", {key: value for key, value in counts.items() if not key[0].startswith("missed")})
    _print("Not promised", beyond(200, random))
    for row in ROWS[1:]:
        figure = row.run(Trial(row.full, random, Path(os.devnull), lambda _: None))
        print(f"{row.id}: {figure.bad} of {figure.tried:,}; {figure.note}\n")
    return 0


def _print(head: str, counts: Mapping[tuple[str, bool], int]) -> None:
    print(f"| {head} | Caught | Of |\n| --- | --- | --- |")
    for name in sorted({name for name, _ in counts}):
        caught, missed = counts.get((name, True), 0), counts.get((name, False), 0)
        print(f"| {name} | {caught:,} | {caught + missed:,} |")
    print()


if __name__ == "__main__":
    sys.exit(main())
