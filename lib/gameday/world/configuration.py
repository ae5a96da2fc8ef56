"""
The `firstwatch.toml` of a world: where its parts are, and that all of it is practice.

Approving one's own plan is allowed here and only here; samples are old after ten seconds, since they come every second.
"""

import json
import os
from importlib.resources import files

from gameday.world import messages
from gameday.world.folder import Folder, State
from gameday.world.metrics import ERROR_RATE, ERROR_RATE_BY_VERSION, LATENCY, REQUESTS, SERVICE, WINDOW

NAMESPACE = "claude-deployment-prod"
TEXT = """\
# Written by `firstwatch gameday up`: the service of a game day, on this machine.

[service]
name = "{service}"
namespace = "{namespace}"
deployment = "{service}"
configmap = "claude-deployment-config"
url = {url}
health = {health}

[kubernetes]
kubeconfig = {kubeconfig}
context = "gameday"

[prometheus]
url = {prometheus}
error_rate = "{error_rate}"
error_rate_by = {error_rate_by}
latency = {latency}
requests = {requests}

[thresholds]
error_rate = 0.01
stale_s = 10

[approval]
self = true

[maintenance]
manifest = "maintenance-page.yaml"

[[dependencies]]
name = "claude-deployment-catalog"
url = {catalog}
ca = "authority.crt"
slow_s = 2

[sla]
target = 99.9
{database}{clock}
[gameday]
window = "{window}"

[gameday.parts]
{parts}
"""


def write(folder: Folder, state: State, authority: bytes) -> None:
    """
    Write the configuration of the world that *state* describes; it may hold a token's path, never a token.

    *authority* is the certificate, PEM, of whoever signs for the catalog.
    """
    text = TEXT.format(
        service=SERVICE, namespace=NAMESPACE, url=_quoted(state.service_url), error_rate=ERROR_RATE, window=WINDOW,
        error_rate_by=_quoted(ERROR_RATE_BY_VERSION), latency=_quoted(LATENCY), requests=_quoted(REQUESTS),
        health=_quoted(f"{state.service_url}/health"), kubeconfig=_quoted(state.kubeconfig),
        prometheus=_quoted(state.prometheus_url), catalog=_quoted(f"{state.catalog_url}/health"),
        parts="\n".join(f"{name} = {_quoted(said)}" for name, said in state.parts.items()),
        database=f"\n[database]\ndsn = {_quoted(f'file:{state.database}')}\n" if state.database else "",
        clock=f"\n[clock]\norigin = {state.since}\nrate = {state.speed:g}\n" if state.speed != 1 else "",
    )  # fmt: skip
    page = (files("gameday.world") / "manifests" / "maintenance-page.yaml").read_text("utf-8")
    (folder.path / "maintenance-page.yaml").write_text(page, "utf-8")
    (folder.path / "authority.crt").write_bytes(authority)
    text += "\n" + messages.configuration(folder, state)
    draft = folder.config.with_suffix(".tmp")
    draft.write_text(text, "utf-8")
    os.replace(draft, folder.config)  # noqa: PTH105  # atomically


def _quoted(text: str) -> str:
    """Return *text* as a TOML string; JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)
