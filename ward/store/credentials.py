"""Credentials of devices: who may say what at the broker, and which signed messages were heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import Connection, delete, func, select, text, update

from ward.errors import ConflictError, NotFoundError
from ward.store.meta import get_all_meta, put_meta
from ward.store.partition import partition_of
from ward.store.sql import upsert
from ward.store.tables import device_credentials, device_numbers, meta

LOCK: Final = 0x64657663
"""PostgreSQL's advisory lock ("devc"): changes happen in turn, so that versions grow as they commit."""


HEARD: Final = "heard"
Heard = tuple[str, str, int]
"""The number of a signed message: by the nonce of its key, and what kind of message it was."""


@dataclass(frozen=True, slots=True)
class DeviceCredential:
    """``speaks_for``: ``ward/device``, ``hears``: wards, each perhaps ``+``; times in ms.

    ``password`` is hashed; ``version`` is given by this module.
    """

    id: str
    user: str
    speaks_for: list[str]
    hears: list[str]
    signed: bool
    password: str
    nonce: str
    fingerprint: str
    created: int
    rotated: int | None = None
    removed: int | None = None
    version: int = 0


COLUMNS: Final = [device_credentials.c[field.name] for field in fields(DeviceCredential)]


def add_credential(tx: Connection, credential: DeviceCredential) -> None:
    """Raises ConflictError where the user exists. A removed one of the same user gives way."""
    version = _next_version(tx)
    row = tx.execute(select(*COLUMNS).where(device_credentials.c.user == credential.user)).one_or_none()
    if row is not None and row.removed is None:
        raise ConflictError(
            f"{credential.user} has a credential already; rotate or remove it",
            code="credential-there",
            params={"user": credential.user},
        )
    if row is not None:
        tx.execute(delete(device_credentials).where(device_credentials.c.id == row.id))
    tx.execute(device_credentials.insert().values({**asdict(credential), "version": version}))


def rotate_credential(
    tx: Connection, id: str, *, password: str, nonce: str, fingerprint: str, at: int
) -> DeviceCredential:
    """New secrets for the same user. Raises NotFoundError."""
    changed = {"password": password, "nonce": nonce, "fingerprint": fingerprint, "rotated": at}
    return _change(tx, id, {**changed, "version": _next_version(tx)})


def remove_credential(tx: Connection, id: str, at: int) -> DeviceCredential:
    """Its user can do nothing any more; the row stays, so that it is known to have been. Raises
    NotFoundError."""
    return _change(tx, id, {"version": _next_version(tx), "removed": at})


def _change(tx: Connection, id: str, values: Mapping[str, object]) -> DeviceCredential:
    present = (device_credentials.c.id == id) & device_credentials.c.removed.is_(None)
    row = tx.execute(update(device_credentials).where(present).values(**values).returning(*COLUMNS))
    found = row.one_or_none()
    if found is None:
        raise NotFoundError(f"no credential {id}")
    return DeviceCredential(*found)


def list_credentials(connection: Connection) -> list[DeviceCredential]:
    """Those in force, by user."""
    query = select(*COLUMNS).where(device_credentials.c.removed.is_(None))
    rows = connection.execute(query.order_by(device_credentials.c.user))
    return [DeviceCredential(*row) for row in rows]


def find_credential(connection: Connection, user: str) -> DeviceCredential:
    """The one in force of this user. Raises NotFoundError."""
    mine = (device_credentials.c.user == user) & device_credentials.c.removed.is_(None)
    row = connection.execute(select(*COLUMNS).where(mine)).one_or_none()
    if row is None:
        raise NotFoundError(f"{user} has no credential")
    return DeviceCredential(*row)


def get_credential(connection: Connection, id: str) -> DeviceCredential:
    """The one in force with this id. Raises NotFoundError."""
    mine = (device_credentials.c.id == id) & device_credentials.c.removed.is_(None)
    row = connection.execute(select(*COLUMNS).where(mine)).one_or_none()
    if row is None:
        raise NotFoundError(f"no credential {id}")
    return DeviceCredential(*row)


def credentials_version(connection: Connection) -> int:
    """Grows with each change; 0 before the first."""
    return int(connection.scalar(select(func.max(device_credentials.c.version))) or 0)


def _next_version(tx: Connection) -> int:
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    return credentials_version(tx) + 1


def add_heard(tx: Connection, position: int, heard: Iterable[Heard]) -> None:
    """The numbers of signed messages of one batch of the journal, in its own transaction: what was heard
    just before a crash is not heard again. They stay until ``save_numbers`` has them."""
    put_meta(tx, _heard_key(tx, position), [list(one) for one in heard])


def load_heard(connection: Connection) -> dict[int, list[Heard]]:
    """What ``add_heard`` wrote since numbers were last saved, by position."""
    return {
        int(key.rpartition(":")[2]): [(nonce, kind, number) for nonce, kind, number in batch]
        for key, batch in get_all_meta(connection, _heard_prefix(connection)).items()
    }


def _heard_prefix(connection: Connection) -> str:
    return f"{HEARD}{partition_of(connection).mark}:"


def _heard_key(connection: Connection, position: int) -> str:
    return f"{_heard_prefix(connection)}{position:019}"


def save_numbers(tx: Connection, payloads: Mapping[str, bytes], upto: int = -1) -> None:
    """By key (its nonce), the numbers of signed messages that were heard; those of keys that are no
    longer in force go. They hold all that was heard up to that position of the journal."""
    keys = meta.c.key.between(_heard_key(tx, 0), _heard_key(tx, max(upto, 0)))
    tx.execute(delete(meta).where(keys))
    upsert(tx, device_numbers, [{"nonce": nonce, "payload": data} for nonce, data in payloads.items()])
    in_force = select(device_credentials.c.nonce).where(device_credentials.c.removed.is_(None))
    tx.execute(delete(device_numbers).where(device_numbers.c.nonce.not_in(in_force)))


def load_numbers(connection: Connection) -> dict[str, bytes]:
    rows = connection.execute(select(device_numbers.c.nonce, device_numbers.c.payload))
    return {row.nonce: row.payload for row in rows}
