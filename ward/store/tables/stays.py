"""Stays, the devices they have, and every device that was ever heard."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, text

from ward.store.tables.base import Json, Serial, Text, metadata

stays: Final = Table(
    "stays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("patient_ref", Text, nullable=False),
    Column("ward", Text, nullable=False),
    Column("bed", Text, nullable=False),
    Column("flags", Json, nullable=False),  # list of words
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    Column("paused_until", BigInteger),
    # A bed holds one patient at a time; two requests at once cannot get past the database.
    Index(
        "uq_stays_open_bed",
        "ward",
        "bed",
        unique=True,
        sqlite_where=text('"end" IS NULL'),
        postgresql_where=text('"end" IS NULL'),
    ),
    Index(None, "start", "id"),
)

assignments: Final = Table(
    "assignments",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("stay", Text, ForeignKey("stays.id", ondelete="CASCADE"), nullable=False, index=True),
    # The ward whose topic the device uses: a stay may change wards, and what it was measured with
    # in the old one must stay its own.
    Column("ward", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    Index(
        "uq_assignments_open_device",
        "ward",
        "device",
        unique=True,
        sqlite_where=text('"end" IS NULL'),
        postgresql_where=text('"end" IS NULL'),
    ),
    sqlite_autoincrement=True,
)

devices: Final = Table(
    "devices",
    metadata,
    Column("key", Text, primary_key=True),  # ward/device
    Column("number", Integer, index=True),  # what the rows of history call it
    Column("ward", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("session", Text),
    Column("online", Boolean),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_time", BigInteger),
    Column("offset", BigInteger, nullable=False, server_default="0"),
    Column("intervals", Json),  # signal name -> seconds
    Column("readings", BigInteger, nullable=False, server_default="0"),
    Column("duplicates", BigInteger, nullable=False, server_default="0"),
)
