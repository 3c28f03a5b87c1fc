"""Drafts of changed rules; versions of rules say by which they came, and may end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
expands = False

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)
ADDED = ("draft", "proposed_by", "approved_by", "why")


def upgrade() -> None:
    op.add_column("rules", sa.Column("follows", sa.Boolean, server_default=sa.false(), nullable=False))
    for name in ADDED:
        op.add_column("rules", sa.Column(name, sa.Text))
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("trial", JSON),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("by_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_at", sa.BigInteger),
        sa.Column("made", JSON),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
    )
    op.create_index("ix_drafts_scope", "drafts", ["scope"])
    op.create_index("ix_drafts_at_id", "drafts", ["at", "id"])
    op.create_table(
        "draft_log",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_draft_log"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_draft_log_draft", "draft_log", ["draft"])


def downgrade() -> None:
    """An older ward knows no version that ends: one that does stands as what was in force before it."""
    op.drop_table("draft_log")
    op.drop_table("drafts")
    for name in ("follows", *ADDED):
        op.drop_column("rules", name)
