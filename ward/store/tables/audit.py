"""The audit trail: who saw what of whom, who changed what. The database itself refuses to change a line."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table, text

from ward.store.tables.base import Text, metadata

audit: Final = Table(
    "audit",
    metadata,
    # Given by ward.store.audit, without holes: a line that is missing shows.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("actor_id", Text),
    Column("role", Text),
    Column("action", Text, nullable=False),
    Column("object", Text),
    Column("stay", Text, index=True),
    Column("ward", Text),
    Column("outcome", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON as it was hashed, to the letter
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    # The lines that allow others to be deleted; every DELETE asks for them.
    Index(
        "ix_audit_prune",
        "seq",
        sqlite_where=text("action = 'audit.prune'"),
        postgresql_where=text("action = 'audit.prune'"),
    ),
)
