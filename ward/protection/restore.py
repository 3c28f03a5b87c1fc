"""``ward restore``: a backup into an empty database, SQLite or PostgreSQL, whichever the settings name.

The whole backup is read and checked before anything is touched. Then it goes in within one transaction:
a restore that ends early has changed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from alembic import command
from sqlalchemy import JSON, Connection, Engine, MetaData, Table, insert, select, text

from ward.errors import ConflictError
from ward.protection.archive import ArchiveError, Checking, Header, Summary
from ward.protection.backup import Progress, read_backup, sequence_of, tables
from ward.store import schema
from ward.store.audit import Entry, append
from ward.store.own_journal import DATABASE, own_journal, put_own_journal
from ward.store.serving import serving
from ward.store.tables import metadata

BATCH_ROWS: Final = 500
BATCH_BYTES: Final = 4 << 20
ALEMBIC: Final = "alembic_version"
UNDELETABLE: Final = "audit"
"""Its triggers let no single line go; the table goes as a whole."""
MOST_IN_FILES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that was read to its end: what it holds, and its files with their modes."""

    summary: Summary
    header: Header
    files: dict[str, tuple[int, bytes]]


class Files(Checking):
    """A sink that keeps the files of a backup, for they are few and small, and its header."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self.found: dict[str, tuple[int, bytes]] = {}

    def begin(self, header: Header) -> None:
        try:
            schema.require_known(header.schema)
        except schema.SchemaError:
            raise ArchiveError(
                f"the backup is of a newer ward ({header.version}, schema {header.schema}; this one knows "
                f"up to {schema.newest()}): restore it with that version"
            ) from None
        self.header = header

    def file(self, name: str, mode: int, content: bytes) -> None:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ArchiveError(f"the backup is damaged: {name!r} is no name of a file in the data folder")
        if sum(len(each) for _, each in self.found.values()) + len(content) > MOST_IN_FILES:
            raise ArchiveError("the backup is damaged: its files are too large")
        self.found[name] = (mode & 0o700, content)


class Filling:
    """A sink that writes the rows of a backup into the tables of a transaction."""

    def __init__(self, tx: Connection, progress: Progress) -> None:
        self._tx, self._progress = tx, progress
        self._tables: dict[str, Table] = {}
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._count = 0

    def begin(self, header: Header) -> None:
        schema.move_within(self._tx, command.upgrade, header.schema)
        for table in tables(self._tx):
            for column in table.columns:
                if isinstance(column.type, JSON):
                    column.type.none_as_null = True
            self._tables[table.name] = table
            if table.name != UNDELETABLE:
                self._tx.execute(table.delete())  # what a migration itself puts in is in the backup, too

    def table(self, name: str, columns: Sequence[str]) -> None:
        if name not in self._tables or not set(columns) <= set(self._tables[name].columns.keys()):
            raise ArchiveError(f"the backup is damaged: it has a table {name} that its schema does not have")
        self._table, self._columns, self._count = self._tables[name], list(columns), 0

    def row(self, values: list[Any]) -> None:
        self._rows.append(dict(zip(self._columns, values, strict=True)))
        self._bytes += sum(len(value) for value in values if isinstance(value, bytes | str))
        if len(self._rows) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self._write()

    def _write(self) -> None:
        if self._rows:
            self._tx.execute(insert(self._table), self._rows)
            self._count += len(self._rows)
            self._progress(self._table.name, self._count)
        self._rows, self._bytes = [], 0

    def end_table(self, counter: int | None) -> None:
        self._write()
        if counter is not None:
            _set_counter(self._tx, self._table, counter)

    def file(self, name: str, mode: int, content: bytes) -> None:
        pass


def _set_counter(tx: Connection, table: Table, given: int) -> None:
    """Go on counting behind ``given``, as the database that was backed up would have."""
    if tx.dialect.name == "sqlite":
        values = {"table": table.name, "given": given}
        tx.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), values)
        tx.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :given)"), values)
    elif (sequence := sequence_of(tx, table)) is not None:
        values = {"sequence": sequence, "given": max(given, 1), "called": given > 0}
        tx.execute(text("SELECT setval(CAST(:sequence AS regclass), :given, :called)"), values)


def check(source: IO[bytes], keys: Sequence[Any]) -> Checked:
    """Read the whole of a backup. Raises InvalidError for one that could not be restored."""
    files = Files()
    summary = read_backup(source, keys, files)
    assert summary.header is not None
    return Checked(summary, summary.header, files.found)


def restore(
    source: IO[bytes],
    keys: Sequence[Any],
    checked: Checked,
    engine: Engine,
    data_dir: Path,
    *,
    force: bool,
    now: int,
    progress: Progress = lambda table, rows: None,
) -> None:
    """Put a backup (see ``check``) into the database and the data folder. ``force``: what is there goes.

    Raises ConflictError if there are data already or a service runs; then nothing has changed. ``now`` (the
    machine's, ms) stands in the audit trail's line about it.
    """
    with serving(engine, 0.0):
        if not force:
            require_empty(engine)
            _require_no_others(checked.files, data_dir)
        waiting = _write_files(checked.files, data_dir)
        try:
            with engine.begin() as tx:
                _clear(tx)
                read_backup(source, keys, Filling(tx, progress))
                schema.move_within(tx, command.upgrade, "head")
                _leave_journal(tx)
                _tell(tx, checked.header, now)
        except BaseException:
            for part, _ in waiting:
                part.unlink(missing_ok=True)
            raise
        for part, path in waiting:
            part.replace(path)


def _leave_journal(tx: Connection) -> None:
    """A journal in JetStream is in no backup. If it is there still the service goes on with it; if not, what
    it held after the backup is gone as all else is, and must not keep the service from another one."""
    kept = own_journal(tx)
    if kept.identity != DATABASE:
        put_own_journal(tx, replace(kept, whole=True))


def _tell(tx: Connection, header: Header, now: int) -> None:
    detail = {"created": header.created, "version": header.version, "schema": header.schema}
    append(tx, [Entry(now, "", None, "backup.restore", detail=detail, source="cli")])


def require_empty(engine: Engine) -> None:
    """Raises ConflictError if any table has a row but the schema's own."""
    with engine.connect() as connection:
        for table in tables(connection):
            some = select(table).limit(1)
            if table.name == "meta":
                some = some.where(table.c.key != schema.COMPATIBLE)
            if connection.execute(some).first() is not None:
                raise ConflictError(
                    f"the database is not empty (there are {table.name}): restore into another one, or say "
                    "--force, which deletes all that is in it"
                )


def _require_no_others(found: dict[str, tuple[int, bytes]], data_dir: Path) -> None:
    for name, (_, content) in found.items():
        path = data_dir / name
        if path.exists() and path.read_bytes() != content:
            raise ConflictError(f"{path} is there already and differs; --force writes over it")


def _clear(tx: Connection) -> None:
    """No tables at all: the backup brings those of its own version."""
    now = schema.version(tx)
    if now is not None and now in schema.revisions():
        for table in reversed(tables(tx)):
            if table.name != UNDELETABLE:
                tx.execute(table.delete())  # so that going back has nothing to carry along
        schema.move_within(tx, command.downgrade, "base")
    left = MetaData()
    left.reflect(tx, only=lambda name, _: name in metadata.tables or name == ALEMBIC)
    left.drop_all(tx)


def _write_files(found: dict[str, tuple[int, bytes]], data_dir: Path) -> list[tuple[Path, Path]]:
    """Each beside its place, to be moved there when the database is through."""
    waiting = []
    for name, (mode, content) in found.items():
        path = data_dir / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as output:
            output.write(content)
            os.fsync(output.fileno())
        waiting.append((part, path))
    return waiting
