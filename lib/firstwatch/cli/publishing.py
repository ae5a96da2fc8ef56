"""`publish`: the site."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import Json, Office, app, office
from firstwatch.errors import BadParameter, RecordNotWritable

if TYPE_CHECKING:
    from firstwatch.publish.assembly import Site
    from firstwatch.publish.shelf import Line


@app.command(rich_help_panel="Records")
def publish(
    incident: Annotated[
        str, typer.Argument(help="Put this record alone into the site that is there.", metavar="[INCIDENT]")
    ] = "",
    site: Annotated[str, typer.Option(help="The site's folder; else site/ in the project.", metavar="DIR")] = "",
    public: Annotated[
        str, typer.Option(help="Write the page of INCIDENT that anybody may read.", metavar="FILE.html")
    ] = "",
    offline: Annotated[
        str, typer.Option(help="Write the site into an archive that opens from a disk.", metavar="FILE.zip")
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="End with 8 when a record cannot be read.")] = False,
    json: Json = False,
) -> None:
    """
    Make the site: runbooks, records, how-to guides. Nothing is executed, and no page asks anybody else.

    With an incident, only its page is made, which takes as long whatever the number of records. A record that cannot be
    read becomes a page that says so.

    Examples:

        firstwatch publish

        firstwatch publish 2026-11-24-020304

        firstwatch publish 2026-11-24-020304 --public incident.html

        firstwatch publish --offline firstwatch.zip
    """
    here = office()
    if public:
        return _public(here, incident, Path(public), json=json)
    if offline:
        return _offline(here, Path(offline), json=json)
    lines, folder = _site(here, incident, site)
    _say(lines, folder, json=json)
    if strict and any(each.unreadable for each in lines):
        raise typer.Exit(8)
    return None


def _site(here: Office, incident: str, site: str) -> "tuple[tuple[Line, ...], Path]":
    """Put one record into the site, or build all of it when none is named or there is no site yet."""
    from firstwatch.publish import around, assembly, shelf
    from firstwatch.publish.build import Build, project

    source = project(Path.cwd())
    folder = Path(site).absolute() if site else source / "site"
    built: Site = assembly.Site(folder, shelf.Shelf(source / "build" / "records", around.Around.beside(here.path)))
    if incident:
        record = here.store.get(incident)
        if built.built:
            return built.put([record]), folder
    with screen.busy("building the site"):
        Build(source, here.store.root, folder).run(os.environ)
    return built.lines(), folder


def _say(lines: "tuple[Line, ...]", folder: Path, *, json: bool) -> None:
    broken = [each for each in lines if each.unreadable]
    if json:
        return screen.document({
            "site": str(folder), "records": [each.id for each in lines],
            "unreadable": {each.id: each.unreadable for each in broken},
        })  # fmt: skip
    for each in broken:
        screen.say(f"[bold red]unreadable[/] {each.id}: {screen.safe(each.unreadable)}")
    records = f"record {lines[0].id}" if len(lines) == 1 else f"{len(lines)} records"
    return screen.say(f"{records} in [bold]{screen.safe(folder / 'index.html')}[/]")


def _public(here: Office, incident: str, path: Path, *, json: bool) -> None:
    from firstwatch.publish import public

    if not incident:
        raise BadParameter("--public needs an incident")
    record = here.store.get(incident)
    text = public.page(record.incident())
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RecordNotWritable(f"cannot write {path}: {error}") from error
    if json:
        return screen.document({"incident": record.id, "public": str(path)})
    return screen.say(f"what customers were told of {record.id}, and nothing else: [bold]{screen.safe(path)}[/]")


def _offline(here: Office, archive: Path, *, json: bool) -> None:
    from firstwatch.publish import pack
    from firstwatch.publish.build import Build, project
    from firstwatch.runs import catalog

    pack.ending(archive)
    source = project(Path.cwd())
    contacts = (here.path.parent if here.path else source) / "contacts.toml"
    with tempfile.TemporaryDirectory(prefix="firstwatch-site-") as name, screen.busy("building the site"):
        Build(source, here.store.root, Path(name)).run(os.environ, offline=True)
        size = pack.pack(Path(name), catalog.root(), contacts, archive)
    if json:
        return screen.document({"archive": str(archive), "bytes": size})
    return screen.say(f"[bold]{screen.safe(archive)}[/], {size / 1e6:.1f} MB: unpack it, open firstwatch/index.html")
