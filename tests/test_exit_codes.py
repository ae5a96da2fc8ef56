"""Each exit code, through the command: the table of `docs/reference/exit-codes.md`, row by row."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fakes
import pytest
from faults.dying import KILL_KERNEL, WAIT, Bench
from test_runs import ROOT, Laptop

from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.runs import supervisor

PAGE = ROOT / "docs" / "reference" / "exit-codes.md"
Sit = Callable[[fakes.Server], Laptop]


@pytest.fixture
def desk(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Sit:
    return lambda server: Laptop(tmp_path, serve(server))


def applied(desk: Sit, answer: fakes.Answer) -> int:
    """Apply an approved rollback to a world that gives *answer* to the write, and return the exit code."""
    world = fakes.failing()
    as_usual = fakes.patched(world)
    world.answers["PATCH", fakes.DEPLOYMENT] = lambda asked: as_usual(asked) if "dryRun" in asked.query else answer
    at = desk(world)
    plan = at.json("run", "mitigate/rollback", "--apply")["plan"]["hash"]
    at.firstwatch("approve", plan, "--as", "responder-2")
    return at.firstwatch("run", "mitigate/rollback", "--apply").returncode


def done(desk: Sit) -> int:
    return desk(fakes.failing()).firstwatch("run", "investigate/first-five-minutes").returncode


def failed(desk: Sit) -> int:
    at = desk(fakes.healthy())
    bench = Bench(at.folder / "own")
    bench.write("raise ValueError('no')")
    return bench.run()


def bad_input(desk: Sit) -> int:
    return desk(fakes.healthy()).firstwatch("run", "mitigate/rolback").returncode


def gate_closed(desk: Sit) -> int:
    return desk(fakes.failing()).firstwatch("run", "mitigate/rollback", "--apply").returncode


def unavailable(desk: Sit) -> int:
    at = desk(fakes.Server())
    path = Path(at.environ["FIRSTWATCH_CONFIG"])
    for each in (path, at.folder / "kubeconfig"):
        each.write_text(re.sub(r"http://127.0.0.1:\d+", "http://127.0.0.1:9", each.read_text()))
    return at.firstwatch("run", "investigate/first-five-minutes").returncode


def conflict(desk: Sit) -> int:
    return applied(desk, (409, fakes.status_object(409, "the object has been modified")))


def unknown(desk: Sit) -> int:
    return applied(desk, (504, fakes.status_object(504, "timed out")))


def not_writable(desk: Sit) -> int:
    at = desk(fakes.healthy())
    (at.folder / "a-file").write_text("")
    at.environ["FIRSTWATCH_RECORDS"] = str(at.folder / "a-file")
    return at.firstwatch("run", "investigate/first-five-minutes").returncode


def damaged(desk: Sit) -> int:
    at = desk(fakes.healthy())
    at.firstwatch("declare", "x", "--impact", "y")
    (journal,) = (at.folder / "incidents").glob("*/journal.jsonl")
    journal.write_bytes(journal.read_bytes().replace(b'"x"', b'"z"', 1))
    return at.firstwatch("verify").returncode


def late(desk: Sit) -> int:
    bench = Bench(desk(fakes.healthy()).folder / "own")
    bench.write(WAIT)
    return bench.run("--deadline", "3s")


def interrupted(desk: Sit) -> int:
    bench = Bench(desk(fakes.healthy()).folder / "own")
    bench.write(WAIT)
    process = bench.start()
    bench.reached("cell-0")
    process.send_signal(signal.SIGINT)
    return process.wait(30)


def pending(desk: Sit) -> int:
    at = desk(fakes.healthy())
    configuration = at.folder / "firstwatch.toml"
    configuration.write_text(configuration.read_text() + '[channels.slack]\ncredential = "env:NOT_SET"\n')
    return at.firstwatch("declare", "API errors", "--impact", "some", "--severity", "SEV1").returncode


WAYS: dict[int, Callable[[Sit], int]] = {
    0: done, 1: failed, 2: bad_input, 3: gate_closed, 4: unavailable, 5: conflict, 6: unknown, 7: not_writable,
    8: damaged, 9: pending, 124: late, 130: interrupted,
}  # fmt: skip


@pytest.mark.parametrize("code", WAYS)
def test_the_command_ends_with(code: int, desk: Sit) -> None:
    assert WAYS[code](desk) == code


def test_the_page_has_every_code_and_no_other() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text(), re.MULTILINE)}
    assert told == {*WAYS}


def test_the_page_gives_the_order_that_is_used() -> None:
    assert ", ".join(map(str, supervisor.WORST_FIRST)) in PAGE.read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [("x = ", "parameters.toml"), ("nonsense = 1", "no parameter"), ('to_revision = "one"', "not of type int")],
)
def test_a_file_of_parameters_that_cannot_be_used_starts_nothing(desk: Sit, content: str, said: str) -> None:
    at = desk(fakes.healthy())
    (at.folder / "parameters.toml").write_text(content)
    ended = at.firstwatch("run", "mitigate/rollback", "-f", str(at.folder / "parameters.toml"))
    assert (ended.returncode, said in " ".join(ended.stderr.split())) == (2, True)
    assert not (at.folder / "incidents").exists()


@pytest.mark.parametrize("content", ["", "[]", "null", "\xff", '{"cells": [{}], "metadata": {}}', '{"cells": []}'])
def test_a_notebook_that_is_none_ends_with_2_and_starts_nothing(tmp_path: Path, content: str) -> None:
    bench = Bench(tmp_path)
    bench.write("x = 1")
    (tmp_path / "runbooks" / "investigate" / "dying.ipynb").write_text(content, "latin-1")
    assert bench.run() == 2
    assert not (tmp_path / "incidents").exists()


def test_a_notebook_without_code_is_no_success(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write()
    assert bench.run() == 2


def test_a_misspelt_setting_is_named_with_the_nearest(desk: Sit) -> None:
    at = desk(fakes.healthy())
    path = Path(at.environ["FIRSTWATCH_CONFIG"])
    path.write_text(path.read_text() + "\n[thresholds]\neror_rate = 0.1\n")
    ended = at.firstwatch("status")
    assert (ended.returncode, "did you mean error_rate?" in " ".join(ended.stderr.split())) == (2, True)


def test_each_cell_says_what_became_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write("x = 1", KILL_KERNEL, "x = 2")
    bench.run()
    ended = read(bench.record / "journal.jsonl")[-1].body
    became = {"cell-0": "done", "cell-1": "interrupted", "cell-2": "not run"}
    assert (ended["cells"], dict(bench.last.cells), ended["not_run"]) == (became, became, ["cell-2"])
    kept = next(bench.record.glob("notebooks/*.ipynb")).read_text()
    assert [f'"status": "{each}"' in kept for each in ("completed", "interrupted", "pending")] == [True] * 3


def test_a_secret_that_was_printed_in_pieces_is_not_on_the_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    secret = "hunter2hunter2"
    halves = "import sys, time\nfor each in ('password=', 'hunter2', 'hunter2'):\n"
    bench.write(
        halves + "    print(each, end='', flush=True)\n    time.sleep(0.4)", "raise ValueError('token=hunter2' * 2)"
    )
    bench.run()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "runbooks" not in path.parts]
    assert not [path for path in kept if secret in path.read_text(errors="replace")]
    assert "[redacted]" in next(bench.record.glob("notebooks/*.ipynb")).read_text()


def test_what_a_cell_prints_is_cut_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write("for _ in range(30): print('x' * 100_000)\n1 + 1")
    assert bench.run() == 0
    kept = next(bench.record.glob("notebooks/*.ipynb"))
    assert "[cut: only the first 1,000,000 letters" in kept.read_text()
    assert kept.stat().st_size < 1_100_000


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which the command meets an error that nobody foresaw."""
    (tmp_path / "sitecustomize.py").write_text(
        "import firstwatch.environment as e\n"
        "def find(*_, **__): raise RuntimeError('password=hunter2hunter2')\n"
        "e.find = find\n"
    )
    return os.environ | {"PYTHONPATH": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}


def test_an_unforeseen_error_is_one_sentence_and_its_traceback_is_in_a_log(
    broken: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "firstwatch", "status"]
    ended = subprocess.run(command, env=broken, capture_output=True, text=True, timeout=30, check=False)
    log = (tmp_path / "state" / "firstwatch" / "errors.log").read_text()
    assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr, "Traceback" in log) == (1, "", False, True)
    assert "hunter2hunter2" not in ended.stderr + log
    assert "errors.log" in ended.stderr


def test_a_reader_that_goes_away_is_no_error_to_talk_about() -> None:
    command = [sys.executable, "-m", "firstwatch", "runbooks", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_killed_supervisor_leaves_no_process_and_a_run_that_is_not_running(tmp_path: Path) -> None:
    from faults.dying import HIDDEN, gone

    bench = Bench(tmp_path, f"{tmp_path.name}-{time.time()}")
    bench.write(HIDDEN, WAIT)
    process = bench.start()
    bench.reached("cell-1")
    process.kill()
    process.wait()
    assert gone(bench.mark, 3.0) < 3
    assert fold(read(bench.record / "journal.jsonl")).runs[-1].state == "running"  # only its process can say its end
