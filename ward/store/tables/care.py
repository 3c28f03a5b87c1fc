"""Who is to be told: the wards' care plans, and what was told to whom, through which channel."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint, text

from ward.store.tables.base import Json, Serial, Text, metadata

plans: Final = Table(
    "plans",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("ward", Text, nullable=False),
    Column("version", Integer, nullable=False),  # 1, 2, ... of this ward
    Column("definition", Json),  # null: the ward goes by the default plan again
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("ward", "version"),
    sqlite_autoincrement=True,
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("partition", Integer, nullable=False, server_default="0"),  # whose: ward.partitions
    # What one person should hear once through one channel: telling it twice is one row.
    Column("key", Text, nullable=False, unique=True),
    Column("alert", Text, index=True),  # null: a test alert
    Column("stay", Text, index=True),
    Column("ward", Text, nullable=False),
    Column("episode", Text, index=True),
    Column("priority", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # first priority signal again reminder escalation undelivered resolved test
    Column("reason", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("person", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text),  # the person's, for the channel
    Column("text", Json, nullable=False),  # what to say; nothing that identifies the patient
    Column("created", BigInteger, nullable=False),  # this and the other times of sending: the machine's
    Column("due", BigInteger, nullable=False),  # not tried before then
    Column("raised_at", BigInteger),
    Column("state", Text, nullable=False),  # waiting, sent, failed, dropped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_by", Text),
    Column("lease_until", BigInteger),
    Column("sent", BigInteger),
    Column("error", Text),  # of a dropped one: why
    Index(
        "ix_deliveries_waiting",
        "due",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    sqlite_autoincrement=True,
)
