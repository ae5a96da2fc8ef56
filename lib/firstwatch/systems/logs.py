"""
The logs of many containers at once: each bounded, with the moment of each line, those before a restart too.

What could not be read is counted, and is for the reader to judge: a container that waits for its image has no log.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from firstwatch.errors import FirstwatchError
from firstwatch.model import Json, parse_time
from firstwatch.systems.kubernetes import Cluster
from firstwatch.systems.workloads import statuses

TAIL = 300  # lines of each container
MOST = 40  # containers that are read
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `at` is when the node took it down."""

    pod: str
    container: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the lines of each container in a row, and a reason for each log that could not be."""

    lines: tuple[Line, ...]
    read: int
    unread: tuple[str, ...]


def read(cluster: Cluster, namespace: str, pods: Sequence[Json]) -> Reading:
    """Return the last lines of the containers of *pods*, at most forty logs, those that have restarted first."""
    asked = sorted(_asked(pods), key=lambda each: (not each[2], each))[:MOST]
    with ThreadPoolExecutor(AT_ONCE, "logs") as pool:
        answers = list(pool.map(lambda each: _one(cluster, namespace, *each), asked))
    lines = tuple(line for answer in answers if not isinstance(answer, str) for line in answer)
    unread = tuple(answer for answer in answers if isinstance(answer, str))
    return Reading(lines, len(asked) - len(unread), unread)


def _asked(pods: Sequence[Json]) -> Iterator[tuple[str, str, bool]]:
    """Yield pod, container, and whether its log before the restart is meant."""
    for pod in pods:
        for each in statuses(pod):
            name = pod["metadata"]["name"]
            if "waiting" not in each.get("state", {}) or not each.get("restartCount"):
                yield name, each["name"], False
            if each.get("restartCount"):
                yield name, each["name"], True


def _one(cluster: Cluster, namespace: str, pod: str, container: str, previous: bool) -> tuple[Line, ...] | str:
    """Return the lines of one log, or why there are none."""
    try:
        log = cluster.logs(namespace, pod, container=container, previous=previous, tail=TAIL, timed=True)
    except FirstwatchError as error:
        return str(error)
    return tuple(line for text in log.lines if (line := _line(pod, container, text)))


def _line(pod: str, container: str, text: str) -> Line | None:
    moment, _, rest = text.partition(" ")
    try:
        return Line(pod, container, parse_time(moment), rest)
    except ValueError:
        return None
