"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
expands = False

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)
TABLES = (
    "alerts",
    "dead_letters",
    "devices",
    "events",
    "history",
    "idempotency",
    "journal",
    "login_codes",
    "meta",
    "outbox",
    "rules",
    "snapshots",
    "stays",
    "tokens",
    "assignments",
    "sessions",
)


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("stay", sa.Text),
        sa.Column("ward", sa.Text),
        sa.Column("bed", sa.Text),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("signal", sa.Text),
        sa.Column("value", sa.Float),
        sa.Column("breach_since", sa.BigInteger),
        sa.Column("raised_at", sa.BigInteger),
        sa.Column("announced_at", sa.BigInteger),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("assessment", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("cleared_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("close_reason", sa.Text),
        sa.Column("shelved_until", sa.BigInteger),
        sa.Column("shelved_by", sa.Text),
        sa.Column("shelve_reason", sa.Text),
        sa.Column("suppressed_by", sa.Text),
        sa.Column("episode", sa.Text),
        sa.Column("late", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("sustained", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("listed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_closed_at", "alerts", ["closed_at"])
    op.create_index("ix_alerts_listed_at_id", "alerts", ["listed_at", "id"])
    op.create_index("ix_alerts_state", "alerts", ["state"])
    op.create_index("ix_alerts_stay_listed_at", "alerts", ["stay", "listed_at"])
    op.create_table(
        "dead_letters",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("ward", sa.Text),
        sa.Column("device", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dead_letters_received", "dead_letters", ["received"])
    op.create_table(
        "devices",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("ward", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("online", sa.Boolean),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("last_time", sa.BigInteger),
        sa.Column("offset", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("intervals", JSON),
        sa.Column("readings", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("duplicates", sa.BigInteger, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_devices"),
    )
    op.create_index("ix_devices_number", "devices", ["number"])
    op.create_table(
        "events",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("stay", sa.Text),
        sa.Column("ward", sa.Text),
        sa.Column("alert", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("before", JSON),
        sa.Column("after", JSON),
        sa.Column("detail", JSON),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_alert", "events", ["alert"])
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_stay", "events", ["stay"])
    op.create_table(
        "history",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("stay", sa.Text),
        sa.Column("device", sa.Text),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_history_device_end", "history", ["device", "end"])
    op.create_index("ix_history_end", "history", ["end"])
    op.create_index("ix_history_stay_end", "history", ["stay", "end"])
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("body", JSON),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", "actor", "route", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_table(
        "journal",
        sa.Column("position", SERIAL, nullable=False),
        sa.Column("written", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_journal"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "login_codes",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("wards", JSON),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
        sa.PrimaryKeyConstraint("hash", name="pk_login_codes"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", JSON),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.BigInteger),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["due", "id"],
        sqlite_where=sa.text("sent IS NULL"),
        postgresql_where=sa.text("sent IS NULL"),
    )
    op.create_table(
        "rules",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("retired", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
        sa.UniqueConstraint("rule_id", "scope", "version", name="uq_rules_rule_id_scope_version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "snapshots",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stays",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("patient_ref", sa.Text, nullable=False),
        sa.Column("ward", sa.Text, nullable=False),
        sa.Column("bed", sa.Text, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger),
        sa.Column("paused_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_stays"),
    )
    op.create_index("ix_stays_start_id", "stays", ["start", "id"])
    op.create_index(
        "uq_stays_open_bed",
        "stays",
        ["ward", "bed"],
        unique=True,
        sqlite_where=sa.text('"end" IS NULL'),
        postgresql_where=sa.text('"end" IS NULL'),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("wards", JSON),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_table(
        "assignments",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("stay", sa.Text, nullable=False),
        sa.Column("ward", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger),
        sa.ForeignKeyConstraint(["stay"], ["stays.id"], name="fk_assignments_stay", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assignments_stay", "assignments", ["stay"])
    op.create_index(
        "uq_assignments_open_device",
        "assignments",
        ["ward", "device"],
        unique=True,
        sqlite_where=sa.text('"end" IS NULL'),
        postgresql_where=sa.text('"end" IS NULL'),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("wards", JSON),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["token"], ["tokens.id"], name="fk_sessions_token", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_token", "sessions", ["token"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
