"""Who handed an alert over to a colleague, and which signals an alert is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
expands = False


def upgrade() -> None:
    op.add_column("alerts", sa.Column("handed_over_by", sa.Text))
    op.add_column("alerts", sa.Column("handed_over_at", sa.BigInteger))
    op.add_column("alerts", sa.Column("signals", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    for name in ("signals", "handed_over_at", "handed_over_by"):
        op.drop_column("alerts", name)
