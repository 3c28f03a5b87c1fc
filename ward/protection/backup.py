"""``ward backup``: all that a ward needs to go on elsewhere, as one encrypted file.

The tables come from one snapshot of the database, which the service goes on writing to meanwhile. Nothing
is held in memory but a few rows, and nothing plain is written to the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Connection, Engine, LargeBinary, MetaData, Table, select, text

from ward import __version__
from ward.errors import ConflictError, InvalidError
from ward.protection.archive import Checking, Header, Parser, Sink, Summary, Writer
from ward.protection.keys import seal, unseal
from ward.store import schema
from ward.store.meta import put_meta
from ward.store.tables import metadata

ROWS_AT_ONCE: Final = 200
BLOBS_AT_ONCE: Final = 4
"""Rows fetched together: a batch of the journal or a snapshot may have many MB."""
LARGEST_FILE: Final = 64 << 20
"""Files of the data folder are keys and settings; what is larger is none of ours."""
LEFT_OUT: Final = (".lock", ".part", "-wal", "-shm", "-journal", ".log", ".pid")
"""Endings of files in the data folder that are of the moment, or hold the database itself."""

Progress = Callable[[str, int], None]
"""Called now and then with the table and the number of its rows that are through."""


LAST: Final = "backup.last"
"""In ``meta``: the backup that was written last."""


def dump(engine: Engine, data_dir: Path | None, created: int, progress: Progress) -> Iterator[bytes]:
    """The plain bytes of a backup. ``created``: the machine's time, ms. Raises InvalidError for a database
    that has no tables, or of a version that this ward does not know."""
    writer = Writer()
    # Files first: the end of the audit trail that is noted in one must not be ahead of the trail itself.
    kept = [(name, path.stat().st_mode & 0o777, path.read_bytes()) for name, path in files(data_dir, engine)]
    with _snapshot(engine) as connection:
        revision = schema.require_usable(connection)
        if revision is None:
            raise InvalidError("the database is empty: there is nothing to back up")
        yield from writer.begin(Header(__version__, revision, created, engine.dialect.name))
        for table in tables(connection):
            yield from _dump_table(connection, writer, table, progress)
    for name, mode, content in kept:
        yield from writer.file(name, mode, content)
    yield from writer.end()


def _snapshot(engine: Engine) -> Connection:
    """A connection that sees one moment of the whole database until it is closed.

    On SQLite every transaction that reads does; on PostgreSQL it must be asked for.
    """
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return connection


def tables(connection: Connection) -> list[Table]:
    """ward's tables as they are in the database, each behind those it refers to; others are none of ours."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in metadata.tables)
    return list(found.sorted_tables)


def _dump_table(connection: Connection, writer: Writer, table: Table, progress: Progress) -> Iterator[bytes]:
    columns = [column.name for column in table.columns]
    binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]

    def rows() -> Iterator[Sequence[Any]]:
        query = select(table).order_by(*table.primary_key)
        at_once = BLOBS_AT_ONCE if binary else ROWS_AT_ONCE
        streamed = connection.execute(query, execution_options={"yield_per": at_once})
        for count, row in enumerate(streamed):
            if count % 10_000 == 0:
                progress(table.name, count)
            yield row

    yield from writer.table(table.name, columns, binary, rows())
    yield from writer.end_table(table.name, counter(connection, table))


def counter(connection: Connection, table: Table) -> int | None:
    """The highest number that a table which counts upwards ever gave; None for one that does not count."""
    if connection.dialect.name == "sqlite":
        if not connection.scalar(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")):
            return None
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        given = connection.scalar(query, {"table": table.name})
        return None if given is None else int(given)
    sequence = sequence_of(connection, table)
    if sequence is None:
        return None
    row = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608
    return int(row.last_value) if row.is_called else 0


def sequence_of(connection: Connection, table: Table) -> str | None:
    """PostgreSQL's sequence behind a table's primary key, ready for SQL; None where there is none."""
    keys = list(table.primary_key)
    if len(keys) != 1:
        return None
    query = text("SELECT pg_get_serial_sequence(quote_ident(:table), :column)")
    found = connection.scalar(query, {"table": table.name, "column": keys[0].name})
    return None if found is None else str(found)


def files(data_dir: Path | None, engine: Engine) -> list[tuple[str, Path]]:
    """The files of the data folder that belong into a backup, by their name in it: keys, settings, heads."""
    if data_dir is None or not data_dir.is_dir():
        return []
    found = []
    database = Path(str(engine.url.database)).name if engine.dialect.name == "sqlite" else "ward.db"
    for path in sorted(data_dir.rglob("*")):
        name = path.relative_to(data_dir).as_posix()
        others = (f"{database}{schema.COPY}", f"{database}-")
        of_database = path.name == database or path.name.startswith(others)
        if path.is_symlink() or not path.is_file() or of_database or name.endswith(LEFT_OUT):
            continue
        if path.stat().st_size <= LARGEST_FILE:
            found.append((name, path))
    return found


def write_backup(
    file: Path, pieces: Iterator[bytes], recipients: Sequence[Any], *, replace: bool = False
) -> None:
    """Write a backup (see ``dump``) to a file that is readable by its owner only, whole or not at all.

    Raises ConflictError if it is there already, InvalidError if it cannot be written.
    """
    if file.exists() and not replace:
        raise ConflictError(f"{file} is there already; --force writes over it")
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise InvalidError(f"{file}: cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "wb") as output:
            seal(pieces, output, recipients)
            output.flush()
            os.fsync(output.fileno())
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def note_backup(engine: Engine, at: int, size: int) -> None:
    """That a backup of ``size`` bytes was written (ms since 1970), for whoever looks whether there is one."""
    with engine.begin() as tx:
        put_meta(tx, LAST, {"at": at, "bytes": size})


def read_backup(source: IO[bytes], keys: Sequence[Any], sink: Sink | None = None) -> Summary:
    """Go through a backup from its beginning and give ``sink`` what is in it; what it holds.

    Raises InvalidError for one that cannot be opened, is damaged or is not whole.
    """
    source.seek(0)
    parser = Parser(sink or Checking())
    unseal(source, parser, keys)
    return parser.finish()
