"""Opening the database: SQLite in one file by default, PostgreSQL by URL, both as durable as they can be.

``with engine.begin() as tx`` is for writing, ``with engine.connect() as connection`` for reading.
The difference matters on SQLite: a transaction that reads first and then wants to write fails when
another one has written meanwhile, however long it would wait. So ``begin`` takes the writers' turn
at once and waits for it, while readers never wait for anyone (WAL).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ward.partitions import WHOLE, Partition
from ward.store import schema
from ward.store.idempotency import note_done
from ward.store.partition import OPTION

ALLOWED: Final = "sqlite:///FOLDER/ward.db or postgresql://USER:PASSWORD@HOST/DATABASE"
BUSY_MS: Final = 30_000
"""How long a writer waits for its turn on SQLite."""
NO_HALF_OPEN: Final = {
    "tcp_user_timeout": 15_000,  # ms, of what was sent
    "keepalives_idle": 10,  # s, and for an answer that is waited for
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""A PostgreSQL that has vanished without a word is given up after so long, not after the system's quarter
of an hour."""
PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",  # acknowledged means on the disk
    "foreign_keys=ON",
    f"busy_timeout={BUSY_MS}",
    "journal_size_limit=67108864",
    "secure_delete=ON",  # what is deleted is gone from the file, not only from sight
)


class _SqliteEngine(Engine):
    """An engine whose ``begin`` is a writer's transaction from its first moment."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect() as connection:
            connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection


def to_json(value: Any) -> str:
    """JSON as the standard has it. A number that JSON does not know (NaN, infinity) becomes null:
    PostgreSQL would refuse the row, and with it the transaction that tells of an alert."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


OPTIONS: Final[dict[str, Any]] = {
    "hide_parameters": True,
    "json_serializer": to_json,
    # The web serves readers from a pool of 40 threads; none of them should wait for a connection.
    "pool_size": 10,
    "max_overflow": 40,
}


def open_database(url: str | URL, name: str = "ward", partition: Partition = WHOLE) -> Engine:
    """An engine for ``url``; the schema is not touched (see ``migrate``). ``name``: what PostgreSQL shows.
    ``partition``: whose rows it is about where each partition has its own (``ward.store.partition``).

    A SQLite file is made if it is missing and is readable by its owner only. Parameters of
    statements are kept out of logs and messages, they may name patients.

    Raises ValueError, without the password, for a URL that is not SQLite's or PostgreSQL's.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(f"not a database URL; allowed: {ALLOWED}") from None
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        engine = _open_postgres(parsed.set(drivername="postgresql+psycopg"), name, partition)
    elif backend == "sqlite":
        engine = _open_sqlite(parsed)
    else:
        engine = None
    if engine is not None:
        event.listen(engine, "commit", note_done)
        return engine
    raise ValueError(f"{parsed.drivername!r} is not a database that ward knows; allowed: {ALLOWED}")


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError(f"SQLite needs a file, memory would lose everything; allowed: {ALLOWED}")
    _own_file(Path(url.database))
    made = create_engine(url, **OPTIONS)
    engine = _SqliteEngine(made.pool, made.dialect, made.url, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _own_file(path: Path) -> None:
    """Make the file with mode 0600; SQLite gives its -wal and -shm the same.

    One that is there is not opened: whoever closes a file gives up all locks that its process has on it
    (POSIX), also those by which SQLite keeps other processes from deleting the log of what is committed.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    path.chmod(0o600)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin or commit on its own
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _open_postgres(url: URL, name: str, partition: Partition) -> Engine:
    # A server may be set to acknowledge before it is durable; here that is never right.
    options = {"options": "-c synchronous_commit=on", "application_name": name, "connect_timeout": 10}
    return create_engine(
        url,
        pool_pre_ping=True,
        connect_args=options | NO_HALF_OPEN,
        execution_options={OPTION: partition},
        **OPTIONS,
    )


def migrate(engine: Engine, own: int | None = None) -> None:
    """Bring the schema to the newest version (see ``ward.store.schema.upgrade``)."""
    schema.upgrade(engine, own=own)
