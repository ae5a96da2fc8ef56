"""Tickets: Jira Cloud's and GitHub's REST APIs, of creating, finding and commenting."""

import re
from base64 import b64encode

from aiohttp import web

from firstwatch.model import Json
from gameday.services.faults import Faults, Handler

PROJECT = "OPS"
REPOSITORY = "example/operations"
USER = "firstwatch@localhost"
_LABEL = re.compile(r'labels = "([^"]+)"')


class Tickets:
    """One list of tickets, that both APIs show; `token` opens both."""

    def __init__(self, token: str, faults: Faults) -> None:
        self._faults = faults
        self._jira = f"Basic {b64encode(f'{USER}:{token}'.encode()).decode()}"
        self._github = f"Bearer {token}"
        self.tickets: list[Json] = []

    def routes(self) -> list[web.RouteDef]:
        jira, github = "/jira/rest/api/2", f"/github/repos/{REPOSITORY}/issues"
        return [
            web.post(f"{jira}/issue", self._of_jira(self._jira_create)),
            web.get(f"{jira}/search/jql", self._of_jira(self._jira_search)),
            web.post(f"{jira}/issue/{{key}}/comment", self._of_jira(self._jira_comment)),
            web.get(f"{jira}/issue/{{key}}/comment", self._of_jira(self._jira_comments)),
            web.post(github, self._of_github(self._github_create)),
            web.get(github, self._of_github(self._github_list)),
            web.post(f"{github}/{{key}}/comments", self._of_github(self._github_comment)),
            web.get(f"{github}/{{key}}/comments", self._of_github(self._github_comments)),
        ]

    def _of_jira(self, handler: Handler) -> Handler:
        return self._faults.faulty("tracker", (403, {"errorMessages": ["forbidden"]}), _known(self._jira, handler))

    def _of_github(self, handler: Handler) -> Handler:
        return self._faults.faulty("tracker", (403, {"message": "Forbidden"}), _known(self._github, handler))

    async def _jira_create(self, request: web.Request) -> web.Response:
        fields = (await request.json()).get("fields") or {}
        wrong = {}
        if (fields.get("project") or {}).get("key") != PROJECT:
            wrong["project"] = "valid project is required"
        if not 0 < len(fields.get("summary") or "") <= 255 or "\n" in fields["summary"]:
            wrong["summary"] = "You must specify a summary of the issue."
        if any(" " in each for each in fields.get("labels") or ()):
            wrong["labels"] = "a label cannot contain spaces"
        if wrong:
            return web.json_response({"errorMessages": [], "errors": wrong}, status=400)
        made = self._add(fields["summary"], fields.get("description", ""), fields.get("labels") or [])
        key = f"{PROJECT}-{made['number']}"
        return web.json_response({"id": str(made["number"]), "key": key, "self": f"/{key}"}, status=201)

    async def _jira_search(self, request: web.Request) -> web.Response:
        label = _LABEL.search(request.query.get("jql", ""))
        found = [each for each in self.tickets if label and label[1] in each["labels"]]
        shown = [{"key": f"{PROJECT}-{e['number']}", "fields": {"description": e["body"]}} for e in found]
        return web.json_response({"issues": shown, "isLast": True})

    async def _jira_comment(self, request: web.Request) -> web.Response:
        return web.json_response(self._say(self._one(request), (await request.json())["body"]), status=201)

    async def _jira_comments(self, request: web.Request) -> web.Response:
        return web.json_response({"comments": self._one(request)["comments"]})

    async def _github_create(self, request: web.Request) -> web.Response:
        given = await request.json()
        if not given.get("title"):
            return web.json_response({"message": "Validation Failed"}, status=422)
        made = self._add(given["title"], given.get("body", ""), given.get("labels") or [])
        return web.json_response(made, status=201)

    async def _github_list(self, request: web.Request) -> web.Response:
        return web.json_response(list(reversed(self.tickets))[: int(request.query.get("per_page", 30))])

    async def _github_comment(self, request: web.Request) -> web.Response:
        return web.json_response(self._say(self._one(request), (await request.json())["body"]), status=201)

    async def _github_comments(self, request: web.Request) -> web.Response:
        return web.json_response(self._one(request)["comments"])

    def _add(self, title: str, body: str, labels: list[str]) -> Json:
        number = len(self.tickets) + 1
        made: Json = {"number": number, "title": title, "body": body, "labels": labels, "comments": []}
        made["html_url"] = f"https://github.com/{REPOSITORY}/issues/{number}"
        self.tickets.append(made)
        return made

    def _one(self, request: web.Request) -> Json:
        number = request.match_info["key"].removeprefix(f"{PROJECT}-")
        found = next((each for each in self.tickets if str(each["number"]) == number), None)
        if found is None:
            raise web.HTTPNotFound(text='{"message": "Not Found"}', content_type="application/json")
        return found

    @staticmethod
    def _say(ticket: Json, text: str) -> Json:
        said = {"id": str(len(ticket["comments"]) + 1), "body": text}
        ticket["comments"].append(said)
        return said


def _known(credential: str, handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != credential:
            return web.json_response({"message": "Bad credentials"}, status=401)
        return await handler(request)

    return checked
