"""The scenarios as data: each says what must be found, what heals and what must not, and gives nothing away."""

import pytest

from firstwatch.mechanisms import MECHANISMS
from firstwatch.runs import catalog
from gameday.images import IMAGES
from gameday.scenarios import SCENARIOS, Scenario
from gameday.scenarios.scenario import ALWAYS_WRONG

FAULTS = [each for each in SCENARIOS.values() if each.cures]


@pytest.mark.parametrize("scenario", FAULTS, ids=lambda each: each.name)
def test_a_fault_has_a_truth_a_cure_and_wrong_remedies(scenario: Scenario) -> None:
    assert scenario.truth
    assert all(each in scenario.wrong for each in ALWAYS_WRONG)
    assert len(scenario.wrong) >= len(ALWAYS_WRONG) + 2


@pytest.mark.parametrize("scenario", FAULTS, ids=lambda each: each.name)
def test_a_truth_is_said_in_the_reference_s_words(scenario: Scenario) -> None:
    assert {mechanism for _, mechanism in scenario.truth} & set(MECHANISMS)


@pytest.mark.parametrize("scenario", FAULTS, ids=lambda each: each.name)
def test_a_cure_by_runbook_is_a_mitigation_that_there_is(scenario: Scenario) -> None:
    known = catalog.names(catalog.root())
    assert all(cure.runbook in known for cure in scenario.cures if cure.runbook)
    assert all(cure.runbook or cure.writes for cure in scenario.cures)


def test_no_image_is_named_after_what_is_wrong_with_it() -> None:
    words = ("bad", "slow", "crash", "fault", "broken", "leak")
    assert not [image for image in IMAGES if any(word in image for word in words)]
