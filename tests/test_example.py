"""The example incident of the site: whole, final, every heading filled, and nothing of a machine or a person in it."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

from firstwatch import settings
from firstwatch.policy import tables
from firstwatch.publish.postmortem import FILE, Report
from firstwatch.publish.proofread import HEADINGS, section
from firstwatch.record.journal import read
from firstwatch.record.store import Store
from firstwatch.record.verify import verify

ROOT = Path(__file__).resolve().parents[1]
(ID,) = re.findall(r"^!incidents/(.+)/$", (ROOT / ".gitignore").read_text(), re.MULTILINE)
RECORD = Store(ROOT / "incidents").get(ID)
TEXT = (RECORD.folder / FILE).read_text("utf-8")
ROLES = {"on-call", "responder-2", "responder-3"}


def test_the_record_verifies_and_its_post_mortem_is_the_final_one() -> None:
    assert verify(RECORD.folder).whole
    written = RECORD.incident().people.written[-1]
    assert (written.state, written.sha256) == ("final", hashlib.sha256(TEXT.encode()).hexdigest())


def test_every_heading_is_filled_and_nothing_is_wrong_with_it() -> None:
    promise = settings.load(ROOT / "firstwatch.toml").sla
    assert Report(RECORD.incident(), tables.load(), promise, datetime.now(UTC)).complaints(TEXT) == ()
    for heading in HEADINGS[1:]:
        assert len(section(TEXT, heading).strip()) > 20, heading


def test_it_went_from_an_alert_to_a_closed_incident_whose_items_are_filed() -> None:
    incident = RECORD.incident()
    facts = incident.people
    assert (incident.status, incident.practice, facts.detections[0].reason) == ("closed", True, "alert")
    assert not [each for each in incident.messages if each.state != "delivered"]
    assert facts.todo
    assert {each.id for each in facts.todo} == set(facts.filed)


def test_it_names_no_machine_and_no_person() -> None:
    assert {each.who for each in read(RECORD.journal)} <= ROLES
    assert {each.credential for each in read(RECORD.journal)} == {"on-call@laptop"}
    for path in RECORD.folder.rglob("*"):
        if path.suffix in (".md", ".jsonl", ".ipynb"):
            assert not re.findall(r"(?<![\w.])/(?:home|root|tmp|work|Users)/|root@", path.read_text("utf-8")), path.name
