"""
What can go wrong, named by what a responder does next.

    FirstwatchError                   exit
    ├── BadParameter                   2    check what you typed
    │   └── NotFound                   2    there is no such thing; the nearest name is given
    ├── GateClosed                     3    stop and read: an approval is missing or stale
    ├── Unavailable                    4    the system did not answer; try again
    │   └── Refused                    4    it answered no; ask for access
    ├── Conflict                       5    the target moved since the plan; plan again
    ├── OutcomeUnknown                 6    a change may or may not have happened; ask the system
    ├── RecordNotWritable              7    nothing was done, because it could not be recorded
    ├── RecordUnreadable               8    the record is damaged; `firstwatch verify` says where
    └── DeadlinePassed               124    ended by its deadline

Each says in one line what was being done, to what, and what to try. A check that fails is not an error: it is a
`Finding`. The exit codes are explained in `docs/reference/exit-codes.md`.
"""

from difflib import get_close_matches
from typing import ClassVar

from firstwatch.text import visible


class FirstwatchError(Exception):
    """The root of what Firstwatch raises; `exit_code` is what the command ends with."""

    exit_code: ClassVar[int] = 1

    def _render_traceback_(self) -> list[str]:
        """Show one sentence in a notebook: a traceback of our insides helps nobody at night, and names local paths."""
        return [f"{type(self).__name__}: {visible(str(self))}"]


class BadParameter(FirstwatchError):
    """A value that was typed cannot be used; the message names the field."""

    exit_code = 2


class NotFound(BadParameter):
    """There is no such thing; the message gives the nearest name there is."""


class GateClosed(FirstwatchError):
    """A change lacks a valid approval, and nothing was sent; or a closing or a final text lacks something."""

    exit_code = 3


class Unavailable(FirstwatchError):
    """A system did not answer within its deadline, or answered nonsense; trying again may help."""

    exit_code = 4


class Refused(Unavailable):
    """A system answered that we may not; trying again will not help, access will."""


class Conflict(FirstwatchError):
    """The target is no longer what the plan was made against; nothing was sent."""

    exit_code = 5


class OutcomeUnknown(FirstwatchError):
    """A change was sent, or may have been, and its outcome is not known."""

    exit_code = 6


class RecordNotWritable(FirstwatchError):
    """The record cannot take another event, so nothing was attempted."""

    exit_code = 7


class RecordUnreadable(FirstwatchError):
    """The record's bytes are not what was written."""

    exit_code = 8


class DeadlinePassed(FirstwatchError):
    """The work was ended by its deadline."""

    exit_code = 124


def nearest(word: str, known: list[str]) -> str:
    """Return a hint that ends a `NotFound` message: the nearest of *known*, or all of them when none is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is: {', '.join(sorted(known))}" if known else "there is none yet"
