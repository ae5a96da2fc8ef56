"""
How long a container waits before it is started again: not at all the first time, then twice as long each time.

As on a real node, where the first wait is 10 s and the longest 300 s, and a container that kept running for twice the
longest is forgiven. A game day is short: its first wait is a setting, and the longest follows it.
"""

from dataclasses import dataclass

LONGEST = 30  # times the first


@dataclass(slots=True)
class BackOff:
    """One container's. Seconds on a monotonic clock come in with each call."""

    first_s: float
    _wait_s: float = 0.0
    _since_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait after an end at *now_s*, and take note of it."""
        if self._wait_s and now_s - self._since_s > 2 * LONGEST * self.first_s:
            self._wait_s = 0.0
        wait = self._wait_s
        self._wait_s = min(max(wait * 2, self.first_s), LONGEST * self.first_s)
        self._since_s = now_s + wait
        return wait


def spoken(seconds: float) -> str:
    """Return *seconds* as Go prints a duration: `10s`, `2m40s`, `500ms`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
