"""What was merged of late, by a clone of the code; an old clone does not say that nothing was."""

from datetime import datetime, timedelta

from firstwatch.model import Findings, Verdict, clock_time
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems, git

WINDOW = timedelta(hours=2)
FRESH = timedelta(minutes=15)
SHOWN = 5


@probe(
    "What was merged?",
    about="Repository//",
    expected="no merge just before the harm",
    command="git fetch && git log --oneline --since='2 hours ago'",
    setting="git.folder",
)
def merges(self: Probe, systems: Systems, now: datetime) -> Findings:
    named = systems.settings.git
    found = git.history(systems.deck, named.folder, named.branch)
    recent = [each for each in found.commits if now - each.at <= WINDOW]
    heard = (
        f"the clone heard of its origin at {found.fetched:%Y-%m-%d} {clock_time(found.fetched)}"
        if found.fetched
        else ("the clone never heard of its origin")
    )
    fresh = found.fetched is not None and now - found.fetched <= FRESH
    if not recent:
        said = f"nothing in 2 hours; {heard}"
        return self.ok(systems, said) if fresh else self.unknown(systems, said, next="git fetch", mechanism="blind")
    return Findings(
        self.says(
            systems.settings.service, Verdict.OK, f"{each.subject} ({each.author}); {heard}",
            object=f"Repository//{each.sha[:12]}", since=each.at,
        )
        for each in recent[:SHOWN]
    )  # fmt: skip
