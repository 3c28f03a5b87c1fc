"""What came in: the journal, what was refused, history, and the state that makes a start quick."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from ward.store.tables.base import Json, Serial, Text, metadata

journal: Final = Table(
    "journal",
    metadata,
    Column("position", Serial, primary_key=True),
    Column("partition", Integer, nullable=False, server_default="0"),  # whose: ward.partitions
    Column("written", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

dead_letters: Final = Table(
    "dead_letters",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("received", BigInteger, nullable=False, index=True),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("ward", Text),
    Column("device", Text),
    sqlite_autoincrement=True,
)

history: Final = Table(
    "history",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("stay", Text),  # null: nobody's, then device says whose
    Column("device", Text),  # ward/device
    Column("start", BigInteger, nullable=False),  # first and last time in it, both included
    Column("end", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index(None, "stay", "end"),
    Index(None, "device", "end"),
    Index(None, "end"),
    sqlite_autoincrement=True,
)

snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("partition", Integer, nullable=False, server_default="0"),  # whose: ward.partitions
    Column("taken", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

meta: Final = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json),
)
