"""A patient's own limits end by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
expands = False


def upgrade() -> None:
    op.add_column("rules", sa.Column("until", sa.BigInteger))


def downgrade() -> None:
    """An older ward knows no end: limits that have one stay until somebody changes them."""
    op.drop_column("rules", "until")
