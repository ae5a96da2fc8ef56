"""The services that tell people, as a part of a world, and the `[channels]` of its configuration."""

import json

from firstwatch.model import Json
from gameday.part import Part
from gameday.services.statuspage import COMPONENTS, PAGE
from gameday.services.tickets import PROJECT, USER
from gameday.world.folder import Folder, State

SAID = "ours: chat, status page, pager, mail and tickets, that reach nobody"


def part(folder: Folder, command: tuple[str, ...], port: int, mail: int) -> Part:
    """Return the part that *command* starts, with its web and its mail port."""
    own = ("--dir", str(folder.services), "--port", str(port), "--smtp", str(mail))
    return Part("services", (*command, *own), f"http://127.0.0.1:{port}/-/ready")


def configuration(folder: Folder, state: State) -> str:
    """Return the `[channels]` of the world's configuration, as TOML. Credentials are named by their files."""
    url = state.services_url

    def held(name: str) -> str:
        return f"file:{folder.services / name}"

    sections = {
        "channels": {"product": "API"},
        "channels.slack": {"url": f"{url}/slack/api", "credential": held("slack")},
        "channels.statuspage": {
            "url": f"{url}/statuspage/v1", "page": PAGE, "site": "https://status.claude-deployment.com",
            "credential": held("statuspage"), "notify": False,
        },
        "channels.statuspage.components": COMPONENTS,
        "channels.pager": {"url": f"{url}/pager"},
        "channels.pager.keys": {"on-call": held("on_call"), "manager": held("manager")},
        "channels.mail": {
            "host": "127.0.0.1", "port": state.mail_port, "security": "none", "sender": "incidents@localhost",
            "company": "Claude Deployment",
        },
        "[channels.mail.customers]": {"name": "customer", "address": "customers@localhost"},
        "channels.tracker": {
            "kind": "jira", "url": f"{url}/jira", "project": PROJECT, "user": USER, "credential": held("tracker"),
        },
        "channels.wiki": {"folder": str(folder.path / "wiki")},
    }  # fmt: skip
    return "\n".join(_section(name, values) for name, values in sections.items())


def _section(name: str, values: Json) -> str:
    """Return one section; JSON's strings, numbers and truths are TOML's too."""
    return "\n".join((f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""))
