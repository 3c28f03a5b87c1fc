"""Whose a PostgreSQL database is, where several services stand ready: a lease, and a fence around its writes.

The lease is a session of the server's that holds ward's advisory lock. The server itself ends it when the
process or the network is gone, and when nothing was heard of it for ``LEASE_S`` (``idle_session_timeout``,
PostgreSQL 14): so a frozen process loses it, too. Whoever has it raises the epoch, a row that every
transaction of the service reads before it commits, with a lock that keeps the row as it is until then. So one
that wakes after another has taken over commits nothing any more, however late it notices.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from ward.errors import ConflictError, FencedError
from ward.partitions import WHOLE, Partition
from ward.store.serving import LOCK

LEASE_S: Final = 3.0
BEAT_S: Final = 0.5
FIRST_S: Final = 3 * BEAT_S
"""After a restart of the server the owner, who seeks it at each beat, comes before those that stand by."""
KEY: Final = "epoch"
OWNER: Final = "ward-owner"
"""What the owner's connections are called at the server, so that the next owner can end them."""
OLDEST: Final = 140_000
"""``idle_session_timeout`` came with PostgreSQL 14."""
REPLACED: Final = "another service has taken this database over"

log = structlog.get_logger(__name__)


def owner_of(partition: Partition) -> str:
    """What its owner's connections are called at the server."""
    return OWNER + partition.mark


def raise_all(tx: Connection) -> None:
    """Whoever had any partition commits nothing more once ``tx`` has: the schema is no longer theirs."""
    raised = "UPDATE meta SET value = ((value::text)::int + 1)::text::json WHERE key = :key OR key LIKE :each"
    tx.execute(text(raised), {"key": KEY, "each": f"{KEY}-%"})


class Lease:
    """``take`` it, ``claim`` the epoch, ``fence`` the engine that writes, ``keep`` it until ``close``.

    ``lost`` is called, in the keeper's thread, once another service has the database.
    """

    def __init__(self, engine: Engine, lost: Callable[[str], None], partition: Partition = WHOLE) -> None:
        limits = {
            "idle_session_timeout": round(LEASE_S * 1000),
            "statement_timeout": 2000,
            "lock_timeout": 1000,
        }
        connect = {
            "options": " ".join(f"-c {name}={ms}" for name, ms in limits.items()),
            "application_name": "ward-lease",
            "connect_timeout": 2,
            "tcp_user_timeout": round(LEASE_S * 1000),
        }
        self._engine = create_engine(
            engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=connect,
        )
        self._lost = lost
        self.partition = partition
        self.name = owner_of(partition)
        self._key = KEY + partition.mark
        self._session: Connection | None = None
        self._is_held = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self.epoch = 0

    def take(self, wait: Callable[[float], object]) -> None:
        """Wait until it is ours; ``wait`` is called between two tries, and may raise to end it. When the
        server was away it is left for ``FIRST_S`` to the one that had it.

        Raises ConflictError where the server cannot end a silent session.
        """
        while not self._try():
            wait(BEAT_S / 2)
            if self._session is None and self._connected():
                wait(FIRST_S)

    @property
    def session(self) -> int | None:
        """The server's number of the session that has the lock; None without one."""
        held = self._session
        return None if held is None else held.scalar(text("SELECT pg_backend_pid()"))

    def claim(self) -> int:
        """Raise the epoch: from here on nobody else commits. Ends what the one before has left open."""
        while not self.epoch:
            if not self._is_held and not self._try():
                self._stop.wait(BEAT_S / 2)
                continue
            try:
                self.epoch = self._raised()
            except OperationalError:  # one of theirs held the row, or the server is away: once more
                self._end()
        return self.epoch

    def fence(self, engine: Engine) -> None:
        """Have each of the engine's transactions see to it, last of all, that the epoch is still ours."""
        mine = text("SELECT 1 FROM meta WHERE key = :key AND value::text = :epoch FOR SHARE")
        given = {"key": self._key, "epoch": str(self.epoch)}

        def check(connection: Connection) -> None:
            if connection.execute(mine, given).first() is None:
                raise FencedError(REPLACED)

        event.listen(engine, "commit", check)

    def keep(self) -> None:
        """Be heard by the server from now on."""
        self._thread.start()

    def close(self) -> None:
        """Let go: who stands by takes over at once. Safe to call twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * LEASE_S)
        self._end()
        self._engine.dispose()

    # ------------------------------------------------------------------ the session

    def _try(self) -> bool:
        """Whether this session has the lock now."""
        if self._connected():
            try:
                assert self._session is not None
                self._is_held = self._locked(self._session)
            except DBAPIError:
                self._end()
        return self._is_held

    def _connected(self) -> bool:
        """Whether there is a session, as far as is known."""
        try:
            if self._session is None:
                self._session = self._engine.connect()
                version = self._session.scalar(text("SHOW server_version_num"))
                if int(version) < OLDEST:
                    raise ConflictError("standing by needs PostgreSQL 14 or newer")
        except DBAPIError:
            self._end()
        return self._session is not None

    def _locked(self, session: Connection) -> bool:
        """Whoever serves the whole has the database's lock alone; engines of partitions share it, and each
        has its partition's alone."""
        if self.partition.is_whole:
            return bool(session.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}))
        own = {"key": LOCK, "number": self.partition.number}
        if not session.scalar(text("SELECT pg_try_advisory_lock(:key, :number)"), own):
            return False
        if session.scalar(text("SELECT pg_try_advisory_lock_shared(:key)"), {"key": LOCK}):
            return True
        session.execute(text("SELECT pg_advisory_unlock(:key, :number)"), own)
        return False

    def _end(self) -> None:
        session, self._session, self._is_held = self._session, None, False
        if session is not None:
            with contextlib.suppress(DBAPIError):
                session.close()

    def _raised(self) -> int:
        assert self._session is not None
        self._session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = :owner"
            ),
            {"owner": self.name},
        )
        raised = self._session.scalar(
            text(
                "INSERT INTO meta (key, value) VALUES (:key, '1') ON CONFLICT (key) DO UPDATE "
                "SET value = ((meta.value::text)::int + 1)::text::json RETURNING value::text"
            ),
            {"key": self._key},
        )
        return int(raised)

    def _keep(self) -> None:
        """A session that was lost is sought again: as long as the epoch is ours nobody else has written."""
        while not self._stop.wait(BEAT_S):
            try:
                if not self._is_held:
                    self._try()
                if self._session is None:
                    continue
                now = self._session.scalar(
                    text("SELECT value::text FROM meta WHERE key = :key"), {"key": self._key}
                )
            except DBAPIError:
                log.warning("the lease's session was lost")
                self._end()
                continue
            if now != str(self.epoch):
                self._lost(REPLACED)
                return
