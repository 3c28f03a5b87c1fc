"""One service at a time on a database, and how a command finds out whether one runs.

On SQLite a lock on a file beside the database; on PostgreSQL an advisory lock of a connection of its own.
Both go with the process that holds them, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ward.errors import ConflictError

LOCK: Final = 0x73657276
"""PostgreSQL's advisory lock ("serv")."""
WAIT_S: Final = 40.0
"""A server may take so long to notice that the one before is gone with its machine (see ``_KEEPALIVE``)."""
_KEEPALIVE: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"


class AlreadyServingError(ConflictError):
    """A service runs on this database."""


@contextlib.contextmanager
def serving(engine: Engine, wait_s: float | None = None) -> Iterator[int]:
    """Be the one that works on this database; the number of the server's session that says so, 0 on SQLite.
    Raises AlreadyServingError when another one still is after ``wait_s`` (default: long enough for PostgreSQL
    to notice that a machine is gone, else not at all)."""
    if engine.dialect.name == "sqlite":
        with _file_lock(Path(f"{engine.url.database}.lock"), wait_s or 0.0):
            yield 0
    else:
        with _advisory_lock(engine, WAIT_S if wait_s is None else wait_s) as session:
            yield session


def others_at_work(engine: Engine, own: int | None) -> bool:
    """Whether a service, or an engine of some partition, has the database. ``own``: the session of the one
    who asks, who does not count."""
    if engine.dialect.name == "sqlite":
        return own is None and is_serving(engine)
    holders = text(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = 0 "
        "AND objid = :key AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with engine.connect() as connection:
        return any(pid != own for pid in connection.scalars(holders, {"key": LOCK}))


def is_serving(engine: Engine) -> bool:
    """Whether another process is."""
    try:
        with serving(engine, 0.0):
            return False
    except AlreadyServingError:
        return True


@contextlib.contextmanager
def _file_lock(path: Path, wait_s: float) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise AlreadyServingError("a ward runs on this database already") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _advisory_lock(engine: Engine, wait_s: float) -> Iterator[int]:
    options = {"options": _KEEPALIVE, "application_name": "ward-lock", "connect_timeout": 10}
    own = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=options)
    try:
        connection = own.connect()
        try:
            deadline = time.monotonic() + wait_s
            while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
                if time.monotonic() >= deadline:
                    raise AlreadyServingError("a ward runs on this database already")
                time.sleep(0.1)
            yield int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)
        finally:
            with contextlib.suppress(DBAPIError):  # the server may be away; then so is the lock
                connection.close()
    finally:
        own.dispose()
