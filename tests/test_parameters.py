"""Parameters, the files that they come from, and the notebooks that declare them: exact, or refused by name."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch import settings
from firstwatch.errors import BadParameter, NotFound
from firstwatch.record.store import Store, inside
from firstwatch.runs import catalog, parameters
from firstwatch.runs.catalog import Runbook
from firstwatch.systems.names import dns_name

ROOT = Path(__file__).resolve().parents[1]
SOURCE = 'a: str = ""  # text\nb: int = 0\nc: float = 0.5\nd: bool = False\n'


def book(source: str = SOURCE) -> Runbook:
    cell = {"cell_type": "code", "id": "parameters", "source": source, "metadata": {"tags": ["parameters"]}}
    return Runbook("investigate/x", Path("x.ipynb"), "x", "", {}, (cell,))


TYPED = {"a": st.text(), "b": st.integers(), "c": st.floats(), "d": st.booleans()}


@given(st.fixed_dictionaries({}, optional=TYPED))
def test_a_value_comes_back_exactly_or_is_refused(values: dict[str, Any]) -> None:
    try:
        found = parameters.values(book(), values)
    except BadParameter:
        assert "a" in values or not math.isfinite(values.get("c", 0.0))
    else:
        assert found == values
        assert {name: type(each) for name, each in found.items()} == {name: type(each) for name, each in values.items()}


@given(st.fixed_dictionaries({}, optional=TYPED))
def test_what_is_typed_means_what_json_means_by_it(values: dict[str, Any]) -> None:
    typed = {name: each if isinstance(each, str) else json.dumps(each) for name, each in values.items()}
    try:
        found = parameters.values(book(), typed)
    except BadParameter:
        return
    assert found == values


WRONG = [
    ("b", True),
    ("b", 1.0),
    ("b", "1_000"),
    ("b", " 1"),
    ("b", "٣"),
    ("b", "1" * 5000),
    ("c", True),
    ("c", "nan"),
    ("c", "inf"),
    ("c", math.nan),
    ("c", -math.inf),
    ("c", "1_0"),
    ("c", "1e999"),
    ("d", 1),
    ("d", "True"),
    ("d", "yes"),
    ("a", None),
    ("a", 1),
    ("a", [1]),
    ("a", {"x": 1}),
    ("a", ("x",)),
    ("a", b"x"),
    ("a", "\ud800"),
    ("a", "x" * 70_000),
    ("a", "password=hunter2hunter2"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda each: repr(each)[:20])
def test_what_is_not_of_the_declared_type_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(BadParameter, match=rf"\b{name}\b"):
        parameters.values(book(), {name: value})


def test_the_limit_is_of_all_values_together() -> None:
    with pytest.raises(BadParameter, match="larger than 64,000 bytes together: a, b"):
        parameters.values(book('a: str = ""\nb: str = ""\n'), {"a": "x" * 40_000, "b": "y" * 40_000})


@given(st.text())
def test_only_a_declared_name_is_taken(name: str) -> None:
    if name not in "abcd" or not name:
        with pytest.raises(NotFound):
            parameters.values(book(), {name: 1})


@pytest.mark.parametrize("pair", ["", "=1", "x", "x=1;import os;y=2", "x y=1", "1x=2", "x.y=1", "__import__('os')=1"])
def test_a_pair_that_is_none_is_refused(pair: str) -> None:
    with pytest.raises((BadParameter, NotFound)):
        parameters.values(book(), dict(parameters.assignments([pair])))


def test_a_parameter_that_is_given_twice_is_refused() -> None:
    with pytest.raises(BadParameter, match="-p a is given twice"):
        list(parameters.assignments(["a=1", "a=2"]))


DECLARED = [
    "a = 1",
    "a: int",
    "a: list = []",
    "a: int = 'x'",
    "a: str = f(1)",
    "import os",
    "a: str = '",
    "a: int = 1\na: int = 2",
    "api_token: str = ''",
    "a: int = True",
    "a: str = " + "(" * 500,
    "\0",
    "a: float = 1e999 if x else 2",
    "x.y: int = 1",
]


@pytest.mark.parametrize("source", DECLARED, ids=lambda each: each[:20])
def test_a_cell_that_declares_anything_else_is_refused(source: str) -> None:
    with pytest.raises(BadParameter, match=r"x\.ipynb"):
        parameters.declared(book(source))


FILES = {
    "too large": b"a = '" + b"x" * 300_000 + b"'",
    "nested": b"a = " + b"[" * 50_000,
    "not UTF-8": b"a = '\xff'",
    "a key twice": b"a = 1\na = 2\n",
    "not TOML": b"a = \n",
    "a NUL": b"a = '\0'",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.toml"
    path.write_bytes(content)
    with pytest.raises(BadParameter, match=r"some\.toml"):
        settings.toml(path, "the parameters")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/", "missing", "a\0b", "x" * 300])
def test_a_path_that_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(BadParameter):
        settings.toml(Path(path), "the parameters")


CELL = {"cell_type": "code", "id": "a", "source": "x = 1", "metadata": {}}
CELLS = {
    "a list": [],
    "a number": 7,
    "no id": {"cell_type": "code", "source": ""},
    "an id that is a number": {**CELL, "id": 1},
    "another type": {**CELL, "cell_type": "heading"},
    "a source of numbers": {**CELL, "source": [1, 2]},
    "no source": {**CELL, "source": None},
    "metadata that are a list": {**CELL, "metadata": []},
    "tags that are a text": {**CELL, "metadata": {"tags": "parameters"}},
    "tags of lists": {**CELL, "metadata": {"tags": [["a"]]}},
    "half a letter": {**CELL, "source": "\ud800"},
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_notebook_that_is_malformed_is_refused_by_file_and_cell(tmp_path: Path, cell: Any) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"cells": [CELL, cell], "metadata": {}}))
    with pytest.raises(BadParameter, match=r"x\.ipynb is not a notebook: cell 2"):
        Runbook.load(path, "investigate/x")


WHOLE = [
    "",
    "null",
    "[]",
    "7",
    "{",
    "[" * 100_000,
    '{"cells": 1, "metadata": {}}',
    '{"cells": [], "metadata": {}}',
    '{"cells": {}}',
]


@pytest.mark.parametrize("text", [*WHOLE, '{"cells": [7], "metadata": {}}'], ids=lambda each: each[:20])
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(BadParameter, match=r"x\.ipynb is not a notebook"):
        Runbook.load(path, "investigate/x")


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "mitigate/../mitigate/rollback", "s3://b/k", "{}", "a\0b", "x" * 300, ""],
)
def test_a_runbook_is_known_by_its_name_and_never_by_a_path(name: str) -> None:
    with pytest.raises(NotFound):
        catalog.find(name)


@pytest.mark.parametrize("name", ["a\n", "a\nb", "A", "-a", "a.", "..", "", "a" * 254])
def test_a_name_of_kubernetes_is_matched_whole(name: str) -> None:
    with pytest.raises(BadParameter):
        dns_name(name, "namespace")


def test_a_record_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "journal.jsonl").touch()
    store = Store(tmp_path / "incidents")
    store.root.mkdir()
    (store.root / "2026-11-25-020304").symlink_to(tmp_path / "elsewhere")
    assert store.ids() == []
    with pytest.raises(BadParameter, match="is a link"):
        store.get("2026-11-25-020304")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a\0b"])
def test_a_path_of_a_record_stays_in_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadParameter, match="not a path below"):
        inside(tmp_path, name)
