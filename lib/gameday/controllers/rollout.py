"""
The arithmetic of a rollout: how many pods each ReplicaSet of a Deployment may have next.

Pure functions of counts, with Kubernetes' rounding: a surge in percent is rounded up, what may be unavailable down, and
both zero would never move, so then one may be unavailable. Old pods that are not available go first: removing them
costs nothing, which is why a stuck rollout can be replaced at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from firstwatch.model import Json

NEVER = 2**31 - 1  # a progress deadline that is not one


@dataclass(frozen=True, slots=True)
class Size:
    """
    One ReplicaSet's: how many pods it shall have, and how many are available.

    `desired_before` and `most_before` are the Deployment's own numbers when it was last sized, -1 and 0 when unknown.
    """

    name: str
    wanted: int
    available: int
    desired_before: int = -1
    most_before: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a rollout may stray from the `desired` count of pods."""

    desired: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        return self.desired + self.surge

    @property
    def least_available(self) -> int:
        return self.desired - self.unavailable


def limits(spec: Json) -> Limits:
    """Return what a Deployment's *spec* allows; a Recreate may lose everything and add nothing."""
    desired = spec.get("replicas", 1)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(desired, 0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = _part(rolling.get("maxSurge", "25%"), desired, up=True)
    unavailable = _part(rolling.get("maxUnavailable", "25%"), desired, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(desired, surge, min(unavailable, desired))


def grown(new: Size, everything: Sequence[Size], allowed: Limits) -> int:
    """Return how many pods the new ReplicaSet may have now: as many as fit under the most."""
    if new.wanted >= allowed.desired:
        return allowed.desired
    room = allowed.most - sum(each.wanted for each in everything)
    return new.wanted + max(min(room, allowed.desired - new.wanted), 0)


def shrunk(old: Sequence[Size], new: Size, allowed: Limits) -> dict[str, int]:
    """Return how many pods each of *old* (oldest first) keeps, for those that lose some."""
    total = sum(each.wanted for each in old) + new.wanted
    room = total - allowed.least_available - (new.wanted - new.available)
    if room <= 0:
        return {}
    cleaned = _without_unavailable(old, room)
    spare = sum(each.available for each in old) + new.available - allowed.least_available
    kept = _less(cleaned, min(spare, room - _lost(old, cleaned)))
    return {after.name: after.wanted for before, after in zip(old, kept, strict=True) if after.wanted < before.wanted}


def proportional(sizes: Sequence[Size], allowed: Limits) -> dict[str, int]:
    """
    Return the new sizes of all active ReplicaSets when the desired count changed during a rollout.

    Args:
        sizes: Largest first; among equals the newest first when growing, the oldest first when shrinking.
        allowed: What the Deployment now allows.
    """
    total = sum(each.wanted for each in sizes)
    change = (allowed.most if allowed.desired > 0 else 0) - total
    added, result = 0, {}
    for each in sizes:
        share = _share(each, allowed, each.most_before or total, change - added) if change else 0
        result[each.name] = each.wanted + share
        added += share
    if sizes:
        result[sizes[0].name] = max(result[sizes[0].name] + change - added, 0)
    return result


def _share(size: Size, allowed: Limits, before: int, left: int) -> int:
    """Return what *size* gains or loses so that its part of the whole stays the same, but no more than is *left*."""
    most = allowed.most if allowed.desired > 0 else 0
    share = math.floor(size.wanted * most / before + 0.5) - size.wanted if before else 0
    return min(share, left) if left > 0 else max(share, left)


def _part(value: int | str, whole: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * whole / 100
    return math.ceil(exact) if up else math.floor(exact)


def _without_unavailable(old: Sequence[Size], room: int) -> list[Size]:
    left, cleaned = room, []
    for each in old:
        lost = min(left, max(each.wanted - each.available, 0))
        cleaned.append(replace(each, wanted=each.wanted - lost))
        left -= lost
    return cleaned


def _less(old: Sequence[Size], count: int) -> list[Size]:
    left, kept = max(count, 0), []
    for each in old:
        lost = min(left, each.wanted)
        kept.append(replace(each, wanted=each.wanted - lost))
        left -= lost
    return kept


def _lost(before: Sequence[Size], after: Sequence[Size]) -> int:
    return sum(each.wanted for each in before) - sum(each.wanted for each in after)
