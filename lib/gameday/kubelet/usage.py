"""
What processes use, as `/metrics/resource` tells it: CPU seconds and working set, by container, pod and node.

A container's CPU time never goes back: what its processes used before they ended is kept, as a counter must.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psutil

HELP = {
    "container_cpu_usage_seconds_total": "Cumulative cpu time consumed by the container in core-seconds",
    "container_memory_working_set_bytes": "Current working set of the container in bytes",
    "container_start_time_seconds": "Start time of the container since unix epoch in seconds",
    "node_cpu_usage_seconds_total": "Cumulative cpu time consumed by the node in core-seconds",
    "node_memory_working_set_bytes": "Current working set of the node in bytes",
    "pod_cpu_usage_seconds_total": "Cumulative cpu time consumed by the pod in core-seconds",
    "pod_memory_working_set_bytes": "Current working set of the pod in bytes",
}
COUNTER = "_total"


@dataclass(frozen=True, slots=True)
class Member:
    """One running container, by the process that leads it."""

    namespace: str
    pod: str
    container: str
    identity: str
    pid: int


@dataclass(frozen=True, slots=True)
class Sample:
    metric: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Usage:
    """Reads what the containers use, and remembers what ended processes used."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[tuple[int, float], float]] = defaultdict(dict)

    def samples(self, members: Iterable[Member]) -> list[Sample]:
        """Return all samples, the node's last."""
        found: list[Sample] = []
        pods: dict[tuple[tuple[str, str], ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for each in members:
            cpu, memory, began = self._measure(each)
            labels: tuple[tuple[str, str], ...] = (
                ("container", each.container),
                ("namespace", each.namespace),
                ("pod", each.pod),
            )
            found += [
                Sample("container_cpu_usage_seconds_total", labels, cpu),
                Sample("container_memory_working_set_bytes", labels, memory),
                Sample("container_start_time_seconds", labels, began),
            ]
            pods[labels[1:]][0] += cpu
            pods[labels[1:]][1] += memory
        for labels, (cpu, memory) in pods.items():
            found.append(Sample("pod_cpu_usage_seconds_total", labels, cpu))
            found.append(Sample("pod_memory_working_set_bytes", labels, memory))
        return [*found, *_node()]

    def _measure(self, member: Member) -> tuple[float, float, float]:
        """Return CPU seconds, bytes and the start of a container and of all that it started."""
        known, memory, began = self._seen[member.identity], 0.0, 0.0
        for process in _family(member.pid):
            try:
                with process.oneshot():
                    times, created = process.cpu_times(), process.create_time()
                    memory += process.memory_info().rss
            except psutil.Error:
                continue
            known[process.pid, created] = times.user + times.system
            began = began or created
        return sum(known.values()), memory, began


def held(pid: int) -> int:
    """Return the bytes of memory that a process and all that it started hold."""
    total = 0
    for process in _family(pid):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def text(samples: Iterable[Sample], now: datetime) -> str:
    """Return *samples* in Prometheus' text format, each with its time, grouped by metric."""
    grouped = defaultdict(list)
    for each in samples:
        grouped[each.metric].append(each)
    lines = []
    for metric, several in sorted(grouped.items()):
        kind = "counter" if metric.endswith(COUNTER) else "gauge"
        lines += [f"# HELP {metric} [STABLE] {HELP[metric]}", f"# TYPE {metric} {kind}"]
        lines += [_line(each, now) for each in several]
    error = "resource_scrape_error"
    lines += [f"# HELP {error} [STABLE] 1 if there was an error while getting container metrics, 0 otherwise"]
    return "\n".join([*lines, f"# TYPE {error} gauge", f"{error} 0", ""])


def _line(sample: Sample, now: datetime) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels)
    braces = f"{{{labels}}}" if labels else ""
    return f"{sample.metric}{braces} {sample.value:.6f} {int(now.timestamp() * 1000)}"


def _family(pid: int) -> list[psutil.Process]:
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []


def _node() -> list[Sample]:
    times, memory = psutil.cpu_times(), psutil.virtual_memory()
    busy = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
    return [
        Sample("node_cpu_usage_seconds_total", (), busy),
        Sample("node_memory_working_set_bytes", (), float(memory.total - memory.available)),
    ]
