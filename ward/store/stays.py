"""Stays and the devices they are measured with, each with its start and end."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, update
from sqlalchemy.exc import IntegrityError

from ward.errors import ConflictError, NotFoundError
from ward.store.sql import Page, page
from ward.store.tables import assignments, stays


@dataclass(frozen=True, slots=True)
class Assigned:
    """A device that measures a stay from ``start`` up to, not including, ``end`` (None: still)."""

    ward: str
    device: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Stay:
    """One patient's monitored time; ``devices`` are all it ever had, in order of their start."""

    id: str
    patient_ref: str
    ward: str
    bed: str
    flags: tuple[str, ...]
    start: int
    end: int | None
    paused_until: int | None
    devices: tuple[Assigned, ...]


def admit(
    tx: Connection,
    *,
    stay: str,
    patient_ref: str,
    ward: str,
    bed: str,
    flags: Iterable[str] = (),
    devices: Iterable[str] = (),
    at: int,
) -> Stay:
    """A new stay with id ``stay``. Raises ConflictError if the bed or a device is taken."""
    _require_free_bed(tx, ward, bed)
    row = {"patient_ref": patient_ref, "ward": ward, "bed": bed, "flags": list(flags), "start": at}
    try:
        with tx.begin_nested():
            tx.execute(stays.insert().values(id=stay, **row))
    except IntegrityError:  # somebody took the bed in this moment
        raise _taken(bed, ward) from None
    for device in dict.fromkeys(devices):
        attach(tx, stay, device, at)
    return get_stay(tx, stay)


def discharge(tx: Connection, stay: str, at: int) -> Stay:
    """End the stay and its devices' assignments. Raises NotFoundError, or ConflictError if it is over."""
    _require_open(tx, stay)
    tx.execute(update(stays).where(stays.c.id == stay).values(end=at, paused_until=None))
    _end_assignments(tx, stay, at)
    return get_stay(tx, stay)


def transfer(tx: Connection, stay: str, ward: str, bed: str, at: int) -> Stay:
    """Move to another bed. Within a ward the devices stay attached; in another ward a device of the
    same name is another device, so what the stay had ends here and nothing is attached by guess.

    Raises NotFoundError, or ConflictError if the stay is over or the bed is taken.
    """
    present = _require_open(tx, stay)
    if (present.ward, present.bed) == (ward, bed):
        return get_stay(tx, stay)
    _require_free_bed(tx, ward, bed)
    try:
        with tx.begin_nested():
            tx.execute(update(stays).where(stays.c.id == stay).values(ward=ward, bed=bed))
    except IntegrityError:
        raise _taken(bed, ward) from None
    if present.ward != ward:
        _end_assignments(tx, stay, at)
    return get_stay(tx, stay)


def undo_discharge(tx: Connection, stay: str, at: int, within: int) -> Stay:
    """The stay goes on, in its bed, from ``at`` with the devices that it had when it ended, as far as they
    are nobody's. ``within``: how many ms ago it may have ended.

    Raises NotFoundError, or ConflictError if it is not over, or for longer, or the bed is taken.
    """
    row = tx.execute(select(stays).where(stays.c.id == stay).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"no stay {stay}")
    if row.end is None:
        raise ConflictError(f"stay {stay} is not over", code="stay-goes-on")
    if at - row.end > within:
        raise ConflictError(
            f"stay {stay} is over for more than {within // 60_000} min; admit anew",
            code="undo-late",
            params={"minutes": within // 60_000},
        )
    _require_free_bed(tx, row.ward, row.bed)
    try:
        with tx.begin_nested():
            tx.execute(update(stays).where(stays.c.id == stay).values(end=None))
    except IntegrityError:
        raise _taken(row.bed, row.ward) from None
    ours = (assignments.c.stay == stay) & (assignments.c.end == row.end) & (assignments.c.ward == row.ward)
    for device in tx.scalars(select(assignments.c.device).where(ours).order_by(assignments.c.id)).all():
        if not tx.scalar(_holders(row.ward, device)):
            attach(tx, stay, device, at)
    return get_stay(tx, stay)


def last_beds(connection: Connection, ward: str, devices: Collection[str]) -> dict[str, tuple[str, int]]:
    """Where each of these devices was last, if that is over: the bed that its stay had at last, and when."""
    query = (
        select(assignments.c.device, stays.c.bed, assignments.c.end)
        .join(stays, stays.c.id == assignments.c.stay)
        .where(assignments.c.ward == ward, assignments.c.device.in_(devices), assignments.c.end.is_not(None))
        .order_by(assignments.c.end)
    )
    return {row.device: (row.bed, row.end) for row in connection.execute(query)}


def beds_of(connection: Connection) -> dict[str, dict[str, str | None]]:
    """Of every ward, each bed that was ever used with the stay that is in it now, or None."""
    found: dict[str, dict[str, str | None]] = {}
    query = select(stays.c.ward, stays.c.bed, stays.c.id, stays.c.end).order_by(stays.c.ward, stays.c.bed)
    for row in connection.execute(query):
        beds = found.setdefault(row.ward, {})
        beds[row.bed] = row.id if row.end is None else beds.get(row.bed)
    return found


def set_flags(tx: Connection, stay: str, flags: Iterable[str]) -> Stay:
    """Replace the flags. Raises NotFoundError, or ConflictError if the stay is over."""
    _require_open(tx, stay)
    tx.execute(update(stays).where(stays.c.id == stay).values(flags=list(dict.fromkeys(flags))))
    return get_stay(tx, stay)


def set_pause(tx: Connection, stay: str, until: int | None) -> Stay:
    """Pause until a time, or end the pause. Raises NotFoundError, or ConflictError if the stay is over."""
    _require_open(tx, stay)
    tx.execute(update(stays).where(stays.c.id == stay).values(paused_until=until))
    return get_stay(tx, stay)


def end_pauses(tx: Connection, ids: Iterable[str]) -> None:
    """These stays are not paused any more; those that are over, or not known, are left alone."""
    tx.execute(update(stays).where(stays.c.id.in_(list(ids))).values(paused_until=None))


def attach(tx: Connection, stay: str, device: str, at: int, *, from_stay: str | None = None) -> Stay:
    """Assign a device of the stay's ward from ``at``; one that the stay has already is left as it is.

    ``from_stay``: the stay that the caller saw it at and takes it from. Raises NotFoundError, or
    ConflictError if the stay is over or the device is (also: by now) another's.
    """
    ward = _require_open(tx, stay).ward
    theirs = (assignments.c.ward == ward) & (assignments.c.device == device)
    others = tx.execute(
        select(assignments.c.stay, assignments.c.end, stays.c.bed)
        .join(stays, stays.c.id == assignments.c.stay)
        .where(theirs, or_(assignments.c.end.is_(None), assignments.c.end > at))
    ).all()
    if any(row.stay == stay and row.end is None for row in others):
        return get_stay(tx, stay)
    if from_stay is not None and [(row.stay, row.end) for row in others] == [(from_stay, None)]:
        detach(tx, from_stay, device, at)
    elif others:
        raise ConflictError(
            f"device {device} of ward {ward} is in use by bed {others[0].bed}",
            field="devices",
            code="device-taken",
            params={"device": device, "ward": ward, "bed": others[0].bed},
            stay=others[0].stay,
        )
    elif from_stay is not None:
        raise ConflictError(
            f"device {device} of ward {ward} is not in use there any more",
            field="devices",
            code="device-moved",
            params={"device": device},
        )
    try:
        with tx.begin_nested():
            tx.execute(assignments.insert().values(stay=stay, ward=ward, device=device, start=at))
    except IntegrityError:
        raise ConflictError(
            f"device {device} of ward {ward} is in use",
            field="devices",
            code="device-taken",
            params={"device": device, "ward": ward},
        ) from None
    return get_stay(tx, stay)


def detach(tx: Connection, stay: str, device: str, at: int) -> Stay:
    """End a device's assignment. Raises NotFoundError if the stay does not have it."""
    mine = (assignments.c.stay == stay) & (assignments.c.device == device) & assignments.c.end.is_(None)
    if not tx.execute(update(assignments).where(mine).values(end=at)).rowcount:
        raise NotFoundError(f"stay {stay} has no device {device}")
    return get_stay(tx, stay)


def get_stay(connection: Connection, stay: str, wards: Collection[str] | None = None) -> Stay:
    """One stay. Raises NotFoundError, also for one outside ``wards`` (None: all wards are seen)."""
    query = select(stays).where(stays.c.id == stay)
    found = _with_devices(connection, connection.execute(query).all())
    if not found or (wards is not None and found[0].ward not in wards):
        raise NotFoundError(f"no stay {stay}")
    return found[0]


def list_stays(
    connection: Connection,
    *,
    wards: Collection[str] | None = None,
    include_ended: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Stay]:
    """A page of stays, the latest admitted first; those that are over only if asked for."""
    query = select(stays)
    if wards is not None:
        query = query.where(stays.c.ward.in_(wards))
    if not include_ended:
        query = query.where(stays.c.end.is_(None))
    order = (stays.c.start, stays.c.id)
    rows = page(connection, query, order, lambda row: row, cursor=cursor, limit=limit, descending=True)
    return Page(_with_devices(connection, rows.items), rows.next)


def stays_since(connection: Connection, since: int, also: Collection[str] = ()) -> list[Stay]:
    """Every stay that is open or ended at or after ``since``: what late readings may still belong to.
    And those of ``also``, whenever they ended."""
    query = select(stays).where(or_(stays.c.end.is_(None), stays.c.end >= since, stays.c.id.in_(also)))
    return _with_devices(connection, connection.execute(query.order_by(stays.c.start, stays.c.id)).all())


def wards_of(connection: Connection, ids: Collection[str]) -> set[str]:
    """Where these stays are, or were last; those that do not exist are nowhere."""
    if not ids:
        return set()
    return set(connection.scalars(select(stays.c.ward).where(stays.c.id.in_(ids))))


def occupied(connection: Connection) -> set[str]:
    """The wards in which somebody is."""
    return set(connection.scalars(select(stays.c.ward).where(stays.c.end.is_(None)).distinct()))


def stays_between(connection: Connection, ward: str, start: int, end: int) -> list[Stay]:
    """Every stay that is of this ward and was there at some time in ``[start, end)``, by bed."""
    here = (stays.c.ward == ward) & (stays.c.start < end)
    query = select(stays).where(here, or_(stays.c.end.is_(None), stays.c.end >= start))
    found = _with_devices(connection, connection.execute(query).all())
    return sorted(found, key=lambda stay: (len(stay.bed), stay.bed, stay.start))


def _with_devices(connection: Connection, rows: Iterable[Row[Any]]) -> list[Stay]:
    listed = list(rows)
    devices: dict[str, list[Assigned]] = {row.id: [] for row in listed}
    query: Select[Any] = select(assignments).order_by(assignments.c.start, assignments.c.id)
    for row in connection.execute(query.where(assignments.c.stay.in_(devices))):
        devices[row.stay].append(Assigned(row.ward, row.device, row.start, row.end))
    return [
        Stay(
            id=row.id,
            patient_ref=row.patient_ref,
            ward=row.ward,
            bed=row.bed,
            flags=tuple(row.flags),
            start=row.start,
            end=row.end,
            paused_until=row.paused_until,
            devices=tuple(devices[row.id]),
        )
        for row in listed
    ]


def _require_open(tx: Connection, stay: str) -> Row[Any]:
    row = tx.execute(select(stays).where(stays.c.id == stay).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"no stay {stay}")
    if row.end is not None:
        raise ConflictError(f"stay {stay} is over", code="stay-over")
    return row


def _require_free_bed(tx: Connection, ward: str, bed: str) -> None:
    taken = select(stays.c.id).where(stays.c.ward == ward, stays.c.bed == bed, stays.c.end.is_(None))
    other = tx.scalar(taken)
    if other is not None:
        raise _taken(bed, ward, stay=other)


def _taken(bed: str, ward: str, **more: str) -> ConflictError:
    return ConflictError(
        f"bed {bed} of ward {ward} is taken",
        field="bed",
        code="bed-taken",
        params={"bed": bed, "ward": ward},
        **more,
    )


def _holders(ward: str, device: str) -> Select[Any]:
    """The stay that has the device now."""
    theirs = (assignments.c.ward == ward) & (assignments.c.device == device)
    return select(assignments.c.stay).where(theirs, assignments.c.end.is_(None))


def _end_assignments(tx: Connection, stay: str, at: int) -> None:
    mine = (assignments.c.stay == stay) & assignments.c.end.is_(None)
    tx.execute(update(assignments).where(mine).values(end=at))
