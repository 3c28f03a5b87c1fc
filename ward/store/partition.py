"""Whose rows a connection is about. All engines of a cluster share one database; each has its own journal,
snapshots, outbox and deliveries in it, told apart by the number of its partition."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, select

from ward.errors import ConflictError
from ward.partitions import WHOLE, Partition
from ward.store.meta import get_meta, put_meta
from ward.store.tables import snapshots

OPTION: Final = "partition"
"""The execution option that an engine's connections have it from."""
KEY: Final = "partitions"
ADDRESS: Final = "owner"


def partition_of(connection: Connection) -> Partition:
    """That of the engine; the whole where nothing was said."""
    found: Partition = connection.get_execution_options().get(OPTION, WHOLE)
    return found


def own(table: Table, connection: Connection) -> ColumnElement[bool]:
    """Rows of a table with a ``partition`` that are the engine's."""
    return table.c.partition == partition_of(connection).number


def settle_partitions(tx: Connection, of: int) -> None:
    """A database is divided once: which ward is whose, and all that is kept apart, goes by the number.

    Raises ConflictError where it is divided otherwise.
    """
    known = get_meta(tx, KEY)
    if known is None and of > 1:
        if get_meta(tx, "epoch") is not None or _was_used(tx):
            raise ConflictError("this database was served as a whole: partitions need one of their own")
        put_meta(tx, KEY, of)
    elif (known or 1) != of:
        raise ConflictError(f"this database is divided into {known or 1} partitions, not into {of}")


def _was_used(tx: Connection) -> bool:
    return tx.execute(select(snapshots.c.id).limit(1)).first() is not None


def address_of(connection: Connection, number: int) -> str | None:
    """Where the owner of a partition answers web processes; None before the first."""
    found: str | None = get_meta(connection, f"{ADDRESS}-{number}")
    return found


def put_address(tx: Connection, number: int, address: str) -> None:
    put_meta(tx, f"{ADDRESS}-{number}", address)
