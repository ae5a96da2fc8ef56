"""
What a post-mortem must not say, and what it must: a look at its text before it is final. Pure.

Blame: words of fault, and fault beside the name of somebody who took part. Placeholders that nobody filled. A timeline
that goes back, runs ahead of now, or lacks a key moment. Headings of the procedures that are not there. For SEV1 and
SEV2 a cause, factors and safeguards that somebody wrote of. It finds shapes, not meanings: a person reads it too.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from firstwatch.channels.lint import Complaint
from firstwatch.model import Severity
from firstwatch.policy.course import WORDS
from firstwatch.publish.blame import blame
from firstwatch.publish.marked import MARK

HEADINGS = (
    "# Post-Mortem: ", "## Incident Summary", "## Timeline", "## Impact Assessment", "## Root Cause Analysis",
    "### Direct Cause", "### Contributing Factors", "### Why Existing Safeguards Failed", "## Response Assessment",
    "### What Went Well", "### What Could Be Improved", "## Action Items", "## Lessons Learned",
)  # fmt: skip
LABELS = (
    "Date", "Duration", "Severity", "Impact", "Root Cause", "Customers Affected", "Financial Impact", "SLA Impact",
    "Reputation Impact",
)  # fmt: skip
ANALYSIS = ("### Direct Cause", "### Contributing Factors", "### Why Existing Safeguards Failed")
LEAST_LETTERS = 10
# What fills a placeholder of the template, as options of `firstwatch postmortem`.
OPTIONS = {
    "[One-line root cause]": "--cause TEXT",
    "[Number/percentage]": "--customers TEXT --source WHO",
    "[Revenue loss estimate]": "--money TEXT --source WHO",
    "[Customer complaints, social media]": "--reputation TEXT --source WHO",
    "[Immediate technical cause]": "--direct TEXT",
    "- Factor 1": "--factor TEXT",
    "[Analysis of why current monitoring, alerts, etc. didn't prevent or catch this earlier]": "--safeguards TEXT",
    "- [what went well]": "--well TEXT",
    "1. Lesson 1": "--lesson TEXT",
    "[Action]": "firstwatch action TEXT --owner NAME --due DATE",
}
GENERIC = "fill it, or say that it is none"
SKEW = timedelta(minutes=1)

_PLACEHOLDER = re.compile(
    r"(?<![\\\w\]])\[(?![ xX]\])[^\]\[\n]{1,100}\](?![(\[:])|\b(?:YYYY-MM-DD|HH:MM|TBD|TODO|FIXME|XXX+)\b|\bSEV#|\?\?\?"
    r"|\bX hours Y minutes\b|^- Factor \d+(?:\n- Factor \d+)*$|^\d+\. Lesson \d+(?:\n\d+\. Lesson \d+)*$|^[-*]\s*$"
    r"|\{\{[^{}\n]*\}\}",
    re.MULTILINE,
)
_ROW = re.compile(r"^\|\s*(?:(\d{4}-\d\d-\d\d)\s+)?(\d{1,2}):(\d\d)(?::\d\d)?\s*\|(.*)$", re.MULTILINE)


def proofread(text: str, severity: str, names: Iterable[str], now: datetime) -> tuple[Complaint, ...]:
    """
    Return what is wrong with the post-mortem *text*; nothing when it may be final.

    Args:
        text: Markdown, as in the file.
        severity: For SEV1 and SEV2 the analysis is required.
        names: Of those who took part: beside a fault's word, a name is blame.
        now: No moment of the timeline is later.
    """
    shown = MARK.sub("", text)
    found = [*_missing(shown), *_unfilled(shown), *_blame(shown, names), *_times(shown, now)]
    return tuple(dict.fromkeys([*found, *(_analysis(shown) if severity in (Severity.SEV1, Severity.SEV2) else ())]))


def _missing(text: str) -> Iterator[Complaint]:
    lines, last = [line.rstrip() for line in text.splitlines()], -1
    for heading in HEADINGS:
        places = [n for n, line in enumerate(lines) if _same(line, heading)]
        if not places:
            yield Complaint("heading", heading.strip(), "put it back: the report has all of them")
        elif places[0] < last:
            yield Complaint("heading", heading.strip(), "it stands before the one that it follows")
        last = max(last, places[0] if places else -1)
    for label in LABELS:
        if not re.search(rf"^- \*\*{label}\*\*: *\S", text, re.MULTILINE):
            yield Complaint("field", label, "it is missing or empty")


def passage(text: str, names: Iterable[str]) -> tuple[Complaint, ...]:
    """Return what is wrong with *text* that is about to be put into a post-mortem: blame, and what is no text yet."""
    return (*_unfilled(text), *_blame(text, names))


def _same(line: str, heading: str) -> bool:
    return line.startswith(heading) and len(line) > len(heading) if heading.endswith(" ") else line == heading


def _unfilled(text: str) -> Iterator[Complaint]:
    """Yield the placeholders that are left: one a line, and one for several lines of a list."""
    last = -1
    for each in _PLACEHOLDER.finditer(text):
        line = text.count("\n", 0, each.start())
        if line != last:
            found = each[0].strip().partition("\n")[0]
            yield Complaint("placeholder", found, OPTIONS.get(found, GENERIC))
        last = line


def _blame(text: str, names: Iterable[str]) -> Iterator[Complaint]:
    for each in blame(text, names):
        yield Complaint("blame", each, "say what happened and what made it possible, not whose fault it was")


def _times(text: str, now: datetime) -> Iterator[Complaint]:
    timeline = section(text, "## Timeline")
    moments = list(_moments(timeline, _day(text)))
    for (at, shown), (after, then) in pairwise(moments):
        if after < at:
            yield Complaint(
                "timeline",
                f"{shown}, {then}",
                "put it in the order of time; with the date if it lasted over midnight",
            )
    for at, shown in moments:
        if at > now + SKEW:
            yield Complaint("timeline", shown, "it is in the future")
    for words in WORDS.values():
        if words not in timeline:
            yield Complaint("timeline", words, "say when that was")


def _moments(timeline: str, day: date | None) -> Iterator[tuple[datetime, str]]:
    for found in _ROW.finditer(timeline):
        shown = f"{found[1] + ' ' if found[1] else ''}{found[2]}:{found[3]}"
        try:
            on = date.fromisoformat(found[1]) if found[1] else day or date.min
            yield datetime.combine(on, time(int(found[2]), int(found[3])), UTC), shown
        except ValueError:
            yield datetime.min.replace(tzinfo=UTC), shown  # 25:61 is no moment, so it is out of order


def _day(text: str) -> date | None:
    found = re.search(r"^- \*\*Date\*\*: (\d{4}-\d\d-\d\d)", text, re.MULTILINE)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _analysis(text: str) -> Iterator[Complaint]:
    for heading in ANALYSIS:
        if len(re.sub(r"[\W_]", "", section(text, heading))) < LEAST_LETTERS:
            yield Complaint("analysis", heading.lstrip("# "), "SEV1 and SEV2 need it: a sentence at least")


def section(text: str, heading: str) -> str:
    """Return what stands under *heading*, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}[ \t]*\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""
