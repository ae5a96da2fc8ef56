"""Under a breach the clocks of legal and compliance run in the record, and nothing is published until a release."""

from datetime import timedelta
from typing import Any

import exchange
from exchange import CUSTOMER, STATUS, TICKET, Exchange, draft

from faults.programme import Figure, Row, Trial
from firstwatch.channels.outbox import Outbox
from firstwatch.policy import tables
from firstwatch.policy.duties import duties

POLICY = tables.load()
CLOCKS = {"breach": ("legal", 0), "regulatory": ("compliance", 3600), "customer-data": ("customer-data", 7200)}
NOTICES = {"legal": "legal", "compliance": "compliance", "customer-data": "legal"}
OPENED = {"title": "API errors", "impact": "6 of 10 requests fail", "severity": "SEV1"}


def runs(trial: Trial) -> Figure:
    """Flag, look at random moments, notify some, try to publish, release; count what is wrong."""
    bad: list[str] = []
    for number in range(trial.count):
        with exchange.exchange(trial.folder / str(number)) as world:
            bad += [f"{number}: {each}" for each in [*_clocks(world, trial), *_texts(world)]]
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(["of three clocks and three channels", *bad[:3]]))


def _clocks(world: Exchange, trial: Trial) -> list[str]:
    """Set the three flags at random moments, look around each due time, and notify in time or not."""
    box, flagged, wrong = world.outbox(), dict[str, Any](), list[str]()
    journal = box.writer.journal(box.record)
    journal.append("declared", OPENED)
    for flag in trial.random.sample(list(CLOCKS), 3):
        world.clock.sleep(trial.random.randrange(1, 3600))
        flagged[flag] = journal.append("flagged", {"flag": flag, "value": True, "reason": "x"}).time
    facts = box.record.incident().people
    for flag, (duty, seconds) in CLOCKS.items():
        due = flagged[flag] + timedelta(seconds=seconds)
        last = max(flagged.values())
        for now in (due - timedelta(seconds=1), due, due + timedelta(seconds=1)):
            found = next(each for each in duties(POLICY, facts, max(now, last)) if each.id == duty)
            expected = "due" if max(now, last) <= due else "overdue"
            wrong += [f"{duty} is {found.state} at {now}"] if (found.state, found.due) != (expected, due) else []
    return wrong + _notified(box, world, trial, flagged)


def _notified(box: Outbox, world: Exchange, trial: Trial, flagged: dict[str, Any]) -> list[str]:
    """Notify each at a random moment: met in time, missed for ever after it."""
    flag = trial.random.choice(list(CLOCKS))
    duty, seconds = CLOCKS[flag]
    world.clock.sleep(trial.random.randrange(0, 2 * 7200))
    at = box.writer.journal(box.record).append("notified", {"whom": NOTICES[duty], "how": "phone"}).time
    expected = "met" if at <= flagged[flag] + timedelta(seconds=seconds) else "missed"
    found = next(each for each in duties(POLICY, box.record.incident().people, at) if each.id == duty)
    return [] if found.state == expected else [f"{duty} is {found.state}, notified {at - flagged[flag]} after its flag"]


def _texts(world: Exchange) -> list[str]:
    """Queue and approve what the public reads; it leaves after the release, and not before."""
    box = world.outbox()
    held = box.queue(
        draft("statuspage", "investigating", STATUS["investigating"], "page"), draft("tracker", "ticket", TICKET),
        draft("mail", "customer-notice", CUSTOMER, "customer@example.com"),
    )  # fmt: skip
    for each in held:
        box.approve(each)
    box.deliver()
    before = _published(world)
    box.writer.journal(box.record).append("released", {"reason": "legal agrees"})
    for _ in range(20):  # a busy machine may need a second try
        world.clock.sleep(60)
        box.deliver()
        if not any(each.pending for each in box.record.incident().messages):
            break
    after = _published(world)
    return [] if (before, after) == ((0, 0, 0), (1, 1, 1)) else [f"published {before}, then {after}"]


def _published(world: Exchange) -> tuple[int, int, int]:
    return len(world.statuspage.incidents), len(world.tracker.tickets), len(world.mail.letters)


ROWS = (Row("T85", "a breach: its clocks, and texts for the public", "due, overdue, met; nothing published", 60, runs),)
