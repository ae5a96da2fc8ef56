"""The maintenance page is seen by customers: when it comes, and when it goes, an update falls due."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakes
import pytest
from test_people_commands import Phone
from test_planned import changeable, desk

UPDATE = ("update", "--status", "MITIGATING", "--summary", "x", "--eta", "soon", "--actions", "y", "--next", "1h")


@pytest.fixture
def typed(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Phone:
    """Somebody types beside a cluster that has everything that a mitigation changes, in a declared SEV4."""
    desk(tmp_path, serve(changeable()).url)
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(tmp_path / "firstwatch.toml"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    made = Phone(tmp_path, monkeypatch, capsys)
    made("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV4")
    return made


def approved(typed: Phone, *words: str, code: int = 0) -> None:
    """Type *words* with --apply, get the plan approved by somebody else, and type them again."""
    typed(*words, "--apply", code=3)
    typed("approve", typed.state().plans[-1].hash, acting_as="responder-2")
    typed(*words, "--apply", code=code)


def test_the_page_and_its_undo_each_make_an_update_fall_due_and_the_next_update_meets_it(typed: Phone) -> None:
    assert "update" not in typed.duties()
    approved(typed, "run", "mitigate/maintenance-page", "-p", "within=0s", code=8)  # no page is served here
    assert "customers see the maintenance page since" in typed.duties()["update"]["why"]
    typed(*UPDATE)
    assert typed.duties()["update"]["why"] == "promised by the last update"
    assert "customers see the maintenance page since" in typed.duties()["update-1"]["why"]
    (change,) = typed.state().in_force
    approved(typed, "undo", change.key)
    assert "the maintenance page is gone since" in typed.duties()["update"]["why"]
    typed(*UPDATE)
    assert typed.duties()["update"]["why"] == "promised by the last update"
