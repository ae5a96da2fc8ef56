"""What people and files give: parameters, names, bombs, paths, notebooks. It is taken exactly, or refused by name."""

import copy
import json
import math
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from faults.dying import ROOT
from faults.programme import Figure, Row, Trial
from firstwatch import settings
from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter, FirstwatchError
from firstwatch.model import Actor
from firstwatch.publish import pages
from firstwatch.record.store import Store, Writer
from firstwatch.runs import parameters, supervisor
from firstwatch.runs.catalog import Runbook
from firstwatch.systems import credentials

SOURCE = 'a: str = ""\nb: int = 0\nc: float = 0.5\nd: bool = False\n'


def _book() -> Runbook:
    cell = {"cell_type": "code", "id": "parameters", "source": SOURCE, "metadata": {"tags": ["parameters"]}}
    return Runbook("investigate/x", Path("x.ipynb"), "x", "", {}, (cell,))


def _text(random: Random, most: int = 12) -> str:
    letters = "aZ9 \\'\"\n\t\r{}$`;#%<>é€😀\x00\x1b\u202e\u200b\ufeff\x85\u2028"
    return "".join(random.choices(letters, k=random.randrange(most)))


def round_trip(trial: Trial) -> Figure:
    """Give random values, let papermill write them into a cell, and read that cell as Python reads it."""
    from papermill.translators import PythonTranslator

    bad: list[str] = []
    for number in range(trial.count):
        given = {
            "a": _text(trial.random),
            "b": trial.random.randint(-(10**20), 10**20),
            "d": trial.random.random() < 0.5,
        }
        given["c"] = trial.random.choice([trial.random.uniform(-1e9, 1e9), math.nan, -0.0, 5e-324, 1.7e308, math.inf])
        try:
            found = parameters.values(_book(), given)
        except BadParameter:
            bad += [] if not math.isfinite(given["c"]) else [f"refused {given}"]
            continue
        read: dict[str, Any] = {}
        exec(PythonTranslator.codify(found), read)  # as a kernel does
        same = all(type(read[name]) is type(value) and read[name] == value for name, value in given.items())
        bad += [] if same else [repr(given)]
        trial.tell(number + 1) if number % 10_000 == 0 else None
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def names(trial: Trial) -> Figure:
    """Give names that are none, or code; only what is declared is taken."""
    bad: list[str] = []
    pieces = [
        "x",
        "a",
        "=",
        ";",
        "import os",
        "\n",
        "__class__",
        ".",
        "[0]",
        " ",
        "é",
        ":",
        "#",
        "lambda",
        "(",
        ")",
        "1",
    ]
    for _ in range(trial.count):
        name = "".join(trial.random.choices(pieces, k=trial.random.randint(1, 5)))
        try:
            typed = dict(parameters.assignments([f"{name}=1"]))
            found = parameters.values(_book(), typed)
        except BadParameter:
            continue
        bad += [] if set(found) <= set("abcd") and set(typed) <= set("abcd") else [name]
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def types(trial: Trial) -> Figure:
    """Give values of other types, as a file or a caller may; each is refused, and its name is said."""
    bad: list[str] = []
    wrong = [
        None,
        [1],
        (1,),
        {"a": 1},
        b"x",
        1 + 2j,
        {1},
        object(),
        "no",
        "Norway",
        "010",
        "1:30",
        "1e3x",
        "yes",
        "!!pairs",
        "*a",
    ]
    for _ in range(trial.count):
        name, value = trial.random.choice("bcd"), trial.random.choice(wrong)
        if (name, value) == ("b", "010") or (name == "c" and value == "010"):
            continue
        try:
            parameters.values(_book(), {name: value})
            bad.append(f"{name}={value!r}")
        except BadParameter as error:
            bad += [] if f"parameter {name}" in str(error) else [str(error)]
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _laughs(random: Random) -> str:
    names_ = [f"k{n}" for n in range(random.randint(6, 30))]
    lines = [f"{names_[0]}: &{names_[0]} [x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names_)]
    return "\n".join(lines)


def bombs(trial: Trial) -> Figure:
    """Give YAML, TOML and notebooks that unfold, nest or are large; each is refused in 100 ms and 50 MB."""
    slowest, most, bad = 0.0, 0, []
    for number in range(trial.count):
        path = trial.folder / f"bomb-{number}"
        deep = trial.random.randint(1_000, 100_000)
        kind = number % 6
        nested = "[" * deep
        path.write_text([
            _laughs(trial.random), nested, "{a: " * deep, "x" * 20_000_000, f"a = {nested}", '{"cells": ' + nested
        ][kind])  # fmt: skip
        took, peak, refused = _measured(path, kind)
        slowest, most = max(slowest, took), max(most, peak)
        bad += [] if refused and took < 0.1 and peak < 50_000_000 else [f"{number % 6}: {took:.3f} s, {peak:,} bytes"]
        path.unlink()
    return Figure(trial.count, len(bad), "; ".join([f"at most {slowest * 1000:.0f} ms, {most / 1e6:.0f} MB", *bad[:3]]))


def _measured(path: Path, kind: int) -> tuple[float, int, bool]:
    def load() -> bool:
        try:
            if kind < 4:
                credentials.learn(settings.Kubernetes(kubeconfig=str(path)))
            elif kind == 4:
                settings.toml(path, "the parameters", parameters.MOST_BYTES)
            else:
                Runbook.load(path, "investigate/x")
        except BadParameter:
            return True
        return False

    began = time.process_time()
    refused = load()
    took = time.process_time() - began
    tracemalloc.start()
    load()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return took, peak, refused


_opened: list[str] = []
_hooked: list[bool] = []


@contextmanager
def opening() -> Iterator[list[str]]:
    """Collect every path that this process opens; an audit hook stays, so there is one."""
    if not _hooked:
        sys.addaudithook(lambda event, told: _opened.append(str(told[0])) if event == "open" and _hooked[-1] else None)
    _hooked.append(True)
    _opened.clear()
    yield _opened
    _hooked.append(False)


def paths(trial: Trial) -> Figure:
    """Ask for incidents and runbooks by names that climb, are links or devices; nothing outside is opened."""
    from firstwatch.runs import catalog

    store, secret = _linked(trial.folder)
    bad: list[str] = []
    pieces = [
        "..",
        "/",
        ".",
        "\0",
        "2026-11-25-020304",
        "2026-11-25-020305",
        "dev",
        "zero",
        "x" * 300,
        "outside",
        "~",
        "\n",
    ]
    with opening() as opened:
        for number in range(trial.count):
            name = "".join(trial.random.choices(pieces, k=trial.random.randint(1, 5)))
            for ask in (store.get, catalog.find):
                try:
                    ask(name)
                    bad += [] if name == "2026-11-25-020304" else [repr(name)]
                except BadParameter:
                    pass
            trial.tell(number + 1) if number % 1000 == 0 else None
        store.unresolved()
        bad += [path for path in opened if "outside" in path or path.startswith("/dev")]
    bad += list(_links(store, trial.folder))
    return Figure(trial.count, len(bad) + (secret.read_text() != "{}"), "; ".join(bad[:3]))


def _linked(folder: Path) -> tuple[Store, Path]:
    """Return a store with one record, and one that is a link to a folder outside."""
    store = Store(folder / "incidents")
    outside = folder / "outside"
    outside.mkdir()
    (outside / "journal.jsonl").write_text("{}")
    own = store.root / "2026-11-25-020304"
    own.mkdir(parents=True)
    (own / "journal.jsonl").touch()
    (store.root / "2026-11-25-020305").symlink_to(outside)
    return store, outside / "journal.jsonl"


def _writer(name: str) -> Writer:
    return Writer(WallClock(), Actor(name), name)


def _links(store: Store, folder: Path) -> Iterator[str]:
    """Yield what a run writes outside when folders of its record are links."""
    record = store.open(_writer("on-call"), {"replay": False})
    outside = folder / "outside"
    for name in ("notebooks", "attachments", "engine.log"):
        (record.folder / name).symlink_to(outside, target_is_directory=True)
    order: Any = None
    try:
        supervisor.run(order, _writer("on-call").journal(record), lambda _: None)
        yield "a run began"
    except BadParameter:
        pass
    (record.folder / "journal.jsonl").rename(folder / "moved")
    (record.folder / "journal.jsonl").symlink_to(folder / "moved")
    try:
        _writer("on-call").journal(record).append("note", {"text": "x"})
        yield "a linked journal was written to"
    except FirstwatchError:
        pass
    if {each.name for each in outside.iterdir()} != {"journal.jsonl"}:
        yield "something was written outside"


TEMPLATES = (
    "{{ 7 * 7 }}", "{% for x in y %}", "{{ ''.__class__.__mro__ }}", "{0.__class__}", "{i.id}", "%(id)s", "${HOME}",
    "{# x #}",
    "#{7*7}", "<%= 7*7 %>", "{{ config }}", "\x1b[31m", "\u202eevil", "\u200b", "`id`", "$(id)", "{% raw %}",
)  # fmt: skip


def templates(trial: Trial) -> Figure:
    """Put templates and hidden letters into every text of a record; its page shows them as they are."""
    bad: list[str] = []
    for number in range(trial.count):
        text = "".join(trial.random.choices(TEMPLATES, k=2))
        record = Store(trial.folder / str(number)).open(_writer(text), {"service": text, "cluster": text})
        journal = _writer(text).journal(record)
        journal.append("declared", {"title": text, "impact": text, "severity": "SEV2", "source": "team"})
        journal.append("note", {"text": text})
        journal.append("resolved", {"summary": text})
        page = pages.write(record).read_text("utf-8")
        hidden = [char for char in page if not char.isprintable() and char != "\n"]
        kept = text.replace("\\", "").replace("<", "&lt;").replace(">", "&gt;")
        fine = not hidden and _visible(kept) in page.replace("\\", "")
        bad += [] if fine else [repr((text, hidden))]
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _visible(text: str) -> str:
    from firstwatch.model import visible

    return visible(text).replace("\\", "")


def notebooks(trial: Trial) -> Figure:
    """Change real runbooks at random places, as text and as JSON, and load them: read, or refused naming the file."""
    sources = [path.read_text("utf-8") for path in sorted((ROOT / "runbooks").glob("*/*.ipynb"))]
    path = trial.folder / "x.ipynb"
    refused, bad = 0, []
    for number in range(trial.count):
        text = trial.random.choice(sources)
        path.write_bytes(_mutated(trial.random, text) if number % 2 else _reshaped(trial.random, json.loads(text)))
        try:
            book = Runbook.load(path, "investigate/x")
            parameters.declared(book)
            supervisor.code_cells(book)
            _ = (book.sha256, book.kind, book.recording)
        except BadParameter as error:
            refused += 1
            bad += [] if "x.ipynb" in str(error) else [f"names no file: {error}"]
        except Exception as error:  # noqa: BLE001  # which is what is looked for
            bad.append(f"{type(error).__name__}: {error}"[:120])
        trial.tell(number + 1) if number % 10_000 == 0 else None
    return Figure(trial.count, len(bad), "; ".join([f"{refused:,} refused", *bad[:3]]))


def _mutated(random: Random, text: str) -> bytes:
    data = bytearray(text.encode())
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data))
        data[at : at + random.randint(0, 3)] = random.randbytes(random.randint(0, 3))
    return bytes(data)


def _reshaped(random: Random, notebook: Any) -> bytes:
    """Return *notebook* with something in it replaced by something of another shape."""
    strange = [
        None,
        True,
        7,
        -1.5,
        "",
        "x",
        [],
        {},
        [None],
        {"a": []},
        [["a"]],
        "\ud800",
        10**30,
        "a: int = 'x'",
        "a: str = (",
    ]
    changed = copy.deepcopy(notebook)
    at: Any = changed
    for _ in range(random.randint(0, 5)):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = random.choice(keys)
        if not isinstance(at[key], dict | list) or not at[key] or random.random() < 0.3:
            break
        at = at[key]
    keys = list(at) if isinstance(at, dict) else list(range(len(at)))
    at[random.choice(keys)] = random.choice(strange)
    return json.dumps(changed).encode()


ROWS = [
    Row(
        "T45",
        "random parameters, through papermill's own translation",
        "exact or refused",
        100_000,
        round_trip,
        least=3_000,
    ),
    Row("T46", "parameter names that are code", "refused", 100_000, names, least=3_000),
    Row("T47", "values of other types", "refused, naming the parameter", 100_000, types, least=3_000),
    Row("T48", "bombs of YAML, TOML and JSON", "refused in 100 ms and 50 MB", 600, bombs, least=12),
    Row("T49", "names that climb, links, devices", "refused; nothing outside is opened", 20_000, paths, least=1_000),
    Row("T52", "templates and hidden letters in every text", "shown as they are", 1_000, templates, least=20),
    Row("T56", "malformed notebooks", "read, or refused naming the file", 60_000, notebooks, least=1_000),
]
