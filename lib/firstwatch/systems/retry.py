"""
Asking again: which answers to a read are asked for again, after how long, and when that is given up.

Only reads come here. A write is sent once, and a dry run counts as one. All tries together stay within the deadline of
the call, so asking again never makes a call longer than it may be; a system that wants more time than is left is not
waited for. The pauses are short, because a dead system must not hold up the look at the others.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from firstwatch.clock import Clock
from firstwatch.errors import Unavailable
from firstwatch.systems.answer import Answer

AGAIN = frozenset({429, 500, 502, 503, 504})


class Lost(Unavailable):
    """The connection was refused, or went away before the whole answer was there: another try may do."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`deadline_s` is what a call may take in all, in seconds; `pauses_s` are those before its second try and on."""

    deadline_s: float = 10.0
    pauses_s: tuple[float, ...] = (0.1, 0.3)

    def within(self, other: "Budget") -> "Budget":
        """Return this budget, with no more time than *other* has."""
        return replace(self, deadline_s=min(self.deadline_s, other.deadline_s))


USUAL = Budget()
ONCE = Budget(pauses_s=())


def reading(once: Callable[[float], Answer], budget: Budget, clock: Clock) -> Answer:
    """
    Return the first answer that is final, or the last there was.

    Args:
        once: Asks, given the seconds that are left; raises Lost when another try may do.
        budget: How long, and how often.
        clock: What the time is, and what waits.
    """
    ends = clock.monotonic_ns() + int(budget.deadline_s * 1e9)
    for pause in budget.pauses_s:
        wait = jittered(pause, random.random())  # noqa: S311  # not a secret
        try:
            answer = once(_left(ends, clock))
        except Lost:
            if wait >= _left(ends, clock):
                raise
        else:
            wait = max(wait, answer.wait_s(clock.now()) or 0)
            if answer.status not in AGAIN or wait >= _left(ends, clock):
                return answer
        clock.sleep(wait)
    return once(_left(ends, clock))


def jittered(pause_s: float, chance: float) -> float:
    """Return a pause between half and the whole of *pause_s*, so that not all who were refused come back at once."""
    return pause_s * (0.5 + chance / 2)


def _left(ends: int, clock: Clock) -> float:
    return max(0.001, (ends - clock.monotonic_ns()) / 1e9)


def waiting(answer: Answer, budget: Budget, clock: Clock) -> str:
    """Return what *answer* says of when to ask again, to end a sentence with; empty when it says nothing."""
    asked = answer.wait_s(clock.now())
    if asked is None:
        return ""
    late = f", longer than the {budget.deadline_s:g} s of a call" if asked >= budget.deadline_s else ""
    return f"; it asked to wait {asked:g} s{late}"
