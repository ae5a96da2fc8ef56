"""Systems that are not asked over HTTP by us: a clone, a real PostgreSQL, and AWS as it answers on the wire."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import fakes
import postgresql
import psycopg
import pytest

from firstwatch import probes, settings
from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import Probe, ask
from firstwatch.systems import connect

Look = Callable[[Probe, str], Findings]
BLIND = ("UNKNOWN", "blind")
database = import_module("firstwatch.probes.database")  # its name is also a probe's


@pytest.fixture
def look(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Look:
    """Ask a probe with *said* added to the configuration."""
    url = serve(fakes.healthy()).url

    def asked(probe: Probe, said: str) -> Findings:
        path = fakes.configuration(tmp_path, url)
        path.write_text(path.read_text() + said)
        return ask(probe, connect(settings.load(path)), datetime.now(UTC))

    return asked


def judged(found: Findings) -> list[tuple[str, str]]:
    return [(each.verdict.value, each.mechanism) for each in found]


# A clone.


def git(folder: Path, *words: str, at: str = "") -> None:
    dates = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at} if at else {}
    who = {f"GIT_{role}_{key}": "ci@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    environment = os.environ | who | dates | {"GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "-C", str(folder), *words], env=environment, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Old", at="2026-01-01T00:00:00Z")
    return folder


def said(clone: Path, branch: str = "main") -> str:
    return f'[git]\nfolder = "{clone}"\nbranch = "{branch}"\n'


def test_a_merge_of_late_is_told_with_its_moment(look: Look, clone: Path) -> None:
    git(clone, "commit", "-q", "--allow-empty", "-m", "Ask the region")
    found = look(probes.merges, said(clone))[0]
    assert (found.verdict, found.since is not None) == (Verdict.OK, True)
    assert found.observed.startswith("Ask the region (ci@example.com); the clone never heard of its origin")


def test_no_merge_is_ok_only_of_a_clone_that_is_fresh(look: Look, clone: Path) -> None:
    assert judged(look(probes.merges, said(clone))) == [BLIND]
    (clone / ".git" / "FETCH_HEAD").touch()
    assert judged(look(probes.merges, said(clone))) == [("OK", "")]


@pytest.mark.parametrize("branch", ["gone", "--output=/tmp/x"])
def test_a_branch_that_is_not_there_is_unknown(look: Look, clone: Path, branch: str) -> None:
    assert judged(look(probes.merges, said(clone, branch))) == [BLIND]


def test_a_folder_that_is_no_clone_is_unknown(look: Look, tmp_path: Path) -> None:
    assert judged(look(probes.merges, said(tmp_path / "nothing"))) == [BLIND]


# PostgreSQL.


FOUND = '[database]\ndsn = "env:API_DATABASE"\n'
EVERY = [probes.database, probes.locks, probes.transactions, probes.replication]


@pytest.fixture
def dsn(postgres: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("API_DATABASE", postgres)
    return postgres


@pytest.mark.parametrize("probe", EVERY, ids=lambda each: each.name)
def test_a_database_that_is_well_is_ok(look: Look, dsn: str, probe: Probe) -> None:
    assert judged(look(probe, FOUND)) == [("OK", "")]


def settled(session: "psycopg.Connection[Any]", others: int) -> None:
    """Return when so many others are connected: the server ends a session after its client has gone."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    while session.execute(count).fetchone() != (others,):
        session.rollback()
        time.sleep(0.02)


def test_connections_that_run_out_are_bad_before_and_after_the_last(look: Look, dsn: str) -> None:
    held = [psycopg.connect(dsn)]
    try:
        settled(held[0], 0)
        held += [psycopg.connect(dsn) for _ in range(8)]
        found = look(probes.database, FOUND)
        assert judged(found) == [("BAD", "connections-exhausted")]
        assert found[0].observed.startswith("10 of 10 connections")
        settled(held[0], 8)
        held.append(psycopg.connect(dsn))
        assert judged(look(probes.database, FOUND)) == [("BAD", "connections-exhausted")]
    finally:
        for each in held:
            each.close()


def test_a_database_that_takes_no_writes_is_bad(look: Look, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        try:
            assert judged(look(probes.database, FOUND)) == [("BAD", "database-read-only")]
        finally:
            session.execute("SET default_transaction_read_only = off")
            session.execute("ALTER DATABASE postgres RESET default_transaction_read_only")


def test_who_holds_a_lock_is_named_and_not_who_waits(
    look: Look, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(database, "WAIT_S", 0.1)
    monkeypatch.setattr(database, "IDLE_S", 0.1)
    holder, waiter = (psycopg.connect(dsn, application_name=name) for name in ("migration", "api"))
    holder.execute("CREATE TABLE orders (id int)")
    holder.commit()
    holder.execute("LOCK TABLE orders")
    thread = threading.Thread(target=lambda: waiter.execute("SELECT * FROM orders"), daemon=True)
    thread.start()
    try:
        postgresql.until(dsn, 1)
        time.sleep(0.3)  # longer than WAIT_S
        found = look(probes.locks, FOUND)
        assert judged(found) == [("BAD", "idle-in-transaction")]
        assert "(migration, idle in transaction) holds what 1 others wait for" in found[0].observed
        monkeypatch.setattr(database, "SLOW_S", 0.1)  # which who waits has passed too
        (old,) = look(probes.transactions, FOUND)
        assert (old.mechanism, "(migration)" in old.observed) == ("idle-in-transaction", True)
    finally:
        holder.execute("DROP TABLE orders")
        holder.rollback()
        thread.join(5)
        holder.close()
        waiter.close()


def test_a_prepared_transaction_that_others_wait_for_is_named_though_no_session_holds_it(
    look: Look, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(database, "WAIT_S", 0.1)
    with psycopg.connect(dsn, autocommit=True) as root, psycopg.connect(dsn) as holder, psycopg.connect(dsn) as waiter:
        root.execute("CREATE TABLE invoices (id int)")
        holder.execute("LOCK TABLE invoices")
        holder.execute("PREPARE TRANSACTION 'left over'")
        thread = threading.Thread(target=lambda: waiter.execute("SELECT * FROM invoices"), daemon=True)
        thread.start()
        try:
            postgresql.until(dsn, 1)
            time.sleep(0.3)  # longer than WAIT_S
            (found,) = look(probes.locks, FOUND)
            assert (found.mechanism, "pg_prepared_xacts" in found.command) == ("lock-wait", True)
            assert found.observed.startswith("a prepared transaction holds what 1 others wait for")
        finally:
            root.execute("ROLLBACK PREPARED 'left over'")
            thread.join(5)
            waiter.rollback()
            root.execute("DROP TABLE invoices")


@pytest.mark.parametrize("probe", EVERY, ids=lambda each: each.name)
def test_what_the_database_hides_from_an_account_is_unknown_never_ok(
    look: Look, role: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, probe: Probe
) -> None:
    monkeypatch.setenv("API_DATABASE", role(""))
    (found,) = look(probe, FOUND)
    assert judged(Findings((found,))) == [BLIND]
    assert "what other accounts do is hidden; give the account pg_monitor" in found.observed
    monkeypatch.setenv("API_DATABASE", role("IN ROLE pg_monitor"))
    assert judged(look(probe, FOUND)) == [("OK", "")]


def test_a_slot_that_nobody_reads_is_bad_once_it_holds_much(
    look: Look, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(database, "HELD_BYTES", 0)
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("SELECT pg_create_physical_replication_slot('left_over', true)")
        try:
            found = look(probes.replication, FOUND)
            assert judged(found) == [("BAD", "replication-slot-held")]
            assert "left_over" in found[0].observed
        finally:
            session.execute("SELECT pg_drop_replication_slot('left_over')")


@pytest.mark.parametrize(
    ("changed", "mechanism"),
    [(("not-a-secret", "another"), "credentials-refused"), (("port=", "port=1 host=127.0.0.1 #"), "database-down")],
    ids=["another password", "nobody listens"],
)
def test_a_database_that_refuses_is_bad_and_the_password_is_not_shown(
    look: Look, dsn: str, monkeypatch: pytest.MonkeyPatch, changed: tuple[str, str], mechanism: str
) -> None:
    value = dsn.replace(*changed) if mechanism == "credentials-refused" else "host=127.0.0.1 port=1 password=not-shown"
    monkeypatch.setenv("API_DATABASE", value)
    found = look(probes.database, FOUND)
    assert judged(found) == [("BAD", mechanism)]
    assert "another" not in found[0].observed
    assert "not-shown" not in found[0].observed


def test_a_connection_string_that_is_not_there_is_unknown(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_DATABASE", raising=False)
    assert judged(look(probes.database, FOUND)) == [BLIND]


@pytest.mark.parametrize("probe", EVERY, ids=lambda each: each.name)
def test_no_database_is_not_configured(look: Look, probe: Probe) -> None:
    found = look(probe, "")[0]
    assert (found.verdict, "not configured: database.dsn" in found.observed) == (Verdict.UNKNOWN, True)


# AWS.

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
BALANCERS = f"""<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers><member>
<LoadBalancerArn>{ARN}:loadbalancer/app/api-alb/1</LoadBalancerArn><LoadBalancerName>api-alb</LoadBalancerName>
<Scheme>internet-facing</Scheme><State><Code>STATE</Code></State><AvailabilityZones><member>
<ZoneName>eu-west-1a</ZoneName></member></AvailabilityZones></member></LoadBalancers></DescribeLoadBalancersResult>
</DescribeLoadBalancersResponse>"""
GROUPS = f"""<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups><member>
<TargetGroupArn>{ARN}:targetgroup/api-tg/2</TargetGroupArn></member></TargetGroups></DescribeTargetGroupsResult>
</DescribeTargetGroupsResponse>"""
TARGET = "<member><TargetHealth><State>{}</State>{}</TargetHealth></member>"
REASON = "<Reason>Target.ResponseCodeMismatch</Reason>"


def health(*targets: str) -> str:
    told = "".join(targets)
    return (
        "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>"
        f"{told}</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>"
    )


def error(code: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, str]]]:
    """Serve what AWS answers to each action, and point the configuration at it."""
    for name, value in {
        "ACCESS_KEY_ID": "testing",
        "SECRET_ACCESS_KEY": "testing",
        "EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    told = {
        "DescribeLoadBalancers": (200, BALANCERS.replace("STATE", "active")), "DescribeTargetGroups": (200, GROUPS),
        "DescribeTargetHealth": (200, health(TARGET.format("healthy", ""))),
    }  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = told[sent["Action"][0]]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        told["url"] = (httpd.server_port, "")
        yield told
        httpd.shutdown()


def at(aws: dict[str, tuple[int, str]]) -> str:
    endpoint = f"http://127.0.0.1:{aws['url'][0]}"
    return f'[aws]\nload_balancer = "api-alb"\nregion = "eu-west-1"\nendpoint = "{endpoint}"\n'


@pytest.mark.parametrize(("state", "verdict"), [("active", "OK"), ("failed", "BAD"), ("provisioning", "BAD")])
def test_a_load_balancer_is_judged_by_its_state(
    look: Look, aws: dict[str, tuple[int, str]], state: str, verdict: str
) -> None:
    aws["DescribeLoadBalancers"] = (200, BALANCERS.replace("STATE", state))
    found = look(probes.load_balancer, at(aws))[0]
    assert (found.verdict, found.object) == (verdict, "LoadBalancer//api-alb")
    assert "eu-west-1a, account 123456789012" in found.observed


@pytest.mark.parametrize(
    ("targets", "judgement"),
    [
        ([TARGET.format("healthy", "")], ("OK", "")),
        ([TARGET.format("healthy", ""), TARGET.format("unhealthy", REASON)], ("BAD", "targets-unhealthy")),
        ([], ("BAD", "targets-missing")),
    ],
    ids=["healthy", "one is not", "none"],
)
def test_targets_are_found_by_the_load_balancer_and_counted(
    look: Look, aws: dict[str, tuple[int, str]], targets: list[str], judgement: tuple[str, str]
) -> None:
    aws["DescribeTargetHealth"] = (200, health(*targets))
    found = look(probes.targets, at(aws))
    assert judged(found) == [judgement]
    assert found[0].object == "TargetGroup//api-tg"
    assert ("Target.ResponseCodeMismatch 1 times" in found[0].observed) is (len(targets) == 2)


@pytest.mark.parametrize("probe", [probes.load_balancer, probes.targets], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "ExpiredToken"), (403, "AccessDenied"), (400, "LoadBalancerNotFound"), (500, "InternalFailure")],
)
def test_what_aws_does_not_tell_is_unknown(
    look: Look, aws: dict[str, tuple[int, str]], probe: Probe, status: int, code: str
) -> None:
    aws["DescribeLoadBalancers"] = (status, error(code))
    found = look(probe, at(aws))
    assert judged(found) == [BLIND]
    assert code in found[0].observed
    assert ("denied: " in found[0].observed) is (status == 403)


def test_no_credentials_are_unknown(
    look: Look, aws: dict[str, tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert judged(look(probes.targets, at(aws))) == [BLIND]
