"""Projects whose sources are hostile: records, post-mortems, runbooks and pages that say a text wherever they can."""

# ruff: noqa: E501 - sources are as long as they are

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from faults.dying import ROOT
from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record.journal import Journal
from firstwatch.record.store import Record

BOOK = 30  # texts in one notebook


def project(folder: Path) -> Path:
    """Make a project with the real theme, hooks and settings of mkdocs, and no page but home."""
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs" / "theme", docs / "theme")
    shutil.copytree(ROOT / "docs" / "reference", docs / "reference", ignore=_showing_files)
    for name in ("hooks.py", "extra.css"):
        shutil.copy(ROOT / "docs" / name, docs / name)
    (docs / "index.md").write_text("# Home\n")
    told = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    told["plugins"] = [each for each in told["plugins"] if "mkdocstrings" not in each]
    told["nav"] = [{"Home": "index.md"}, {"Runbooks": "runbooks/"}, {"Incidents": "incidents/index.md"}]
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(told | {"watch": []}))
    (folder / "runbooks" / "investigate").mkdir(parents=True)
    return folder


def _showing_files(folder: str, names: list[str]) -> list[str]:
    """Return those of *names* that show files of the project, which are not there."""
    return [name for name in names if "--8<--" in (Path(folder) / name).read_text("utf-8")]


def built(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build the project in *folder* into its `site`."""
    command = [sys.executable, "-m", "mkdocs", "build", "-d", str(folder / "site"), *options]
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1", "FIRSTWATCH_RECORDS": str(folder / "incidents")}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=900, check=False)


def record(root: Path, number: int, text: str) -> Record:
    """Write a record that says *text* wherever a record says what somebody else wrote."""
    folder = root / f"2026-11-24-{number:06}"
    folder.mkdir(parents=True)
    book = Journal(folder / "journal.jsonl", WallClock(), Actor(text, text), text)
    seen = {
        "verdict": "BAD",
        "probe": text,
        "object": text,
        "expected": text,
        "observed": text,
        "next": text,
        "why_here": text,
    }
    book.append("opened", {"practice": True, "cluster": text, "service": text})
    book.append("alert", {"name": text, "labels": {text: text}})
    book.append("declared", {"title": text, "impact": text, "severity": text, "source": text})
    book.append("run-started", {"run": "r", "runbook": text, "mode": text, "parameters": {text: text}, "tags": [text]})
    book.append("looked", {"probe": text, "findings": [seen]})
    book.append("note", {"text": text})
    book.append("attached", {"path": text, "sha256": text, "bytes": 1, "what": text})
    book.append("resolved", {"summary": text})
    book.append(re.sub(r"\s", " ", text), {"text": text})
    (folder / "post-mortem.md").write_text(f"# {text}\n\n{text}\n\n| a |\n| --- |\n| {text} |\n", "utf-8")
    return Record(folder)


def notebook(texts: list[str], title: str) -> dict[str, Any]:
    """Return a runbook that says *texts* in every kind of cell and output."""
    cells = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {title}\n\n{title}"}]
    cells += [cell for number, text in enumerate(texts) for cell in _cells(number, text)]
    said = {"id": title, "alerts": [title], "owner": title, "reviewed": title}
    return {
        "cells": cells,
        "metadata": {"title": title, "firstwatch": said, "widgets": {title: title}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cells(number: int, text: str) -> list[dict[str, Any]]:
    kinds = (
        "text/html",
        "text/markdown",
        "text/plain",
        "application/javascript",
        "image/svg+xml",
        "text/latex",
        "text/vnd.mermaid",
    )
    outputs = [{"output_type": "display_data", "data": {kind: text}, "metadata": {"tags": [text]}} for kind in kinds]
    outputs += [{"output_type": "stream", "name": name, "text": text} for name in ("stdout", "stderr", text)]
    outputs += [{"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}]
    said = {"metadata": {"tags": [text], "name": text}, "source": text}
    code = {"cell_type": "code", "id": f"c{number}", "outputs": outputs, "execution_count": 1}
    return [
        said | code,
        said | {"cell_type": "markdown", "id": f"m{number}"},
        said | {"cell_type": "raw", "id": f"r{number}"},
    ]


def hostile(folder: Path, texts: list[str]) -> None:
    """Fill a project with *texts*, by every route."""
    project(folder)
    for number, text in enumerate(texts):
        record(folder / "incidents", number, text)
    for number, at in enumerate(range(0, len(texts), BOOK)):
        some = texts[at : at + BOOK]
        name = re.sub(r"[/\x00]", "_", some[-1])[:60]
        path = folder / "runbooks" / "investigate" / f"{number}{name}.ipynb"
        path.write_text(json.dumps(notebook(some, some[0])), "utf-8")
    for number, text in enumerate(texts):
        page = f"---\ntitle: {json.dumps(text)}\ntags: [{json.dumps(text)}]\ndescription: {json.dumps(text)}\n---\n\n## {text}\n\n{text}\n"
        (folder / "docs" / f"page-{number}.md").write_text(page, "utf-8")
