"""
Will it stick? What would take a change back, or keep it from happening, as findings.

BAD closes the gate: the change would be reverted by its owner, or would not take place. It says what works instead.
"""

from firstwatch.model import Finding, Findings, Json, Target, Verdict

# Marks that a GitOps controller leaves on what it owns, and who leaves them.
OWNERS = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def sticks(found: Json, target: Target) -> Findings:
    """Return whether a change to *found* would last: its GitOps owner, and whether its rollouts are paused."""
    return Findings((_owned(found, target), *_paused(found, target)))


def _owned(found: Json, target: Target) -> Finding:
    marks = {**found["metadata"].get("labels", {}), **found["metadata"].get("annotations", {})}
    owner = next((who for mark, who in OWNERS.items() if mark in marks), "")
    if not owner:
        return _says(target, Verdict.OK, "no GitOps controller owns it")
    return _says(
        target, Verdict.BAD, f"{owner} owns it and would put it back; pause its sync first, or change it there"
    )


def _paused(found: Json, target: Target) -> tuple[Finding, ...]:
    if not found.get("spec", {}).get("paused"):
        return ()
    return (_says(target, Verdict.BAD, "its rollouts are paused, so nothing would happen; resume them first"),)


def _says(target: Target, verdict: Verdict, observed: str) -> Finding:
    return Finding(
        probe="will-it-stick", verdict=verdict, object=str(target), expected="the change lasts", observed=observed
    )
