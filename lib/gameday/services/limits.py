"""How often one may ask: so many at once, and then one in so many seconds."""

from dataclasses import dataclass, field

from firstwatch.clock import Clock


@dataclass(slots=True)
class Limit:
    """For each key `burst` requests at once, and another every `every_s`."""

    clock: Clock
    burst: int
    every_s: float
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict)  # key: tokens left, and when

    def admits(self, key: str) -> bool:
        now = self.clock.monotonic_ns() / 1e9
        left, then = self._seen.get(key, (float(self.burst), now))
        left = min(float(self.burst), left + (now - then) / self.every_s)
        self._seen[key] = (left - 1 if left >= 1 else left, now)
        return left >= 1
