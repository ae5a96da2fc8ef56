"""
The catalog: which runbooks there are.

A runbook is known by its path under `runbooks/`, without the ending: `mitigate/rollback`. Its hash is that of its
cells' sources, so that outputs and execution counts can change without a plan losing its approval.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Json, canonical

MOST_BYTES = 16_000_000
KINDS = ("investigate", "mitigate", "coordinate", "review")


@dataclass(frozen=True, slots=True)
class Runbook:
    """A notebook and what it says of itself."""

    name: str
    path: Path
    title: str
    about: str
    metadata: dict[str, Any]
    cells: tuple[Json, ...]

    @property
    def kind(self) -> str:
        return self.name.split("/")[0]

    @property
    def sha256(self) -> str:
        sources = [[cell["cell_type"], _source(cell)] for cell in self.cells]
        return hashlib.sha256(canonical(sources)).hexdigest()

    @property
    def recording(self) -> Path:
        """The folder of the recording that it runs against when there is no service."""
        return self.path.parent.parent / "recordings" / self.name

    @property
    def parameters_source(self) -> str:
        tagged = (cell for cell in self.cells if "parameters" in cell.get("metadata", {}).get("tags", ()))
        return _source(next(tagged, {"source": ""}))

    @classmethod
    def load(cls, path: Path, name: str) -> Self:
        """Return the runbook at *path*; BadParameter when it is not a notebook."""
        try:
            data = json.loads(_small(path))
            cells = tuple(data["cells"])
            _judge(data["metadata"], cells)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise BadParameter(f"{path} is not a notebook: {reason}") from error
        title, _, about = _source(cells[0]).partition("\n")
        metadata = data["metadata"].get("firstwatch", {})
        return cls(name, path, title.lstrip("# ").strip(), about.strip(), metadata, cells)


def _small(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    return data.decode("utf-8")


def _judge(metadata: Json, cells: tuple[Json, ...]) -> None:
    """Raise ValueError with what is wrong with a notebook, and in which cell."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get("firstwatch", {}), dict):
        raise ValueError("its metadata, or their key firstwatch, is not an object")
    if not cells:
        raise ValueError("it has no cell")
    for number, cell in enumerate(cells, 1):
        wrong = _wrong(cell)
        if wrong:
            raise ValueError(f"cell {number} {wrong}")


def _wrong(cell: Json) -> str:
    """Return what is wrong with *cell*; empty when nothing is."""
    if not isinstance(cell, dict) or not {"cell_type", "id", "source"} <= cell.keys():
        return "lacks its cell_type, id or source"
    if cell["cell_type"] not in ("code", "markdown", "raw") or not isinstance(cell["id"], str):
        return "has a cell_type or an id that is none"
    source, metadata = cell["source"], cell.get("metadata", {})
    if not _text(source) and not (isinstance(source, list) and all(map(_text, source))):
        return "has a source that is not text"
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else None
    return "" if isinstance(tags, list) and all(map(_text, tags)) else "has metadata or tags that are none"


def _text(value: object) -> bool:
    """Whether *value* is text that can be written: half a letter cannot."""
    try:
        return isinstance(value, str) and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False


def _source(cell: Json) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def root() -> Path:
    """
    Return the folder of the runbooks: `runbooks/` in this folder or the nearest above, else the one beside the library.

    Raises:
        NotFound: There is none.
    """
    here = Path.cwd()
    beside = Path(__file__).resolve().parents[3]
    for folder in (*_named(), *(parent / "runbooks" for parent in (here, *here.parents)), beside / "runbooks"):
        if any((folder / kind).is_dir() for kind in KINDS):
            return folder
    raise NotFound(f"no folder runbooks/ in {here} or above it; name it with FIRSTWATCH_RUNBOOKS")


def _named() -> tuple[Path, ...]:
    named = os.environ.get("FIRSTWATCH_RUNBOOKS", "")
    return (Path(named).absolute(),) if named else ()


def names(folder: Path) -> list[str]:
    """Return the names of all runbooks under *folder*, sorted."""
    paths = (path for kind in KINDS for path in (folder / kind).glob("**/*.ipynb"))
    return sorted(
        p.relative_to(folder).with_suffix("").as_posix() for p in paths if ".ipynb_checkpoints" not in p.parts
    )


def find(name: str) -> Runbook:
    """Return the runbook called *name*; NotFound names the nearest."""
    folder = root()
    known = names(folder)
    if name not in known:
        short = [each for each in known if each.rpartition("/")[2] == name]
        raise NotFound(f"there is no runbook {name!r}; {nearest(name, short or known)}")
    return Runbook.load(folder / f"{name}.ipynb", name)
