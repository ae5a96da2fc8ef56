"""What is learned from an incident: `postmortem`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.acting import moment, needed
from firstwatch.cli.app import As, Json, Office, app, office
from firstwatch.cli.closing import After, after
from firstwatch.errors import BadParameter, GateClosed
from firstwatch.model import timestamp
from firstwatch.policy.facts import NOT_A_NUMBER

if TYPE_CHECKING:
    from firstwatch.channels.lint import Complaint
    from firstwatch.publish.postmortem import Report, Version
    from firstwatch.record.store import Record

Several = list[str]


@app.command(rich_help_panel="Learning")
def postmortem(
    incident: After = "",
    cause: Annotated[str, typer.Option(help="The root cause in one line.")] = "",
    direct: Annotated[str, typer.Option(help="The immediate technical cause.")] = "",
    factor: Annotated[Several, typer.Option(help="A contributing factor; may be repeated.")] = [],  # noqa: B006
    safeguards: Annotated[str, typer.Option(help="Why tests, alerts and limits did not catch it.")] = "",
    well: Annotated[Several, typer.Option(help="What went well, beside the clocks; may be repeated.")] = [],  # noqa: B006
    improve: Annotated[Several, typer.Option(help="What could be improved; may be repeated.")] = [],  # noqa: B006
    lesson: Annotated[Several, typer.Option(help="A lesson learned; may be repeated.")] = [],  # noqa: B006
    customers: Annotated[str, typer.Option(help="How many were affected: '120 of 4000 customers', or none.")] = "",
    money: Annotated[str, typer.Option(help="What it cost, with its currency, or none.")] = "",
    reputation: Annotated[str, typer.Option(help="'3 complaints', or none.")] = "",
    source: Annotated[str, typer.Option(help="Who says so: billing, support, a dashboard.", metavar="WHO")] = "",
    scheduled: Annotated[str, typer.Option(help="When the meeting will be: +20h, 2026-11-25T10:00Z.")] = "",
    held: Annotated[str, typer.Option(help="When the meeting was held: 10m (ago), 10:00.")] = "",
    final: Annotated[
        bool, typer.Option("--final", help="It is done: refused while the linter finds something.")
    ] = False,
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Write the post-mortem, `post-mortem.md` in the record, from what it knows. What only people know is an option.

    Run it again at any time: the parts that are made are made anew, whatever people wrote in the file stays. It says
    what is still missing, and each version's hash is kept. `--final` is refused (3) while something is.

    Examples:

        firstwatch postmortem

        firstwatch postmortem --customers "120 of 4000 customers" --source support

        firstwatch postmortem --direct "1.5.0 waits for ever" --factor "no test covers a slow catalog"

        firstwatch postmortem --held 10m --final
    """
    told = {"cause": [cause], "direct": [direct], "factor": factor, "safeguards": [safeguards], "well": well,
            "improve": improve, "lesson": lesson}  # fmt: skip
    cost = {"customers": customers, "money": money, "reputation": reputation}
    here = office(acting_as)
    record = after(here, incident)
    report = report_of(here, record)
    bodies = [*_concluded(report, told), *_impact(cost, source), *_meeting(report.now, scheduled, held)]
    for kind, body in bodies:
        here.writer.journal(record).append(kind, body)
    if scheduled:
        _invite(here, record)
    version, complaints = _written(here, record, final=final)
    _say(record, version, complaints, json=json)


def report_of(here: Office, record: "Record") -> "Report":
    from firstwatch.policy import tables
    from firstwatch.publish.postmortem import Report

    promise = here.settings.sla if here.settings else None
    state = record.incident()
    return Report(state, tables.load(here.path), promise, here.now(state))


Body = tuple[str, dict[str, Any]]


def _concluded(report: "Report", told: Mapping[str, Iterable[str]]) -> Iterator[Body]:
    """Yield what people conclude; BadParameter when it blames somebody, or says nothing yet."""
    from firstwatch.publish.proofread import passage

    for part, texts in told.items():
        for text in filter(None, texts):
            words = needed(f"--{part}", text)
            for wrong in passage(words, report.names):
                raise BadParameter(f"--{part}: {wrong}")
            yield "concluded", {"part": part, "text": words}


def _impact(cost: Mapping[str, str], source: str) -> Iterator[Body]:
    known = {name: _amount(f"--{name}", text) for name, text in cost.items() if text}
    if bool(known) is not bool(source.strip()):
        raise BadParameter("--customers, --money and --reputation need --source, and it one of them: who says so?")
    if known:
        yield "impact", known | {"source": needed("--source", source)}


def _amount(name: str, text: str) -> str:
    """Return *text* when it is a number with its unit, or says that there is none."""
    words = needed(name, text)
    measured = re.search(r"\d", words) and re.search(r"[^\W\d_]|[%€$£¥]", words)
    if not (measured or words.lower().startswith(NOT_A_NUMBER)):
        raise BadParameter(f"{name} {words!r}: a number with its unit, such as '120 customers', or none, or not known")
    return words


def _meeting(now: datetime, scheduled: str, held: str) -> Iterator[Body]:
    if scheduled:
        at = moment("--scheduled", scheduled, now, future=True)
        if at < now:
            raise BadParameter(f"--scheduled {scheduled} is past; --held says when it was")
        yield "post-mortem", {"state": "scheduled", "at": timestamp(at)}
    if held:
        yield "post-mortem", {"state": "held", "at": timestamp(moment("--held", held, now))}


def _invite(here: Office, record: "Record") -> None:
    """Attach the meeting as a calendar's entry, for whoever sends the invitations."""
    from firstwatch.publish import invitation
    from firstwatch.record.store import attach, put

    report = report_of(here, record)
    text = invitation.invitation(report.policy, report.incident, report.facts.meetings[-1].when, report.now)
    attach(here.writer.journal(record), put(record, invitation.FILE, text), "invitation")
    screen.err.print(f"[dim]{screen.safe(record.folder / invitation.FILE)}: for your calendar[/]", soft_wrap=True)


def _written(here: Office, record: "Record", *, final: bool) -> "tuple[Version, tuple[Complaint, ...]]":
    """
    Write the next version and attach it, and return it with what is still wrong with it.

    Raises:
        GateClosed: It is, or is to be, final, and something is wrong. A draft is written all the same.
    """
    from firstwatch.publish.postmortem import DRAFT, FINAL

    report, before = report_of(here, record), text_of(record)
    was_final = bool(report.facts.written) and report.facts.written[-1].state == FINAL
    made = report.version(before, FINAL if final or was_final else DRAFT)
    complaints = report.complaints(made.text)
    if not complaints or not (final or was_final):
        keep(here, record, made, FINAL if final or was_final else DRAFT)
        return made, complaints
    if not was_final:
        keep(here, record, report.version(before, DRAFT), DRAFT)
    raise GateClosed(f"the post-mortem of {record.id} is not final: " + "; ".join(map(str, complaints)))


def text_of(record: "Record") -> str:
    """Return the file as it is now, empty when there is none; BadParameter when it is not text."""
    from firstwatch.publish.postmortem import FILE
    from firstwatch.record.store import inside

    path = inside(record.folder, FILE)
    try:
        return path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadParameter(f"cannot read {path}: {error}") from error


def keep(here: Office, record: "Record", made: "Version", state: str) -> None:
    """Put *made* into the record as its next version, if it is not the last one."""
    import hashlib

    from firstwatch.publish import pages
    from firstwatch.publish.postmortem import FILE
    from firstwatch.record.incident import fold
    from firstwatch.record.store import attach, put

    sha256 = hashlib.sha256(made.text.encode("utf-8")).hexdigest()
    last = record.incident().people.written[-1:]
    if not last or (last[0].sha256, last[0].state) != (sha256, state) or text_of(record) != made.text:
        journal = here.writer.journal(record)
        attach(journal, put(record, FILE, made.text), f"post-mortem, {state}")
        version = {"state": state, "sha256": sha256}
        journal.decided("post-mortem", lambda events: version | {"version": len(fold(events).people.written) + 1})
    pages.write(record)


def _say(record: "Record", version: "Version", complaints: "tuple[Complaint, ...]", *, json: bool) -> None:
    from firstwatch.publish.postmortem import FILE

    written = record.incident().people.written[-1]
    if json:
        return screen.document({
            "id": record.id, "file": str(record.folder / FILE), "state": written.state, "version": written.version,
            "sha256": written.sha256, "complaints": complaints, "kept": version.kept, "gone": version.gone,
            "lost": version.lost,
        })  # fmt: skip
    screen.say(f"incident [bold]{record.id}[/]: post-mortem {written.state}, version {written.version}")
    screen.say(f"  [dim]{screen.safe(record.folder / FILE)}[/]")
    for words, names in {"yours now, so left as it is": version.kept, "not in the file any more": version.gone,
                         "nowhere to put it, its heading is gone": version.lost}.items():  # fmt: skip
        if names:
            screen.say(f"  [yellow]{words}[/]: {screen.safe(', '.join(names))}")
    for each in complaints:
        screen.say(f"  [yellow]{each.rule}[/]  {screen.safe(each.found)}  [dim]{screen.safe(each.advice)}[/]")
    if written.state == "draft":
        screen.say("  [dim]edit the file, or give what is missing as options; then --final[/]")
    return None
