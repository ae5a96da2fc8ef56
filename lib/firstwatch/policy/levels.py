"""
Severity: the criteria of SEV1 to SEV4 as rules with names, and the proposal that they and the triage tree make.

The most severe of tree, criteria and metrics wins, so nobody argues during the call. What was not measured or answered
is silent: it never lowers anything.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from firstwatch.model import Severity
from firstwatch.policy.tables import Criterion, Policy
from firstwatch.policy.triage import Answers, triage


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured now; None where it is not. `error_share` is 0 to 1, the latencies are in seconds."""

    error_share: float | None = None
    latency_s: float | None = None
    baseline_s: float | None = None

    def value(self, metric: str) -> float | None:
        """Return what *metric* is, or None when it is not known or not a number."""
        found = {"error-share": self.error_share, "latency": self.latency_s, "slowdown": self._slowdown}[metric]
        return found if found is not None and math.isfinite(found) else None

    @property
    def _slowdown(self) -> float | None:
        """How much slower than the baseline; 0.5 is 50 % slower."""
        return self.latency_s / self.baseline_s - 1 if self.latency_s is not None and self.baseline_s else None


@dataclass(frozen=True, slots=True)
class Proposal:
    """
    The severity that is proposed, and why.

    `rule` is the id of the rule that fired, or `tree`, or `unknown` when nothing did. `path` is the way through the
    triage tree; `reasons` are all rules that fired, the most severe first, and what could not be judged.
    """

    severity: Severity
    rule: str
    path: tuple[str, ...]
    reasons: tuple[str, ...]


def propose(policy: Policy, answers: Answers, measures: Measures = Measures(), seen: Collection[str] = ()) -> Proposal:
    """Return the most severe of what the tree, the criteria and the metrics say; *seen* are the BAD mechanisms."""
    leaf, path = triage(policy, answers)
    fired = list(_fired(policy, answers, measures, seen, leaf))
    reasons = tuple(f"{severity}: {text}" for severity, _, text in fired)
    if not fired:
        nothing = f"{policy.triage.unknown}: nothing was answered or measured that says more"
        return Proposal(policy.triage.unknown, "unknown", path, (nothing, *_unjudged(measures)))
    severity, rule, _ = fired[0]
    return Proposal(severity, rule, path, (*reasons, *_unjudged(measures)))


def _fired(
    policy: Policy, answers: Answers, measures: Measures, seen: Collection[str], leaf: Severity | None
) -> Iterator[tuple[Severity, str, str]]:
    """Yield (severity, rule, text) of all that fired, the most severe first, a named criterion before the tree."""
    for severity in Severity:
        for rule in policy.levels[severity].rules:
            known = sorted(set(seen) & set(rule.seen))
            fired = fires(rule, answers, measures)
            if known or fired:
                word = "" if fired and rule.metric else "".join(known[:1])  # a number says more than what was seen
                yield severity, rule.id, f"{rule.text} ({rule.id}: {word})" if word else _why(rule, measures)
        if leaf is severity:
            yield severity, "tree", "the triage tree"


def fires(rule: Criterion, answers: Answers, measures: Measures) -> bool:
    """Whether *rule* fires; one whose answer or metric is not known does not."""
    if rule.answer:
        return answers.get(rule.answer, False)
    value = measures.value(rule.metric)
    if value is None:
        return False
    return value > rule.over if rule.over is not None else value >= (rule.least or 0.0)


def _why(rule: Criterion, measures: Measures) -> str:
    value = measures.value(rule.metric) if rule.metric else None
    return f"{rule.text} ({rule.id})" if value is None else f"{rule.text} ({rule.id}: {_shown(rule.metric, value)})"


def _shown(metric: str, value: float) -> str:
    return f"{value:.2f} s" if metric == "latency" else f"{value:.1%}".replace("%", " %")


def _unjudged(measures: Measures) -> tuple[str, ...]:
    if measures.value("latency") is not None and measures.value("slowdown") is None:
        return ("not judged: there is no latency baseline, so nobody can tell how much slower it is",)
    return ()


def worse(one: str, other: str) -> bool:
    """Whether severity *one* is more severe than *other*; any is more severe than none."""
    return bool(one) and (not other or one < other)
