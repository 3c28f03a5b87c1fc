"""Alerts, the log of what happened to them, what must be published, and the rules."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    false,
    text,
)

from ward.store.tables.base import Json, Serial, Text, metadata

alerts: Final = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("stay", Text),
    Column("ward", Text),
    Column("bed", Text),
    Column("rule", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("signal", Text),
    Column("value", Float),
    Column("breach_since", BigInteger),
    Column("raised_at", BigInteger),
    Column("announced_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("assessment", Text),
    Column("note", Text),
    Column("cleared_at", BigInteger),
    Column("closed_at", BigInteger, index=True),
    Column("close_reason", Text),
    Column("shelved_until", BigInteger),
    Column("shelved_by", Text),
    Column("shelve_reason", Text),
    Column("suppressed_by", Text),
    Column("episode", Text),
    Column("late", Boolean, nullable=False, server_default=false()),
    Column("sustained", Boolean, nullable=False, server_default=false()),
    Column("undelivered", Json),  # null: everything got through
    Column("titles", Json),  # by language; null: there is only the title
    Column("handed_over_by", Text),  # acknowledged_by has not confirmed that she has it
    Column("handed_over_at", BigInteger),
    Column("signals", Json),  # null: of alerts from before this was known
    # raised_at, or breach_since of what was never raised: the order of lists.
    Column("listed_at", BigInteger, nullable=False),
    Index(None, "listed_at", "id"),
    Index(None, "stay", "listed_at"),
)

events: Final = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("partition", Integer, nullable=False, server_default="0"),  # whose: ward.partitions
    Column("at", BigInteger, nullable=False, index=True),
    Column("stay", Text, index=True),
    Column("ward", Text),
    Column("alert", Text, index=True),
    Column("kind", Text, nullable=False),
    Column("by", Text),
    Column("before", Json),
    Column("after", Json),
    Column("detail", Json),
    Column("notify", Text),  # why staff were interrupted with it; null: they were not
    Index(
        "ix_events_told",
        "at",
        sqlite_where=text("notify IS NOT NULL"),
        postgresql_where=text("notify IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("partition", Integer, nullable=False, server_default="0"),  # whose: ward.partitions
    Column("key", Text, nullable=False, unique=True),  # the same telling twice is one row
    Column("topic", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("sent", BigInteger),
    Column("due", BigInteger, nullable=False),  # not tried before then
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Index(
        "ix_outbox_waiting",
        "due",
        "id",
        sqlite_where=text("sent IS NULL"),
        postgresql_where=text("sent IS NULL"),
    ),
    sqlite_autoincrement=True,
)

rules: Final = Table(
    "rules",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("scope", Text, nullable=False),  # all, ward:X, stay:Y
    Column("version", Integer, nullable=False),  # 1, 2, ... of this rule in this scope
    Column("definition", Json, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("retired", Boolean, nullable=False, server_default=false()),  # not in force in this scope
    Column("follows", Boolean, nullable=False, server_default=false()),  # as the next wider scope has it
    Column("draft", Text),  # by which it came, with who proposed and who approved that
    Column("proposed_by", Text),
    Column("approved_by", Text),
    Column("why", Text),
    Column("until", BigInteger),  # of a patient's own limits: when they end by themselves
    UniqueConstraint("rule_id", "scope", "version"),
    sqlite_autoincrement=True,
)
