"""Every table, in one ``MetaData``, in types that SQLite and PostgreSQL share.

Times are ms since 1970 UTC. Intervals are half open, ``[start, end)``, and ``end`` null is "still".
``JSON`` columns hold null as SQL null. Primary keys that count upwards never reuse a number
(``AUTOINCREMENT``, sequences), so a position in the journal or in the log of events stays unique
after old rows are gone.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy import Text as AnyText

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Text(TypeDecorator[str]):
    """Text that both databases take: what they refuse (NUL, half a surrogate pair) becomes a mark.

    What devices send ends up in topics, sessions and dead letters; storing it must not fail.
    """

    impl = AnyText
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        return str

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


Serial: Final = BigInteger().with_variant(Integer(), "sqlite")
"""Counts upwards; SQLite does so only for a column declared INTEGER."""
Json: Final = JSON(none_as_null=True)

# ---- stays and devices -------------------------------------------------------------------------

stays: Final = Table(
    "stays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("patient_ref", Text, nullable=False),
    Column("ward", Text, nullable=False),
    Column("bed", Text, nullable=False),
    Column("flags", Json, nullable=False),  # list of words
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    Column("paused_until", BigInteger),
    # A bed holds one patient at a time; two requests at once cannot get past the database.
    Index(
        "uq_stays_open_bed",
        "ward",
        "bed",
        unique=True,
        sqlite_where=text('"end" IS NULL'),
        postgresql_where=text('"end" IS NULL'),
    ),
    Index(None, "start", "id"),
)

assignments: Final = Table(
    "assignments",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("stay", Text, ForeignKey("stays.id", ondelete="CASCADE"), nullable=False, index=True),
    # The ward whose topic the device uses: a stay may change wards, and what it was measured with
    # in the old one must stay its own.
    Column("ward", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    Index(
        "uq_assignments_open_device",
        "ward",
        "device",
        unique=True,
        sqlite_where=text('"end" IS NULL'),
        postgresql_where=text('"end" IS NULL'),
    ),
    sqlite_autoincrement=True,
)

devices: Final = Table(
    "devices",
    metadata,
    Column("key", Text, primary_key=True),  # ward/device
    Column("number", Integer, index=True),  # what the rows of history call it
    Column("ward", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("session", Text),
    Column("online", Boolean),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_time", BigInteger),
    Column("offset", BigInteger, nullable=False, server_default="0"),
    Column("intervals", Json),  # signal name -> seconds
    Column("readings", BigInteger, nullable=False, server_default="0"),
    Column("duplicates", BigInteger, nullable=False, server_default="0"),
)

# ---- what came in ------------------------------------------------------------------------------

journal: Final = Table(
    "journal",
    metadata,
    Column("position", Serial, primary_key=True),
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
    Column("taken", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

# ---- alerts ------------------------------------------------------------------------------------

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
    # raised_at, or breach_since of what was never raised: the order of lists.
    Column("listed_at", BigInteger, nullable=False),
    Index(None, "listed_at", "id"),
    Index(None, "stay", "listed_at"),
)

events: Final = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("stay", Text, index=True),
    Column("ward", Text),
    Column("alert", Text, index=True),
    Column("kind", Text, nullable=False),
    Column("by", Text),
    Column("before", Json),
    Column("after", Json),
    Column("detail", Json),
    sqlite_autoincrement=True,
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True),
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
    Column("retired", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("rule_id", "scope", "version"),
    sqlite_autoincrement=True,
)

# ---- access ------------------------------------------------------------------------------------

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("wards", Json),  # null: every ward
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

meta: Final = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json),
)
