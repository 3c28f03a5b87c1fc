"""Small named values that belong to the database itself: JSON by key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select

from ward.store.sql import upsert
from ward.store.tables import meta


def get_meta(connection: Connection, key: str, default: Any = None) -> Any:
    row = connection.execute(select(meta.c.value).where(meta.c.key == key)).one_or_none()
    return default if row is None else row.value


def put_meta(tx: Connection, key: str, value: Any) -> None:
    upsert(tx, meta, [{"key": key, "value": value}])


def get_all_meta(connection: Connection, prefix: str) -> dict[str, Any]:
    """Every value whose key starts with ``prefix``."""
    query = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(prefix, autoescape=True))
    return {row.key: row.value for row in connection.execute(query.order_by(meta.c.key))}


def delete_meta(tx: Connection, key: str) -> None:
    tx.execute(delete(meta).where(meta.c.key == key))
