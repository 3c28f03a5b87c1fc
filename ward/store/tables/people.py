"""People who may come in, and how often somebody tried in vain."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, UniqueConstraint

from ward.store.tables.base import Json, Text, metadata

users: Final = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False),  # as it was given, to be shown
    Column("login_key", Text, nullable=False, unique=True),  # the same, whatever its case and composition
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("wards", Json),  # null: every ward
    Column("password", Text),  # argon2's own notation; null: there is none
    Column("password_changed", BigInteger),
    Column("created", BigInteger, nullable=False),
    Column("disabled", BigInteger),
    Column("issuer", Text),  # of the hospital's log-in, with its name of the person
    Column("subject", Text),
    UniqueConstraint("issuer", "subject"),
)

attempts: Final = Table(
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),  # a digest: people type passwords into the wrong field
    Column("failed", Integer, nullable=False),
    Column("last", BigInteger, nullable=False, index=True),
    Column("until", BigInteger, nullable=False),  # no further attempt before
    Column("succeeded", BigInteger),
)
