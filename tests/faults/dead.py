"""
The sweep while half of the systems are dead: they take the connection and never answer.

The cluster and the clone of the code answer. Prometheus, the service's own address, a dependency, the provider's feed,
the database and AWS hang: each time all of them. A sweep must be back with what the others said.
"""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import fakes

from faults.programme import Figure, Row, Trial
from firstwatch import probes, settings
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.systems import connect
from firstwatch.systems.retry import USUAL, Budget

MOST_S = 60.0
# What the dead systems alone could know. The rest asks the cluster.
BLIND = {
    "error-rate", "error-shares", "latency", "request-rate", "alerts", "health", "dependencies", "provider", "database",
    "locks", "transactions", "replication", "load-balancer", "targets",
}  # fmt: skip
# Whether it can be reached is what these say: that it cannot is BAD, once the driver has given up.
REACHING = {"dependencies", "database", "locks", "transactions", "replication"}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "for-tests", "AWS_SECRET_ACCESS_KEY": "for-tests", "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip


@contextmanager
def hole() -> Iterator[int]:
    """Listen on a port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


@contextmanager
def told(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def configured(folder: Path, url: str, port: int) -> settings.Settings:
    """Return settings whose cluster is at *url*, and all else at *port*."""
    dead = f"http://127.0.0.1:{port}"
    path = fakes.configuration(folder, url)
    said = path.read_text().replace(f'health = "{url}{fakes.HEALTH}"', f'health = "{dead}/health"')
    said = said.replace(
        f'[prometheus]\nurl = "{url}"',
        f'[prometheus]\nurl = "{dead}"\nlatency = "l"\nrequests = "r"\nerror_rate_by = "e"',
    )
    path.write_text(
        f'{said}[database]\ndsn = "env:FIRSTWATCH_DEAD_DATABASE"\n[provider]\nfeed = "{dead}/feed"\n'
        f'[[dependencies]]\nname = "catalog"\nurl = "{dead}/"\n'
        f'[aws]\nload_balancer = "api"\ntarget_group = "api"\nregion = "eu-west-1"\nendpoint = "{dead}"\n'
    )
    return settings.load(path)


def swept(folder: Path, *, deadline_s: float, budget: Budget) -> tuple[Findings, float]:
    """Sweep in a world half of which is dead; return what was found and how long it took, in seconds."""
    with hole() as port, fakes.serving(fakes.healthy()) as world:
        dsn = f"host=127.0.0.1 port={port} user=api dbname=api"
        own = configured(folder, world.url, port)
        with told(ENVIRONMENT | {"FIRSTWATCH_DEAD_DATABASE": dsn}), connect(own, budget=budget) as systems:
            began = time.monotonic()
            found = probes.sweep(probes.FIRST_FIVE_MINUTES, systems, datetime.now(UTC), deadline_s=deadline_s)
            return found, time.monotonic() - began


def wrong(found: Findings) -> list[str]:
    """Return what must not be: a dead system that is anything but UNKNOWN, or a live one that is not seen."""
    seen = {each.probe for each in found if each.probe not in BLIND and each.verdict is not Verdict.UNKNOWN}
    bad = [] if {"pods", "nodes", "rollouts", "services"} <= seen else [f"of the cluster only {sorted(seen)} was seen"]
    return bad + [f"{each.probe} says {each.verdict}: {each.observed}" for each in found if _false(each)]


def _false(found: Finding) -> bool:
    if found.probe in REACHING:
        return found.verdict is Verdict.OK
    return found.probe in BLIND and found.verdict is not Verdict.UNKNOWN


def half_dead(trial: Trial) -> Figure:
    """Sweep with the deadlines as they are."""
    bad, took = [], []
    for number in range(trial.count):
        folder = trial.folder / str(number)
        folder.mkdir()
        found, seconds = swept(folder, deadline_s=probes.sweep.__kwdefaults__["deadline_s"], budget=USUAL)
        took.append(seconds)
        bad += [f"{number}: {each}" for each in wrong(found)]
        bad += [f"{number}: took {seconds:.1f} s"] if seconds > MOST_S else []
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([f"{len(BLIND)} probes blind, {max(took):.1f} s at most", *bad[:3]]))


ROWS = [
    Row("T89", "half of the systems hang during a sweep", "no OK of those, the rest seen, under 60 s", 5, half_dead)
]
