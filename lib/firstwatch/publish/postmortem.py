"""
The post-mortem: the procedures' report, heading for heading, filled with what the record knows.

Parts that the record knows are made anew each time (`marked`); the rest belongs to people. What only people know stands
as the procedures' own placeholder until somebody says it: typed as a fact, or written into the file. The linter lets no
placeholder through. Nobody is named but in the table of roles.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.channels.lint import Complaint
from firstwatch.model import Severity, cell, escaped, table
from firstwatch.policy import assessment, course, sla
from firstwatch.policy.checklists import Tick, ticks
from firstwatch.policy.duties import Duty, duties
from firstwatch.policy.facts import Conclusion, Facts, Item
from firstwatch.policy.story import Line, story
from firstwatch.policy.tables import Policy
from firstwatch.publish import agenda
from firstwatch.publish.marked import part, renewed
from firstwatch.publish.pages import title
from firstwatch.publish.proofread import proofread
from firstwatch.record.incident import Incident
from firstwatch.record.redact import redacted
from firstwatch.settings import Sla

FILE = "post-mortem.md"
DRAFT, FINAL = "draft", "final"
FOLLOW_UP = ("track-action-items", "share-learnings", "update-procedures")
SERIOUS = (Severity.SEV1, Severity.SEV2)
# What people say, by its part: the heading that it stands under, and the placeholder that it takes the place of.
SLOTS = {
    "direct": ("### Direct Cause", "[Immediate technical cause]"),
    "factor": ("### Contributing Factors", "- Factor 1\n- Factor 2\n- Factor 3"),
    "safeguards": (
        "### Why Existing Safeguards Failed",
        "[Analysis of why current monitoring, alerts, etc. didn't prevent or catch this earlier]",
    ),
    "well": ("### What Went Well", ""),
    "improve": ("### What Could Be Improved", ""),
    "lesson": ("## Lessons Learned", "1. Lesson 1\n2. Lesson 2\n3. Lesson 3"),
}
ORDER = (
    "# ", "state", "## Incident Summary", "summary", "## Timeline", "timeline", "## Impact Assessment", "impact",
    "## Root Cause Analysis", "### Direct Cause", "### Contributing Factors", "### Why Existing Safeguards Failed",
    "## Response Assessment", "response", "### What Went Well", "went-well", "### What Could Be Improved",
    "could-be-improved", "## Action Items", "action-items", "## Lessons Learned", "## Meeting Agenda", "agenda",
    "## Follow-Up Actions", "follow-up",
)  # fmt: skip
_LINK = re.compile(r"https?://[^\s()<>\[\]|\"'`\\]+")
_WEB = re.compile(rf"^{_LINK.pattern}$")


@dataclass(frozen=True, slots=True)
class Version:
    """
    A text of the report. `kept` are made parts that somebody has edited since: theirs. `gone` are made parts that the
    file no longer has, and `lost` is what was said for a section that it no longer has.
    """

    text: str
    kept: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a post-mortem is made from."""

    incident: Incident
    policy: Policy
    promise: Sla | None
    now: datetime

    @property
    def facts(self) -> Facts:
        return self.incident.people

    @property
    def after(self) -> dict[str, timedelta]:
        """Return how long after the detection each later key moment came."""
        return course.between(self.facts)

    @property
    def duties(self) -> tuple[Duty, ...]:
        return duties(self.policy, self.facts, self.now)

    def written(self, state: str) -> str:
        """Return the whole report as a new file, in *state*, with everything that people have said."""
        parts = self.parts(state)
        lines = [_parts_or_heading(each, self.incident, parts) for each in ORDER]
        text = "\n\n".join(lines) + "\n"
        for said in self.facts.conclusions:
            text = told(text, said)
        return text

    def version(self, before: str, state: str) -> Version:
        """Return the report anew: what people wrote in *before* stays, and what was said since is added."""
        if not before:
            return Version(self.written(state))
        fresh = renewed(before, self.parts(state))
        text, lost = fresh.text, []
        for said in self._since():
            text = told(text, said)
            lost += [said.text] if said.part in SLOTS and linked(said.text) not in text else []
        return Version(text, fresh.kept, fresh.gone, tuple(lost))

    def _since(self) -> Iterable[Conclusion]:
        """Return what was concluded since the last version: the file has the rest, or somebody took it out."""
        last = self.facts.written[-1].at if self.facts.written else None
        return (each for each in self.facts.conclusions if last is None or each.at > last)

    @property
    def names(self) -> set[str]:
        """Return who took part."""
        return {*self.facts.roles.values(), *(each.by for each in self.facts.moments() if each.by)}

    def complaints(self, text: str) -> tuple[Complaint, ...]:
        """Return why *text* cannot be final yet."""
        held = any(each.state == "held" for each in self.facts.meetings)
        found = [*proofread(text, self.incident.severity, self.names, self.now)]
        if self.incident.severity in SERIOUS and not held:
            found.append(Complaint("meeting", "not held", "firstwatch postmortem --held TIME"))
        if redacted(text) != text:
            found.append(Complaint("secret", "a part of it looks like one", "take it out: the site would not show it"))
        return tuple(found)

    def parts(self, state: str) -> dict[str, str]:
        """Return the parts that are made, by their names."""
        response, informed = assessment.assess(self.duties), assessment.updates(self.duties)
        return {
            "state": _state(self.incident, state, self.policy.principles),
            "summary": self._summary(),
            "timeline": _timeline(self.facts),
            "impact": self._impact(),
            "response": self._response(),
            "went-well": _bullets(response.well) or self._nothing_well(),
            "could-be-improved": _bullets(response.improve) or "No clock was missed.",
            "action-items": _items(self.facts, self.incident.severity),
            "agenda": agenda.agenda(self.policy, self.facts, response, informed),
            "follow-up": "\n\n".join(self._follow_up()),
        }

    def _nothing_well(self) -> str:
        said = any(each.part == "well" for each in self.facts.conclusions)
        return "No clock was met in time." if said else "- [what went well]"

    def _summary(self) -> str:
        begun = course.course(self.facts)
        date = f"{begun[0].at:%Y-%m-%d}" if begun else "YYYY-MM-DD"
        cause = self.facts.cause()
        lines = {
            "Date": date,
            "Duration": hours(course.lasted(self.facts, self.now)),
            "Severity": self.incident.severity or "SEV#",
            "Impact": escaped(self.incident.impact) or "[Brief impact description]",
            "Root Cause": escaped(cause) or "[One-line root cause]",
        }
        return _labelled(lines)

    def _impact(self) -> str:
        known = {what: _assessed(self.facts, what) for what in ("customers", "money", "reputation")}
        outage = course.lasted(self.facts, self.now)
        promise = sla.spent(self.promise, outage, self.incident.severity) if self.promise else None
        lines = {
            "Customers Affected": known["customers"] or "[Number/percentage]",
            "Financial Impact": known["money"] or "[Revenue loss estimate]",
            "SLA Impact": str(promise) if promise else "no target is set, so none is reckoned",
            "Reputation Impact": known["reputation"] or "[Customer complaints, social media]",
        }
        return _labelled(lines)

    def _response(self) -> str:
        roles = [(self.policy.roles[role].name if role in self.policy.roles else role, who)
                 for role, who in self.facts.roles.items()]  # fmt: skip
        done = [(f"{each.at:%H:%M}", f"{each.plan.action} of {each.plan.target}", each.result or "not known")
                for each in self.incident.changes]  # fmt: skip
        said = [table(("Role", "Who"), roles) if roles else "Nobody was assigned a role."]
        return "\n\n".join(
            [*said, table(("Time (UTC)", "Change", "Outcome"), done) if done else "Nothing was changed."]
        )

    def _by(self, tick: Tick) -> str:
        """Return by what *tick* is ticked, or the command that ticks it."""
        if tick.ticked or "firstwatch " not in tick.how:
            return linked(tick.how)
        _, _, command = tick.how.partition("firstwatch ")
        return f"`firstwatch {command} -i {self.incident.id}`"

    def _follow_up(self) -> Iterator[str]:
        for name in FOLLOW_UP:
            found = ticks(self.policy, self.facts, self.incident.findings, name)
            lines = [f"- [{'x' if e.ticked else ' '}] {escaped(e.text)}: {self._by(e)}" for e in found]
            yield "\n".join([f"**{escaped(self.policy.checklists[name].title)}**", "", *lines])


def _parts_or_heading(entry: str, incident: Incident, parts: Mapping[str, str]) -> str:
    """Return what stands in the place *entry* of a new report: its title, a heading with its placeholder, or a part."""
    if entry == "# ":
        return f"# Post-Mortem: {title(incident)}"
    slot = next((placeholder for heading, placeholder in SLOTS.values() if heading == entry), "")
    if entry.startswith("#"):
        return f"{entry}\n\n{slot}" if slot else entry
    return part(entry, parts[entry])


def told(text: str, said: Conclusion) -> str:
    """Return *text* with what somebody concluded: in the place of the placeholder, else at the end of its section."""
    if said.part not in SLOTS:
        return text  # the one-line cause is in a part
    heading, placeholder = SLOTS[said.part]
    section = re.compile(rf"(^{re.escape(heading)}\n)(.*?)(?=^#{{1,3}} |\Z)", re.DOTALL | re.MULTILINE)

    def added(found: re.Match[str]) -> str:
        before = found[2].strip("\n")
        if linked(said.text) in before:
            return found[0]  # it is there: a program died after it had written the file
        left = before.replace(placeholder, "").strip("\n") if placeholder else before
        gap = "\n" if left and _listed(left.splitlines()[-1]) else "\n\n" if left else ""
        return f"{found[1]}\n{left}{gap}{_entry(said, left)}\n\n"

    return section.sub(added, text, count=1).rstrip("\n") + "\n"


def _entry(said: Conclusion, before: str) -> str:
    if said.part in ("direct", "safeguards"):
        return linked(said.text)
    if said.part == "lesson":
        return f"{1 + len(re.findall(r'^[0-9]+[.] ', before, re.MULTILINE))}. {linked(said.text)}"
    return f"- {linked(said.text)}"


def _listed(line: str) -> bool:
    return bool(re.match(r"- |[0-9]+[.] ", line))


def linked(text: str) -> str:
    """Return *text* for Markdown, none of it markup, but for its web addresses: they can be followed."""
    parts = re.split(f"({_LINK.pattern})", text)
    return "".join(f"<{each}>" if _WEB.match(each) else escaped(each) for each in parts)


def _state(incident: Incident, state: str, principles: Iterable[str]) -> str:
    practice = ["> **Practice.** This happened in a game day.", ""] if incident.practice else []
    kept = escaped(", ".join(principles))
    return "\n".join(
        [*practice, f"**{escaped(state.capitalize())}**. Record [{incident.id}](page.md). Principles: {kept}."]
    )


def _timeline(facts: Facts) -> str:
    lines = story(facts)
    days = len({each.at.date() for each in lines})
    found = table(("Time (UTC)", "Event"), [(_moment(each, days), each.text) for each in lines])
    spans = [f"{name} {hours(span)} after it" for name, span in course.between(facts).items()]
    return "\n\n".join([found, f"From the detection: {', '.join(spans)}." if spans else "Nothing of it is over yet."])


def _moment(line: Line, days: int) -> str:
    return f"{line.at:%Y-%m-%d %H:%M}" if days > 1 else f"{line.at:%H:%M}"


def _assessed(facts: Facts, what: str) -> str:
    found = facts.assessed(what)
    return f"{escaped(getattr(found, what))} (source: {escaped(found.source)})" if found else ""


def _items(facts: Facts, severity: str) -> str:
    rows = [_row(each, facts.filed.get(each.id, "")) for each in facts.todo]
    if not rows and severity in SERIOUS:
        rows = ["| [Action] | [Owner] | YYYY-MM-DD | [Priority] |"]
    head = ["| Action | Owner | Due Date | Priority |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) if rows else "None."


def _row(item: Item, ticket: str) -> str:
    notes = filter(None, (item.state, _named(ticket, "ticket"), _named(item.evidence, "what shows it")))
    return f"| {cell(item.action)} ({', '.join(notes)}) | {cell(item.owner)} | {item.due} | {cell(item.priority)} |"


def _named(address: str, name: str) -> str:
    """Return a link called *name*, so that a long address makes no table wide; what is no address stands as it is."""
    return f"[{name}](<{address}>)" if _WEB.match(address) else escaped(address)


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {escaped(each)}" for each in lines)


def _labelled(lines: Mapping[str, str]) -> str:
    return "\n".join(f"- **{name}**: {text}" for name, text in lines.items())


def hours(span: timedelta) -> str:
    """Return *span* in the report's own words: `1 hours 4 minutes`; in seconds below a minute."""
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} hours {minutes % 60} minutes" if minutes else f"{round(span.total_seconds())} seconds"
