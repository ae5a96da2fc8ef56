"""Every check of `checks.toml`, with ours and with a real control plane, and those for the old kubectl with ours."""

from pathlib import Path

import pytest

from . import checks
from .worlds import World

ALL = checks.load()
OLD_GROUPS = {"read", "apply", "patch", "rollout", "scale"}


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_kubectl_gets_what_the_check_expects(check: checks.Check, world: World, kubectl: Path, request) -> None:
    _expect_known(request, check, world.kind)
    assert not checks.failure(checks.at(world.kind, check), world.kubectl(kubectl), world.names)


@pytest.mark.parametrize("check", [check for check in ALL if check.old], ids=lambda check: check.id)
@pytest.mark.parametrize("world", ["ours"], indirect=True)
def test_debians_old_kubectl_does_too(check: checks.Check, world: World, old_kubectl: Path, request) -> None:
    _expect_known(request, check, "old")
    assert not checks.failure(check, world.kubectl(old_kubectl), world.names)


def test_each_check_has_an_id_of_its_own() -> None:
    assert len({check.id for check in ALL}) == len(ALL)


@pytest.mark.parametrize("group", sorted(OLD_GROUPS))
def test_the_old_kubectl_has_checks_of_each_group_it_must_pass(group: str) -> None:
    assert any(group in check.groups for check in ALL if check.old)


def _expect_known(request, check: checks.Check, where: str) -> None:
    """A known difference that went away must be taken out of the list, so passing is an error too."""
    if where in check.known:
        request.applymarker(pytest.mark.xfail(reason=check.known[where], strict=True))
