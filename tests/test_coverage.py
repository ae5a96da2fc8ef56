"""Every item of the procedures has its answer and its test, or says what is missing; every mechanism is said."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fakes
import pytest
import yaml

from firstwatch import actions, probes
from firstwatch.cli import listing
from firstwatch.mechanisms import MECHANISMS
from firstwatch.policy import clocks, tables
from firstwatch.policy.facts import Facts, Flag
from firstwatch.probes.probe import ask
from firstwatch.publish import cards
from firstwatch.publish.reference import coverage, lacking
from firstwatch.runs import catalog
from firstwatch.systems import Systems

ROOT = Path(__file__).resolve().parents[1]
ITEMS = [f"S{number}" for number in range(1, 120)]
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


def duties() -> set[str]:
    """Return the ids of all duties that the policy has, with each of its flags set."""
    policy, now = tables.load(), datetime.now(UTC)
    flags = tuple(Flag(at=now, flag=each, value=True) for each in policy.flags)
    return {each.id for each in clocks.rows(policy, Facts(flags=flags))}


def pages(nav: list[dict[str, Any]]) -> set[str]:
    """Return the pages that are written, or made from the policy, and that *nav* leads to."""
    places = tuple(_targets(nav))
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    known = written.union(cards.pages(tables.load()))
    return {page for page in known if any(page == to or (to[-1:] == "/" and page.startswith(to)) for to in places)}


def _targets(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for to in entry.values():
            yield from _targets(to) if isinstance(to, list) else [to]


RUNBOOKS = set(catalog.names(ROOT / "runbooks"))
FORMS = {
    "firstwatch ": ("command", {typed.removeprefix("firstwatch ") for typed, _ in listing.commands()}),
    "docs/": ("page", pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])),
    "duty ": ("duty", duties()),
    "text ": ("text", {name for name, _ in listing.texts()}),
}


def is_there(answer: str) -> bool:
    return answer in RUNBOOKS or any(
        answer.startswith(form) and answer.removeprefix(form) in known for form, (_, known) in FORMS.items()
    )


def unknown(answer: str) -> str:
    """Return what an *answer* that is not there should have been."""
    return f"a {next((kind for form, (kind, _) in FORMS.items() if answer.startswith(form)), 'runbook')} {answer!r}"


def lacks(row: list[str]) -> list[str]:
    """Return what *row* lacks: answers that are there and ask what it names, and a test that is there."""
    what, by, words, test = row
    answers, named = by.split(", "), {each.strip() for each in words.split(",") if each.strip()}
    left = ([] if what else ["what it is"]) + [unknown(each) for each in answers if not is_there(each)]
    books = RUNBOOKS.intersection(answers)
    if left or not books:
        left += [f"{each}, which nobody knows" for each in sorted(named - KNOWN)]
    else:
        called = set().union(*map(asked, books))
        left += [f"{each}, which {by} does not call" for each in sorted(named - called)]
        left += [] if named or books.isdisjoint(ASKING) else ["a probe"]
    file, _, function = test.partition("::")
    path = ROOT / "tests" / file
    there = path.is_file() and function in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    return left + ([] if there else [f"a test {test}"])


ASKING = {each for each in RUNBOOKS if each.startswith(("investigate/", "mitigate/"))}


@pytest.mark.parametrize("item", coverage())
def test_an_item_of_the_procedures_names_what_answers_it_and_the_test(item: str) -> None:
    assert lacks(coverage()[item]) == []


@pytest.mark.parametrize(
    ("place", "value", "lacking"),
    [
        (0, "", ["what it is"]),
        (1, "", ["a runbook ''"]),
        (1, "investigate/nowhere", ["a runbook 'investigate/nowhere'"]),
        (1, "firstwatch dance", ["a command 'firstwatch dance'"]),
        (1, "firstwatch gameday", ["a command 'firstwatch gameday'"]),
        (1, "firstwatch status, duty dance", ["a duty 'duty dance'"]),
        (1, "docs/procedures/nowhere.md", ["a page 'docs/procedures/nowhere.md'"]),
        (1, "docs/hooks.py", ["a page 'docs/hooks.py'"]),
        (1, "docs/roles/dancer.md", ["a page 'docs/roles/dancer.md'"]),
        (1, "text dance", ["a text 'text dance'"]),
        (1, "review/close, text dance", ["a text 'text dance'"]),
        (1, "coordinate/update", ["health, which coordinate/update does not call"]),
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
    assert lacks(row) == lacking


@pytest.mark.parametrize(
    "answer", ["firstwatch gameday score", "docs/quick-card.md", "docs/roles/scribe.md", "duty legal", "text page"]
)
def test_each_form_of_an_answer_is_known(answer: str) -> None:
    assert lacks(["x", answer, "", coverage()["S53"][-1]]) == []


def test_a_page_counts_only_when_the_navigation_leads_to_it() -> None:
    assert pages([]) == set()
    nav = [
        {"Scribe": "roles/scribe.md"},
        {"Look": [{"Card": "quick-card.md"}, {"Levels": "severities/"}]},
        {"X": "x.md"},
    ]
    levels = {f"severities/sev{number}.md" for number in range(1, 5)}
    assert pages(nav) == {"roles/scribe.md", "quick-card.md"} | levels


def test_each_item_is_answered_or_said_to_be_in_part_and_no_other_is() -> None:
    assert sorted([*coverage(), *lacking()]) == sorted(ITEMS)


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
