"""The core's state as one blob and back, so that a start reads only the end of the journal.

The alert book is not in it: that is kept with the alerts themselves, so that an acknowledgement made
after the snapshot is never undone.
"""

from __future__ import annotations

import io
import zlib
from typing import Any, Final

import msgspec
import numpy as np
import structlog

from ward.errors import UnavailableError
from ward.live.core import Core
from ward.live.telling import BOOK, book_key
from ward.live.views import Newest
from ward.scoring.engine import Engine
from ward.scoring.rules import Rule
from ward.signals import SIGNALS
from ward.store.devices import Device, all_devices, save_devices
from ward.store.meta import get_all_meta, get_meta
from ward.store.snapshots import load_snapshots, save_snapshot

FORMAT: Final = 1
_NEWEST: Final = ("time", "value", "mark", "reason")

log = structlog.get_logger(__name__)


class State(msgspec.Struct):
    """Everything of the core that the database does not hold."""

    format: int
    rules: list[Rule]
    slots: dict[str, int]
    arrays: bytes
    router: bytes
    heard: dict[str, int]


def dump(core: Core) -> bytes:
    arrays = core.engine.snapshot() | {f"newest.{n}": getattr(core.newest, n) for n in _NEWEST}
    arrays |= {f"minutes.{n}": a for n, a in core.newest.minutes.dump().items()}
    arrays |= {f"late.{n}": a for n, a in core.late.dump().items()}
    file = io.BytesIO()
    np.savez(file, **arrays)
    state = State(
        FORMAT,
        list(core.engine.rules),
        core.slots.dump(),
        file.getvalue(),
        core.router.snapshot(),
        dict(core.heard),
    )
    return zlib.compress(msgspec.msgpack.encode(state), 1)


def load(core: Core, payload: bytes) -> None:
    """Raises an exception of any kind for a payload that is not whole."""
    state = msgspec.msgpack.decode(zlib.decompress(payload), type=State)
    if state.format != FORMAT:
        raise ValueError(f"a snapshot of format {state.format}, this is {FORMAT}")
    with np.load(io.BytesIO(state.arrays), allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    engine = Engine(state.rules, len(held["frontier"]), lateness=core.engine.lateness, risk=core.risk_model)
    newest = Newest(engine.slots)
    for name in _NEWEST:
        setattr(newest, name, held.pop(f"newest.{name}"))
    minutes, late = _popped(held, "minutes."), _popped(held, "late.")
    if minutes:  # snapshots of before have none: the lines begin anew
        newest.minutes.load(minutes)
    if late:  # nor these: they were taken only when nothing waited
        core.late.load(late)
    engine.restore(held)
    core.router.restore(state.router)
    core.slots.load(state.slots)
    core.heard = dict(state.heard)
    core.engine, core.newest = engine, newest


def _popped(held: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): held.pop(name) for name in list(held) if name.startswith(prefix)}


def save(core: Core, now: int) -> int:
    """Write readings, devices and state in one transaction; the journal up to the answer is not needed.

    Raises UnavailableError while the journal is needed: what is raised could not be told, which only a start
    from before tells again, or something failed half-way.
    """
    core.require_whole()
    if core.untold:
        raise UnavailableError("alerts wait to be told")
    core.commit(now)
    payload = dump(core)
    with core.db.begin() as tx:
        written = core.history.flush(tx)
        save_devices(tx, [_device_row(core, d) for d in core.router.devices()])
        position = save_snapshot(
            tx, taken=now, position=core.position, payload=payload, unreadable=core.unreadable
        )
        core.tally.write(tx)
    core.history.forget(written)
    core.named = core.router.known()
    core.tally.forget()
    core.unreadable = []
    return position


def flush(core: Core, at_most: int | None = None, stay: str | None = None) -> None:
    """Write the readings that wait, all or about so many or those of one stay, without a snapshot; and what
    devices are called of which there are no others yet."""
    with core.db.begin() as tx:
        save_devices(tx, [_device_row(core, d) for d in core.router.devices(after=core.named)])
        written = core.history.flush(tx, at_most, stay)
    core.history.forget(written)
    core.named = core.router.known()


def restore(core: Core) -> bool:
    """The newest snapshot that can be read, and the alert book; False where there is none."""
    with core.db.connect() as connection:
        kept = load_snapshots(connection)
        books = get_all_meta(connection, BOOK)
        service = get_meta(connection, book_key("", core.partition))
        known = all_devices(connection)
    books = {key: book for key, book in books.items() if core.partition.has(book["stay"]["ward"])}
    books.pop(BOOK, None)
    core.book.load([*books.values(), *([service] if service else [])])
    core.watch.load(core.book.technical())
    for snapshot in kept:
        try:
            load(core, snapshot.payload)
        except Exception as error:  # a damaged one is no reason not to start: there is an older one
            log.error("a snapshot cannot be read", snapshot=snapshot.id, error=str(error))
            core.unreadable.append(snapshot.id)
            continue
        core.position = snapshot.position
        return True
    if kept:
        core.faults["snapshots"] = "snapshots: none can be read; what was raised is known, how long is not"
    for device in known:
        if device.number is not None and core.partition.has(device.ward):
            core.router.know(device.number, device.ward, device.device, device.first_seen, device.last_seen)
    return False


def _device_row(core: Core, view: Any) -> Device:
    return Device(
        view.key,
        view.ward,
        view.device,
        view.first_seen,
        view.last_seen,
        view.number,
        view.session,
        view.online,
        view.last_time,
        view.offset,
        {SIGNALS[s].name: seconds for s, seconds in view.intervals.items()},
        view.readings,
        view.duplicates,
    )
