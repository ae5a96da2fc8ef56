"""The summary of a run: what it saw, what it did, what is left. The text that a post-mortem starts from."""

from dataclasses import dataclass
from typing import Self

from firstwatch.model import Findings, Mode, Verdict, cell
from firstwatch.record.incident import Applied, Incident


@dataclass(frozen=True, slots=True)
class Summary:
    """`left` is what somebody still has to do, in words; empty when there is nothing."""

    incident: str
    runbook: str
    mode: str
    findings: Findings
    changes: tuple[Applied, ...]
    left: tuple[str, ...]

    @classmethod
    def of(cls, incident: Incident, runbook: str, mode: Mode) -> Self:
        """Return the summary of a run of *runbook*, from what the journal says of *incident*."""
        left = [
            f"change {each.key} is in doubt; firstwatch resume asks what became of it" for each in incident.in_doubt
        ]
        known = [each for each in incident.unowned if not each.in_doubt]
        left += [f"change {each.key} is in force; undo it or accept it" for each in known]
        broken = [each for each in incident.broken if each.waits]
        left += [f"{each.by} broke the glass, and it waits for a review: {each.reason}" for each in broken]
        left += [incident.skewed] if incident.skewed else []
        if incident.findings.verdict is not Verdict.OK:
            left.append(f"what was seen last is {incident.findings.verdict}")
        if not incident.declared_at:
            left.append("the incident is not declared")
        return cls(incident.id, runbook, mode.value, incident.findings, incident.changes, tuple(left))

    def __repr__(self) -> str:
        lines = [f"{self.runbook} ({self.mode}), incident {self.incident}"]
        lines += [f"saw {self.findings.verdict}: {self.findings[0].observed}"] if self.findings else []
        lines += [f"did {each.plan.action} {each.plan.target}: {each.result or 'unknown'}" for each in self.changes]
        return "\n".join([*lines, *(f"left: {each}" for each in self.left)])

    def _repr_markdown_(self) -> str:
        return "\n".join(f"- {cell(line)}" for line in repr(self).splitlines())
