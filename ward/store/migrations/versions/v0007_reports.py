"""What reports and the watch for drift are made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
expands = False

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("events", sa.Column("notify", sa.Text))
    told = sa.text("notify IS NOT NULL")
    op.create_index("ix_events_told", "events", ["at"], sqlite_where=told, postgresql_where=told)
    op.create_table(
        "tallies",
        sa.Column("ward", sa.Text, nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("ward", "day", name="pk_tallies"),
    )
    op.create_index("ix_tallies_day", "tallies", ["day"])
    op.create_table(
        "baselines",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("ward", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_baselines"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_baselines_ward", "baselines", ["ward"])


def downgrade() -> None:
    op.drop_table("baselines")
    op.drop_table("tallies")
    op.drop_index("ix_events_told", "events")
    op.drop_column("events", "notify")
