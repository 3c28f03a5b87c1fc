"""Credentials of devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
expands = False


def upgrade() -> None:
    op.create_table(
        "device_credentials",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("speaks_for", sa.JSON, nullable=False),
        sa.Column("hears", sa.JSON, nullable=False),
        sa.Column("signed", sa.Boolean, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("rotated", sa.BigInteger),
        sa.Column("removed", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device_credentials"),
        sa.UniqueConstraint("user", name="uq_device_credentials_user"),
    )
    op.create_index("ix_device_credentials_version", "device_credentials", ["version"])
    op.create_table(
        "device_numbers",
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_device_numbers"),
    )


def downgrade() -> None:
    op.drop_table("device_numbers")
    op.drop_table("device_credentials")
