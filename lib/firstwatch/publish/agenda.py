"""The agenda of a post-mortem's meeting: the procedures' parts and minutes, with what is known already beside each."""

from collections.abc import Iterable, Mapping

from firstwatch.model import escaped
from firstwatch.policy.assessment import Assessment
from firstwatch.policy.course import course
from firstwatch.policy.facts import Facts
from firstwatch.policy.tables import Policy

# What to ask where the record does not know. They ask what and how, never who.
PROMPTS = {
    "Timeline overview": "What is missing from the timeline?",
    "Impact assessment": "What did customers feel, and how do we know?",
    "Key decisions made": "What was decided on, and what was known at that moment?",
    "Root cause analysis": "What changed before it began? What made that possible?",
    "Contributing factors": "What made it likelier, worse or longer?",
    "Why existing safeguards didn't prevent the incident": "Which test, alert or limit was to catch it?",
    "What went well": "What do we want to do again?",
    "What could be improved": "Where did we wait, guess or do by hand what could be ready?",
    "Communication effectiveness": "Who learned of it too late, or from somebody else?",
    "Preventive measures": "What makes this impossible?",
    "Process improvements": "What makes the next one shorter?",
    "Follow-up tasks": "What was put off during the incident?",
    "Owners and deadlines": "Does each item have one owner and a date?",
    "Key takeaways": "What do we know now that we did not before?",
    "Knowledge sharing opportunities": "Who else runs something like it?",
}


def agenda(policy: Policy, facts: Facts, response: Assessment, informed: Assessment) -> str:
    """Return the agenda as Markdown, with its times from the beginning."""
    known, begun, lines = _known(facts, response, informed), 0, []
    for number, each in enumerate(policy.post_mortem.agenda, 1):
        ends = begun + each.minutes
        lines.append(f"{number}. **{escaped(each.part)}** ({each.minutes} minutes, {begun:02}–{ends:02})")
        lines += [f"    - {escaped(point)}: {_prompt(point, known)}" for point in each.points]
        begun = ends
    return "\n".join([f"{begun} minutes in all.", "", *lines])


def _prompt(point: str, known: Mapping[str, str]) -> str:
    said = known.get(point, "")
    return f"{escaped(said)}{' ' if said else ''}*{PROMPTS.get(point, 'What is to say?')}*"


def _known(facts: Facts, response: Assessment, informed: Assessment) -> dict[str, str]:
    steps = ", ".join(f"{each.id} {each.at:%H:%M}" for each in course(facts))
    customers, open_ = facts.assessed("customers"), [each for each in facts.todo if each.state == "open"]
    return {
        "Timeline overview": f"{steps}." if steps else "",
        "Impact assessment": f"{customers.customers}." if customers else "",
        "Key decisions made": _several(each.reason for each in facts.mitigations),
        "Root cause analysis": f"{facts.cause()}." if facts.cause() else "",
        "What went well": _share(response, "clocks were met"),
        "What could be improved": _several(each.split(". ")[0] for each in response.improve[:3]),
        "Communication effectiveness": _share(informed, "updates came in time"),
        "Owners and deadlines": f"{len(open_)} open." if open_ else "",
    }


def _share(found: Assessment, what: str) -> str:
    return f"{found.in_time} of {found.judged} {what}." if found.judged else ""


def _several(texts: Iterable[str]) -> str:
    said = "; ".join(texts)
    return f"{said}." if said else ""
