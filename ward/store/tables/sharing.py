"""Parts of trials that several processes share."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, Table

from ward.store.tables.base import Text, metadata

trial_parts: Final = Table(
    "trial_parts",
    metadata,
    Column("trial", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("asked", LargeBinary, nullable=False),
    Column("wanted_until", BigInteger, nullable=False),  # the database's time, ms: who asked is there still
    Column("lease_by", Text),
    Column("lease_until", BigInteger),
    Column("done", Float, nullable=False, server_default="0"),  # 0 to 1
    Column("found", LargeBinary),
    Column("error", Text),
)
