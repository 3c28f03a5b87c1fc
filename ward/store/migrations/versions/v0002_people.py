"""Users, their sessions, and attempts to log in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
expands = False

JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("login_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("wards", JSON),
        sa.Column("password", sa.Text),
        sa.Column("password_changed", sa.BigInteger),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("disabled", sa.BigInteger),
        sa.Column("issuer", sa.Text),
        sa.Column("subject", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login_key", name="uq_users_login_key"),
        sa.UniqueConstraint("issuer", "subject", name="uq_users_issuer_subject"),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("succeeded", sa.BigInteger),
        sa.PrimaryKeyConstraint("key", name="pk_attempts"),
    )
    op.create_index("ix_attempts_last", "attempts", ["last"])
    op.add_column("tokens", sa.Column("scopes", JSON))
    # SQLite cannot add a foreign key to a table that exists: it is copied, with what it holds.
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("user", sa.Text))
        sessions.add_column(sa.Column("active", sa.BigInteger, nullable=False, server_default="0"))
        sessions.add_column(sa.Column("method", sa.Text, nullable=False, server_default="token"))
        sessions.add_column(sa.Column("agent", sa.Text))
        sessions.create_foreign_key("fk_sessions_user", "users", ["user"], ["id"], ondelete="CASCADE")
        sessions.create_index("ix_sessions_user", ["user"])
    op.execute("UPDATE sessions SET active = last_seen")
    with op.batch_alter_table("login_codes") as codes:
        codes.add_column(sa.Column("purpose", sa.Text, nullable=False, server_default="login"))
        codes.add_column(sa.Column("reusable", sa.Boolean, nullable=False, server_default=sa.false()))
        codes.add_column(sa.Column("user", sa.Text))
        codes.add_column(sa.Column("token", sa.Text))
        codes.create_foreign_key("fk_login_codes_user", "users", ["user"], ["id"], ondelete="CASCADE")
        codes.create_foreign_key("fk_login_codes_token", "tokens", ["token"], ["id"], ondelete="CASCADE")
        codes.create_index("ix_login_codes_user", ["user"])
        codes.create_index("ix_login_codes_token", ["token"])


def downgrade() -> None:
    # Who came in as a user cannot be one of an older service.
    op.execute('DELETE FROM sessions WHERE "user" IS NOT NULL')
    op.execute('DELETE FROM login_codes WHERE "user" IS NOT NULL OR "token" IS NOT NULL')
    op.execute("DELETE FROM tokens WHERE scopes IS NOT NULL OR role = 'kiosk'")
    with op.batch_alter_table("login_codes") as codes:
        codes.drop_index("ix_login_codes_token")
        codes.drop_index("ix_login_codes_user")
        codes.drop_constraint("fk_login_codes_token", type_="foreignkey")
        codes.drop_constraint("fk_login_codes_user", type_="foreignkey")
        for name in ("token", "user", "reusable", "purpose"):
            codes.drop_column(name)
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_index("ix_sessions_user")
        sessions.drop_constraint("fk_sessions_user", type_="foreignkey")
        for name in ("agent", "method", "active", "user"):
            sessions.drop_column(name)
    op.drop_column("tokens", "scopes")
    op.drop_table("attempts")
    op.drop_table("users")
