"""
What a channel is: it sends a text once, and says whether one arrived that may have been sent before.

A program can die, or a wire break, between sending and hearing of it. So a text that was tried before is first looked
for (`arrived`), and only then sent again. Where a channel cannot be asked, its own docstring says what is chosen then,
at most once or at least once, and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from firstwatch.errors import Refused
from firstwatch.record.messages import Made, Message


@dataclass(frozen=True, slots=True)
class Case:
    """
    The incident for which a text is sent.

    `made` is what channels made for it. `keep` records what one makes now (channel, its own id of it, address for
    people), durably, before anything is sent there.
    """

    incident: str
    opened: datetime
    made: Mapping[str, Made]
    keep: Callable[[str, Made], None]


class Channel(Protocol):
    """`by_hand` says why people do it, where no program does; it is empty for a channel that sends."""

    @property
    def name(self) -> str: ...

    @property
    def by_hand(self) -> str: ...

    def arrived(self, message: Message, case: Case) -> str:
        """
        Return the receipt of *message* if it is there already, else nothing.

        Raises:
            Unavailable: That cannot be told now; it must not be sent again.
        """

    def send(self, message: Message, case: Case) -> str:
        """
        Send *message*, once, and return its receipt.

        Raises:
            BadParameter: The channel will never take this text.
            Unavailable: It did not, or did not say so; it may take it later.
        """


@dataclass(frozen=True, slots=True)
class ByHand:
    """A channel that no program sends to: its texts are shown, ready to paste."""

    name: str
    by_hand: str

    def arrived(self, message: Message, case: Case) -> str:
        return ""

    def send(self, message: Message, case: Case) -> str:
        raise Refused(f"{self.name}: {self.by_hand}")


def shortened(text: str, most: int) -> str:
    """Return *text* when it has at most *most* letters, else its beginning and a notice of what was cut."""
    if len(text) <= most:
        return text
    notice = f"… [cut: {len(text):,} letters; all of it is in the record]"
    return text[: most - len(notice)] + notice
