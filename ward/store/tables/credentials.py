"""Credentials of devices, gateways and listeners: what the broker's files are made from."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, Table

from ward.store.tables.base import Json, Text, metadata

device_credentials: Final = Table(
    "device_credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False, unique=True),  # a device's is ward/device
    Column("speaks_for", Json, nullable=False),  # list of ward/device, each perhaps "+"
    Column("hears", Json, nullable=False),  # list of wards whose alerts it may read, perhaps "+"
    Column("signed", Boolean, nullable=False),  # it must sign, whatever WARD_DEVICES says
    Column("password", Text, nullable=False),  # as in Mosquitto's password file: hashed
    Column("nonce", Text, nullable=False),  # with the master secret it gives the signing key
    Column("fingerprint", Text, nullable=False),  # of that key: tells a wrong master secret
    Column("created", BigInteger, nullable=False),
    Column("rotated", BigInteger),
    Column("removed", BigInteger),
    Column("version", BigInteger, nullable=False, index=True),  # grows with each change of any row
)

device_numbers: Final = Table(
    "device_numbers",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),  # numbers of signed messages that were heard, by kind
)
