"""The meeting of a post-mortem as a calendar's entry (iCalendar, RFC 5545), which any calendar takes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from firstwatch.policy.tables import Policy
from firstwatch.publish.pages import title
from firstwatch.record.incident import Incident

FILE = "attachments/post-mortem.ics"
LONGEST = 73  # octets of a line before it is folded, its end not counted


def invitation(policy: Policy, incident: Incident, at: datetime, now: datetime) -> str:
    """Return the entry of the meeting *at* that moment, UTC; a later one of the same incident takes its place."""
    minutes = sum(each.minutes for each in policy.post_mortem.agenda)
    parts = ", ".join(f"{each.part} {each.minutes} min" for each in policy.post_mortem.agenda)
    before = sum(each.state == "scheduled" for each in incident.people.meetings)
    practice = "Practice: " if incident.practice else ""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Firstwatch//post-mortem//EN", "BEGIN:VEVENT",
        f"UID:post-mortem-{incident.id}@firstwatch", f"SEQUENCE:{max(0, before - 1)}", f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(at)}", f"DTEND:{_utc(at + timedelta(minutes=minutes))}",
        f"SUMMARY:{_text(f'{practice}Post-mortem of {incident.severity} {title(incident)}')}",
        f"DESCRIPTION:{_text(f'Incident {incident.id}. {parts}.')}", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _utc(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    for special in "\\;,":
        words = words.replace(special, f"\\{special}")
    return words


def _folded(line: str) -> Iterator[str]:
    """Yield *line* in pieces that a calendar puts together again: each but the first begins with a space."""
    piece = ""
    for letter in line:
        if len(f"{piece}{letter}".encode()) > LONGEST:
            yield piece
            piece = " "
        piece += letter
    yield piece
