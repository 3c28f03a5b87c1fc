"""Chunks of history in the dense form, and derived scores in them.

Nothing changes going forwards: both forms can be read, and what is there is left as it is. An older ward
knows the quick form only, and no derived signals.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ward.signals import N_OBSERVED
from ward.store.chunks import decode, encode

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
expands = False

AT_ONCE = 500
_history = sa.table(
    "history",
    sa.column("id", sa.BigInteger),
    sa.column("start", sa.BigInteger),
    sa.column("end", sa.BigInteger),
    sa.column("count", sa.Integer),
    sa.column("payload", sa.LargeBinary),
)


def upgrade() -> None:
    pass


def downgrade() -> None:
    """Every chunk in the quick form, without scores. One that cannot be read is left as it is."""
    tx, last = op.get_bind(), -1
    page = sa.select(_history.c.id, _history.c.payload).order_by(_history.c.id).limit(AT_ONCE)
    while rows := tx.execute(page.where(_history.c.id > last)).all():
        for row in rows:
            _older(tx, row.id, row.payload)
        last = rows[-1].id


def _older(tx: sa.Connection, chunk: int, payload: bytes) -> None:
    try:
        readings = decode(payload)
    except ValueError:
        return
    mine = _history.c.id == chunk
    kept = readings.take(readings.signal < N_OBSERVED)
    if not len(kept):
        tx.execute(sa.delete(_history).where(mine))
        return
    span = {"start": int(kept.time.min()), "end": int(kept.time.max()), "count": len(kept)}
    tx.execute(sa.update(_history).where(mine).values(**span, payload=encode(kept, is_dense=False)))
