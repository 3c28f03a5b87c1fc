"""What an alert is called in other languages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
expands = False


def upgrade() -> None:
    op.add_column("alerts", sa.Column("titles", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    op.drop_column("alerts", "titles")
