"""
The images that pods may run: a fixed map, because a pod here is a process on the responder's own machine.

An image that is not in the map cannot be pulled. `{python}` in an argument is this interpreter.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """What runs for an image, and how far a pod may change that."""

    argv: tuple[str, ...]
    arguments: bool = False  # whether a pod's `args` are put behind it
    programs: frozenset[str] = frozenset()  # which programs a pod's `command`, or the first of its `args`, may name


IMAGES: Mapping[str, Image] = {
    "busybox:1.36": Image(("sh",), arguments=True, programs=frozenset({"sh", "sleep", "echo", "true", "false", "env"})),
}
