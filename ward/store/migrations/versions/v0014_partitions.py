"""Several engines on one database: what each has for itself says whose it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
expands = False

TABLES = ("journal", "snapshots", "outbox", "deliveries", "events")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("partition", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    """An older ward takes all there is for its own: only for a database that was never divided."""
    divided = sa.text("SELECT 1 FROM meta WHERE key = 'partitions'")
    if op.get_bind().execute(divided).first() is not None:
        raise ValueError("a database with partitions cannot go back to a ward that knows none")
    for table in TABLES:
        op.drop_column(table, "partition")
