"""
The initial documentation: what the record says of an incident right after it, as Markdown, made and never written.

It has the procedures' five parts, and says how complete it is. What somebody else wrote is escaped by `model.cell`.
"""

from collections.abc import Iterator
from datetime import datetime

from firstwatch.model import cell, table
from firstwatch.policy.checklists import Tick
from firstwatch.policy.course import course
from firstwatch.policy.facts import Facts
from firstwatch.record.closing import Closing
from firstwatch.record.incident import Entry, Incident

# Kinds whose line tells nothing that another does not, of what happened or of who did it.
QUIET = (
    "cell",
    "measured",
    "attached",
    "gate",
    "planned",
    "delivering",
    "message",
    "reminded",
    "opened",
    "run-started",
)


def documentation(incident: Incident, closing: Closing) -> str:
    """Return the initial documentation of *incident*."""
    parts = {
        "timeline": _timeline(incident),
        "actions": _actions(incident),
        "members": _members(incident.people),
        "impact": _impact(incident),
        "preliminary-cause": cell(incident.people.cause()) or "Not known yet.",
    }
    head = f"# Initial documentation of incident {incident.id}\n\n{closing.completeness} % complete."
    return "\n\n".join([head, *(_part(each, parts.get(each.id, "")) for each in closing.documentation)]) + "\n"


def _part(line: Tick, text: str) -> str:
    missing = "" if line.ticked else f"**Missing**: {cell(line.how)}\n\n"
    return f"## {cell(line.text)}\n\n{missing}{text}".rstrip()


def _timeline(incident: Incident) -> str:
    keys = [(_time(each.at), each.text, each.source) for each in course(incident.people)]
    told = [(_time(each.time), each.who, each.text) for each in notable(incident)]
    return f"{table(('Time (UTC)', 'Key moment', 'Source'), keys)}\n\n{table(('Time (UTC)', 'Who', 'What'), told)}"


def notable(incident: Incident) -> Iterator[Entry]:
    """Yield the lines of the timeline that tell something of their own."""
    return (each for each in incident.timeline if each.kind not in QUIET)


def _actions(incident: Incident) -> str:
    changes = [(_time(each.at), f"{each.plan.action} of {each.plan.target}", each.by, f"{each.result or 'not known'}")
               for each in incident.changes]  # fmt: skip
    said = [(_time(each.at), f"update {each.number}: {each.actions or each.summary}", each.by, each.status)
            for each in incident.people.updates]  # fmt: skip
    rows = sorted([*changes, *said])
    return table(("Time (UTC)", "What", "Who", "Outcome"), rows) if rows else "None was recorded."


def _members(facts: Facts) -> str:
    rows = [(role, person) for role, person in facts.roles.items()]
    seen = {each.by for each in facts.moments() if each.by} - {person for _, person in rows}
    return table(("Role", "Who"), [*rows, *(("took part", each) for each in sorted(seen))])


def _impact(incident: Incident) -> str:
    said = [(name, getattr(found, name), found.source) for name in ("customers", "money", "reputation")
            if (found := incident.people.assessed(name))]  # fmt: skip
    return table(("What", "How much", "Source"), [("felt", incident.impact or "not stated", "as declared"), *said])


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
