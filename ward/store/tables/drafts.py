"""Changes of rules that somebody proposed, and what became of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table

from ward.store.tables.base import Json, Serial, Text, metadata

drafts: Final = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("why", Text),
    Column("scope", Text, nullable=False, index=True),  # all, ward:X, stay:Y
    Column("state", Text, nullable=False),
    Column("changes", Json, nullable=False),  # [{rule, base, change, after}]
    Column("trial", Json),  # what it rests on, without any patient; null: it was not tried
    Column("by", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", BigInteger),
    Column("made", Json),  # once in force: [{rule, version, before: that of the scope, or 0}]
    Index(None, "at", "id"),
)

draft_log: Final = Table(
    "draft_log",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("draft", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", Text, nullable=False),  # propose comment approve reject withdraw apply return
    Column("text", Text),
    sqlite_autoincrement=True,
)

trials: Final = Table(
    "trials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("scope", Text, nullable=False, index=True),  # all, ward:X, stay:Y
    Column("at", BigInteger, nullable=False, index=True),
    Column("rules", Json, nullable=False),  # what was different
    Column("base", Json, nullable=False),  # by rule: as it was in force
    Column("found", Json, nullable=False),  # figures, without any patient
)
