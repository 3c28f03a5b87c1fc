"""Two small duties for the audit trail while the service runs: to know its end outside the database, and to
hand it on to a SIEM by syslog."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ward.config import Settings
from ward.errors import InvalidError
from ward.store.audit import Line, read
from ward.store.audit_head import Heads
from ward.store.audit_lines import to_syslog
from ward.store.meta import get_meta, put_meta

log: Final = structlog.get_logger(__name__)

SEAL_S: Final = 10.0
SEND_S: Final = 1.0
PATIENCE_S: Final = 10.0
BLOCK: Final = 500
CURSOR: Final = "audit.syslog"
"""In ``meta``: the last line that was handed on."""
DATAGRAM: Final = 8_192

broken: Final = Gauge("ward_audit_broken", "1: the audit trail does not fit what was known of it")
sent: Final = Counter("ward_audit_sent_total", "Lines of the audit trail handed on by syslog")
unsent: Final = Counter("ward_audit_send_failures_total", "Tries to hand the audit trail on that failed")


class Duty:
    """A thread that does ``turn`` every ``pause`` seconds until it is stopped."""

    def __init__(self, name: str, pause: float) -> None:
        self._pause = pause
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def turn(self) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        while not self._end.wait(self._pause):
            with suppress(SQLAlchemyError):  # the database's own faults are told by others
                self.turn()
        with suppress(SQLAlchemyError):
            self.turn()


class TrailKeeper(Duty):
    """Knows the end of the trail in the data folder, and says so when the trail stops fitting."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        wall: Callable[[], int],
        *,
        pause: float = SEAL_S,
    ) -> None:
        super().__init__("audit-keeper", pause)
        self._engine = engine
        self._heads = Heads(folder)
        self._wall = wall
        self.fault: str | None = None

    def turn(self) -> None:
        try:
            with self._engine.connect() as connection:
                verdict = self._heads.add(connection, self._wall())
            wrong = None if verdict.holds else f"line {verdict.bad}: {verdict.wrong}"
        except (InvalidError, OSError) as error:
            wrong = str(error)
        if wrong and wrong != self.fault:
            log.error("the audit trail does not hold; see `ward audit verify`", wrong=wrong)
        self.fault = wrong
        broken.set(wrong is not None)


class SyslogSender(Duty):
    """Hands every line on, in order and at least once: what was not taken is sent again.

    ``url``: ``tls://host:6514`` (RFC 5425), ``tcp://host:601`` (RFC 6587, octet counting) or
    ``udp://host:514`` (which may lose some: ``seq`` shows it).
    """

    def __init__(
        self,
        engine: Engine,
        url: str,
        *,
        ca_file: Path | None = None,
        pause: float = SEND_S,
    ) -> None:
        super().__init__("audit-syslog", pause)
        self._engine = engine
        parts = urlsplit(url)
        self._scheme, self._host, self._port = parts.scheme, parts.hostname or "", parts.port or 514
        self._ca_file = ca_file
        self._socket: socket.socket | None = None
        self._told = False
        self._name = socket.gethostname()

    def turn(self) -> None:
        while True:
            with self._engine.connect() as connection:
                after = int(get_meta(connection, CURSOR, 0))
                lines = [line for line, _ in zip(read(connection, after=after), range(BLOCK), strict=False)]
            if not lines:
                return
            try:
                self._send(lines)
            except OSError as error:
                unsent.inc()
                self._drop()
                if not self._told:
                    log.warning("the audit trail cannot be handed on", error=type(error).__name__)
                self._told = True
                return
            self._told = False
            sent.inc(len(lines))
            with self._engine.begin() as tx:
                put_meta(tx, CURSOR, lines[-1].seq)
            if len(lines) < BLOCK or self._end.is_set():
                return

    def stop(self) -> None:
        super().stop()
        self._drop()

    def _send(self, lines: list[Line]) -> None:
        if self._socket is not None and self._scheme != "udp" and _is_closed(self._socket):
            self._drop()
        if self._socket is None:
            self._socket = self._connect()
        messages = [to_syslog(line, self._name).encode("ascii") for line in lines]
        if self._scheme == "udp":
            for message in messages:
                self._socket.send(message[:DATAGRAM])
        else:
            self._socket.sendall(b"".join(b"%d %s" % (len(m), m) for m in messages))

    def _connect(self) -> socket.socket:
        if self._scheme == "udp":
            family, kind, number, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM
            )[0]
            made = socket.socket(family, kind, number)
            made.connect(address)
            return made
        made = socket.create_connection((self._host, self._port), timeout=PATIENCE_S)
        if self._scheme == "tls":
            context = ssl.create_default_context(cafile=self._ca_file)
            return context.wrap_socket(made, server_hostname=self._host)
        return made

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def trail_duties(engine: Engine, settings: Settings, wall: Callable[[], int]) -> list[Duty]:
    """What a service with these settings does for the trail; each to be started and stopped."""
    duties: list[Duty] = [TrailKeeper(engine, settings.data_dir, wall)]
    if settings.audit_syslog:
        duties.append(SyslogSender(engine, settings.audit_syslog, ca_file=settings.audit_syslog_ca_file))
    return duties


def _is_closed(connected: socket.socket) -> bool:
    """Whether the other side hung up: a first write to a dead connection succeeds, and would be lost."""
    connected.setblocking(False)
    try:
        return connected.recv(1) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        connected.settimeout(PATIENCE_S)
