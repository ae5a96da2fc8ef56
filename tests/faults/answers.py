"""Answers of every wrong kind: one sentence, never a traceback; what is good of them is kept."""

import json
import os
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

import fakes
from wire import Behave, answer, saying

from faults.clients import Call, connected, patch, raised, wired
from faults.programme import Figure, Row, Trial
from firstwatch import probes
from firstwatch.actions import change, rollback
from firstwatch.errors import BadParameter, Conflict
from firstwatch.model import Finding, Verdict, cell
from firstwatch.probes.probe import ask
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.systems import Systems
from firstwatch.systems.log import Log
from firstwatch.text import visible

READS = (fakes.NODES, fakes.PODS, fakes.DEPLOYMENT, fakes.REPLICASETS, fakes.QUERY, fakes.RANGE)
FIVE = (probes.nodes, probes.pods, probes.rollouts, probes.error_rate)


def conflict(trial: Trial) -> Figure:
    """Change the image while the write is on its way: 409, and the message has what it was and what it is."""
    bad: list[str] = []
    for number in range(trial.count):
        image = f"api:9.{trial.random.randrange(99)}"
        world = fakes.failing()
        with fakes.serving(world), connected(trial.folder, world.url) as systems:
            plan = rollback.plan(systems, {"to_revision": 0})
            world.answers["PATCH", fakes.DEPLOYMENT] = _taken(world, image)
            said = raised(partial(change.apply, systems, plan, "i.k", [].append))
        if not isinstance(said, Conflict) or f"image: api:2.4.0 → {image}" not in str(said) or len(world.writes) != 1:
            bad.append(f"{said!r}, {len(world.writes)} writes")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _taken(world: fakes.Server, image: str) -> Any:
    def take(asked: fakes.Asked) -> fakes.Answer:
        live: Any = world.answers["GET", fakes.DEPLOYMENT]
        live[1]["spec"]["template"]["spec"]["containers"][0]["image"] = image
        return 409, fakes.status_object(409, "the object has been modified")

    return take


def denied(trial: Trial) -> Figure:
    """Deny one read of a sweep: what needs it is UNKNOWN and marked denied, and the rest is as it was."""
    bad: list[str] = []
    for number in range(trial.count):
        path = READS[number % len(READS)]
        world = fakes.failing()
        with fakes.serving(world), connected(trial.folder, world.url) as systems:
            whole = {each.probe: each.verdict for each in probes.sweep(FIVE, systems, datetime.now(UTC))}
            world.answers["GET", path] = (403, fakes.status_object(403, "no"))
            found = probes.sweep(FIVE, systems, datetime.now(UTC))
        marked = [each for each in found if "denied" in each.observed.lower()]
        blind = {each.probe for each in marked}
        lost = set(whole) - {each.probe for each in found}
        worse = [each for each in found if each.probe not in blind | {"rollouts"} and each.verdict != whole[each.probe]]
        if len(marked) != 1 or marked[0].verdict is not Verdict.UNKNOWN or lost or worse:
            bad.append(f"{path}: {list(found)}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def malformed(trial: Trial) -> Figure:
    """Answer every read with something that is malformed: an error of ours that names the call, or a finding."""
    bad: list[str] = []
    said = [b""]
    with wired(lambda connection, _: connection.sendall(said[0])) as server, connected(trial.folder, server.url) as to:
        calls = _calls(to)
        for number in range(trial.count):
            said[0] = answer("200 OK", _nonsense(trial.random))
            name, call = list(calls.items())[number % len(calls)]
            try:
                error = raised(call)
                if error is not None and name not in str(error):
                    bad.append(f"{name} is not in: {error}")
            except Exception as error:  # noqa: BLE001  # whatever comes is what is looked for
                bad.append(f"{name}: {error!r} of {said[0][-80:]!r}")
            trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _calls(systems: Systems) -> dict[str, Call]:
    """Return what reads, by what an error of it must name; a probe answers with findings and raises nothing."""
    now = datetime.now(UTC)
    asked: dict[str, Call] = {
        f"GET {fakes.DEPLOYMENT}": lambda: systems.cluster.get("Deployment", fakes.NAMESPACE, fakes.NAME),
        f"GET {fakes.PODS}": lambda: systems.cluster.list("Pod", fakes.NAMESPACE),
        "GET 'up' of Prometheus": lambda: systems.prometheus.instant("up"),
        f"PATCH {fakes.DEPLOYMENT}": lambda: patch(systems),
        "cluster test at": lambda: rollback.plan(systems, {"to_revision": 0}),
    }
    return asked | {f"probe {each.name}": lambda each=each: ask(each, systems, now) for each in FIVE}


def _nonsense(random: Random) -> bytes:
    """Return an answer with one thing wrong: cut, not UTF-8, not JSON, too deep, or of another shape somewhere."""
    good = random.choice([
        {"items": [fakes.pod("p")]}, {"items": [fakes.node()]}, fakes.deployment("api:1", 1), fakes.vector(0.5),
        {"items": [fakes.replicaset("api:1", 1, 60)]}, fakes.matrix([(60, 0.5), (30, 0.5)]),
    ])  # fmt: skip
    whole = json.dumps(good).encode()
    place = random.randrange(len(whole))
    return random.choice([
        lambda: whole[:place], lambda: whole[:place] + b"\xff\xfe" + whole[place:], lambda: b"<html>" + whole,
        lambda: b"[" * random.choice([100, 100_000]), lambda: b'{"items":' * 5_000 + b"1" + b"}" * 5_000,
        lambda: random.choice([b"null", b"[]", b'""', b"0", b"{}", b"NaN", b"1" * 5_000, b""]),
        *[lambda: json.dumps(_bent(good, random)).encode()] * 6,
    ])()  # fmt: skip


def _bent(value: Any, random: Random) -> Any:
    """Return *value* with something in it, or all of it, put out of shape."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.15:
        return random.choice([None, [], {}, "", "text", 0, -1, 1e308, True, [None], {"a": None}, ["x"], "NaN", 10**400])
    if isinstance(value, list):
        index = random.randrange(len(value))
        return [_bent(each, random) if place == index else each for place, each in enumerate(value)]
    key = random.choice(list(value))
    if random.random() < 0.2:
        return {other: item for other, item in value.items() if other != key}
    return value | {key: _bent(value[key], random)}


def clocks(trial: Trial) -> Figure:
    """Let the cluster's clock differ by minutes or by little, and run a sweep by the command."""
    bad: list[str] = []
    for number in range(trial.count):
        far = number % 2 == 0
        world = fakes.healthy()
        world.ahead_s = trial.random.choice([-1, 1]) * trial.random.uniform(*((60, 3600) if far else (0, 20)))
        folder = trial.folder / str(number)
        folder.mkdir()
        with fakes.serving(world):
            environ = os.environ | {"FIRSTWATCH_CONFIG": str(fakes.configuration(folder, world.url))}
            command = [sys.executable, "-m", "firstwatch", "run", "investigate/first-five-minutes"]
            done = subprocess.run(command, env=environ, capture_output=True, timeout=90, check=False)
        (journal,) = (folder / "incidents").glob("*/journal.jsonl")
        kinds = [each.kind for each in fold(read(journal)).timeline]
        if kinds.count("skewed") != int(far) or done.returncode:
            bad.append(f"{world.ahead_s:.0f} s: {kinds.count('skewed')} warnings, exit {done.returncode}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


READ_LOG = """
import json, resource, sys
from pathlib import Path
from firstwatch import settings
from firstwatch.systems import connect
with connect(settings.load(Path(sys.argv[1]))) as systems:
    log = systems.cluster.logs("a", "p")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"peak": peak, "shown": len(repr(log)), "cut": log.cut, "size": log.size, "hash": log.sha256}))
"""
CHUNK = 1_000_000
LIMIT_MB = 200


def _read_log(trial: Trial, behave: Behave, words: str) -> Figure:
    """Read a log in a process of its own, and look at how much memory it took at most and what it says of the rest."""
    bad, peaks = [], [0]
    for number in range(trial.count):
        with wired(behave) as server:
            path = fakes.configuration(trial.folder, server.url)
            command = [sys.executable, "-c", READ_LOG, str(path)]
            done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        told = json.loads(done.stdout or b"{}")
        peaks.append(told.get("peak", LIMIT_MB))
        if peaks[-1] >= LIMIT_MB or words not in told.get("cut", "") or told["shown"] > 8_000_000:
            bad.append(f"{told} {done.stderr[-200:]!r}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join([*bad[:3], f"at most {max(peaks)} MB"]))


def _flood(chunk: bytes, megabytes: int) -> Behave:
    def behave(connection: Any, _: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {megabytes * len(chunk)}\r\n\r\n"
        connection.sendall(head.encode())
        for _ in range(megabytes):
            connection.sendall(chunk)

    return behave


def endless_log(trial: Trial) -> Figure:
    lines = (b"x" * 99 + b"\n") * (CHUNK // 100)
    return _read_log(trial, _flood(lines, 5_000), "only the first 4,000,000 bytes were read")


def endless_line(trial: Trial) -> Figure:
    return _read_log(trial, _flood(b"x" * CHUNK, 100), "1 lines were shortened")


TRICKS = (
    "\x00",
    "\x1b[31m",
    "\x1b]8;;http://x\x07",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\u3164",
    "\U000e0041",
    "\x9b",
)
MOVES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def tricks(trial: Trial) -> Figure:
    """Show random bytes and letters, with tricks among them: nothing that moves, hides or turns is left."""
    bad: list[str] = []
    for number in range(trial.count):
        text = "".join(_letter(trial.random) for _ in range(trial.random.randrange(40)))
        raw = text.encode("utf-8", "surrogatepass") + trial.random.randbytes(8)
        found = Finding(probe="p", verdict=Verdict.BAD, object="o", expected="", observed=text)
        shown = repr(Log.of(raw, 100)) + repr(found) + found._repr_markdown_() + cell(text) + visible(text)
        left = {each for each in shown.replace("\n", "") if unicodedata.category(each) in MOVES}
        if left:
            bad.append(f"{text!r} leaves {left}")
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _letter(random: Random) -> str:
    if random.random() < 0.2:
        return random.choice(TRICKS)
    twice = "é→日".encode().decode("latin-1")  # UTF-8 that was taken for something else
    return random.choice([twice, chr(random.randrange(0x110000)), chr(random.randrange(0x20, 0x7F))])


WRONG = ("", ".", "..", "-", "/", "%2f", " ", ";", "\n", "\x00", "é", "🚨", "A", "_", "?", "#", "a" * 254)


def names(trial: Trial) -> Figure:
    """Put a wrong name into every place of every call: refused, and nothing is sent."""
    bad: list[str] = []
    with wired(saying("200 OK", b"{}")) as server, connected(trial.folder, server.url) as to:
        for number in range(trial.count):
            name = _wrong(trial.random)
            bad += [repr(name) for call in _named(to, name) if not isinstance(raised(call), BadParameter)]
            trial.tell(number + 1)
        sent = len(server.requests)
    return Figure(trial.count, len(bad) + sent, f"{sent} requests; {bad[:3]}" if bad or sent else "0 requests")


def _wrong(random: Random) -> str:
    piece = random.choice(WRONG)
    if piece in ("", ".", "..", "-") or len(piece) > 253:
        return piece
    around = "".join(random.choice("abc0") for _ in range(random.randrange(6)))
    place = random.randrange(len(around) + 1)
    return around[:place] + piece + around[place:]


def _named(to: Systems, name: str) -> list[Call]:
    namespaces = [lambda: to.cluster.list("Pod", name)] if name else []  # an empty one means all of them
    return [
        lambda: to.cluster.get("Deployment", "a", name),
        lambda: to.cluster.patch("Deployment", "a", name, []),
        lambda: to.cluster.logs("a", name),
        lambda: to.cluster.get("Deployment", name or "..", "a"),
        lambda: to.cluster.logs("a", "p", container=name or ".."),
        *namespaces,
    ]


ROWS = [
    Row("T20", "409: the image changed meanwhile", "exit 5 with what changed; one request", 200, conflict, least=10),
    Row("T22", "403 on one read of a sweep", "it is UNKNOWN, marked denied; the rest stands", 200, denied, least=12),
    Row("T23", "malformed answers of every kind", "one error that names the call, or a finding", 10_000, malformed),
    Row("T29", "the cluster's clock differs", "one warning in the record from 30 s on", 40, clocks, least=2),
    Row("T36", "5 GB of log", f"cut, said so, under {LIMIT_MB} MB", 20, endless_log),
    Row("T37", "letters that move, hide or turn", "shown as escapes", 100_000, tricks),
    Row("T38", "a line of 100 MB", f"cut, said so, under {LIMIT_MB} MB", 20, endless_line),
    Row("T50", "wrong names in every place", "exit 2, nothing sent", 100_000, names),
]  # fmt: skip
