"""
The images that pods may run: a fixed map, because a pod here is a process on the responder's own machine.

An image that is not in the map cannot be pulled. `{python}` in an argument is this interpreter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gameday.catalog import READS_S
from gameday.service.releases import RELEASES


@dataclass(frozen=True, slots=True)
class Image:
    """What runs for an image, and how far a pod may change that."""

    argv: tuple[str, ...]
    arguments: bool = False  # whether a pod's `args` are put behind it
    programs: frozenset[str] = frozenset()  # which programs a pod's `command`, or the first of its `args`, may name


SHELL = frozenset({"sh", "sleep", "echo", "true", "false", "env", "cat"})


def _service(release: str) -> Image:
    return Image(("{python}", "-m", "gameday.service", "--release", release), programs=SHELL)


def _catalog(release: str) -> Image:
    return Image(("{python}", "-m", "gameday.catalog", "--release", release), programs=SHELL)


def _tenant(name: str) -> Image:
    return Image(("{python}", "-m", "gameday.tenants", name), programs=SHELL)


IMAGES: Mapping[str, Image] = {
    **{f"claude-deployment-api:{release}": _service(release) for release in RELEASES},
    **{f"claude-deployment-catalog:{release}": _catalog(release) for release in READS_S},
    "claude-deployment-reports:1.0.0": Image(("{python}", "-m", "gameday.reports"), programs=SHELL),
    **{f"claude-deployment-{name}:1.0.0": _tenant(name) for name in ("backfill", "export")},
    "maintenance-page:1": _catalog("maintenance"),
    "busybox:1.36": Image(("sh",), arguments=True, programs=SHELL),
}
