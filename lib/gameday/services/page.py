"""What people would see, for a browser: chat, status page, pages, letters, tickets. Plain HTML, all escaped."""

from html import escape

from firstwatch.model import Json

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>What people see in this game day</title>
<style>
body { font: 1rem/1.4 sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: .3rem solid #999; padding: .3rem .8rem; }
.fault { color: #b00; } .when { color: #666; }
</style></head><body>
<h1>What people see in this game day</h1>
<p>These services are the game day's own, on this machine. Nothing here reaches anybody.</p>
"""


def render(told: Json) -> str:
    """Return the page of what `server.Services.document` tells."""
    faults = [f"<p class=fault>{escape(name)}: {escape(kind)}</p>" for name, kind in told["faults"].items() if kind]
    parts = [*faults, *_chat(told), *_status(told), *_pages(told), *_letters(told), *_tickets(told)]
    return _HEAD + "\n".join(parts) + "\n</body></html>\n"


def _chat(told: Json) -> list[str]:
    made = ["<h2>Chat</h2>"]
    for channel in told["slack"]:
        made.append(f"<h3>#{escape(channel['name'])}</h3>")
        made += [_text(("📌 " if e["ts"] in channel["pinned"] else "") + e["shown"]) for e in channel["messages"]]
    return made


def _status(told: Json) -> list[str]:
    made = ["<h2>Status page</h2>"]
    made += [f"<p>{escape(name)}: {escape(state)}</p>" for name, state in told["statuspage"]["components"].items()]
    for each in told["statuspage"]["incidents"]:
        made.append(f"<h3>{escape(each['name'])} ({escape(each['status'])}, {escape(each['impact'])})</h3>")
        made += [_text(f"{said['status']}: {said['body']}", said["created_at"]) for said in each["incident_updates"]]
    return made


def _pages(told: Json) -> list[str]:
    alerts = told["pager"].values()
    return ["<h2>Pager</h2>", *(_text(f"{e['whom']}, {e['severity']}, {e['state']}: {e['summary']}") for e in alerts)]


def _letters(told: Json) -> list[str]:
    return ["<h2>E-mail</h2>", *(_text(f"To: {e['to']}\nSubject: {e['subject']}\n\n{e['text']}") for e in told["mail"])]


def _tickets(told: Json) -> list[str]:
    made = ["<h2>Tickets</h2>"]
    for each in told["tracker"]:
        said = "".join(f"\n\n— {comment['body']}" for comment in each["comments"])
        made.append(_text(f"{each['number']} {each['title']}\n\n{each['body']}{said}"))
    return made


def _text(text: str, when: str = "") -> str:
    return f"<pre>{f'<span class=when>{escape(when)}</span> ' if when else ''}{escape(text)}</pre>"
