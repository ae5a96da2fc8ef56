"""
Evaluate the rules: record what recording rules give, and keep the alerts of alerting rules.

An alert is pending from the first evaluation in which its query gives it, and firing once that has lasted for the
rule's `for`. When the query gives it no more it is gone. As in Prometheus, alerts are series too: `ALERTS` and
`ALERTS_FOR_STATE`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from firstwatch.clock import Clock
from gameday.prometheus import labelset, moments, templates
from gameday.prometheus.evaluate import Evaluation
from gameday.prometheus.labelset import NAME, Labels
from gameday.prometheus.matching import ExecutionFailed, Sample, Vector
from gameday.prometheus.rulefile import Alerting, Group, Recording, Rule
from gameday.prometheus.series import Store, TooManySeries

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    labels: Labels
    annotations: Labels
    state: str
    active_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Report:
    """How the last evaluation of a rule went."""

    health: str = "unknown"
    error: str = ""
    at_ms: int = 0
    seconds: float = 0.0


class Running:
    """One rule, and what its evaluations left."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.report = rule, Report()
        self.alerts: dict[Labels, Alert] = {}
        self._written: set[Labels] = set()

    @property
    def state(self) -> str:
        states = {each.state for each in self.alerts.values()}
        return next((each for each in ("firing", "pending") if each in states), "inactive")

    def evaluate(self, store: Store, at_ms: int, clock: Clock) -> None:
        """Evaluate the rule as of *at_ms*. What goes wrong is told in `report`, and changes nothing else."""
        began, error = clock.monotonic_ns(), ""
        try:
            self._write(store, self._results(store, at_ms), at_ms)
        except (ExecutionFailed, TooManySeries) as failure:
            error = str(failure)
        seconds = (clock.monotonic_ns() - began) / 1e9
        self.report = Report("err" if error else "ok", error, at_ms, seconds)

    def _results(self, store: Store, at_ms: int) -> Vector:
        value = Evaluation(store, self.rule.query).at(at_ms)
        vector = cast("Vector", value) if isinstance(value, list) else [Sample((), cast("float", value))]
        if isinstance(self.rule, Recording):
            return recorded(self.rule, vector)
        self.alerts = alerts(self.rule, self.alerts, vector, at_ms)
        return [sample for alert in self.alerts.values() for sample in _series(alert)]

    def _write(self, store: Store, vector: Vector, at_ms: int) -> None:
        present = {each.labels for each in vector}
        store.admit(present)
        for labels, value in vector:
            store.append(labels, at_ms, value)
        store.end(self._written - present, at_ms)
        self._written = present


def recorded(rule: Recording, vector: Vector) -> Vector:
    """Return *vector* under the rule's name and labels."""
    found = [Sample(labelset.update(each.labels, {**rule.labels, NAME: rule.name}), each.value) for each in vector]
    if len({each.labels for each in found}) != len(found):
        raise ExecutionFailed("vector contains metrics with the same labelset after applying rule labels")
    return found


def alerts(rule: Alerting, former: dict[Labels, Alert], vector: Vector, at_ms: int) -> dict[Labels, Alert]:
    """Return the alerts that *vector* gives; those that were there before go on."""
    found: dict[Labels, Alert] = {}
    for sample in vector:
        alert = _alert(rule, sample, at_ms)
        if alert.labels in found:
            raise ExecutionFailed("vector contains metrics with the same labelset after applying alert labels")
        known = former.get(alert.labels)
        since = known.active_ms if known else at_ms
        firing = (known is not None and known.state == "firing") or at_ms - since >= rule.hold_ms
        found[alert.labels] = replace(alert, active_ms=since, state="firing" if firing else "pending")
    return found


def _alert(rule: Alerting, sample: Sample, at_ms: int) -> Alert:
    own = labelset.nameless(sample.labels)
    labels, annotations = (
        {name: templates.expand(text, own, sample.value) for name, text in several.items()}
        for several in (rule.labels, rule.annotations)
    )
    named = labelset.update(own, {**labels, "alertname": rule.name})
    return Alert(named, tuple(sorted(annotations.items())), "pending", at_ms, sample.value)


def _series(alert: Alert) -> Vector:
    shown = {NAME: "ALERTS", "alertstate": alert.state}
    since = labelset.update(alert.labels, {NAME: "ALERTS_FOR_STATE"})
    return [Sample(labelset.update(alert.labels, shown), 1.0), Sample(since, float(alert.active_ms // 1000))]


class Rules:
    """All groups, each evaluated at its own interval, its rules one after the other."""

    def __init__(self, groups: Sequence[Group], store: Store, clock: Clock) -> None:
        self.groups = [(group, [Running(rule) for rule in group.rules]) for group in groups]
        self._store, self._clock = store, clock

    @property
    def alerts(self) -> list[Alert]:
        return [alert for _, several in self.groups for running in several for alert in running.alerts.values()]

    async def run(self) -> None:
        """Evaluate until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for group, several in self.groups:
                tasks.create_task(self._run(group, several))

    async def _run(self, group: Group, several: Sequence[Running]) -> None:
        """Evaluate at whole multiples of the interval; one that is missed is left out."""
        last = 0
        while True:
            now, every = moments.of(self._clock.now()), group.interval_ms
            due = max(now - now % every, last + every) if last else now - now % every + every
            await asyncio.sleep(max(due - now, 0) / 1000)
            for running in several:
                self.evaluate(running, due)
            last = due

    def evaluate(self, running: Running, at_ms: int) -> None:
        """Evaluate one rule; an odd one does not stop the others."""
        try:
            running.evaluate(self._store, at_ms, self._clock)
        except Exception:
            log.exception("rule %s", running.rule.name)
