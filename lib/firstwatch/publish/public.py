"""
A record for anybody to read: what customers were told, and when it began and ended. Nothing else of it.

No title, name, finding, change or time of ours: only texts that a person approved and that were delivered. The page
stands alone: it runs nothing and fetches nothing.
"""

import base64
import hashlib
import html
from collections.abc import Iterator
from datetime import datetime

from firstwatch.errors import GateClosed
from firstwatch.publish.fragment import rendered
from firstwatch.record.incident import Incident
from firstwatch.record.messages import NEEDED, Message
from firstwatch.record.redact import redacted
from firstwatch.text import visible

STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#1b1b1f;background:#fff}"
    "pre{white-space:pre-wrap;font:inherit;border-left:.25rem solid #c5cae9;padding-left:1rem}"
    "@media(prefers-color-scheme:dark){body{color:#e4e4e8;background:#1b1b1f}}"
)
STATES = {"resolved": "resolved", "closed": "resolved", "monitoring": "a fix is in place, and is watched"}


def page(incident: Incident) -> str:
    """
    Return the public page of *incident*, HTML that needs no other file.

    Raises:
        GateClosed: Texts are held back until somebody releases them.
    """
    if incident.people.held_back:
        raise GateClosed(f"texts of incident {incident.id} are held back; firstwatch release lets them go")
    body = rendered("\n\n".join(_parts(incident)) + "\n").html
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = html.escape(f"Incident {incident.id}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body><main>\n{body}</main></body></html>\n"
    )


def _parts(incident: Incident) -> Iterator[str]:
    yield f"# Incident {incident.id}"
    if incident.practice:
        yield "**Practice.** This did not happen to customers."
    yield f"State: {STATES.get(incident.status, 'we are working on it')}."
    yield _times(incident)
    shown = [each for each in incident.messages if _public(each)]
    yield "## What was said" if shown else "Nothing was said to customers."
    for each in shown:
        assert each.delivered_at is not None
        yield f"### {_minute(each.delivered_at)}"
        yield "\n".join(f"    {visible(line)}" for line in str(redacted(each.text)).splitlines())


def _public(message: Message) -> bool:
    return message.delivered_at is not None and message.approval not in ("none", NEEDED)


def _times(incident: Incident) -> str:
    began, ended = incident.declared_at or incident.opened_at, incident.resolved_at
    said = [f"began {_minute(began)}" if began else "", f"ended {_minute(ended)}" if ended else ""]
    return ", ".join(filter(None, said)).capitalize().replace("utc", "UTC") + "."


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
