"""Lines as they are in logs, records and pages, none of which holds a secret; made from a seed."""

# ruff: noqa: E501 - a line of a log is as long as it is

import base64
import json
from collections.abc import Callable, Iterator
from random import Random

Line = Callable[[Random], str]


def _hex(random: Random, letters: int) -> str:
    return f"{random.getrandbits(letters * 4):0{letters}x}"


def _uid(random: Random) -> str:
    return "-".join(_hex(random, each) for each in (8, 4, 4, 4, 12))


def _time(random: Random) -> str:
    day, hour, minute = random.randint(1, 28), random.randrange(24), random.randrange(60)
    return f"2026-11-{day:02}T{hour:02}:{minute:02}:07.{random.randrange(1000):03}Z"


def _pod(random: Random) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return f"claude-deployment-api-{''.join(random.choices(letters, k=10))}-{''.join(random.choices(letters, k=5))}"


PROSE = (
    "the token has expired", 'secret "api-tls" not found', "password authentication failed for user app", "invalid token",
    "Basic understanding of this is enough", "secretName: api-tls", "automountServiceAccountToken: false", "max_tokens=1000",
    "tokens used: 5120", "imagePullSecrets: []", "serviceAccountName: default", "secretKeyRef:", "a bearer of bad news",
    "no password was given", "key: value", "primary_key=order_id", "cookies are off", "tests pass: 1200", "password: null",
    "token: ${API_TOKEN}", "DB_PASSWORD={{ password }}", "mounted /var/run/secrets/kubernetes.io/serviceaccount/token",
    "see https://docs.example/how-to/rotate-a-secret#steps", "author: on-call", "authority: none", "OAuth 2.0 is used",
    "Idempotency-Key: 2026-11-25-020304.0123456789abcdef", "nextPageToken=CAUQAA", "keyboard: qwerty", "public_key=none",
)  # fmt: skip
LINES: dict[str, Line] = {
    "commit": lambda r: f"commit {_hex(r, 40)}",
    "digest": lambda r: f"registry.example/api@sha256:{_hex(r, 64)}",
    "bare digest": lambda r: _hex(r, r.choice([16, 32, 40, 64, 96, 128])),
    "integrity": lambda r: f"integrity sha512-{base64.b64encode(r.randbytes(64)).decode()}",
    "uid": lambda r: f'uid: "{_uid(r)}"',
    "version": lambda r: f'{{"metadata":{{"resourceVersion":"{r.randrange(10**9)}","generation":{r.randrange(99)}}}}}',
    "pod": lambda r: f"pod/{_pod(r)} 1/1 Running {r.randrange(9)} {r.randrange(99)}d",
    "event": lambda r: f"{_pod(r)}.{_hex(r, 16)} Normal Pulled Successfully pulled image in {r.randrange(9000)}ms",
    "plan": lambda r: f"plan {_hex(r, 16)}: rollback Deployment/claude-deployment-prod/claude-deployment-api",
    "access": lambda r: (
        f'10.0.{r.randrange(256)}.7 - - [{_time(r)}] "GET /v1/orders/{r.randrange(10**8)}?page={r.randrange(99)} HTTP/1.1" 200'
    ),
    "trace": lambda r: f"traceparent: 00-{_hex(r, 32)}-{_hex(r, 16)}-01",
    "address": lambda r: f"http://prometheus:9090/api/v1/query?query=up%7Bjob%3D%22api%22%7D&time={r.randrange(10**9)}",
    "database": lambda r: f"connected to postgres://db-{r.randrange(9)}.internal:5432/orders",
    "etag": lambda r: f'ETag: W/"{_hex(r, 32)}"',
    "mail": lambda r: f"mail from team-{r.randrange(99)}@example.org at {_time(r)}",
    "metric": lambda r: (
        f'http_requests_total{{code="500",pod="{_pod(r)}"}} {r.random() * 1e6:.3f} {r.randrange(10**12)}'
    ),
    "image": lambda r: f"data:image/png;base64,{base64.b64encode(r.randbytes(120)).decode()}",
    "certificate": lambda r: (
        f"certificate-authority-data: {base64.b64encode(b'-----BEGIN CERTIFICATE-----' + r.randbytes(60)).decode()}"
    ),
    "text in Base64": lambda r: base64.b64encode(f"hello from {_pod(r)}, all is well".encode()).decode(),
    "journal": lambda r: json.dumps(
        {"at": _time(r), "hash": _hex(r, 64), "prev": _hex(r, 64), "seq": r.randrange(999), "kind": "looked"}
    ),
    "key": lambda r: f"change 2026-11-25-{r.randrange(10**6):06}.{_hex(r, 16)} is in force",
    "path": lambda r: f"/var/lib/kubelet/pods/{_uid(r)}/volumes/kubernetes.io~projected/kube-api-access-{_hex(r, 5)}",
    "container": lambda r: f"containerd://{_hex(r, 64)}",
    "stack": lambda r: (
        f'  File "/usr/lib/python3.11/site-packages/app/handlers.py", line {r.randrange(999)}, in handle'
    ),
    "public key": lambda r: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{base64.b64encode(r.randbytes(32)).decode()} on-call",
    "version of a chart": lambda r: (
        f"helm.sh/chart: api-{r.randrange(9)}.{r.randrange(99)}.{r.randrange(99)}+{_hex(r, 7)}"
    ),
    "prose": lambda r: f"{_time(r)} INFO {r.choice(PROSE)}",
}


def clean_lines(random: Random, count: int) -> Iterator[str]:
    """Yield *count* lines, of every kind in turn."""
    kinds = list(LINES.values())
    yield from (kinds[number % len(kinds)](random) for number in range(count))
