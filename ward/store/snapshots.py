"""Snapshots of the core's state, so that a start need not read the journal from its beginning."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select, update

from ward.store.partition import own, partition_of
from ward.store.tables import snapshots

KEPT: Final = 3
"""Older ones are kept too: if the newest cannot be read, there is another way back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State after the journal's entry ``position``."""

    id: int
    taken: int
    position: int
    payload: bytes


COLUMNS: Final = [snapshots.c[name] for name in ("id", "taken", "position", "payload")]


def save_snapshot(
    tx: Connection, *, taken: int, position: int, payload: bytes, unreadable: Collection[int] = ()
) -> int:
    """Store a snapshot and drop all but the newest few, and those that cannot be read: they are no way
    back. Says up to which position (that one included) the journal is needed by none of those kept."""
    if unreadable:
        tx.execute(delete(snapshots).where(snapshots.c.id.in_(unreadable)))
    number = partition_of(tx).number
    row = {"taken": taken, "position": position, "payload": payload}
    tx.execute(snapshots.insert().values(partition=number, **row))
    kept = tx.execute(
        select(snapshots.c.id, snapshots.c.position)
        .where(own(snapshots, tx))
        .order_by(snapshots.c.id.desc())
        .limit(KEPT)
    ).all()
    tx.execute(delete(snapshots).where(snapshots.c.id < kept[-1].id, own(snapshots, tx)))
    # With fewer than KEPT there is still the way from the journal's beginning.
    return min(int(row.position) for row in kept) if len(kept) == KEPT else 0


def keep_alone(tx: Connection, snapshot: int, position: int) -> None:
    """Only this one stays, and stands at another position: that of another journal."""
    tx.execute(delete(snapshots).where(snapshots.c.id != snapshot, own(snapshots, tx)))
    tx.execute(update(snapshots).where(snapshots.c.id == snapshot).values(position=position))


def load_snapshots(connection: Connection) -> list[Snapshot]:
    """Those kept, the newest first."""
    query = select(*COLUMNS).where(own(snapshots, connection)).order_by(snapshots.c.id.desc())
    return [Snapshot(*row) for row in connection.execute(query)]


def latest_snapshot(connection: Connection) -> Snapshot | None:
    """The newest, None before the first."""
    query = select(*COLUMNS).where(own(snapshots, connection)).order_by(snapshots.c.id.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else Snapshot(*row)
