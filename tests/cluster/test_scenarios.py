"""Seven faults in two worlds on a real control plane: each is named first by the sweep, and heals by hand."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, opened

from gameday.scenarios import SCENARIOS, seen
from gameday.scenarios.inject import put
from gameday.world.folder import Folder, State

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
HEALED_S = 90


@pytest.fixture(scope="class")
def desk(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(tmp_path_factory.mktemp("desk"), "--control-plane", str(binaries)) as made:
        yield made


def state(desk: Desk) -> State:
    return State.read(Folder(desk.world).state)


def named_first_and_healed(desk: Desk, name: str) -> None:
    scenario = SCENARIOS[name]
    desk("gameday", name)
    first = desk("run", "investigate/first-five-minutes")["findings"][0]
    assert (first["object"], first["mechanism"]) in scenario.truth
    put(next(each for each in scenario.cures if each.writes).writes, state(desk))
    ends = time.monotonic() + HEALED_S
    while why := seen.ill(state(desk)):
        assert time.monotonic() < ends, why
        time.sleep(0.5)


class TestReleases:
    @pytest.mark.parametrize("name", ["bad-release", "missing-image", "crash-loop", "key-missing"])
    def test_it_is_named_first_and_heals_by_hand(self, desk: Desk, name: str) -> None:
        named_first_and_healed(desk, name)


class TestSettings:
    @pytest.mark.parametrize("name", ["no-pods", "selector", "quota"])
    def test_it_is_named_first_and_heals_by_hand(self, desk: Desk, name: str) -> None:
        named_first_and_healed(desk, name)
