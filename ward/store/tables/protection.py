"""Which stays were erased: nothing else is kept of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table

from ward.store.tables.base import Json, Serial, Text, metadata

erasures: Final = Table(
    "erasures",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("stay", Text, nullable=False, unique=True),
    Column("asked", BigInteger, nullable=False),  # the machine's time, ms
    Column("by", Text, nullable=False),
    Column("done", BigInteger),  # null: asked for, the core has not been through it yet
    Column("rows", Json),  # how many went, by table
    sqlite_autoincrement=True,
)
