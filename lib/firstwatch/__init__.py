"""
Firstwatch: runbooks that run.

A runbook imports from here. `begin` opens a watch; `probes` look, `actions` plan changes, `people` tells people,
`review` shows what is to be learned. The rest are the values that those return, for reading.

Each name is imported when it is first asked for: a command that needs none of them starts in a fraction of the time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firstwatch import actions, probes
    from firstwatch.errors import FirstwatchError
    from firstwatch.model import Approval, Finding, Findings, Mode, Outcome, Plan, Result, Severity, Verdict
    from firstwatch.policy.gate import Gate
    from firstwatch.publish import people, review
    from firstwatch.runs.summary import Summary
    from firstwatch.runs.watch import Watch, begin

__all__ = [
    "Approval",
    "Finding",
    "Findings",
    "FirstwatchError",
    "Gate",
    "Mode",
    "Outcome",
    "Plan",
    "Result",
    "Severity",
    "Summary",
    "Verdict",
    "Watch",
    "actions",
    "begin",
    "people",
    "probes",
    "review",
]

_HOMES = {
    "FirstwatchError": "errors",
    "Gate": "policy.gate",
    "Summary": "runs.summary",
    "Watch": "runs.watch",
    "begin": "runs.watch",
    "people": "publish.people",
    "review": "publish.review",
}


def __getattr__(name: str) -> Any:
    if name in ("actions", "people", "probes", "review"):
        return import_module(f"firstwatch.{_HOMES.get(name, name)}")
    if name in __all__:
        return getattr(import_module(f"firstwatch.{_HOMES.get(name, 'model')}"), name)
    raise AttributeError(f"firstwatch has no {name!r}")
