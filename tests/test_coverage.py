"""Every item of the procedures has its answer and its test; every mechanism is said by somebody."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import fakes
import pytest

from firstwatch import actions, probes
from firstwatch.cli import commands
from firstwatch.mechanisms import MECHANISMS
from firstwatch.probes.probe import ask
from firstwatch.publish.reference import coverage
from firstwatch.runs import catalog
from firstwatch.systems import Systems

ROOT = Path(__file__).resolve().parents[1]
ITEMS = [f"S{number}" for number in (*range(20, 24), *range(28, 65))]
KNOWN = {name.replace("_", "-") for name in (*probes.__all__, *actions.__all__)}
SOURCES = "".join(path.read_text() for path in (ROOT / "lib" / "firstwatch" / "probes").glob("*.py"))
SOURCES += (ROOT / "lib" / "firstwatch" / "systems" / "endpoint.py").read_text()
SOURCES += (ROOT / "lib" / "firstwatch" / "systems" / "postgres.py").read_text()


SETS = {
    name: {each.name for each in found}
    for name in probes.__all__
    if isinstance(found := getattr(probes, name), tuple)
}  # fmt: skip


def asked(runbook: str) -> set[str]:
    """Return the names of the probes and actions that the cells of *runbook* call."""
    cells = catalog.find(runbook).cells
    source = "".join("".join(each["source"]) for each in cells if each["cell_type"] == "code")
    called = {name.replace("_", "-") for name in re.findall(r"\b(?:probes|actions)\.(\w+)", source)}
    return called.union(*(names for name, names in SETS.items() if name.replace("_", "-") in called))


def lacks(item: str, row: list[str]) -> list[str]:
    """Return what *row* lacks: a runbook or command that is there and asks what it names, and a test that is there."""
    what, by, words, test = row
    named = {each.strip() for each in words.split(",") if each.strip()}
    lacking = [] if what else ["what it is"]
    if by.startswith("firstwatch "):
        known = {each.name or each.callback.__name__ for each in commands().registered_commands if each.callback}
        lacking += [] if by.removeprefix("firstwatch ") in known else [f"a command {by}"]
        lacking += [f"{each}, which nobody knows" for each in named - KNOWN]
    elif by not in catalog.names(ROOT / "runbooks"):
        lacking.append(f"a runbook {by!r}")
    else:
        lacking += [f"{each}, which {by} does not call" for each in sorted(named - asked(by))] or (
            [] if named else ["a probe"]
        )
    file, _, function = test.partition("::")
    path = ROOT / "tests" / file
    there = path.is_file() and function in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    return lacking + ([] if there else [f"a test {test}"])


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_of_the_procedures_names_what_answers_it_and_the_test(item: str) -> None:
    assert lacks(item, coverage()[item]) == []


@pytest.mark.parametrize(
    ("place", "value", "lacking"),
    [
        (0, "", ["what it is"]),
        (1, "investigate/nowhere", ["a runbook 'investigate/nowhere'"]),
        (1, "firstwatch dance", ["a command firstwatch dance"]),
        (2, "", ["a probe"]),
        (2, "locks", ["locks, which investigate/verify-recovery does not call"]),
        (3, "test_probes.py", ["a test test_probes.py"]),
        (3, "test_probes.py::test_nothing", ["a test test_probes.py::test_nothing"]),
        (3, "test_nowhere.py::test_x", ["a test test_nowhere.py::test_x"]),
    ],
)
def test_a_row_that_lacks_something_is_found(place: int, value: str, lacking: list[str]) -> None:
    row = list(coverage()["S53"])
    row[place] = value
    assert lacks("S53", row) == lacking


def test_no_row_is_of_an_item_that_is_not_there() -> None:
    assert sorted(coverage()) == sorted(ITEMS)


@pytest.mark.parametrize("word", MECHANISMS)
def test_a_mechanism_of_the_list_is_said_by_a_probe(word: str) -> None:
    assert f'"{word}"' in SOURCES


@pytest.mark.parametrize(
    ("reports", "verdict"), [("", "UNKNOWN"), ("none", "OK"), ("None ", "OK"), ("log-in fails", "BAD")]
)
def test_what_customers_report_is_for_a_person_to_say(
    systems: Callable[[fakes.Server], Systems], reports: str, verdict: str
) -> None:
    found = ask(probes.customers(reports), systems(fakes.healthy()), datetime.now(UTC))
    assert found.verdict == verdict
