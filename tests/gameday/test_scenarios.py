"""The scenarios as data: each says what must be found, what heals and what must not, and gives nothing away."""

import pytest

from firstwatch.errors import Unavailable
from firstwatch.mechanisms import MECHANISMS
from firstwatch.runs import catalog
from gameday.images import IMAGES
from gameday.scenarios import SCENARIOS, Scenario, inject
from gameday.scenarios.scenario import ALWAYS_WRONG, DATABASE
from gameday.world.folder import State

FAULTS = [each for each in SCENARIOS.values() if each.cures]
OF_DATABASE = [each for each in FAULTS if each.needs == DATABASE]
BARE = State(state="up", parts={"database": "none, there is no PostgreSQL on this machine"})


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


@pytest.mark.parametrize("scenario", OF_DATABASE, ids=lambda each: each.name)
def test_a_world_without_a_database_says_that_the_scenario_needs_one(scenario: Scenario) -> None:
    with pytest.raises(Unavailable, match="needs a real database: none, there is no PostgreSQL"):
        inject(scenario, BARE)


def test_a_world_of_ours_says_how_to_start_one_with_a_real_control_plane() -> None:
    with pytest.raises(Unavailable, match=r"real kube-controller-manager: none; .*up --control-plane DIR"):
        inject(SCENARIOS["quota"], BARE)
