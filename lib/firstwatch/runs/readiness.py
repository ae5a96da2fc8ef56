"""
Readiness: whether a shift can begin. Each check says OK, BAD, or UNKNOWN with the reason, and what to do.

Green is only what was seen to be so. What is not configured, did not answer in time or cannot be asked is UNKNOWN, and
so is a check that failed itself. Nothing is changed anywhere but for a file that is written and taken away again, and
the one test page that somebody asked for.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from firstwatch.channels import switchboard
from firstwatch.channels.channel import Case
from firstwatch.channels.pager import Pager
from firstwatch.channels.wire import credential
from firstwatch.errors import FirstwatchError, NotFound, nearest
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.policy import freshness
from firstwatch.policy.roster import FILE as CONTACTS
from firstwatch.policy.roster import Roster
from firstwatch.policy.tables import Policy
from firstwatch.record import disk
from firstwatch.record.messages import Message
from firstwatch.record.redact import redacted
from firstwatch.runs import installed, kernel
from firstwatch.settings import Links, Settings
from firstwatch.systems import Systems, access, connect, scripts
from firstwatch.systems.deadline import bounded
from firstwatch.systems.deck import Deck
from firstwatch.systems.endpoint import look
from firstwatch.systems.http import Http
from firstwatch.systems.retry import Budget

DEADLINE_S = 45.0
LEAST_FREE_BYTES = 64_000_000
TRIED_BYTES = 65_536
FIRST_PAGED = "on-call"
BUDGET = Budget(8.0, (0.2,))
CONNECTING = threading.Lock()

Seen = tuple[Verdict, str, str]  # verdict, what was seen, what to do


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at before a shift; `look` may raise what `firstwatch.errors` has: then nothing is known."""

    name: str
    expected: str
    look: Callable[[], Seen]


@dataclass(frozen=True, slots=True)
class Shift:
    """Who begins a shift, with what: all that the checks need. `rang` asks a person whether the test page did."""

    settings: Settings
    policy: Policy
    roster: Roster
    records: Path
    now: datetime
    page: bool = False
    rang: Callable[[], bool] | None = None


def judged(shift: Shift) -> Findings:
    """
    Return what every check of *shift* saw, in their order, but for those that are waived.

    Raises:
        NotFound: `[readiness] waived` names what is no check.
    """
    made = [each for each in checks(shift) if each.name not in waived(shift)]
    with ThreadPoolExecutor(8, "readiness") as pool:
        return Findings(pool.map(_seen, made))


def waived(shift: Shift) -> tuple[str, ...]:
    """Return the checks that the team does without; NotFound when one is none."""
    known = [each.name for each in checks(shift)]
    for each in shift.settings.readiness.waived:
        if each not in known:
            raise NotFound(f"[readiness] waived: {each!r} is not a check; {nearest(each, known)}")
    return shift.settings.readiness.waived


def _seen(check: Check) -> Finding:
    try:
        verdict, observed, todo = bounded(DEADLINE_S, check.name, check.look)
    except FirstwatchError as error:
        verdict, observed, todo = Verdict.UNKNOWN, str(error), "look at it by hand"
    except Exception as error:  # noqa: BLE001  # a check that fails knows nothing, and the others go on
        verdict, observed, todo = Verdict.UNKNOWN, f"{type(error).__name__}: {error}", "look at it by hand"
    return Finding(
        probe=check.name, verdict=verdict, object="", expected=check.expected, observed=str(redacted(observed))[:400],
        next=todo,
    )  # fmt: skip


def checks(shift: Shift) -> list[Check]:
    """Return every check of *shift*, in the order in which it is read."""
    return [*_people(shift), *_channels(shift), *_cluster(shift), *_programs(shift), *_machine(shift), *_places(shift)]


def _people(shift: Shift) -> Iterator[Check]:
    yield Check("contacts", "everybody was reached lately", lambda: contacts(shift.roster, shift.now))
    yield Check(
        "roster",
        "every role and every level has somebody who can be reached",
        lambda: roster(shift.roster, shift.policy),
    )


def contacts(known: Roster, now: datetime) -> Seen:
    """Say whether every contact is fresh."""
    found = freshness.standings(known, now.date())
    if not found:
        return Verdict.UNKNOWN, f"nobody is in {CONTACTS}", f"put people into {CONTACTS}"
    left = [f"{each.person.name} ({each.state})" for each in found if each.state != "fresh"]
    if left:
        return Verdict.BAD, ", ".join(left), "firstwatch contacts says what to do about each"
    return Verdict.OK, f"{len(found)} contacts, all fresh", ""


def roster(known: Roster, policy: Policy) -> Seen:
    """Say whether each core role and each level has somebody with a way to reach them."""
    if not known.people:
        return Verdict.UNKNOWN, f"nobody is in {CONTACTS}", f"put people into {CONTACTS}"
    near = [each for each in known.people if each.phone or each.email or each.slack or each.portal]
    roles = [role for role in policy.core if not any(role in each.roles for each in near)]
    levels = [level for level in policy.ladder.levels if not any(level == each.level for each in near)]
    if roles or levels:
        return Verdict.BAD, f"nobody can be reached for {', '.join((*roles, *levels))}", f"complete {CONTACTS}"
    return Verdict.OK, "every role and level has somebody who can be reached", ""


def _channels(shift: Shift) -> Iterator[Check]:
    where = shift.settings.channels
    yield Check("channels", "chat, status page, mail, pager and tracker are configured", lambda: _by_hand(shift))
    mail = where.mail if where.mail and where.mail.user else None  # without a user nobody signs in
    named = {"slack": where.slack, "statuspage": where.statuspage, "tracker": where.tracker, "mail": mail}
    held = {name: [section.credential] for name, section in named.items() if section}
    held |= {"pager": list(where.pager.keys.values())} if where.pager else {}
    for name, references in held.items():
        yield Check(f"credential-{name}", "it is there", _holding(references))
    if shift.page:
        yield Check("test-page", "it rang", lambda: _paged(shift))


def _by_hand(shift: Shift) -> Seen:
    found = switchboard.connect(shift.settings)
    left = [name for name, each in found.items() if each.by_hand and name not in ("phone", "wiki")]
    if left:
        todo = "docs: Set up the channels; or waive it: [readiness] waived"
        return Verdict.UNKNOWN, f"not configured, so a person pastes: {', '.join(left)}", todo
    return Verdict.OK, "all are configured", ""


def _holding(references: Iterable[str]) -> Callable[[], Seen]:
    """Return what sees whether each of *references* holds something; whether that is accepted is not tried."""

    def look() -> Seen:
        lacking = []
        for each in references:
            try:
                credential(each)
            except FirstwatchError as error:
                lacking.append(str(error))
        if lacking:
            return Verdict.BAD, "; ".join(lacking), "set the variable or the file: docs, Set up the channels"
        return Verdict.OK, "it is there; whether it is accepted shows when it is used", ""

    return look


def _paged(shift: Shift) -> Seen:
    """Page whoever is on call, as a SEV1 would: what rings less loudly proves nothing. Then take the page back."""
    where = shift.settings.channels.pager
    if where is None:
        return Verdict.UNKNOWN, "there is no [channels.pager]", "docs: Set up the channels"
    pager, case = Pager.open(where, shift.settings.channels.deadline_s), _case(shift.now)
    whom = FIRST_PAGED if FIRST_PAGED in where.keys else next(iter(where.keys), FIRST_PAGED)
    pager.send(_text("page", whom, "Test page of a shift that begins. Nothing is wrong.", shift.now), case)
    heard = shift.rang() if shift.rang else None
    pager.send(_text("page-resolved", whom, "The test is over.", shift.now), case)
    if heard is None:
        return Verdict.UNKNOWN, f"the pager took a page for {whom}; only who holds it knows whether it rang", (
            "run it in a terminal, and answer"
        )  # fmt: skip
    if not heard:
        return Verdict.BAD, f"the pager took a page for {whom}, and it did not ring", "mend it before the shift begins"
    return Verdict.OK, f"the page for {whom} rang", ""


def _case(now: datetime) -> Case:
    return Case(f"readiness-{now:%Y%m%d%H%M%S}", now, {}, lambda *_: None)


def _text(template: str, whom: str, text: str, now: datetime) -> Message:
    return Message(f"{template}-{now:%H%M%S}", "pager", template, whom, text, {"severity": "SEV1"}, now, "readiness")


def _cluster(shift: Shift) -> Iterator[Check]:
    service = shift.settings.service
    yield Check("cluster", "it answers", lambda: _asked(shift, _reached))
    for role in access.ROLES:
        yield Check(
            f"role-{role}", f"may do what the role firstwatch-{role} needs in {service.namespace}",
            lambda role=role: _asked(shift, lambda systems: _allowed(systems, role)),  # type: ignore[misc]
        )  # fmt: skip
    if not shift.settings.practice:  # who holds a game day's token owns that world
        yield Check("role-least", "may not do everything", lambda: _asked(shift, _least))


def _asked(shift: Shift, look: Callable[[Systems], Seen]) -> Seen:
    with CONNECTING:  # the client's package cannot be imported by two threads at once
        systems = connect(shift.settings, budget=BUDGET)
    with systems:
        return look(systems)


def _reached(systems: Systems) -> Seen:
    may = access.Access("get", "apps", "deployments", systems.settings.service.namespace)
    access.may(systems.cluster, may)
    ahead = systems.cluster.skew
    if ahead is not None and abs(ahead) > timedelta(seconds=30):
        return (
            Verdict.BAD,
            f"its clock is {abs(ahead.total_seconds()):.0f} s off this machine's",
            "look at both, by NTP",
        )
    return Verdict.OK, f"context {systems.cluster.context} at {systems.cluster.host} answers", ""


def _allowed(systems: Systems, role: str) -> Seen:
    lacking = access.denied(systems.cluster, access.needed(role, systems.settings))
    if lacking:
        return Verdict.BAD, f"may not: {', '.join(map(str, lacking))}", f"ask for deploy/rbac-{role}.yaml"
    return Verdict.OK, "may do all that it needs", ""


def _least(systems: Systems) -> Seen:
    if access.may(systems.cluster, access.EVERYTHING):
        return Verdict.BAD, "may do everything in the cluster", "use an account with the roles of deploy/ only"
    return Verdict.OK, "may not do everything", ""


def _programs(shift: Shift) -> Iterator[Check]:
    said = shift.settings.readiness
    for name, words in {"vpn": said.vpn, "mfa": said.mfa}.items():
        yield Check(name, "its command ends with 0", lambda n=name, w=words: _command(n, w, said.command_s))  # type: ignore[misc]
    for tool in said.tools:
        expected = f"{tool.least} or newer" if tool.least else "it is there"
        yield Check(
            f"tool-{tool.name}", expected, lambda t=tool: installed.tool(t, said.command_s)  # type: ignore[misc]
        )  # fmt: skip


def _command(name: str, words: tuple[str, ...], seconds: float) -> Seen:
    if not words:
        return Verdict.UNKNOWN, f"no command is configured that shows it: [readiness] {name}", (
            f'set {name} = ["PROGRAM", …], or waive it: [readiness] waived'
        )  # fmt: skip
    code, told = scripts.command(words, seconds)
    last = (told["text"].strip().splitlines() or ["it printed nothing"])[-1][:200]
    if code:
        return Verdict.BAD, f"{Path(words[0]).name} ended with {code}: {last}", f"bring up {name}, then ask again"
    return Verdict.OK, last, ""


def _machine(shift: Shift) -> Iterator[Check]:
    extras = [("aws", bool(shift.settings.aws.load_balancer)), ("postgres", bool(shift.settings.database.dsn))]
    wanted = tuple(name for name, used in extras if used)
    yield Check("packages", "each has a version that fits", lambda: installed.packages(wanted))
    yield Check("kernel", "it starts, and imports the library", _kernel)
    yield Check("records", "they can be written, and there is room", lambda: writable(shift.records))


def _kernel() -> Seen:
    try:
        kernel.tried()
    except FirstwatchError as error:
        return Verdict.BAD, str(error), "make setup; python -m ipykernel install --sys-prefix"
    return Verdict.OK, "python3 starts", ""


def writable(folder: Path) -> Seen:
    """Say whether records can be written in *folder*: bytes are, they are on the disk, and some room is left."""
    import shutil

    try:
        disk.tried(folder, TRIED_BYTES)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Verdict.BAD, f"{folder}: {error.strerror or error}", "mend the folder, or set FIRSTWATCH_RECORDS"
    if free < LEAST_FREE_BYTES:
        return Verdict.BAD, f"{folder}: {free // 1_000_000} MB are left", "make room"
    return Verdict.OK, f"{folder}, {free // 1_000_000:,} MB left", ""


def _places(shift: Shift) -> Iterator[Check]:
    links, service = shift.settings.links, shift.settings.service
    page = links.status_page or (shift.settings.channels.statuspage.site if shift.settings.channels.statuspage else "")
    yield Check("url-health", "200", lambda: _place(shift, service.health, "[service] health", good=200))
    named = {"status_page": page, "grafana": links.grafana, "console": links.console}
    more = {name: getattr(links, name) for name in Links.model_fields if name not in named and name != "cloudwatch"}
    for name, url in (named | {key: value for key, value in more.items() if value}).items():
        yield Check(
            f"url-{name.replace('_', '-')}", "it answers", lambda u=url, n=name: _place(shift, u, f"[links] {n}")  # type: ignore[misc]
        )  # fmt: skip


def _place(shift: Shift, url: str, setting: str, good: int = 0) -> Seen:
    """Say whether *url* answers: with *good*, or, when that is 0, with anything that a place for people does."""
    if not url:
        return Verdict.UNKNOWN, f"no address is configured: {setting}", f"set {setting}, or waive it"
    http = Http(budget=BUDGET)
    try:
        found = look(Deck(), http, url)
    finally:
        http.close()
    if found.failure:
        return Verdict.BAD, found.failure, "is the VPN up? is the address right?"
    said = f"{url} answered {found.status} in {found.seconds:.2f} s"
    if found.status != good if good else found.status >= 500 or found.status in (404, 410):
        return Verdict.BAD, said, "look at it in a browser"
    days = shift.settings.thresholds.certificate_days
    if found.ends and found.ends - shift.now < timedelta(days=days):
        return Verdict.BAD, f"{said}; its certificate ends {found.ends:%Y-%m-%d}", "renew the certificate"
    return Verdict.OK, said, ""
