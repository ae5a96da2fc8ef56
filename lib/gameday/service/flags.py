"""
The flags: keys of the service's ConfigMap, read from the files of its volume.

They are read again at each asking, as a careful service does: the kubelet changes the files when the ConfigMap
changes, and no restart is needed.
"""

from dataclasses import dataclass
from pathlib import Path

FEATURE = "feature-xyz-enabled"
BREAKER = "circuit-breaker-enabled"


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags in *folder*; one without a file is off."""

    folder: Path

    def on(self, name: str) -> bool:
        try:
            return (self.folder / name).read_text("utf-8").strip() == "true"
        except OSError:
            return False

    def all(self) -> dict[str, bool]:
        return {name: self.on(name) for name in (BREAKER, FEATURE)}
