"""Admissions on the core's thread: who lies where, measured with what. Each change leaves an event in the log
of the stays it is about, in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection

from ward.alerts.model import Event
from ward.clock import iso
from ward.errors import InvalidError
from ward.ingest.journal import Journal
from ward.ingest.records import StayChanged
from ward.live import snapshots
from ward.live.core import Core
from ward.signals import MINUTE
from ward.store import stays as store
from ward.store.events import append_events
from ward.store.stays import Stay

LONGEST_PAUSE: Final = 24 * 60
"""minutes"""
UNDO_MS: Final = 10 * MINUTE
"""For so long a discharge can be taken back."""
Answer = Callable[[], dict[str, Any]]


def happened(at: int, stay: Stay, kind: str, by: str, **detail: Any) -> Event:
    """An event that is the stay's and no alert's. ``detail`` never names the patient."""
    return Event(at, stay.id, stay.ward, None, kind, by, detail=detail)


class Admissions:
    """``board`` gives the views of stays as the dashboards see them, by id."""

    def __init__(self, core: Core, journal: Journal, board: Callable[[], Any]) -> None:
        self._core, self._journal, self._board = core, journal, board

    def changed(
        self,
        change: Callable[[Connection], tuple[Stay, list[Event]]],
        now: int,
        by: str,
        *others: str,
        reason: str | None = None,
    ) -> Answer:
        """Make the change, then let the core know of this stay and of ``others`` that it concerns."""
        with self._core.db.begin() as tx:
            stay, events = change(tx)
            concerned = [stay, *(store.get_stay(tx, other) for other in others)]
            append_events(tx, events)
        for one in concerned:
            self._core.load_stay(one, now, by, reason)
        self._core.position = self._journal.append([StayChanged(one.id, now) for one in concerned])
        return lambda: dict(self._board().stays.get(stay.id) or {"id": stay.id})

    def admit(
        self, now: int, patient_ref: str, ward: str, bed: str, devices: list[str], flags: list[str], by: str
    ) -> Answer:
        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            stay = store.admit(
                tx, stay=uuid.uuid4().hex[:12], patient_ref=patient_ref, ward=ward, bed=bed, flags=flags,
                devices=devices, at=now,
            )  # fmt: skip
            return stay, [happened(now, stay, "admitted", by, bed=bed, devices=devices, flags=flags)]

        return self.changed(change, now, by)

    def discharge(self, now: int, stay: str, by: str) -> Answer:
        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            over = store.discharge(tx, stay, now)
            devices = [device.device for device in over.devices if device.end == now]
            return over, [happened(now, over, "discharged", by, bed=over.bed, devices=devices)]

        last = self.changed(change, now, by)()
        return lambda: last | {"discharged_at": iso(now)}

    def undo_discharge(self, now: int, stay: str, by: str) -> Answer:
        """Its clocks start anew: an alert that the discharge ended must be able to come again."""

        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            back = store.undo_discharge(tx, stay, now, UNDO_MS)
            devices = [device.device for device in back.devices if device.end is None]
            return back, [happened(now, back, "discharge-undone", by, bed=back.bed, devices=devices)]

        answer = self.changed(change, now, by)
        slot = self._core.slots.get(stay)
        assert slot is not None
        self._core.engine.start_anew(slot)
        snapshots.save(self._core, now)  # the journal does not tell that the clocks were set back
        return answer

    def transfer(
        self, now: int, stay: str, ward: str, bed: str, by: str, pause_minutes: float | None = None
    ) -> Answer:
        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            before = store.get_stay(tx, stay)
            moved = store.transfer(tx, stay, ward, bed, now)
            if pause_minutes:
                moved = store.set_pause(tx, stay, pause_until(pause_minutes, now))
            where = {"from_ward": before.ward, "from_bed": before.bed, "ward": ward, "bed": bed}
            left = [device.device for device in moved.devices if device.end == now]
            same = (before.ward, before.bed) == (ward, bed)
            told = [] if same else [happened(now, moved, "moved", by, **where, left=left)]
            return moved, told

        return self.changed(change, now, by)

    def set_flags(self, now: int, stay: str, flags: list[str], by: str) -> Answer:
        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            before = store.get_stay(tx, stay)
            after = store.set_flags(tx, stay, flags)
            what = {"before": list(before.flags), "after": list(after.flags)}
            return after, [happened(now, after, "flags", by, **what)]

        return self.changed(change, now, by)

    def attach(self, now: int, stay: str, device: str, by: str, from_stay: str | None = None) -> Answer:
        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            had = {one.device for one in store.get_stay(tx, stay).devices if one.end is None}
            after = store.attach(tx, stay, device, now, from_stay=from_stay)
            if device in had:
                return after, []
            if from_stay is None:
                return after, [happened(now, after, "attached", by, device=device)]
            other = store.get_stay(tx, from_stay)
            return after, [
                happened(now, other, "detached", by, device=device, to_bed=after.bed),
                happened(now, after, "attached", by, device=device, from_bed=other.bed),
            ]

        return self.changed(change, now, by, *([] if from_stay in (None, stay) else [str(from_stay)]))

    def detach(self, now: int, stay: str, device: str, by: str) -> Answer:
        def change(tx: Connection) -> tuple[Stay, list[Event]]:
            after = store.detach(tx, stay, device, now)
            return after, [happened(now, after, "detached", by, device=device)]

        return self.changed(change, now, by)

    def pause(self, now: int, stay: str, minutes: float, by: str, reason: str | None = None) -> Answer:
        """Its events are the book's: it knows what else ends a pause."""
        until = pause_until(minutes, now)
        return self.changed(lambda tx: (store.set_pause(tx, stay, until), []), now, by, reason=reason)


def pause_until(minutes: float, now: int) -> int | None:
    """Raises InvalidError."""
    if not 0 <= minutes <= LONGEST_PAUSE:
        raise InvalidError(f"minutes must be 0 (end the pause) to {LONGEST_PAUSE}", field="minutes")
    return now + round(minutes * MINUTE) if minutes else None
