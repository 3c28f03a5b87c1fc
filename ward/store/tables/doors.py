"""Who may come in, and what they asked for already."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, false

from ward.store.tables.base import Json, Text, metadata

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("wards", Json),  # null: every ward
    Column("scopes", Json),  # null: all that the role may
    Column("hash", Text, nullable=False, unique=True),  # the secret itself is never stored
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("token", Text, ForeignKey("tokens.id", ondelete="CASCADE"), index=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("wards", Json),
    Column("created", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("user", Text, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("active", BigInteger, nullable=False, server_default="0"),  # when a person last did something
    Column("method", Text, nullable=False, server_default="token"),  # password, oidc, code or token
    Column("agent", Text),  # which browser it is, so that its owner knows it again
)

login_codes: Final = Table(
    "login_codes",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("wards", Json),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
    Column("purpose", Text, nullable=False, server_default="login"),  # or password: to set one
    Column("reusable", Boolean, nullable=False, server_default=false()),
    Column("user", Text, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("token", Text, ForeignKey("tokens.id", ondelete="CASCADE"), index=True),
)

idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("key", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # of the request: a key stands for one content
    Column("status", Integer),  # null: still being answered
    Column("body", Json),
    Column("at", BigInteger, nullable=False, index=True),
)
