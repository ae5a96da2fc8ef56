"""Which targets a job has: those of its configuration, and those that an HTTP service lists."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from firstwatch.model import Json
from gameday.prometheus import labelset
from gameday.prometheus.labelset import Labels

PATH = "__metrics_path__"
ADDRESS = "__address__"

_ADDRESS = re.compile(r"[a-zA-Z0-9_.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Static:
    """A list of addresses, and the labels that each of them gets."""

    targets: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sought:
    """A URL that lists targets, and how often to ask it."""

    url: str
    refresh_ms: int


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    interval_ms: int
    timeout_ms: int
    path: str
    static: tuple[Static, ...]
    sought: tuple[Sought, ...]

    def targets(self, groups: list[Static]) -> "set[Target]":
        """Return the targets of the configuration and of *groups*; ValueError when one has no usable address."""
        return {_target(self, address, each.labels) for each in (*self.static, *groups) for address in each.targets}


@dataclass(frozen=True, slots=True)
class Target:
    """Where to scrape, and the labels that all of its series get."""

    job: str
    url: str
    labels: Labels
    discovered: Labels
    interval_ms: int
    timeout_ms: int


def groups(answer: Json) -> list[Static]:
    """Return what a discovery service answered; ValueError when it is not of its format."""
    if not isinstance(answer, list):
        raise ValueError("a list of target groups is wanted")
    return [_group(each) for each in answer]


def _group(content: Json) -> Static:
    if not isinstance(content, dict) or content.keys() - {"targets", "labels"}:
        raise ValueError("a target group has targets and labels, and nothing else")
    targets, labels = content.get("targets") or [], content.get("labels") or {}
    if not isinstance(labels, dict) or not isinstance(targets, list):
        raise ValueError("targets is a list and labels a mapping")
    if not all(isinstance(each, str) for each in (*targets, *labels, *labels.values())):
        raise ValueError("targets and labels are texts")
    return Static(tuple(targets), labels)


def _target(job: Job, address: str, labels: Mapping[str, str]) -> Target:
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no host or host:port")
    if wrong := [name for name in labels if not _LABEL.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is no label name")
    found = {ADDRESS: address, PATH: job.path, "job": job.name, **labels}
    if not re.search(r":\d+$", found[ADDRESS]):
        found[ADDRESS] += ":80"
    shown = {"instance": found[ADDRESS], **{name: value for name, value in found.items() if not name.startswith("__")}}
    url = f"http://{found[ADDRESS]}/{found[PATH].removeprefix('/')}"
    return Target(job.name, url, labelset.of(shown), labelset.of(found), job.interval_ms, job.timeout_ms)
