"""Before a shift: green is only what was seen to be so; all else is BAD, or UNKNOWN with the reason."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fakes
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from firstwatch import settings
from firstwatch.cli import main
from firstwatch.errors import NotFound
from firstwatch.model import Finding, Verdict
from firstwatch.policy import roster, tables
from firstwatch.runs import installed, readiness
from firstwatch.runs.readiness import Shift
from firstwatch.systems import access

ROOT = Path(__file__).parents[1]
REVIEWS = access.REVIEWS
TODAY = datetime.now(UTC).date()
PEOPLE = "\n".join(
    f'[[people]]\nname = "{level}"\nlevel = "{level}"\nphone = "+1-555-0123"\nchecked = {TODAY}\nroles = {roles}'
    for level, roles in (
        ("L1", ["technical-lead", "scribe"]),
        ("L2", ["incident-commander", "communications-lead"]),
        ("L3", []),
        ("L4", []),
    )
)
TOKENS = ("SLACK_BOT_TOKEN", "STATUSPAGE_API_KEY", "SMTP_PASSWORD", "PAGERDUTY_ROUTING_KEY", "TRACKER_TOKEN")
SECRET = "s3cret-of-the-tests-40"
CHANNELS = """
[channels.slack]
[channels.statuspage]
page = "p1"
[channels.mail]
host = "127.0.0.1"
sender = "incidents@example.com"
user = "firstwatch"
[channels.pager]
url = "{url}"
[channels.tracker]
kind = "github"
project = "a/b"
[links]
grafana = "{url}/grafana"
status_page = "{url}/status"
console = "{url}/console"
[readiness]
vpn = ["true"]
mfa = ["echo", "signed in"]
[[readiness.tools]]
name = "python"
command = ["{python}", "--version"]
least = "3.11"
"""


def allowing(*refused: str) -> Callable[[fakes.Asked], fakes.Answer]:
    """Answer access reviews: yes, but for the resources of *refused* and for everything at once."""

    def answer(asked: fakes.Asked) -> fakes.Answer:
        said = asked.body["spec"]["resourceAttributes"]
        return 201, asked.body | {"status": {"allowed": said["resource"] not in (*refused, "*")}}

    return answer


@dataclass(frozen=True, slots=True)
class Desk:
    """A shift in a folder, beside a server that answers for all systems."""

    folder: Path
    server: fakes.Server
    patch: pytest.MonkeyPatch
    read: Any

    @property
    def shift(self) -> Shift:
        path, policy = self.folder / "firstwatch.toml", tables.load()
        return Shift(
            settings.load(path), policy, roster.load(path, policy), self.folder / "incidents", datetime.now(UTC)
        )

    def amended(self, *changes: tuple[str, str]) -> "Desk":
        path = self.folder / "firstwatch.toml"
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return self

    def one(self, name: str, shift: Shift | None = None) -> Finding:
        """Return what the check *name* says."""
        (check,) = (each for each in readiness.checks(shift or self.shift) if each.name == name)
        return readiness._seen(check)

    def typed(self, *words: str, code: int = 0) -> str:
        self.patch.setattr(sys, "argv", ["firstwatch", "readiness", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.read.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return str(out + err)


@pytest.fixture
def desk(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Desk:
    server = serve(fakes.healthy())
    server.answers["POST", REVIEWS] = allowing()
    server.on("/v2/enqueue", 202, {"status": "success"}, "POST")
    for place in ("/grafana", "/status", "/console"):
        server.on(place, 302, {})
    config = fakes.configuration(tmp_path, server.url)
    config.write_text(config.read_text() + CHANNELS.format(url=server.url, python=sys.executable))
    (tmp_path / "contacts.toml").write_text(PEOPLE)
    for name in TOKENS:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    return Desk(tmp_path, server, monkeypatch, capsys)


def test_when_all_is_well_it_says_ready_and_ends_with_0(desk: Desk) -> None:
    said = desk.typed()
    assert "READY: " in said
    assert "NOT READY" not in said
    assert SECRET not in said


def test_it_reads_only_and_sends_nothing_but_reviews(desk: Desk) -> None:
    found = json.loads(desk.typed("--json"))
    assert found["ready"] is True
    assert found["not_asked"] == ["test-page"]
    assert {each.path for each in desk.server.asked if each.method != "GET"} == {REVIEWS}
    assert not list((desk.folder / "incidents").iterdir())


BROKEN = [
    ("contacts", (f"checked = {TODAY}", "checked = 2020-01-01"), Verdict.BAD),
    ("contacts", (PEOPLE, ""), Verdict.UNKNOWN),
    ("roster", ('level = "L4"\nphone = "+1-555-0123"', 'level = "L4"'), Verdict.BAD),
    ("roster", (PEOPLE, ""), Verdict.UNKNOWN),
]


@pytest.mark.parametrize(("name", "change", "verdict"), BROKEN, ids=["stale", "nobody", "no L4", "nobody to fetch"])
def test_people_who_cannot_be_reached_are_not_green(
    desk: Desk, name: str, change: tuple[str, str], verdict: Verdict
) -> None:
    (desk.folder / "contacts.toml").write_text(PEOPLE.replace(*change))
    found = desk.one(name)
    assert (found.verdict, bool(found.next)) == (verdict, True)


@pytest.mark.parametrize(
    ("name", "change", "verdict"),
    [
        ("channels", ("[channels.slack]\n", ""), Verdict.UNKNOWN),
        ("vpn", ('vpn = ["true"]', ""), Verdict.UNKNOWN),
        ("vpn", ('vpn = ["true"]', 'vpn = ["false"]'), Verdict.BAD),
        ("vpn", ('vpn = ["true"]', 'vpn = ["no-such-program-here"]'), Verdict.UNKNOWN),
        ("vpn", ('vpn = ["true"]', 'vpn = ["sleep", "30"]\ncommand_s = 0.2'), Verdict.UNKNOWN),
        ("tool-python", ('least = "3.11"', 'least = "99"'), Verdict.BAD),
        ("url-grafana", ("/grafana", "/gone"), Verdict.BAD),
        ("url-console", ('console = "', 'console = ""\nkibana = "'), Verdict.UNKNOWN),
        ("url-health", ("/health", "/gone"), Verdict.BAD),
    ],
)
def test_what_is_wrong_or_not_configured_is_not_green(
    desk: Desk, name: str, change: tuple[str, str], verdict: Verdict
) -> None:
    found = desk.amended(change).one(name)
    assert (found.verdict, bool(found.next)) == (verdict, True)


def test_a_command_is_words_and_never_a_shell(desk: Desk) -> None:
    found = desk.amended(('["echo", "signed in"]', '["echo", "$(id)", ";", "false"]')).one("mfa")
    assert (found.verdict, found.observed) == (Verdict.OK, "$(id) ; false")


def test_a_credential_that_is_not_set_is_named_and_none_is_ever_shown(desk: Desk) -> None:
    assert desk.one("credential-slack").verdict is Verdict.OK
    desk.patch.delenv("SLACK_BOT_TOKEN")
    found = desk.one("credential-slack")
    assert (found.verdict, found.observed) == (Verdict.BAD, "the credential SLACK_BOT_TOKEN is not set")


def test_a_role_that_lacks_something_says_what_and_whom_to_ask(desk: Desk) -> None:
    desk.server.answers["POST", REVIEWS] = allowing("services")
    found = desk.one("role-mitigate")
    assert found.verdict is Verdict.BAD
    assert found.observed == "may not: create services, patch services, delete services"
    assert found.next == "ask for deploy/rbac-mitigate.yaml"


def test_who_may_do_everything_does_not_have_the_right_role(desk: Desk) -> None:
    assert desk.one("role-least").verdict is Verdict.OK
    desk.server.on(REVIEWS, 201, {"status": {"allowed": True}}, "POST")
    assert desk.one("role-least").verdict is Verdict.BAD


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, {}), (403, {}), (404, {}), (500, {}), (201, b"<html>"), (201, None), (201, []), (201, {"status": "yes"})],
)
def test_a_cluster_that_does_not_say_is_unknown_in_every_check_of_it(desk: Desk, status: int, body: Any) -> None:
    desk.server.on(REVIEWS, status, body, "POST")
    names = ("cluster", "role-investigate", "role-mitigate", "role-least")
    assert {desk.one(name).verdict for name in names} == {Verdict.UNKNOWN}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("status", "allowed", "x")), inner),
    max_leaves=6,
)


class _Says:
    """A cluster that answers each review with one value."""

    host = "https://cluster"

    def __init__(self, said: Any) -> None:
        self.said = said

    def review(self, path: str, asked: Any) -> Any:
        return self.said


@given(JSON)
def test_only_a_plain_yes_of_the_api_is_a_yes(said: Any) -> None:
    plainly = isinstance(said, dict) and isinstance(said.get("status"), dict) and said["status"].get("allowed") is True
    try:
        yes = access.may(_Says(said), access.EVERYTHING)  # type: ignore[arg-type]
    except readiness.FirstwatchError:
        yes = False
    assert yes is plainly


@pytest.mark.parametrize("role", access.ROLES)
def test_what_a_role_needs_is_what_its_manifest_grants(role: str) -> None:
    (manifest,) = yaml.safe_load_all((ROOT / "deploy" / f"rbac-{role}.yaml").read_text())
    granted = {
        (group, resource, verb)
        for rule in manifest["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    wanted = access.needed(role, settings.load(ROOT / "firstwatch.toml"))
    assert {(each.group, each.resource, each.verb) for each in wanted} == granted


def test_the_review_asks_of_the_one_configmap_in_its_namespace() -> None:
    wanted = access.needed("mitigate", settings.load(ROOT / "firstwatch.toml"))
    (config,) = (each for each in wanted if each.resource == "configmaps")
    assert (config.namespace, config.name) == ("claude-deployment-prod", "claude-deployment-config")


@pytest.mark.parametrize(
    ("rang", "verdict"), [(None, Verdict.UNKNOWN), (True, Verdict.OK), (False, Verdict.BAD)], ids=str
)
def test_a_test_page_is_green_only_when_somebody_heard_it(desk: Desk, rang: bool | None, verdict: Verdict) -> None:
    heard = None if rang is None else (lambda: bool(rang))
    assert desk.one("test-page", replace(desk.shift, page=True, rang=heard)).verdict is verdict
    sent = [each.body for each in desk.server.asked if each.path == "/v2/enqueue"]
    assert [each["event_action"] for each in sent] == ["trigger", "resolve"]
    assert sent[0]["dedup_key"] == sent[1]["dedup_key"]
    assert sent[0]["payload"]["severity"] == "critical"
    assert "Test page" in sent[0]["payload"]["summary"]


def test_a_pager_that_takes_nothing_is_unknown(desk: Desk) -> None:
    desk.server.on("/v2/enqueue", 500, {}, "POST")
    assert desk.one("test-page", replace(desk.shift, page=True)).verdict is Verdict.UNKNOWN


def test_records_that_cannot_be_written_are_bad(desk: Desk) -> None:
    assert readiness.writable(desk.folder / "new" / "incidents")[0] is Verdict.OK
    (desk.folder / "a-file").write_text("")
    verdict, observed, todo = readiness.writable(desk.folder / "a-file" / "incidents")
    assert (verdict, "Not a directory" in observed, bool(todo)) == (Verdict.BAD, True, True)


def test_a_kernel_that_cannot_start_is_bad(desk: Desk) -> None:
    spec = desk.folder / "share" / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    desk.patch.setenv("JUPYTER_PATH", str(desk.folder / "share" / "jupyter"))
    assert desk.one("kernel").verdict is Verdict.BAD


def test_a_package_that_is_missing_or_too_old_is_named() -> None:
    assert installed.lacking(Requirement("no-such-package-here>=1")) == "no-such-package-here is not installed"
    assert installed.lacking(Requirement("papermill>=99")).endswith("is installed, and >=99 is needed")
    assert installed.lacking(Requirement("papermill~=2.0")) == ""
    assert installed.packages(())[0] is Verdict.OK


def test_a_package_counts_only_where_its_extra_is_used() -> None:
    named = [{each.name for each in installed._needed(extras)} for extras in ((), ("aws",))]
    assert "papermill" in named[0]
    assert named[1] - named[0] == {"boto3"}


def test_a_check_that_fails_itself_is_unknown_and_the_others_go_on() -> None:
    found = readiness._seen(readiness.Check("x", "y", lambda: 1 / 0))  # type: ignore[arg-type,return-value]
    assert (found.verdict, found.observed) == (Verdict.UNKNOWN, "ZeroDivisionError: division by zero")


def test_what_is_waived_is_not_looked_at_and_is_said(desk: Desk) -> None:
    desk.amended(('vpn = ["true"]', 'vpn = ["false"]\nwaived = ["vpn"]'))
    assert "waived, so not looked at: vpn" in desk.typed()


def test_only_a_check_can_be_waived(desk: Desk) -> None:
    desk.amended(('vpn = ["true"]', 'waived = ["vpm"]'))
    with pytest.raises(NotFound, match="did you mean vpn"):
        readiness.waived(desk.shift)
    assert "vpm" in desk.typed(code=2)


def test_one_red_ends_with_8_and_mere_doubt_with_4(desk: Desk) -> None:
    desk.amended(('vpn = ["true"]', ""))
    assert "NOT READY: 0 BAD, 1 UNKNOWN" in desk.typed(code=4)
    desk.amended(('mfa = ["echo", "signed in"]', 'mfa = ["false"]'))
    assert "NOT READY: 1 BAD, 1 UNKNOWN" in desk.typed(code=8)


@pytest.mark.parametrize("address", ["ftp://x", "https://a:b@x/", "javascript:alert(1)", "https://x/<script>", "x"])
def test_an_address_for_people_is_a_plain_one(desk: Desk, address: str) -> None:
    desk.amended((f'console = "{desk.server.url}/console"', f'console = "{address}"'))
    assert "links.console" in desk.typed(code=2)
