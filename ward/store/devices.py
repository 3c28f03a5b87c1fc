"""What is known of each device: for the list of devices, and for the names behind history's numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, select

from ward.store.sql import upsert
from ward.store.tables import devices


@dataclass(frozen=True, slots=True)
class Device:
    """A device as last seen. ``key`` is ``ward/device``; ``number`` is what ``History.device`` holds;
    ``last_seen`` is received time, ``last_time`` the device's own; offset in ms; intervals in seconds
    by signal name; ``online`` None: it never said."""

    key: str
    ward: str
    device: str
    first_seen: int
    last_seen: int
    number: int | None = None
    session: str | None = None
    online: bool | None = None
    last_time: int | None = None
    offset: int = 0
    intervals: dict[str, float] | None = None
    readings: int = 0
    duplicates: int = 0


COLUMNS = [devices.c[field.name] for field in fields(Device)]


def save_devices(tx: Connection, seen: Iterable[Device]) -> None:
    """Insert or update by key."""
    upsert(tx, devices, [asdict(device) for device in seen])


def all_devices(connection: Connection) -> list[Device]:
    """Every device, by number."""
    return [Device(*row) for row in connection.execute(select(*COLUMNS).order_by(devices.c.number))]


def device_names(connection: Connection) -> dict[int, str]:
    """Number → key, for history."""
    query = select(devices.c.number, devices.c.key).where(devices.c.number.is_not(None))
    return {row.number: row.key for row in connection.execute(query)}
