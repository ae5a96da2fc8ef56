"""The proof: three scenarios in live worlds, end to end, and the page that the results make."""

from pathlib import Path

import pytest

from gameday.proof import table
from gameday.proof.trial import refutation, trial
from gameday.scenarios import OURS

NONE: dict[str, object] = {"earlier": {}}


def kept(**changed: object) -> dict[str, object]:
    found = {
        "scenario": "feature", "seed": 0, "shown": "", "first": "BAD settings ConfigMap//c flag-change", "named": True,
        "sweep_s": 9.0, "heal_s": 40.0, "gone": True, "restored": True, "cures": {"switch off": True}, "error": "",
    }  # fmt: skip
    return found | changed


def test_the_page_counts_what_was_named_healed_restored_and_refuted() -> None:
    trials = {"feature 0": kept(), "feature 1": kept(seed=1, named=False, restored=False, cures={"switch off": False})}
    page = table.page(
        {"trials": trials, "refuted": {"feature": {"restart": True, "delete it": False}}} | NONE, "2026-11-25"
    )
    for said in ("1 of 2 first findings", "2 of 2 were gone", "1 of 2 undos", "1 of 2 cures", "1 of 2 wrong remedies"):
        assert said in page
    assert "| feature | restart | delete it |" in page


def test_the_page_says_what_was_not_tried() -> None:
    page = table.page({"trials": {"feature 0": kept()}, "refuted": {}} | NONE, "2026-11-25")
    assert f"**1 of {3 * len(OURS)} trials are made so far**" in page
    (missing,) = (line for line in page.splitlines() if line.startswith("Without a result as yet: "))
    assert ("bad-release" in missing, " feature," in missing) == (True, False)


def test_a_trial_that_could_not_be_made_is_told_and_counted_nowhere() -> None:
    failed = kept(error="no world came up", named=False, gone=None, restored=None, cures={})
    page = table.page({"trials": {"feature 0": failed}, "refuted": {}} | NONE, "2026-11-25")
    assert "0 of 0 first findings" in page
    assert "- feature 0: no world came up" in page


@pytest.mark.parametrize(
    ("changed", "holds"),
    [({}, True), ({"gone": None, "restored": None}, True), ({"named": False}, False), ({"gone": False}, False),
     ({"restored": False}, False), ({"cures": {"a": True, "b": False}}, False), ({"error": "no world"}, False)],
    ids=["all", "not tried", "named", "gone", "restored", "cures", "error"],
)  # fmt: skip
def test_a_trial_holds_when_nothing_of_it_failed(changed: dict[str, object], holds: bool) -> None:
    assert table.held(kept(**changed)) is holds


def test_the_page_tells_what_a_trial_showed_before_it_was_made_again() -> None:
    failed = kept(first="UNKNOWN logs X//y blind", named=False)
    page = table.page({"trials": {"feature 0": kept()}, "refuted": {}, "earlier": {"feature 0": failed}}, "2026-11-25")
    assert "once what it showed was mended: 1 were." in page
    assert "| feature 0 | UNKNOWN logs X//y blind | NO | yes | yes |" in page


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "seed"), [("bad-release", 1), ("feature", 0), ("catalog-gone", 1)])
def test_a_scenario_is_found_healed_and_restored(name: str, seed: int, tmp_path: Path) -> None:
    result = trial(name, seed, tmp_path)
    assert (result.named, result.gone, result.restored) == (True, True, True), result
    assert all(result.cures.values()), result


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_what_must_not_heal_does_not(tmp_path: Path) -> None:
    assert all(refutation("bad-release", tmp_path).values())
