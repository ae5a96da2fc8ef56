"""
The site in one archive, for a laptop whose network is down: unpack it, open `index.html`.

A browser gives pages from a disk no workers and no requests, so the search's index comes as a script.
"""

import json
import os
import tarfile
import zipfile
from pathlib import Path

from firstwatch.errors import BadParameter, RecordNotWritable
from firstwatch.publish.assembly import INDEX

ENDINGS = (".zip", ".tar.gz")
TOP = "firstwatch"  # the folder that the archive unpacks to


def inlined(site: Path) -> None:
    """Give the search of *site* its index as a script beside the one that is fetched."""
    index = json.loads((site / INDEX).read_text("utf-8"))
    text = json.dumps(index, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    (site / INDEX).with_suffix(".js").write_text(f"var __index = {text}", "utf-8")


def ending(archive: Path) -> str:
    """Return how the name of *archive* ends; BadParameter when no archive ends so."""
    for each in ENDINGS:
        if archive.name.endswith(each):
            return each
    raise BadParameter(f"--offline {archive}: its name ends in none of {', '.join(ENDINGS)}")


def pack(site: Path, runbooks: Path, contacts: Path, archive: Path) -> int:
    """
    Write *site*, the *runbooks* with their recordings, and *contacts* into *archive*; return its bytes.

    Raises:
        RecordNotWritable: It cannot be written.
    """
    draft = archive.with_name(f".{archive.name}.new")
    files = [(path, Path(TOP) / path.relative_to(site)) for path in _files(site)]
    files += [(path, Path(TOP) / "notebooks" / path.relative_to(runbooks)) for path in _files(runbooks)]
    files += [(contacts, Path(TOP) / contacts.name)] if contacts.is_file() else []
    try:
        (_zip if ending(archive) == ".zip" else _tar)(draft, files)
        os.replace(draft, archive)  # noqa: PTH105  # atomically
    except OSError as error:
        raise RecordNotWritable(f"cannot write {archive}: {error}") from error
    return archive.stat().st_size


def _files(folder: Path) -> list[Path]:
    """Return what is below *folder*, in order; no link, and nothing hidden."""
    below = sorted(folder.rglob("*"))
    return [p for p in below if p.is_file() and not p.is_symlink() and not _hidden(p.relative_to(folder))]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _zip(draft: Path, files: list[tuple[Path, Path]]) -> None:
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in files:
            archive.write(path, name.as_posix())


def _tar(draft: Path, files: list[tuple[Path, Path]]) -> None:
    with tarfile.open(draft, "w:gz") as archive:
        for path, name in files:
            archive.add(path, name.as_posix(), recursive=False)
