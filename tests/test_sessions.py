"""Ending a session of the database: a real PostgreSQL, its locks, and what it is told on the wire."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import fakes
import postgresql
import psycopg
import pytest
from faults import broken
from test_resume import Incidents
from test_runs import Laptop

from firstwatch import actions, settings
from firstwatch.actions import change, session
from firstwatch.clock import WallClock
from firstwatch.errors import BadParameter, Conflict, GateClosed, NotFound, OutcomeUnknown, Refused, Unavailable
from firstwatch.model import Plan, Result, Verdict
from firstwatch.record.journal import read
from firstwatch.record.store import Store
from firstwatch.systems import Systems, connect, sessions
from firstwatch.systems import postgres as postgresql_system
from firstwatch.systems.tape import Recorder

Connect = Callable[..., Systems]
TOLD = "pg_terminate_backend"
NAME = "mitigate/end-session"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody have to wait a minute until a session is at fault."""
    monkeypatch.setattr(session, "WAIT_S", 0.0)
    monkeypatch.setattr(session, "IDLE_S", 0.0)


@pytest.fixture
def to(
    postgres: str, serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connect]:
    """Connect to a healthy world that has a database: the superuser's account, or *dsn*."""
    url = serve(fakes.healthy()).url
    with ExitStack() as stack:

        def connected(dsn: str = postgres, recorder: Recorder | None = None) -> Systems:
            monkeypatch.setenv("API_DATABASE", dsn)
            path = fakes.configuration(tmp_path, url)
            path.write_text(path.read_text() + '[database]\ndsn = "env:API_DATABASE"\n')
            return stack.enter_context(connect(settings.load(path), recorder=recorder))

        yield connected


class Clients:
    """Two programs: *holder* holds a table in a transaction that it left open, *waiter* waits for it."""

    def __init__(self, dsn: str) -> None:
        self.holder, self.waiter = (psycopg.connect(dsn, application_name=name) for name in ("migration", "api"))
        self.holder.execute("CREATE TABLE IF NOT EXISTS orders (id int)")
        self.holder.commit()
        self.holder.execute("LOCK TABLE orders /* password=hunter2-of-old */")
        self.waiting = threading.Thread(target=self._wait, daemon=True)
        self.waiting.start()
        self.until(lambda: self.waits(dsn))

    def _wait(self) -> None:
        with suppress(psycopg.Error):
            self.waiter.execute("SELECT * FROM orders")

    def until(self, true: Callable[[], bool]) -> None:
        ends = time.monotonic() + 30
        while not true():
            assert time.monotonic() < ends
            time.sleep(0.02)

    def waits(self, dsn: str) -> bool:
        with psycopg.connect(dsn) as other:
            found = other.execute("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [self.waiter_pid])
            return found.fetchone() == ("Lock",)

    @property
    def pid(self) -> int:
        return self.holder.info.backend_pid

    @property
    def waiter_pid(self) -> int:
        return self.waiter.info.backend_pid

    def moved(self) -> None:
        """End the transaction and begin another, in the same session."""
        self.holder.rollback()
        self.waiting.join(5)
        self.waiter.rollback()
        self.holder.execute("SELECT 1")

    @property
    def held(self) -> bool:
        """Whether the holder's session is there."""
        try:
            self.holder.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        self.holder.close()
        self.waiting.join(5)
        self.waiter.close()


@pytest.fixture
def clients(postgres: str) -> Iterator[Clients]:
    made = Clients(postgres)
    yield made
    made.close()


def planned(systems: Systems, pid: int = 0) -> Plan:
    return actions.end_session.plan(systems, {"pid": pid})


def ended(systems: Systems, plan: Plan) -> None:
    change.apply(systems, plan, "i.k", [].append)


def test_the_root_is_chosen_and_shown_and_not_who_waits(to: Connect, clients: Clients) -> None:
    plan = planned(to())
    assert str(plan.target) == f"Session//{clients.pid}"
    assert f"session {clients.pid} of postgres (migration, from 127.0.0.1) is ended" in plan.summary[0]
    assert plan.summary[1].startswith("idle in transaction since 20")
    assert plan.summary[2] == "1 others wait for it"
    assert (plan.undo, plan.destructive) == ((), True)


def test_whom_others_wait_for_comes_before_who_is_idle_for_longer(to: Connect, postgres: str) -> None:
    with psycopg.connect(postgres) as idle:
        idle.execute("SELECT 1")
        clients = Clients(postgres)
        try:
            assert planned(to()).target.name == str(clients.pid)
        finally:
            clients.close()


def test_it_is_the_same_plan_when_it_is_planned_again_though_its_query_is_shown(to: Connect, clients: Clients) -> None:
    systems = to()
    assert repr(planned(systems)) == repr(planned(systems))
    assert planned(systems, clients.pid).target == planned(systems).target


def test_its_query_is_redacted_and_capped(to: Connect, clients: Clients) -> None:
    assert planned(to()).summary[3] == "its last query: LOCK TABLE orders /* password=[redacted] */"
    clients.moved()
    clients.holder.execute("SELECT '" + "x" * 500 + "'")
    assert len(planned(to()).summary[3]) < 150


def test_whether_it_sticks_is_not_known_because_its_client_may_come_back(to: Connect, clients: Clients) -> None:
    (found,) = planned(to()).sticks
    assert (found.verdict, "its client may come back" in found.observed) == (Verdict.UNKNOWN, True)


def test_planning_sends_reads_alone_and_ends_nothing(to: Connect, clients: Clients) -> None:
    recorder = Recorder(WallClock())
    planned(to(recorder=recorder))
    told = [str(each.sent) for each in recorder.exchanges if each.method == "SQL"]
    assert (len(told), [each for each in told if TOLD in each]) == (1, [])
    assert clients.held


def test_one_session_is_ended_with_one_statement_and_who_waited_goes_on(to: Connect, clients: Clients) -> None:
    recorder = Recorder(WallClock())
    systems = to(recorder=recorder)
    ended(systems, planned(systems))
    assert [TOLD in str(each.sent) for each in recorder.exchanges].count(True) == 1
    clients.waiting.join(5)
    assert not clients.held
    assert clients.waiter.execute("SELECT 1").fetchone() == (1,)


def test_a_session_that_is_chosen_but_waits_itself_is_refused_with_the_root(to: Connect, clients: Clients) -> None:
    with pytest.raises(BadParameter, match=f"it waits for session {clients.pid} itself; end the root"):
        planned(to(), clients.waiter_pid)


@pytest.mark.parametrize("pid", [-1, True, "1"])
def test_a_pid_is_a_number(to: Connect, pid: Any) -> None:
    with pytest.raises(BadParameter, match="not the number of a session"):
        planned(to(), pid)


def test_a_pid_that_is_not_there_is_not_found(to: Connect) -> None:
    with pytest.raises(NotFound, match="there is no session 4194304"):
        planned(to(), 4194304)


def test_where_nobody_waits_and_nothing_is_idle_nothing_is_to_be_ended(to: Connect) -> None:
    with pytest.raises(NotFound, match="no session is to be ended"):
        planned(to())


def test_a_transaction_that_is_idle_for_a_moment_is_left_alone(
    to: Connect, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "IDLE_S", 60.0)
    with psycopg.connect(postgres) as client:
        client.execute("SELECT 1")
        with pytest.raises(BadParameter, match=r"it is idle in transaction since \d s, and 0 others wait for it"):
            planned(to(), client.info.backend_pid)
        monkeypatch.setattr(session, "IDLE_S", 0.0)
        assert planned(to()).target.name == str(client.info.backend_pid)


def test_without_a_database_there_is_nothing_to_end(systems: Connect) -> None:
    with pytest.raises(BadParameter, match="no database is configured"):
        planned(systems(fakes.healthy()))


def test_a_session_that_is_not_in_a_transaction_may_hold_what_others_wait_for(to: Connect, postgres: str) -> None:
    with (
        psycopg.connect(postgres, autocommit=True) as holder,
        psycopg.connect(postgres, options="-c lock_timeout=10s") as waiter,
    ):
        holder.execute("SELECT pg_advisory_lock(7)")
        thread = threading.Thread(target=lambda: waiter.execute("SELECT pg_advisory_lock(7)"), daemon=True)
        thread.start()
        postgresql.until(postgres, 1)
        systems = to()
        plan = planned(systems)
        assert plan.target.name == str(holder.info.backend_pid)
        ended(systems, plan)
        thread.join(5)
        assert not thread.is_alive()


def test_who_waits_for_a_prepared_transaction_is_not_the_root(to: Connect, postgres: str) -> None:
    with psycopg.connect(postgres) as holder, psycopg.connect(postgres) as first, psycopg.connect(postgres) as second:
        holder.execute("CREATE TABLE IF NOT EXISTS invoices (id int)")
        holder.commit()
        holder.execute("LOCK TABLE invoices")
        holder.execute("PREPARE TRANSACTION 'left over'")
        threads = []
        for each in (first, second):
            threads.append(threading.Thread(target=each.execute, args=["LOCK TABLE invoices"], daemon=True))
            threads[-1].start()
            postgresql.until(postgres, len(threads))
        try:
            systems = to()
            with pytest.raises(NotFound):
                planned(systems)
            with pytest.raises(BadParameter, match="it waits for a prepared transaction itself"):
                planned(systems, first.info.backend_pid)
        finally:
            holder.rollback()
            holder.autocommit = True
            holder.execute("ROLLBACK PREPARED 'left over'")
            threads[0].join(5)
            first.rollback()
            threads[1].join(5)


# What the statement is bound to.


def test_a_session_that_began_another_transaction_is_not_ended(to: Connect, clients: Clients) -> None:
    systems = to()
    plan = planned(systems)
    clients.moved()
    with pytest.raises(Conflict, match="transaction"):
        ended(systems, plan)
    assert clients.held


def test_a_session_that_is_gone_is_not_ended_again(to: Connect, clients: Clients) -> None:
    systems = to()
    plan = planned(systems)
    ended(systems, plan)
    with pytest.raises(Conflict, match="is gone since plan"):
        ended(systems, plan)


@pytest.mark.parametrize(
    ("field", "value"),
    [("began", "2020-01-01 00:00:00+00"), ("transaction", "2020-01-01 00:00:00+00"), ("transaction", ""),
     ("state", "active")],
    ids=["another's pid", "another transaction", "none", "another state"],
)  # fmt: skip
def test_the_statement_itself_ends_nothing_but_what_was_read(
    to: Connect, clients: Clients, postgres: str, field: str, value: str
) -> None:
    systems = to()
    found = systems.get("Session", "", str(clients.pid)) | {field: value}
    with pytest.raises(Conflict, match="not what was read any more"):
        systems.delete("Session", "", found)
    assert clients.held


def test_who_runs_and_is_no_longer_waited_for_is_not_ended(to: Connect, postgres: str) -> None:
    with psycopg.connect(postgres) as client:
        thread = threading.Thread(target=lambda: client.execute("SELECT pg_sleep(4)"), daemon=True)
        thread.start()
        postgresql.until(postgres, 1, "state = 'active' AND query ~ 'pg_sleep'")
        systems = to()
        found = systems.get("Session", "", str(client.info.backend_pid))
        assert found["state"] == "active"
        with pytest.raises(Conflict, match="nobody waits for it"):
            systems.delete("Session", "", found)
        thread.join(15)
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_what_is_no_clients_is_never_ended(to: Connect, postgres: str) -> None:
    with psycopg.connect(postgres) as client:
        (launcher,) = client.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'logical replication launcher'"
        ).fetchone()  # type: ignore[misc]
    systems = to()
    with pytest.raises(BadParameter, match="it is the database's own, logical replication launcher"):
        planned(systems, launcher)
    with pytest.raises(Conflict):
        systems.delete("Session", "", systems.get("Session", "", str(launcher)))
    assert systems.get("Session", "", str(launcher))


def test_a_replica_s_session_is_not_ended_though_its_transaction_is_idle(to: Connect, postgres: str) -> None:
    sender = psycopg.pq.PGconn.connect(f"{postgres} replication=database".encode())
    try:
        sender.exec_(b"BEGIN")
        sender.exec_(b"SELECT 1")
        systems, pid = to(), sender.backend_pid
        found = systems.get("Session", "", str(pid))
        assert found["state"] == "idle in transaction"
        with pytest.raises(BadParameter, match="it is the database's own, walsender"):
            planned(systems, pid)
        with pytest.raises(Conflict):
            systems.delete("Session", "", found)
        assert sender.exec_(b"SELECT 1").status == psycopg.pq.ExecStatus.TUPLES_OK
    finally:
        sender.finish()


# What an account may.


@pytest.mark.parametrize(
    ("of", "said"),
    [("", "give the account pg_monitor"), ("IN ROLE pg_monitor", "GRANT pg_signal_backend"),
     ("IN ROLE pg_monitor, pg_signal_backend", "ask a superuser when it is one's")],
    ids=["sees nothing", "may end nothing", "may not end a superuser's"],
)  # fmt: skip
def test_an_account_that_may_not_is_refused_when_it_plans(
    to: Connect, clients: Clients, role: Callable[[str], str], of: str, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        planned(to(role(of)))


def test_an_account_that_may_not_is_refused_by_the_database_too(
    to: Connect, clients: Clients, role: Callable[[str], str]
) -> None:
    systems = to(role("IN ROLE pg_monitor"))
    with pytest.raises(Refused, match="must be a superuser"):
        systems.delete("Session", "", systems.get("Session", "", str(clients.pid)))
    assert clients.held


def test_pg_monitor_and_pg_signal_backend_are_enough(to: Connect, role: Callable[[str], str]) -> None:
    with psycopg.connect(role("")) as client:
        client.execute("SELECT 1")
        systems = to(role("IN ROLE pg_monitor, pg_signal_backend"))
        ended(systems, planned(systems))
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")


# The record, the gate, and what became of it.


class Cutting:
    """
    A way to the database that notes each time that a session is told to end.

    *after* and *before* that was passed on it goes away; *never* passes it on, and says nothing.
    """

    def __init__(self, dsn: str, cut: str) -> None:
        self.to, self.cut, self.told = int(dsn.partition("port=")[2].partition(" ")[0]), cut, 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.dsn = dsn.replace(f"port={self.to}", f"port={self.listening.getsockname()[1]} sslmode=disable")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client = self.listening.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.to))
                threading.Thread(target=self._ahead, args=(client, server), daemon=True).start()
                threading.Thread(target=_passed, args=(server, client), daemon=True).start()

    def _ahead(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                told = TOLD.encode() in data
                self.told += told
                if not told or self.cut in ("after", ""):
                    server.sendall(data)
                if told and self.cut in ("after", "before"):
                    client.shutdown(socket.SHUT_RDWR)
                    time.sleep(0.5)
                    break
        server.close()


def _passed(source: socket.socket, into: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            into.sendall(data)
    into.close()


@contextmanager
def cutting(dsn: str, cut: str = "") -> Iterator[Cutting]:
    way = Cutting(dsn, cut)
    yield way
    way.listening.shutdown(socket.SHUT_RDWR)  # else who waits there takes one more
    way.listening.close()


class Ending(Incidents):
    """One incident with an approved end of a session."""

    def __init__(self, root: Path, systems: Systems) -> None:
        self.systems, self.store = systems, Store(root)
        self.record = self.store.open(self.writer(), {"cluster": "test"})
        self.plan = planned(systems)

    def kinds(self) -> list[str]:
        return [each.kind for each in read(self.record.journal)]


def test_without_an_approval_nothing_is_ended(to: Connect, clients: Clients, tmp_path: Path) -> None:
    at = Ending(tmp_path / "incidents", to())
    with pytest.raises(GateClosed):
        at.apply()
    assert clients.held


def test_the_intent_is_on_disk_before_and_the_outcome_after(to: Connect, clients: Clients, tmp_path: Path) -> None:
    at = Ending(tmp_path / "incidents", to())
    at.approve("responder-2")
    outcome = at.apply()
    assert (outcome.result, outcome.detail) == (Result.OK, f"Session//{clients.pid} is gone")
    assert at.kinds()[-2:] == ["intent", "outcome"]
    assert (at.state().in_force, at.state().in_doubt) == ((), ())
    assert at.apply().detail == "applied by an earlier run; not sent again"


def test_a_session_that_moved_since_its_approval_is_refused(to: Connect, clients: Clients, tmp_path: Path) -> None:
    at = Ending(tmp_path / "incidents", to())
    at.approve("responder-2")
    clients.moved()
    with pytest.raises(Conflict):
        at.apply()
    assert (at.state().changes, "intent" in at.kinds(), clients.held) == ((), False, True)


@pytest.mark.parametrize(
    ("cut", "said"), [("after", ["done"]), ("before", ["unknown", "not done"]), ("never", ["unknown", "not done"])]
)
def test_an_answer_that_does_not_come_is_unknown_and_is_settled_by_what_is_there(
    to: Connect, clients: Clients, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str,
    said: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(postgresql_system, "DEADLINE_S", 1.0)
    with cutting(postgres, cut) as way:
        at = Ending(tmp_path / "incidents", to(way.dsn))
        at.approve("responder-2")
        with pytest.raises(OutcomeUnknown):
            at.apply()
        with pytest.raises(OutcomeUnknown, match="firstwatch resume"):
            at.apply()
        clients.until(lambda: clients.held is ("not done" in said))
        assert [at.resume(minutes).result for minutes in (0, 2)[: len(said)]] == said
        assert (at.state().in_doubt, at.kinds().count("intent"), way.told) == ((), 1, 1)


def test_an_open_intent_of_a_crash_is_settled_and_nothing_is_ended(
    to: Connect, clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Ending(tmp_path / "incidents", to())
    at.approve("responder-2")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sessions, "end", crash)
    with pytest.raises(KeyboardInterrupt):
        at.apply()
    settled = at.resume(minutes=0)
    assert (settled.result, "may still be on its way" in settled.detail) == ("unknown", True)
    settled = at.resume(minutes=2)
    assert (settled.result, "is still there" in settled.detail, clients.held) == ("not done", True, True)


def test_a_database_that_is_away_when_asked_leaves_it_unknown(
    to: Connect, clients: Clients, postgres: str, tmp_path: Path
) -> None:
    with cutting(postgres, "before") as way:
        at = Ending(tmp_path / "incidents", to(way.dsn))
        at.approve("responder-2")
        with pytest.raises(OutcomeUnknown):
            at.apply()
    settled = at.resume(minutes=5)
    assert (settled.result, settled.detail.startswith("it cannot be asked")) == ("unknown", True)


def test_after_a_failover_nobody_can_say_what_became_of_a_session(
    to: Connect, clients: Clients, postgres: str, tmp_path: Path
) -> None:
    with cutting(postgres, "never") as way:
        at = Ending(tmp_path / "incidents", to(way.dsn))
        at.approve("responder-2")
        with pytest.raises(OutcomeUnknown):
            at.apply()
    programs = postgresql.programs()
    assert programs
    with postgresql.running(programs) as standby:
        at.systems = to(standby)
        settled = at.resume(minutes=5)
    assert (settled.result, "another server" in settled.detail, clients.held) == ("unknown", True, True)


def test_a_database_that_takes_no_connection_was_told_nothing(to: Connect, clients: Clients, postgres: str) -> None:
    systems = to()
    found = systems.get("Session", "", str(clients.pid))
    held = []
    with suppress(psycopg.OperationalError):
        while True:
            held.append(psycopg.connect(postgres))
    try:
        with pytest.raises(Unavailable, match="nothing was sent"):
            systems.delete("Session", "", found)
    finally:
        for each in held:
            each.close()
    assert clients.held


# The runbook.


@pytest.fixture
def laptop(
    postgres: str, serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Laptop:
    """A laptop that has a database; by the command, a lock is waited for in earnest."""
    at = Laptop(tmp_path, serve(fakes.healthy()))
    at.environ["API_DATABASE"] = postgres
    path = Path(at.environ["FIRSTWATCH_CONFIG"])
    path.write_text(path.read_text() + '[database]\ndsn = "env:API_DATABASE"\n')
    return at


def test_the_runbook_without_apply_sends_no_statement_that_ends_anything(
    laptop: Laptop, clients: Clients, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTWATCH_CONFIG", laptop.environ["FIRSTWATCH_CONFIG"])
    with cutting(postgres) as way:
        monkeypatch.setenv("API_DATABASE", way.dsn)
        ran = broken.cells(NAME, {"live": True}, {"service": fakes.NAME, "within": "0s"})
        assert (ran.sentence, ran.unforeseen, way.told) == ("", "", 0)
    (plan,) = laptop.incident().plans
    assert (plan.target.name, clients.held) == (str(clients.pid), True)


def test_the_runbook_plans_stops_is_approved_ends_it_and_sees_that_nobody_waits(
    laptop: Laptop, clients: Clients
) -> None:
    time.sleep(sessions.WAIT_S)
    stopped = laptop.json("run", NAME, "--apply")
    assert (stopped["status"], stopped["exit"], clients.held) == ("gate closed", 3, True)
    assert stopped["findings"][0]["mechanism"] == "idle-in-transaction"
    assert stopped["findings"][0]["next"].endswith(f"firstwatch run {NAME} -p pid={clients.pid}")
    laptop.firstwatch("approve", stopped["plan"]["hash"], "--as", "responder-2")
    ran = laptop.json("run", NAME, "--apply", "-p", "within=20s")
    assert (ran["status"], ran["exit"], ran["outcome"], clients.held) == ("done", 0, "ok", False)
    assert {each["verdict"] for each in ran["findings"]} == {"OK"}
    assert laptop.firstwatch("verify").returncode == 0
    assert laptop.firstwatch("undo", ran["plan"]["hash"], "--apply").returncode == 2


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("refused", "Unavailable: .*the connection was refused"), ("slow", "Unavailable: .*no answer in time"),
        ("denied", "Refused: .*give the account pg_monitor"), ("empty", "NotFound: no session is to be ended"),
        ("garbage", "Unavailable: reading the sessions of the database: the answer has an unexpected shape"),
    ],
)  # fmt: skip
def test_a_database_that_is_broken_keeps_the_runbook_from_planning(tmp_path: Path, way: str, said: str) -> None:
    ran = broken.run(NAME, broken.furnished(NAME, tmp_path), f"database={way}")
    assert re.match(said, ran.sentence)
    assert not ran.unforeseen
