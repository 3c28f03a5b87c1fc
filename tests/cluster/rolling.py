"""A ward of the next release, whose schema has more."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.served import Served
from ward.store import schema

ROOT = Path(__file__).parent.parent.parent
NEXT = "9999"
MIGRATION = f'''
"""What the next release adds."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{schema.newest()}"
branch_labels = None
depends_on = None
expands = True


def upgrade():
    op.create_table("remarks", sa.Column("id", sa.Text, nullable=False), sa.PrimaryKeyConstraint("id"))
    for table in ("events", "alerts", "stays"):
        op.add_column(table, sa.Column("written_by", sa.Text, nullable=False, server_default="this"))
    op.create_index("ix_events_written_by", "events", ["written_by"])


def downgrade():
    raise NotImplementedError
'''
USED = """

events.append_column(Column("written_by", Text, nullable=False, server_default="this", default="next"))
"""
"""Its rows are told apart from those of a ward that leaves the column out."""


def next_ward(folder: Path) -> Path:
    """The code of this ward with a migration more, which adds, and with tables that know of it."""
    ignored = shutil.ignore_patterns("ui", "ui_dist", "__pycache__")
    shutil.copytree(ROOT / "ward", folder / "ward", ignore=ignored)
    (folder / "models").symlink_to(ROOT / "models")
    (folder / f"ward/store/migrations/versions/v{NEXT}_next.py").write_text(MIGRATION)
    with (folder / "ward/store/tables/alerting.py").open("a") as tables:
        tables.write(USED)
    return folder


def runs(one: Served, code: Path) -> None:
    """From its next start on."""
    one.env |= {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}
