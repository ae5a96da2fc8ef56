"""Every mitigation of the cluster, planned only: nothing but reads and dry runs on the wire, counted there."""

import json
from collections.abc import Callable
from pathlib import Path

import fakes
import pytest
from faults import broken
from test_changes import PAGE, SERVICES, full, holding

from firstwatch.runs import catalog

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {"mitigate/end-session"}  # of the database: test_sessions plans it
MITIGATIONS = [
    name for name in catalog.names(ROOT / "runbooks") if name.startswith("mitigate/") and name not in ELSEWHERE
]


def changeable() -> fakes.Server:
    """Return a cluster with everything that a mitigation changes."""
    world = full()
    holding(world, f"{SERVICES}/front", {**PAGE, "spec": {"selector": {"app": "api"}}})
    page = fakes.pod("page-1") | {"metadata": {"name": "page-1", "labels": {"app": "maintenance-page"}}}
    world.on(fakes.PODS, 200, {"items": [*world.answers["GET", fakes.PODS][1]["items"], page]})  # type: ignore[index]
    return world


def desk(folder: Path, url: str) -> None:
    """Configure a service that has everything that a mitigation changes."""
    path = fakes.configuration(folder, url)
    (folder / "page.yaml").write_text(json.dumps(PAGE))
    named = f'[service]\nurl = "{url}"\nconfigmap = "flags"\n'
    path.write_text(path.read_text().replace("[service]\n", named) + '[maintenance]\nmanifest = "page.yaml"\n')


@pytest.mark.parametrize("name", MITIGATIONS)
def test_a_mitigation_that_is_only_planned_sends_reads_and_dry_runs_alone(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world = changeable()
    desk(tmp_path, serve(world).url)
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(tmp_path / "firstwatch.toml"))
    monkeypatch.setenv("FIRSTWATCH_RECORDS", str(tmp_path / "incidents"))
    ran = broken.cells(name, {"live": True}, {"service": fakes.NAME, "within": "0s", "replicas": 10, "minimum": 6})
    assert (ran.sentence, ran.unforeseen) == ("", "")
    assert world.writes == []
    assert [each.method for each in world.asked if "dryRun" in each.query], "nothing was tried"


def test_each_kind_of_mitigation_is_among_them() -> None:
    assert len(MITIGATIONS) >= 8
