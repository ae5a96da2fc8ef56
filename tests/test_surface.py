"""What others lean on: the library's names, the command's, and that the pages name them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import firstwatch
from firstwatch.cli import commands

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (ROOT / "docs" / "reference" / "commands.md").read_text()


def help_of(*words: str) -> str:
    command = [sys.executable, "-m", "firstwatch", *words, "--help"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def test_the_library_offers_its_names_sorted_and_each_is_there() -> None:
    assert firstwatch.__all__ == sorted(firstwatch.__all__)
    assert all(getattr(firstwatch, name) is not None for name in firstwatch.__all__)
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = firstwatch.nothing_here


def test_importing_the_library_imports_nothing_heavy() -> None:
    heavy = "{'pandas', 'matplotlib', 'kubernetes', 'nbformat', 'papermill', 'pydantic'}"
    code = f"import sys, firstwatch, firstwatch.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"


def test_each_command_is_in_the_reference_and_has_help() -> None:
    app, runner = commands(), CliRunner()
    names = [each.name or each.callback.__name__ for each in app.registered_commands if each.callback]
    assert len(names) >= 30
    assert [name for name in names if f"`firstwatch {name}" not in COMMANDS] == []
    assert all("Usage" in runner.invoke(app, [name, "--help"]).stdout for name in names)


def test_gameday_belongs_to_the_same_program() -> None:
    assert "bad-release" in help_of("gameday")
    assert "gameday" in help_of()


@pytest.mark.parametrize(
    ("words", "offered"), [("ga", "gameday"), ("gameday bad-rel", "bad-release"), ("gameday sta", "status")]
)
def test_completion_knows_the_game_day(words: str, offered: str) -> None:
    typed = {"COMP_WORDS": f"firstwatch {words}", "COMP_CWORD": str(len(words.split())), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", "import sys; sys.argv = ['firstwatch']; from firstwatch.cli import main; main()"]
    done = subprocess.run(
        command, env=typed | {"_FIRSTWATCH_COMPLETE": "complete_bash"}, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert done.stdout.split() == [offered]


def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout
    assert {"demo", "test", "check", "bench", "docs", "test-cluster"} <= {
        line.split()[0] for line in listed.splitlines()
    }
