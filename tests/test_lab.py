"""JupyterLab as a responder uses it: a runbook opened in a real browser, run, saved, and attached to its record."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fakes
import pytest
from playwright.sync_api import Page, sync_playwright

from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.verify import verify

ROOT = Path(__file__).resolve().parents[1]
RUNBOOK = "investigate/first-five-minutes"
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@contextmanager
def lab(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """Run `firstwatch lab` and yield the address of its runbook, token and all, as it prints it."""
    command = [sys.executable, "-m", "firstwatch", "lab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    log = folder / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield address(log)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def address(log: Path) -> str:
    deadline = time.monotonic() + 60
    while not (found := re.search(r"(http://127\.0\.0\.1:\d+/lab)(\?token=\w+)", log.read_text())):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    return f"{found[1]}/tree/{RUNBOOK}.ipynb{found[2]}"


@contextmanager
def browser(url: str) -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)("no chromium on PATH")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=flags) as opened:
        page = opened.new_page()
        page.goto(url)
        yield page


def test_a_runbook_is_run_by_hand_saved_and_attached_to_its_record(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path
) -> None:
    config = fakes.configuration(tmp_path, serve(fakes.failing()).url)
    environment = os.environ | {"FIRSTWATCH_CONFIG": str(config), "HOME": str(tmp_path)}
    before = (ROOT / "runbooks" / f"{RUNBOOK}.ipynb").read_bytes()
    with lab(environment, tmp_path) as url, browser(url) as page:
        page.get_by_text("| Idle").wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.get_by_text("left: the incident is not declared").wait_for(timeout=60_000)
        page.keyboard.press("Control+s")
        (folder,) = (tmp_path / "incidents").iterdir()
        wait(lambda: list(folder.glob("notebooks/*.ipynb")))
    (attached,) = folder.glob("notebooks/*.ipynb")
    (run,) = fold(read(folder / "journal.jsonl")).runs
    assert (run.runbook, run.state) == (RUNBOOK, "done")
    assert "errors began at" in json.dumps(json.loads(attached.read_text())["cells"])
    assert verify(folder).consistent
    assert (ROOT / "runbooks" / f"{RUNBOOK}.ipynb").read_bytes() == before


def wait(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
