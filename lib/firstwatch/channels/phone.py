"""The telephone: whom to ring, and what to say. A person rings; `firstwatch call` records that, and its result."""

from firstwatch.channels.channel import ByHand


def phone() -> ByHand:
    return ByHand("phone", "a person rings; record it with firstwatch call")


def card(whom: str, number: str, text: str) -> str:
    """Return what the caller reads: the number, and the words."""
    return f"Ring {whom}: {number}\nSay: {text}"
