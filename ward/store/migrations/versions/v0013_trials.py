"""What trials found outlasts a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
expands = False

JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "trials",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("base", JSON, nullable=False),
        sa.Column("found", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
    )
    op.create_index("ix_trials_scope", "trials", ["scope"])
    op.create_index("ix_trials_at", "trials", ["at"])


def downgrade() -> None:
    """What was tried is tried again."""
    op.drop_table("trials")
