"""
How people are reached: the sections of `firstwatch.toml` about channels, and what all sections share.

A secret is never in them: a credential says where it is found, `env:NAME` or `file:PATH`. An address to which one goes
is https, but on this machine.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _reference(value: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+", value):
        raise ValueError("a secret is never here: say env:NAME or file:PATH")
    return value


def _address(value: str) -> str:
    """Refuse an address to which a credential would go in clear: only this machine's own may be http."""
    if not re.match(r"https://[^/\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?(/|$)", value):
        raise ValueError("it must begin with https://")
    return value.rstrip("/")


Reference = Annotated[str, AfterValidator(_reference)]
Address = Annotated[str, AfterValidator(_address)]


class Slack(Section):
    """Chat. `announce` is the channel that hears of every incident."""

    credential: Reference = "env:SLACK_BOT_TOKEN"
    announce: str = "incidents"
    url: Address = "https://slack.com/api"


class StatusPage(Section):
    """The page that customers read, at `site`. `components` maps the names that we use to the page's own ids."""

    page: str
    credential: Reference = "env:STATUSPAGE_API_KEY"
    site: str = ""
    components: dict[str, str] = {}
    notify: bool = True
    url: Address = "https://api.statuspage.io/v1"


class Customer(Section):
    """Who gets the e-mails for customers: a person, or a list under a name that a letter can begin with."""

    name: str
    address: str


class Mail(Section):
    """E-mail, by SMTP. `credential` is the password of `user`; `security` none is for a server on this machine only."""

    host: str
    sender: str
    port: int = Field(default=587, gt=0, lt=65536)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    credential: Reference = "env:SMTP_PASSWORD"
    company: str = ""
    customers: tuple[Customer, ...] = ()


class Pager(Section):
    """Paging, by Events v2. `keys` are the routing keys, by whom they reach: `on-call`, `manager`."""

    keys: dict[str, Reference] = {"on-call": "env:PAGERDUTY_ROUTING_KEY"}
    url: Address = "https://events.pagerduty.com"


class Tracker(Section):
    """Tickets: `project` is Jira's key, or GitHub's owner/repository. `user` is Jira Cloud's e-mail address."""

    kind: Literal["jira", "github"]
    project: str
    url: Address = "https://api.github.com"
    user: str = ""
    credential: Reference = "env:TRACKER_TOKEN"


class Wiki(Section):
    """Where the Markdown that a wiki imports is put."""

    folder: str


class Channels(Section):
    """
    How people are told. A channel that is not here is not an error: what it would say is shown, ready to paste.

    `deadline_s` is what one channel may take while somebody waits. `product` is what customers know as the service,
    `meeting` the address of a standing call. The status page's and other `public` hosts may be named to customers.
    """

    deadline_s: float = Field(default=5, gt=0, le=60)
    product: str = "API"
    meeting: str = ""
    public: tuple[str, ...] = ()
    slack: Slack | None = None
    statuspage: StatusPage | None = None
    mail: Mail | None = None
    pager: Pager | None = None
    tracker: Tracker | None = None
    wiki: Wiki | None = None
