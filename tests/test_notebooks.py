"""The runbooks as documents: each reads as a procedure, runs anywhere, and its outputs are really compared."""

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from firstwatch.runs import catalog, parameters

ROOT = Path(__file__).resolve().parents[1]
RUNBOOKS = ROOT / "runbooks"
NAMES = catalog.names(RUNBOOKS)
LOGIC = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.Try, ast.With, ast.If)


def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RUNBOOKS / f"{name}.ipynb").read_text())["cells"]
    return found


def code(name: str) -> list[dict[str, Any]]:
    return [cell for cell in cells(name) if cell["cell_type"] == "code"]


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_begins_with_title_parameters_and_setup_and_ends_with_a_summary(name: str) -> None:
    ids = [cell["id"] for cell in cells(name)]
    assert ids[:3] == ["title", "parameters", "setup"]
    assert ids[-2:] == ["summary", "related"]
    assert all(
        word in "".join(cells(name)[0]["source"]) for word in ("**When**", "**Changes**", "**Takes**", "**Who**")
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_holds_no_logic(name: str) -> None:
    trees = [ast.parse("".join(cell["source"])) for cell in code(name)]
    assert not [node for tree in trees for node in ast.walk(tree) if isinstance(node, LOGIC)]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_one_call_whose_value_shows_itself(name: str) -> None:
    for cell in code(name)[2:]:
        call, value = ast.parse("".join(cell["source"])).body
        assert isinstance(call, ast.Assign), cell["id"]
        assert isinstance(call.value, ast.Call), cell["id"]
        assert ast.unparse(value) == ast.unparse(call.targets[0]), cell["id"]


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_of_itself_what_the_catalog_needs(name: str) -> None:
    book = catalog.find(name)
    wanted = {"id", "kind", "alerts", "severities", "owner", "reviewed", "needs", "recording"}
    assert wanted <= set(book.metadata)
    assert (book.metadata["id"], book.metadata["kind"]) == (name, book.kind)
    assert (RUNBOOKS / book.metadata["recording"] / "tape.jsonl").is_file()
    assert all(each.help for each in parameters.declared(book))


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_has_a_count_so_that_its_output_is_compared(name: str) -> None:
    assert all(cell["execution_count"] for cell in code(name))


@pytest.mark.parametrize("name", {each.partition("/")[0]: each for each in NAMES}.values())
def test_bare_papermill_runs_it_offline_and_leaves_no_record(name: str, tmp_path: Path) -> None:
    output = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(RUNBOOKS / f"{name}.ipynb"), str(output), "--no-progress-bar"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    shown = output.read_text()
    assert "REPLAY" in shown
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == ["out.ipynb"]


def test_a_replay_whose_kernel_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    program = "from firstwatch import begin; begin('investigate/logs'); print('begun', flush=True); input()"
    environment = os.environ | {"TMPDIR": str(tmp_path), "FIRSTWATCH_RUNBOOKS": str(RUNBOOKS)}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as kernel:
        assert kernel.stdout
        assert kernel.stdout.readline() == b"begun\n"
        assert list(tmp_path.glob("firstwatch-replay-*"))
        kernel.kill()
    ends = time.monotonic() + 20
    while list(tmp_path.glob("firstwatch-replay-*")) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not list(tmp_path.iterdir())


def test_nbval_fails_when_one_digit_of_an_output_is_changed(tmp_path: Path) -> None:
    name = "investigate/first-five-minutes"
    text = (RUNBOOKS / f"{name}.ipynb").read_text()
    share = next(
        word for word in text.split() if word.endswith(("1", "2", "3", "4", "5", "6", "7", "8")) and "." in word
    )
    changed = text.replace(share, share[:-1] + "9", 1)
    assert changed != text
    assert compared(tmp_path, text) == 0
    assert compared(tmp_path, changed) == 1


def compared(folder: Path, text: str) -> int:
    path = folder / "first-five-minutes.ipynb"
    path.write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--nbval",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(path),
    ]
    environment = os.environ | {"FIRSTWATCH_RUNBOOKS": str(RUNBOOKS)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False).returncode
