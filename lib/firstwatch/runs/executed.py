"""
The executed notebook, made fit for the record before it is on the disk.

It is redacted before it is written, each output as a whole, so that a secret is not seen in halves. It is written
beside and then put in its place, so that there is a whole one after any kill, and the last good one on a full disk.
What papermill says of cells is not believed; at the end each is marked with what the journal knows of it.
"""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from firstwatch.record.redact import redacted

MOST_LETTERS = 1_000_000  # of what one cell printed
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,20}m")
LONG_LINE = 8_192
STATUS = {"done": "completed", "not run": "pending"}  # in papermill's words; the others are the same


def keep(path: Path, notebook: Mapping[str, Any]) -> None:
    """Put *notebook* at *path*, whole or not at all; OSError leaves what was there."""
    draft = path.with_name(f".{path.name}.tmp")
    try:
        with draft.open("w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(notebook, file, indent=1, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)  # noqa: PTH105  # atomically
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clean(cell: Any) -> None:
    """Redact a code cell's outputs in place; what a stream said in pieces is looked at as one."""
    for name in ("stdout", "stderr"):
        pieces = [each for each in cell["outputs"] if each.get("name") == name]
        whole = "".join(_text(each["text"]) for each in pieces)
        if pieces and redacted(whole) != "".join(str(redacted(_text(each["text"]))) for each in pieces):
            pieces[0]["text"] = whole
            cell["outputs"] = [each for each in cell["outputs"] if not any(each is other for other in pieces[1:])]
    for output in cell["outputs"]:
        if "traceback" in output:
            output["traceback"] = _lines(_without_colours("\n".join(output["traceback"])))
        for key in ("text", "evalue", "data"):
            if key in output:
                output[key] = _redacted(output[key])


def _without_colours(text: str) -> str:
    """Return *text* redacted; colours, which may stand in the middle of a secret, go when there is one."""
    bare = _COLOURS.sub("", text)
    hidden = str(redacted(bare))
    return hidden if hidden != bare else text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "".join(value)


def _joined(value: Any) -> Any:
    lines = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "".join(value) if lines else value


def _lines(value: Any) -> list[str]:
    return str(value).split("\n")


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return redacted({key: _joined(each) for key, each in value.items()})
    return redacted(_text(value))


def fit(notebook: Any) -> Any:
    """Return *notebook*, as JupyterLab saved it, fit for the record: sources, outputs and metadata redacted."""
    for cell in notebook["cells"]:
        cell["source"] = redacted(_text(cell["source"]))
        if "outputs" in cell:
            clean(cell)
    return redacted(notebook)


def without_values(notebook: Any) -> dict[str, Any]:
    """Return *notebook*, which shares its outputs, with the values that it was given redacted wherever they stand."""
    metadata = {**notebook["metadata"]}
    if "papermill" in metadata:
        metadata["papermill"] = redacted({**metadata["papermill"]})
    return {**notebook, "metadata": metadata, "cells": [_without_values(cell) for cell in notebook["cells"]]}


def _without_values(cell: Any) -> Any:
    if "injected-parameters" not in cell["metadata"].get("tags", ()):
        return cell
    return {**cell, "source": redacted(_text(cell["source"]))}


def cut(outputs: list[Any], room: int = MOST_LETTERS) -> int:
    """Cut the last of *outputs* to *room* letters, saying so, and return what room is left then; -1 when it was cut."""
    last = outputs[-1]
    size = len(json.dumps(last.get("data", ""))) if "data" in last else len(_text(last.get("text", "")))
    if size <= room:
        return room - size
    said = f"\n[cut: only the first {MOST_LETTERS:,} letters of this cell's output are kept]\n"
    kept = "" if "data" in last else _whole_lines(_text(last.get("text", ""))[:room])
    last.clear()
    last.update({"output_type": "stream", "name": "stdout", "text": kept + said})
    return -1


def _whole_lines(text: str) -> str:
    """Return *text* up to its last line break, if there is one near: half a secret would not be seen."""
    end = text.rfind("\n", max(0, len(text) - LONG_LINE))
    return text[: end + 1] if end >= 0 else text


def settle(path: Path, runbook: str, cells: Mapping[str, str]) -> None:
    """
    Rewrite the notebook at *path*, which executed *runbook*, without this machine's folders and with the true *cells*.

    One that cannot be rewritten stays as it is: it is whole.
    """
    with suppress(OSError):
        notebook = json.loads(path.read_text("utf-8"))
        told = notebook["metadata"].setdefault("papermill", {})
        told |= {"input_path": f"{runbook}.ipynb", "output_path": path.name}
        for cell in notebook["cells"]:
            state = cells.get(cell.get("id", ""))
            if state and "papermill" in cell["metadata"]:
                cell["metadata"]["papermill"]["status"] = STATUS.get(state, state)
        keep(path, notebook)
