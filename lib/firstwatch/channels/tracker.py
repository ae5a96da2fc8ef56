"""
Tickets, in Jira Cloud or as GitHub issues: one for the incident and comments on it, and one for each action item.

**At most once**: each carries our id of the text at its end, by which one that may have been made is found before
another is. A ticket too many is closed by hand, one that is missing is opened by the next attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from firstwatch.channels.channel import Case, shortened
from firstwatch.channels.texts import headed
from firstwatch.channels.wire import Wire, basic, bearer
from firstwatch.errors import BadParameter, Unavailable
from firstwatch.model import Json
from firstwatch.reach import Tracker as Settings
from firstwatch.record.messages import Made, Message

MOST_SUBJECT, MOST_BODY = 250, 30_000
TICKET, ITEM = "ticket", "action-item"  # the templates that make one; every other text is a comment


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as a tracker tells of it: its own name for it, its address, its text."""

    key: str
    url: str
    text: str


class Desk(Protocol):
    """One kind of tracker."""

    def create(self, subject: str, body: str, label: str) -> Ticket: ...

    def comment(self, key: str, body: str) -> str:
        """Add a comment and return its own name."""

    def tickets(self, label: str) -> list[Ticket]: ...

    def comments(self, key: str) -> list[tuple[str, str]]:
        """Return name and text of each comment."""


@dataclass(frozen=True, slots=True)
class Tracker:
    desk: Desk
    name: str = "tracker"
    by_hand: str = ""

    @classmethod
    def open(cls, settings: Settings, deadline_s: float) -> "Tracker":
        kind = Jira if settings.kind == "jira" else GitHub
        return cls(kind.open(settings, deadline_s))

    def send(self, message: Message, case: Case) -> str:
        """Open a ticket, or comment on the incident's; the receipt is the ticket's key, or `key#comment`."""
        subject, body = headed(message.text)
        marked = f"{shortened(body, MOST_BODY)}\n\n{_mark(message)}"
        if message.template in (TICKET, ITEM):
            made = self.desk.create(shortened(subject, MOST_SUBJECT), marked, _label(case))
            return self._opened(message, made, case)
        key = self._key(case)
        if not key:
            raise BadParameter("the incident has no ticket yet; its texts have nowhere to go")
        return f"{key}#{self.desk.comment(key, marked)}"

    def arrived(self, message: Message, case: Case) -> str:
        if message.template in (TICKET, ITEM):
            found = next((e for e in self.desk.tickets(_label(case)) if _mark(message) in e.text), None)
            return self._opened(message, found, case) if found else ""
        key = self._key(case)
        said = self.desk.comments(key) if key else []
        return next((f"{key}#{name}" for name, text in said if _mark(message) in text), "")

    def _opened(self, message: Message, made: Ticket, case: Case) -> str:
        """Return the receipt of a ticket: for an action item its address, since people follow it."""
        if message.template == ITEM:
            return made.url or made.key
        if self.name not in case.made:
            case.keep(self.name, Made(made.key, made.url))
        return made.key

    def _key(self, case: Case) -> str:
        return case.made[self.name].reference if self.name in case.made else ""


def _mark(message: Message) -> str:
    return f"(Firstwatch {message.id})"


def _label(case: Case) -> str:
    return f"firstwatch-{case.incident}"


@dataclass(frozen=True, slots=True)
class GitHub:
    wire: Wire
    project: str

    @classmethod
    def open(cls, settings: Settings, deadline_s: float) -> "GitHub":
        return cls(Wire("GitHub", settings.url, deadline_s, bearer(settings.credential)), settings.project)

    def create(self, subject: str, body: str, label: str) -> Ticket:
        made = self.wire.write("POST", self._path, {"title": subject, "body": body, "labels": ["incident", label]})
        return self._ticket(made)

    def comment(self, key: str, body: str) -> str:
        return str(self.wire.write("POST", f"{self._path}/{key}/comments", {"body": body})["id"])

    def tickets(self, label: str) -> list[Ticket]:
        """Return the newest hundred, with or without the label: who may not label has his labels dropped."""
        query = {"state": "all", "sort": "created", "direction": "desc", "per_page": "100"}
        return [self._ticket(each) for each in _several(self.wire.read(self._path, query))]

    def comments(self, key: str) -> list[tuple[str, str]]:
        found = _several(self.wire.read(f"{self._path}/{key}/comments", {"per_page": "100"}))
        return [(str(each["id"]), str(each["body"])) for each in found]

    @property
    def _path(self) -> str:
        return f"/repos/{self.project}/issues"

    @staticmethod
    def _ticket(found: Json) -> Ticket:
        return Ticket(str(found["number"]), str(found.get("html_url", "")), str(found.get("body") or ""))


@dataclass(frozen=True, slots=True)
class Jira:
    wire: Wire
    project: str
    site: str

    @classmethod
    def open(cls, settings: Settings, deadline_s: float) -> "Jira":
        headers = basic(settings.user, settings.credential) if settings.user else bearer(settings.credential)
        return cls(Wire("Jira", settings.url, deadline_s, headers), settings.project, settings.url)

    def create(self, subject: str, body: str, label: str) -> Ticket:
        fields = {
            "project": {"key": self.project}, "issuetype": {"name": "Task"}, "summary": subject, "description": body,
            "labels": ["incident", label],
        }  # fmt: skip
        made = self.wire.write("POST", "/rest/api/2/issue", {"fields": fields})
        return Ticket(str(made["key"]), f"{self.site}/browse/{made['key']}", body)

    def comment(self, key: str, body: str) -> str:
        return str(self.wire.write("POST", f"/rest/api/2/issue/{key}/comment", {"body": body})["id"])

    def tickets(self, label: str) -> list[Ticket]:
        query = {"jql": f'project = "{self.project}" AND labels = "{label}"', "fields": "description"}
        found = _several(_part(self.wire.read("/rest/api/2/search/jql", query), "issues"))
        return [self._ticket(each) for each in found]

    def comments(self, key: str) -> list[tuple[str, str]]:
        query = {"maxResults": "100", "orderBy": "-created"}
        found = _several(_part(self.wire.read(f"/rest/api/2/issue/{key}/comment", query), "comments"))
        return [(str(each["id"]), str(each["body"])) for each in found]

    def _ticket(self, found: Mapping[str, Any]) -> Ticket:
        text = str((found.get("fields") or {}).get("description") or "")
        return Ticket(str(found["key"]), f"{self.site}/browse/{found['key']}", text)


def _part(answer: Json, key: str) -> Json:
    return answer.get(key) if isinstance(answer, dict) else None


def _several(answer: Json) -> list[Json]:
    if not isinstance(answer, list):
        raise Unavailable("the tracker answered with what is not a list")
    return answer
