"""What reports are made of, by the day: how long a ward was watched, what was seen; of no patient."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table

from ward.store.tables.base import Json, Serial, Text, metadata

tallies: Final = Table(
    "tallies",
    metadata,
    Column("ward", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True, autoincrement=False, index=True),  # its first ms, UTC
    Column("counts", Json, nullable=False),  # see ward.reports.tally
)

baselines: Final = Table(
    "baselines",
    metadata,
    Column("id", Serial, primary_key=True),  # of a ward's, the newest is in force
    Column("ward", Text, nullable=False, index=True),
    Column("start", BigInteger, nullable=False),  # whole days, half open
    Column("end", BigInteger, nullable=False),
    Column("by", Text),  # null: the first days, taken by themselves
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
