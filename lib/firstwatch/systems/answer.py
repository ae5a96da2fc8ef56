"""An answer as it came, and what it says of when to ask again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are by their names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def date(self) -> datetime | None:
        """Return when its sender says that it was sent, to the second; None when it does not say."""
        return _moment(self.headers.get("date", ""))

    def wait_s(self, now: datetime) -> float | None:
        """
        Return how many seconds it asks to wait before asking again; None when it does not, or not in words we know.

        A date is counted from the sender's own *now* where it tells it: our clocks may differ.
        """
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            return float(asked)
        until = _moment(asked)
        return max(0.0, (until - (self.date or now)).total_seconds()) if until else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):  # whatever else may stand there
        return None
