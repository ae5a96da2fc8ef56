"""
The policy as pages: a card for each severity and role, the communication schedule, the ladder.

They are made from the same tables that the clocks run by, when the site is built, so that no page can say another time.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from firstwatch.model import Severity, cell, table
from firstwatch.policy.clocks import MANAGEMENT, spoken
from firstwatch.policy.tables import Checklist, Criterion, Level, Limit, Policy, Role, Term

Pages = dict[str, tuple[str, str]]  # path below the site: title and text


def pages(policy: Policy) -> Pages:
    """Return every page that the policy makes, by its path."""
    found = {f"severities/{severity.lower()}.md": _severity(policy, severity) for severity in policy.levels}
    found |= {f"roles/{name}.md": _role(name, role) for name, role in policy.roles.items()}
    found["reference/triage.md"] = ("Triage", _triage(policy))
    found["reference/communication-schedule.md"] = ("Communication schedule", _schedule(policy))
    found["reference/escalation.md"] = ("Escalation", _escalation(policy))
    found["reference/checklists.md"] = ("Checklists", _checklists(policy))
    return found


def _page(title: str, first: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", first, *(part for part in parts if part))) + "\n"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {cell(each)}" for each in lines)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def within(term: Term | None) -> str:
    """Return *term* as the clock runs: `30 minutes`, `at once`, `next business day`; a dash when there is none."""
    if isinstance(term, timedelta):
        return spoken(term) if term else "at once"
    return term or "-"


def _severity(policy: Policy, severity: Severity) -> tuple[str, str]:
    level = policy.levels[severity]
    title = f"{severity}: {level.name}"
    first = f"What makes an incident a {severity}, and by when who is told."
    clocks = table(("Clock", "The procedures say", "Runs"), _clocks(policy, severity, level))
    return title, _page(
        title,
        first,
        f"**Response time**: {cell(level.response)}",
        f"**Escalation**: {cell(level.escalation)}",
        _section("Criteria", _rules(level.criteria)),
        _section("Examples", _rules(level.examples)),
        _section("Added, where the procedures leave a gap", _rules(level.added)),
        _section("Clocks", clocks),
        "All run from the declaration, if nothing else is said. `firstwatch status` shows them.",
    )


def _rules(rules: tuple[Criterion, ...]) -> str:
    rows = [(each.text, _evidence(each), each.id) for each in rules]
    return table(("What", "Fires by", "Rule"), rows) if rows else ""


def _evidence(rule: Criterion) -> str:
    seen = f", or {' or '.join(rule.seen)} seen" if rule.seen else ""
    if rule.answer:
        return f"--answer {rule.answer}=yes{seen}"
    limit = f"above {rule.over:g}" if rule.over is not None else f"{rule.least:g} or above"
    return f"{rule.metric} {limit}{seen}"


def _clocks(policy: Policy, severity: Severity, level: Level) -> Iterator[tuple[str, str, str]]:
    yield "acknowledge", level.response, within(level.within)
    said = policy.schedule[severity]
    named = {
        "first-response": said.initial, "update": said.update,
        "status-page": said.status_page, "customer-email": said.customer_email,
    }  # fmt: skip
    yield from ((name, limit.text, _runs(policy, severity, limit)) for name, limit in named.items())
    notices = policy.notices[severity]
    for whom in MANAGEMENT:
        limit = getattr(notices, whom)
        yield f"notify-{whom}", limit.text, within(limit.within)
    for name, rung in policy.ladder.levels.items():
        if severity in rung.after:
            yield f"escalate-{name.lower()}", rung.text[0], f"{within(rung.after[severity])} after the level below"
    if severity in policy.monitoring:
        yield "monitor", policy.monitoring[severity].text, within(policy.monitoring[severity].within)
    if severity in policy.post_mortem.within:
        yield (
            "post-mortem",
            policy.post_mortem.text,
            f"{within(policy.post_mortem.within[severity])} from the resolution",
        )


def _runs(policy: Policy, severity: Severity, limit: Limit) -> str:
    every = policy.schedule[severity].update.within
    if limit.extended and isinstance(every, timedelta):
        return (
            f"{spoken(every * policy.extended.update_periods)}: beyond {policy.extended.update_periods} update periods"
        )
    return within(limit.within)


def _role(name: str, role: Role) -> tuple[str, str]:
    owed = [f"{severity}: filled within {within(term)}" for severity, term in role.within.items()]
    first = f"{role.extended}." if role.extended else "What this role does, and who may hold it."
    return role.name, _page(
        role.name,
        first,
        _section("Responsibilities", _bullets(role.responsibilities)),
        _section("Selection criteria", _bullets(role.selection)),
        _section("Suggested by", _bullets(tuple(_suggested(role)))),
        _section("Alarm when nobody holds it", _bullets(tuple(owed))),
        _section(
            "Take it, pass it on", f"    firstwatch assign {name} PERSON\n    firstwatch hand-over {name} --to PERSON"
        ),
    )


def _suggested(role: Role) -> Iterator[str]:
    yield from (f"the flag {each}" for each in role.suggested_by)
    yield from (f"what was assessed: {each}" for each in role.suggested_by_impact)
    yield from ("an incident that is extended",) if role.suggested_when_extended else ()


def _triage(policy: Policy) -> str:
    asked = [(each.question, f"{each.answer}=yes", each.yes) for each in (*policy.triage.first, *policy.triage.tree)]
    rows = [*asked, ("None of these", "", policy.triage.otherwise), ("Nothing is known", "", policy.triage.unknown)]
    return _page(
        "Triage",
        "The first yes decides the tree. The most severe of tree, criteria and metrics is proposed.",
        table(("Question", "Answer", "Severity"), rows),
        _section("How it is noticed", _bullets(policy.triage.sources)),
    )


def _schedule(policy: Policy) -> str:
    rows = [
        (severity, *(f"{each.text}" for each in (s.initial, s.update, s.status_page, s.customer_email)))
        for severity, s in policy.schedule.items()
    ]
    periods = policy.extended.update_periods
    extended = [
        (severity, name, _runs(policy, severity, limit))
        for severity, said in policy.schedule.items()
        for name, limit in (("status page", said.status_page), ("customer e-mail", said.customer_email))
        if limit.extended
    ]
    return _page(
        "Communication schedule",
        "What is told outside of the team, by when. The next update counts from the last one.",
        table(("Severity", "Initial response", "Update frequency", "Status page", "Customer e-mail"), rows),
        _section(f"Extended: beyond {periods} update periods", table(("Severity", "What", "Owed after"), extended)),
    )


def _escalation(policy: Policy) -> str:
    rungs = [(name, " + ".join(rung.who), "; ".join(rung.text)) for name, rung in policy.ladder.levels.items()]
    notices = [
        (severity, *(getattr(said, whom).text for whom in MANAGEMENT)) for severity, said in policy.notices.items()
    ]
    outside = [(each.name, each.text, each.flag, within(each.within)) for each in policy.external.values()]
    counted = "the arrival at the level below" if policy.ladder.count_from == "arrival" else "the declaration"
    return _page(
        "Escalation",
        "Who is fetched when it does not get better, and who only has to know. Both run: a notice is no escalation.",
        _section("The ladder", table(("Level", "Who", "When"), rungs)),
        _bullets(_impacts(policy)),
        f"Its clocks count from {counted}, and stop at the resolution. Nobody has to wait for them:",
        "    firstwatch escalate --reason TEXT",
        _section("Management", table(("Severity", "Manager", "Director", "Executive"), notices)),
        "    firstwatch notify manager --how phone",
        _section("Outside", table(("Whom", "The procedures say", "Flag", "Within"), outside)),
        "    firstwatch flag breach --reason TEXT",
    )


def _impacts(policy: Policy) -> Iterator[str]:
    for name, rung in policy.ladder.levels.items():
        if rung.suggested_by_impact:
            costs = " or ".join(rung.suggested_by_impact)
            yield f"{name} is suggested when {costs} was assessed, and climbed to by hand alone."


def _checklists(policy: Policy) -> str:
    return _page(
        "Checklists",
        "What ticks itself from the record, and what a person ticks: `firstwatch check`.",
        *(_section(each.title, _lines(each)) for each in policy.checklists.values()),
    )


def _lines(checklist: Checklist) -> str:
    rows = [(each.text, each.by or "a person", each.id) for each in checklist.lines]
    return table(("Line", "Ticked by", "Name"), rows)
