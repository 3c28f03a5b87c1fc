"""The trail for other programs: lines, syslog over real sockets, and the command line."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from sqlalchemy import Engine, delete
from typer.testing import CliRunner

from tests.audit.test_chain import T, entry, unlocked, write
from ward.cli import app
from ward.live.trail_keeper import CURSOR, SyslogSender
from ward.store.audit import append, head, read
from ward.store.audit_lines import to_jsonl, to_syslog
from ward.store.database import migrate, open_database
from ward.store.meta import get_meta
from ward.store.tables import audit

SYSLOG = re.compile(r"<(\d+)>1 (\S+) (\S+) ward - (\S+) - (\{.*\})")


class Collector:
    """A small syslog server on TCP or TLS: what it got, message by message."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.context = context
        self.messages: list[str] = []
        self.hang_up_after: int | None = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self.server.accept()
            except OSError:
                return
            try:
                if self.context:
                    connected = self.context.wrap_socket(connected, server_side=True)
                self._take(connected)
            except OSError:
                pass
            finally:
                connected.close()

    def _take(self, connected: socket.socket) -> None:
        stream = connected.makefile("rb")
        while True:
            digits = b""
            while (c := stream.read(1)) not in (b" ", b""):
                digits += c
            if not digits:
                return
            self.messages.append(stream.read(int(digits)).decode())
            if self.hang_up_after is not None and len(self.messages) >= self.hang_up_after:
                self.hang_up_after = None
                return

    def wait(self, count: int) -> list[int]:
        from tests.brokers import until

        until(lambda: len(self.messages) >= count)
        return [json.loads(SYSLOG.fullmatch(m)[5])["seq"] for m in self.messages]  # type: ignore[index]


@contextmanager
def collector(context: ssl.SSLContext | None = None) -> Iterator[Collector]:
    made = Collector(context)
    yield made
    made.server.close()


def cursor(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(get_meta(connection, CURSOR, 0))


def test_tcp_in_order_and_on_from_where_it_was(engine: Engine) -> None:
    with collector() as siem:
        write(engine, 1200)
        sender = SyslogSender(engine, f"tcp://127.0.0.1:{siem.port}")
        sender.turn()
        write(engine, 3)
        sender.turn()
        sender.stop()
        again = SyslogSender(engine, f"tcp://127.0.0.1:{siem.port}")
        again.turn()
        write(engine, 1)
        again.turn()
        assert siem.wait(1204) == list(range(1, 1205))
        assert cursor(engine) == 1204
        again.stop()
        with engine.connect() as connection:
            first = json.loads(SYSLOG.fullmatch(siem.messages[0])[5])  # type: ignore[index]
            assert first["hash"] == next(read(connection)).hash


def test_nobody_there_and_then_somebody(sqlite_engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    write(sqlite_engine, 2)
    sender = SyslogSender(sqlite_engine, f"tcp://127.0.0.1:{port}")
    sender.turn()
    assert cursor(sqlite_engine) == 0
    with collector() as siem:
        sender = SyslogSender(sqlite_engine, f"tcp://127.0.0.1:{siem.port}")
        sender.turn()
        assert siem.wait(2) == [1, 2]
        sender.stop()


def test_who_hangs_up_gets_all_the_same(sqlite_engine: Engine) -> None:
    with collector() as siem:
        siem.hang_up_after = 1
        sender = SyslogSender(sqlite_engine, f"tcp://127.0.0.1:{siem.port}", pause=0.02)
        write(sqlite_engine, 1)
        sender.start()
        siem.wait(1)
        for n in range(5):
            write(sqlite_engine, 1, n)
            siem.wait(2 + n)
        sender.stop()
        assert set(siem.wait(6)) == {1, 2, 3, 4, 5, 6}


def test_tls_only_with_the_right_authority(sqlite_engine: Engine, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for name, one in (("right", authority), ("wrong", stranger)):
        one.cert_pem.write_to_path(str(tmp_path / name))
    write(sqlite_engine, 3)
    with collector(context) as siem:
        url = f"tls://127.0.0.1:{siem.port}"
        SyslogSender(sqlite_engine, url, ca_file=tmp_path / "wrong").turn()
        assert cursor(sqlite_engine) == 0
        sender = SyslogSender(sqlite_engine, url, ca_file=tmp_path / "right")
        sender.turn()
        sender.turn()
        assert siem.wait(3) == [1, 2, 3]
        sender.stop()


def test_udp(sqlite_engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        write(sqlite_engine, 2)
        sender = SyslogSender(sqlite_engine, f"udp://127.0.0.1:{server.getsockname()[1]}")
        sender.turn()
        sender.stop()
        got = [server.recv(9000).decode() for _ in range(2)]
    assert all(SYSLOG.fullmatch(message) for message in got)


def test_nothing_that_a_person_chose_breaks_a_line(sqlite_engine: Engine) -> None:
    bad = "x\r\n<34>1 forged - - - -\u2028\x00"
    with sqlite_engine.begin() as tx:
        append(tx, [entry(actor=bad, action=bad, outcome="refused", ward=bad, detail={bad: bad})])
    with sqlite_engine.connect() as connection:
        line = next(read(connection))
    message = to_syslog(line, bad)
    assert message.isascii()
    assert message.isprintable()
    found = SYSLOG.fullmatch(message)
    assert found is not None
    assert (found[1], len(found[4])) == ("108", 16)
    assert json.loads(to_jsonl(line))["actor"].startswith("x\r\n<34>")


# ---------------------------------------------------------------- the command line


@pytest.fixture
def cli(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("WARD_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("WARD_DATA_DIR", str(tmp_path / "data"))
    migrate(open_database(sqlite_url))
    return CliRunner()


def test_verify_says_yes_or_where_not(cli: CliRunner, sqlite_engine: Engine) -> None:
    last = write(sqlite_engine, 4)
    told = cli.invoke(app, ["audit", "verify"])
    assert (told.exit_code, told.stdout) == (0, f"the audit trail holds: 4 lines, the last 4:{last.hash}\n")
    assert cli.invoke(app, ["audit", "verify", "--from", "2"]).stdout.startswith(
        "the audit trail holds: 2 lines"
    )
    known = ["--head", f"4:{last.hash}"]
    assert cli.invoke(app, ["audit", "verify", *known]).exit_code == 0
    with sqlite_engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq == 4))
    assert cli.invoke(app, ["audit", "verify"]).exit_code == 0
    cut = cli.invoke(app, ["audit", "verify", *known])
    assert (cut.exit_code, "Line 4: the trail ends at line 3" in cut.stderr) == (1, True)
    with sqlite_engine.begin() as tx:
        tx.execute(delete(audit).where(audit.c.seq == 2))
    gone = cli.invoke(app, ["audit", "verify"])
    assert (gone.exit_code, "Line 2: line 2 is missing" in gone.stderr) == (1, True)
    assert cli.invoke(app, ["audit", "verify", "--head", "4"]).exit_code == 2


def test_exporting(cli: CliRunner, sqlite_engine: Engine, tmp_path: Path) -> None:
    write(sqlite_engine, 3)
    lines = cli.invoke(app, ["audit", "export"]).stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0])["at"] == "2026-11-21T12:00:00.000Z"
    file = tmp_path / "out.jsonl"
    cli.invoke(app, ["audit", "export", "--after", "2", "--output", str(file)])
    assert json.loads(file.read_text())["seq"] == 3
    messages = cli.invoke(app, ["audit", "export", "--format", "syslog"]).stdout.splitlines()
    assert all(SYSLOG.fullmatch(message) for message in messages)
    assert cli.invoke(app, ["audit", "export", "--since", "2030-01-01T00:00:00Z"]).stdout == ""
    assert cli.invoke(app, ["audit", "export", "--since", "noon"]).exit_code == 2


def test_sealing_after_an_older_backup(cli: CliRunner, sqlite_engine: Engine, tmp_path: Path) -> None:
    from ward.store.audit_head import Heads

    last = write(sqlite_engine, 4)
    Heads(tmp_path / "data").seal(last, T)
    with sqlite_engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq > 2))
    assert cli.invoke(app, ["audit", "verify"]).exit_code == 1
    told = cli.invoke(app, ["audit", "seal", "--reason", "restored the backup of Friday"])
    assert told.exit_code == 0
    assert cli.invoke(app, ["audit", "verify"]).exit_code == 0
    with sqlite_engine.connect() as connection:
        said = list(read(connection))[-1]
        assert (head(connection).seq, said.action, said.source) == (3, "audit.seal", "cli")
        assert json.loads(said.detail)["known"] == f"4:{last.hash}"


def test_a_token_from_the_command_line_is_told(cli: CliRunner, sqlite_engine: Engine) -> None:
    secret = cli.invoke(app, ["token", "create", "--role", "integration", "--name", "EHR"]).stdout.strip()
    with sqlite_engine.connect() as connection:
        (line,) = read(connection)
    assert (line.action, line.source, line.outcome) == ("token.create", "cli", "done")
    assert secret not in repr(line)
    assert json.loads(line.detail).items() >= {"name": "EHR", "role": "integration", "wards": None}.items()
