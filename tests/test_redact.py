"""Redaction: what is replaced before it reaches the disk, and what stays because it is no secret."""

import base64
import html
import json
import random
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from faults.dying import ROOT, Bench

from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record import redact
from firstwatch.record.journal import Journal
from firstwatch.record.redact import REDACTED, redacted

LETTERS = string.ascii_letters + string.digits


def made(length: int, letters: str = LETTERS) -> str:
    """Return a value that nobody ever used, so that no file of ours holds what looks like a secret."""
    return "".join(random.Random(length).choices(letters, k=length))


VALUE = "q7/+&%" + made(24) + '"\\é'


@pytest.fixture
def knowing() -> Iterator[str]:
    redact.know(VALUE)
    yield VALUE
    redact._known.discard(VALUE)
    redact._found.cache_clear()


FORMS = {
    "as it is": lambda v: v,
    "in JSON": lambda v: json.dumps({"x": v}),
    "in JSON that keeps letters": lambda v: json.dumps({"x": v}, ensure_ascii=False),
    "in JSON in JSON": lambda v: json.dumps(json.dumps({"x": v})),
    "in an address": lambda v: "https://h/?q=" + quote(v, safe=""),
    "in an address, small": lambda v: "https://h/" + quote(v).replace("%2B", "%2b"),
    "in a form": lambda v: "q=" + quote_plus(v),
    "in HTML": lambda v: f"<td>{html.escape(v)}</td>",
    "in hex": lambda v: v.encode().hex(),
    "in hex, large": lambda v: v.encode().hex().upper(),
    "in Base64 of Base64": lambda v: base64.b64encode(base64.b64encode(v.encode())).decode(),
    "in Base64 of 76 a line": lambda v: base64.encodebytes(b"a text before it " * 3 + v.encode()).decode(),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_known_value_is_found_in_every_form(knowing: str, form: "type[str]") -> None:
    said = redacted(f"began {form(knowing)} ended")
    assert REDACTED in said
    assert made(24) not in said
    assert said.startswith("began ")
    assert said.endswith(" ended")


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"\xff\xfe\xfd\xfc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_known_value_is_found_in_base64_wherever_it_stands(knowing: str, before: bytes, encode: "type") -> None:
    said = redacted(encode(before + knowing.encode() + b"\xff\xfe").decode())
    assert REDACTED in said
    assert len(said) - len(REDACTED) < 16  # no more is left than what belongs to its neighbours


def test_a_known_text_of_many_lines_is_found_line_by_line() -> None:
    lines = [made(40 + number) for number in range(3)]
    assert redact.know("\n".join(lines))
    assert [redacted(f"{number}: {line}") for number, line in enumerate(lines)] == [
        f"{n}: {REDACTED}" for n in range(3)
    ]


@pytest.mark.parametrize("value", ["", "short", "1234567", "postgres", "changeme"])
def test_too_short_a_value_and_a_plain_word_are_not_known(value: str) -> None:
    assert not redact.know(value)
    assert redacted(f"the word {value} stays") == f"the word {value} stays"


def test_the_environment_is_known_by_its_names() -> None:
    program = "from firstwatch.record.redact import redacted; import sys; print(redacted(sys.stdin.read()))"
    environ = {"CHAT_TOKEN": made(21), "dbPassword": made(22), "HOMEPAGE": made(23), "PWD": "/srv/runbooks-of-ours"}
    done = subprocess.run(
        [sys.executable, "-c", program], input=" ".join(environ.values()), env=environ, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.split() == [REDACTED, REDACTED, made(23), "/srv/runbooks-of-ours"]


def test_the_journal_is_redacted_before_the_disk(knowing: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", WallClock(), Actor("on-call"), "on-call@laptop")
    journal.append("note", {"text": f"it said {knowing}", "password": made(9), knowing: ["x", {"y": knowing}]})
    data = journal.path.read_text()
    assert made(24) not in data
    assert made(9) not in data


HEX = "0123456789abcdef"
NAMED = [
    "password=%s", "DB_PASSWORD: %s", '{"apiToken": "%s"}', "client_secret = '%s'", "export STRIPE_KEY=%s",
    "--token %s",
    "Server=h;Password=%s;Pooling=true", "//registry.example/:_authToken=%s", "machine h login u password %s",
    "- name: DB_PASSWORD\n  value: %s", "postgres://u:%s@db/x", "curl -u u:%s https://h", "Authorization: Bearer %s",
    "Cookie: session=%s; other=1", "?x=1&access_token=%s&y=2", 'config: {\\"secret\\": \\"%s\\"}', "AccountKey=%s==;",
    "IDENTIFIED BY '%s'",
]  # fmt: skip


@pytest.mark.parametrize("text", NAMED)
def test_a_value_is_redacted_by_the_name_it_stands_under(text: str) -> None:
    assert made(17) not in redacted(text % made(17))
    assert REDACTED in redacted(text % made(17))


def test_a_pair_of_name_and_value_is_redacted_as_kubernetes_writes_it() -> None:
    env = [{"name": "DB_PASSWORD", "value": "pw"}, {"name": "REGION", "value": "eu-1"}]
    assert redacted(env) == [{"name": "DB_PASSWORD", "value": REDACTED}, {"name": "REGION", "value": "eu-1"}]


def test_the_data_of_a_secret_of_kubernetes_is_redacted_whatever_its_keys() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"user": "YWRtaW4="}}
    assert redacted(secret) == {"kind": "Secret", "metadata": {"name": "db"}, "data": {"user": REDACTED}}


CLEAN = [
    made(40, HEX), f"sha256:{made(64, HEX)}", f"uid {made(8, HEX)}-1234-4abc-8def-{made(12, HEX)}", "generation 12",
    "claude-deployment-api-7d9f8b6c5-x2x4z", f"registry.example/api@sha256:{made(64, HEX)}", "2026-11-25T02:03:04.567Z",
    "https://prometheus:9090/api/v1/query?query=up", "secretName: api-tls", "tokens: 500", "max_tokens=1000",
    "postgres://db:5432/orders", "Basic understanding of this", "primary_key=user_identifier", "nextPageToken=abcdefgh",
    'secret "api-tls" not found', f"plan {made(16, HEX)}", "idempotency-key: 2026-11-25-020304.0123456789abcdef",
    "automountServiceAccountToken: false", "password: null", "password=${DB_PASSWORD}", "/var/run/secrets/token",
]  # fmt: skip


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("text", NAMED)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redacted(text % made(17))
    assert redacted(once) == once


EVIL = [
    "eyJ-" * 50_000, "-----BEGIN PRIVATE KEY-----!" * 8_000, "://a:" * 40_000, "password=" * 25_000, "a" * 200_000,
    '"password": "\\' * 14_000, "%41" * 60_000, "%zz" * 60_000,
    "%25" + "25" * 60_000, "A" * 75 + ("\n" + "A" * 76) * 2_600, "--" * 100_000,
    "name: a_token value" * 10_000, "basic " * 33_000, "Authorization:" * 14_000, "ghp_" * 50_000, "$2a$" * 50_000,
]  # fmt: skip


@pytest.mark.timeout(30)  # with the square of its length, each would take hours
@pytest.mark.parametrize("text", EVIL, ids=lambda text: text[:16])
def test_a_text_made_to_be_slow_ends(text: str) -> None:
    redacted(text)


PRINTING = """
import base64, os, sys, time
token = os.environ["CHAT_TOKEN"]
for letter in token:
    print(letter, end="", flush=True)
    time.sleep(0.02)
print(base64.b64encode(b"x" + token.encode()).decode(), token.encode().hex(), file=sys.stderr)
token
"""
LEARNING = """
from firstwatch.record import redact
from firstwatch.runs import whisper
learnt = "".join(map(chr, range(97, 120)))
redact.know(learnt); whisper.tell()
print(learnt)
"""


def test_a_run_leaves_no_known_value_on_the_disk_however_it_was_printed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write(PRINTING, LEARNING, "raise ValueError(token)")
    command = [sys.executable, "-m", "firstwatch", "run", "investigate/dying"]
    done = subprocess.run(
        command, env=bench.environ | {"CHAT_TOKEN": made(33)}, capture_output=True, text=True, cwd=ROOT, check=False
    )  # fmt: skip
    learnt = "".join(map(chr, range(97, 120)))
    told = {path: path.read_bytes().decode(errors="replace") for path in bench.record.rglob("*") if path.is_file()}
    told |= {Path("what was printed"): done.stdout + done.stderr}
    alone = [made(33), learnt, made(33).encode().hex(), base64.b64encode(b"x" + made(33).encode()).decode()[4:-4]]
    assert [(str(path), each) for path, text in told.items() for each in alone if each in text] == []
    kept = next(text for path, text in told.items() if path.parent.name == "notebooks")
    assert kept.count(REDACTED) >= 5
