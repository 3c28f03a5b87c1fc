"""Parts of trials, which several processes share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
expands = True


def upgrade() -> None:
    op.create_table(
        "trial_parts",
        sa.Column("trial", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("wanted_until", sa.BigInteger, nullable=False),
        sa.Column("lease_by", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("done", sa.Float, server_default="0", nullable=False),
        sa.Column("found", sa.LargeBinary),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("trial", "number", name="pk_trial_parts"),
    )


def downgrade() -> None:
    """What was being tried is tried again."""
    op.drop_table("trial_parts")
