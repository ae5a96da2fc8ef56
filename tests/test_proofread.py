"""The linter of post-mortems: blame, placeholders, times, headings. What it finds in a corpus, and what it does not."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firstwatch.publish.blame import blame
from firstwatch.publish.proofread import ANALYSIS, HEADINGS, LABELS, proofread, section

ROOT = Path(__file__).parents[1]
CORPUS = tomllib.loads((ROOT / "tests" / "corpus" / "post-mortems.toml").read_text("utf-8"))
NAMES = ("on-call", "responder-2", "team-lead")
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
GOOD = """# Post-Mortem: API errors

## Incident Summary

- **Date**: 2026-11-24
- **Duration**: 0 hours 14 minutes
- **Severity**: SEV1
- **Impact**: 6 of 10 requests failed
- **Root Cause**: a release without a timeout

## Timeline

| Time (UTC) | Event |
| --- | --- |
| 11:58 | Initial detection (alert) |
| 12:05 | Incident declared (as SEV1) |
| 12:10 | Mitigation applied (rollback) |
| 12:12 | Service restored (verified) |

## Impact Assessment

- **Customers Affected**: 120 of 4000 customers
- **Financial Impact**: EUR 1200
- **SLA Impact**: kept
- **Reputation Impact**: 3 complaints

## Root Cause Analysis

### Direct Cause

A release that waits for ever.

### Contributing Factors

- No test covers a slow catalog.

### Why Existing Safeguards Failed

The readiness probe does not touch the catalog.

## Response Assessment

### What Went Well

- In time: acknowledge.

### What Could Be Improved

- update-2 came 4 min late.

## Action Items

| Action | Owner | Due Date | Priority |
| --- | --- | --- | --- |
| Add a timeout | team-lead | 2026-12-01 | High |

## Lessons Learned

1. A readiness probe has to touch what it needs.
"""


def found(text: str, severity: str = "SEV1") -> list[tuple[str, str]]:
    return [(each.rule, each.found) for each in proofread(text, severity, NAMES, NOW)]


def test_a_good_report_passes() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize("text", CORPUS["blame"])
def test_blame_is_found(text: str) -> None:
    assert list(blame(text, NAMES))


@pytest.mark.parametrize("text", CORPUS["missed"])
def test_what_is_known_to_be_missed_is_missed(text: str) -> None:
    assert not list(blame(text, NAMES))


@pytest.mark.parametrize("text", CORPUS["clean"])
def test_a_sentence_without_blame_passes(text: str) -> None:
    assert not list(blame(text, NAMES))
    assert found(GOOD.replace("A release that waits for ever.", text)) == []


def test_a_name_is_blamed_only_where_it_is_known() -> None:
    assert list(blame("zork broke it", ["zork"]))
    assert not list(blame("zork broke it", ["responder-2"]))


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_heading_of_the_procedures_must_be_there(heading: str) -> None:
    assert ("heading", heading.strip()) in found(GOOD.replace(heading, heading.replace(" ", " Our ", 1), 1))


@pytest.mark.parametrize("label", LABELS)
def test_every_field_of_the_procedures_must_be_filled(label: str) -> None:
    line = next(each for each in GOOD.splitlines() if each.startswith(f"- **{label}**"))
    assert ("field", label) in found(GOOD.replace(line, f"- **{label}**:"))
    assert ("field", label) in found(GOOD.replace(f"{line}\n", ""))


def test_headings_keep_their_order() -> None:
    moved = GOOD.replace("## Timeline", "## X").replace("## Lessons Learned", "## Timeline\n\n## Lessons Learned")
    assert ("heading", "## Impact Assessment") not in found(GOOD)
    assert any(rule == "heading" for rule, _ in found(moved))


@pytest.mark.parametrize(
    "placeholder",
    [
        "[Immediate technical cause]", "- Factor 1", "1. Lesson 1", "X hours Y minutes", "YYYY-MM-DD", "HH:MM", "SEV#",
        "TBD", "TODO: ask", "???", "[Number/percentage]", "{{ cause }}", "-", "XXX",
        "[Analysis of why current monitoring, alerts, etc. didn't prevent or catch this earlier]",
    ],
)  # fmt: skip
def test_a_placeholder_is_found(placeholder: str) -> None:
    assert "placeholder" in {rule for rule, _ in found(f"{GOOD}\n{placeholder}\n")}


@pytest.mark.parametrize(
    "text", ["[the record](page.md)", "- [ ] present it", "- [x] done", "\\[not a link\\]", "a[0] is first",
             "[//]: # (firstwatch: summary begins)", "- a bullet"],
)  # fmt: skip
def test_what_only_looks_like_a_placeholder_passes(text: str) -> None:
    assert found(f"{GOOD}\n{text}\n") == []


def test_a_timeline_out_of_order_is_found() -> None:
    swapped = GOOD.replace("| 12:10 |", "| 12:20 |")
    assert found(swapped) == [("timeline", "12:20, 12:12")]


def test_a_timeline_over_midnight_needs_its_dates() -> None:
    late = GOOD.replace("| 11:58 |", "| 23:58 |")
    assert ("timeline", "23:58, 12:05") in found(late)
    dated = GOOD.replace("| 11:58 |", "| 2026-11-23 23:58 |")
    for each in ("12:05", "12:10", "12:12"):
        dated = dated.replace(f"| {each} |", f"| 2026-11-24 {each} |")
    assert found(dated) == []


def test_a_moment_in_the_future_is_found() -> None:
    assert ("timeline", "18:30") in found(GOOD.replace("| 12:12 |", "| 18:30 |"))
    assert ("timeline", "2026-11-25 12:12") in found(GOOD.replace("| 12:12 |", "| 2026-11-25 12:12 |"))
    assert ("timeline", "12:61") not in found(GOOD)
    assert "timeline" in {rule for rule, _ in found(GOOD.replace("| 12:12 |", "| 12:61 |"))}


@pytest.mark.parametrize("words", ["Initial detection", "Incident declared", "Mitigation applied", "Service restored"])
def test_each_key_moment_must_be_there(words: str) -> None:
    assert found(GOOD.replace(words, "Something")) == [("timeline", words)]


@pytest.mark.parametrize("heading", ANALYSIS)
def test_a_serious_incident_needs_its_analysis_and_a_small_one_does_not(heading: str) -> None:
    empty = GOOD.replace(section(GOOD, heading), "\n")
    assert found(empty) == [("analysis", heading.lstrip("# "))]
    assert found(empty, "SEV3") == []


def test_a_long_text_is_read_in_no_time() -> None:
    assert len(found(GOOD + "the team " * 30_000 + "[" * 5_000)) < 10
