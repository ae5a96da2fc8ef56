"""Telling people while what tells them fails: nothing lost, nothing twice, nobody called who was not meant."""

import json
import tomllib
from contextlib import suppress
from pathlib import Path
from random import Random

import exchange
from exchange import STATUS, UPDATE, Exchange, draft

from faults.programme import Figure, Row, Trial
from firstwatch.channels import lint, slack, texts
from firstwatch.channels.outbox import Outbox, exit_code
from firstwatch.errors import BadParameter
from firstwatch.record.messages import Message
from gameday.services.slack import mentions

FAULTS = ("", "", "down", "429", "500", "refuse", "drop", "drop")
CORPUS = Path(__file__).parents[1] / "corpus" / "customer-texts.toml"
LETTERS = ["<", ">", "&", "@", "!", "#", "|", "here", "channel", "everyone", "U123", "http://x", "\u202e",
           "\u200b", "\n", " ", "a", "🚨", "e\u0301", "&lt;", "&amp;", "<!here>", "<@U1>", "<!subteam^S1>", "*",
           "`"]  # fmt: skip
ODD = ["", " ", "\t\n", "\u200b", "\u2028", "\ud800", "x" * 1_000_000, "\x00", "🚨" * 100_000, "\u202e" * 300]


def chat_fails(trial: Trial) -> Figure:
    """Give updates while chat fails in a way chosen anew for each; then heal it, and count what stands there."""
    lost = twice = unsaid = 0
    with exchange.exchange(trial.folder) as world:
        box = world.outbox()
        box.deliver(room=True)
        for number in range(trial.count):
            world.fail(trial.random.choice(FAULTS), "slack")
            box.queue(draft("slack", "update", UPDATE | {"number": str(number)}, key=f"update-{number}"))
            box.deliver()
            incident = box.record.incident()
            unsaid += exit_code(incident) != 9 and any(each.pending for each in incident.messages)
            _tick(world, trial, number)
        _healed(world, box, "slack")
        posted = [text.partition("#")[2].partition(" ")[0] for text in world.posts()]
    wanted = [str(number) for number in range(trial.count)]
    lost, twice = len(set(wanted) - set(posted)), len(posted) - len(set(posted))
    misplaced = int([*dict.fromkeys(posted)] != [each for each in wanted if each in posted])
    return Figure(
        trial.count, lost + twice + unsaid + misplaced,
        f"{lost} lost, {twice} twice, {misplaced} out of order, {unsaid} pending without exit 9",
    )  # fmt: skip


def page_fails(trial: Trial) -> Figure:
    """Take incidents through the status page's states while it fails; then heal it, and count updates and order."""
    bad: list[str] = []
    for number in range(trial.count):
        folder = trial.folder / str(number)
        with exchange.exchange(folder) as world:
            box = world.outbox()
            for name in STATUS:
                (id_,) = box.queue(draft("statuspage", name, STATUS[name], "page"))
                box.approve(id_)
                world.fail(trial.random.choice(FAULTS), "statuspage")
                box.deliver()
                if box.record.incident().messages[-1].pending and exit_code(box.record.incident()) != 9:
                    bad.append(f"{number}: undelivered, and not said")
            _healed(world, box, "statuspage")
            shown = [each["status"] for page in world.statuspage.incidents for each in page["incident_updates"]]
        if shown != list(reversed(STATUS)):
            bad.append(f"{number}: {shown}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _healed(world: Exchange, box: Outbox, service: str) -> None:
    world.fail("", service)
    for _ in range(200):
        world.clock.sleep(60)
        box.deliver()
        if not any(each.pending for each in box.record.incident().messages):
            return


def _tick(world: Exchange, trial: Trial, number: int) -> None:
    world.clock.sleep(5)
    if number % 50 == 49:
        trial.tell(number + 1)


def long_texts(trial: Trial) -> Figure:
    """Split texts of any length; each block fits, there are fifty at most, and nothing is lost without a notice."""
    bad = 0
    for _ in range(trial.count):
        text = _text(trial.random, trial.random.choice((10, 500, 3000, 9000, 40_000)))
        parts = slack.parts(text)
        fits = len(parts) <= 50 and all(0 < len(each) <= slack.BLOCK for each in parts)
        whole = "".join(parts).replace("@\u200d", "@").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        kept = whole == text if len(text) <= slack.MOST else "all of it is in the record]" in whole
        bad += not (fits and kept)
    return Figure(trial.count, bad)


def calls_nobody(trial: Trial) -> Figure:
    """Post texts full of markup, and read them as Slack does: not one calls anybody, or links anywhere."""
    bad = 0
    for _ in range(trial.count):
        text = _text(trial.random, 60)
        post = slack._post(Message("m", "slack", "update", "C1", text, {}, exchange.DECLARED, "on-call"), "C1")
        bad += bool(mentions(post) or mentions(post | {"link_names": True}))
    return Figure(trial.count, bad)


def _text(random: Random, length: int) -> str:
    return "".join(random.choice(LETTERS) for _ in range(length))


def lets_out(trial: Trial) -> Figure:
    """Look at the corpus: what is found, what is known to be missed, and what is wrongly found."""
    corpus = tomllib.loads(CORPUS.read_text("utf-8"))
    house = lint.House(("status.claude-deployment.com",), ("claude-deployment-api", "claude-deployment-prod"))
    known = [(rule, text) for rule, several in corpus["missed"].items() for text in several]
    all_ = [(rule, text) for rule, several in corpus["bad"].items() for text in several] + known
    missed = [each for each in all_ if each[0] not in {e.rule for e in lint.check("identified", each[1], house)}]
    alarms = [text for text in corpus["clean"]["sentences"] if lint.check("identified", text, house)]
    note = f"{len(all_) - len(missed)} of {len(all_)} found, {len(missed)} missed; {len(alarms)} false alarms"
    return Figure(len(all_), len(set(missed) - set(known)) + len(alarms), f"{note}; sentences of our own")


def odd_values(trial: Trial) -> Figure:
    """Fill a text with a megabyte, nothing, spaces, halves of letters: refused, or whole on its line."""
    bad = 0
    for _ in range(trial.count):
        value = trial.random.choice(ODD) if trial.random.random() < 0.2 else _text(trial.random, 30)
        name = trial.random.choice(["declaration", "update", "customer-notice", "investigating"])
        fields = dict.fromkeys(texts.template(name).fields, "x")
        field = trial.random.choice(list(fields))
        with suppress(BadParameter):
            text = texts.render(name, fields | {field: value})
            text.encode()
            same = len(text.splitlines()) == len(texts.render(name, fields).splitlines())
            bad += not (same and len(text) < 10_000 and (name != "investigating" or json.loads(text)))
    return Figure(trial.count, bad)


ROWS = (
    Row("T25", "chat 429, 5xx, refused, dropped", "kept, in order, once, exit 9 meanwhile", 600, chat_fails, 30),
    Row("T26", "status page down and back", "each state once, in order", 60, page_fails, 3),
    Row("T27", "texts longer than chat takes", "split, or cut with a notice", 20_000, long_texts, 200),
    Row("T53", "markup and mentions in texts", "nobody is called", 100_000, calls_nobody, 2000),
    Row("T54", "what customers must not read", "found, or counted as missed", 1, lets_out),
    Row("T55", "a megabyte, nothing, halves of letters", "refused, or whole on its line", 100_000, odd_values, 2000),
)
