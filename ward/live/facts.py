"""What the watch for technical alerts must know of the core: devices, stays, and what others found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ward.alerts.watch import DeviceFact, Standing, StayFact, may_tell
from ward.store.stays import Stay

if TYPE_CHECKING:
    from ward.live.core import Core


def present(core: Core, now: int) -> tuple[list[DeviceFact], list[StayFact]]:
    """Every device, and every stay that has a slot, as they are now; without those that were heard a moment
    ago, of which nothing is to be told: that is nearly all of them."""
    odd = [key for key, (on, last, offset) in core.router.seen().items() if may_tell(now, last, on, offset)]
    devices = []
    for d in map(core.router.view, odd):
        whose = d.stay if d.stay is not None and core.slots.get(d.stay) is not None else None
        interval = min(d.intervals.values(), default=None)
        devices.append(DeviceFact(whose, d.device, d.online, d.last_seen, d.offset, None, interval))
    stays = []
    newest = core.engine.held.taken.max(axis=1).tolist()
    for slot in core.slots.taken():
        stay, last = core.stays[core.slots.stay(slot)], newest[slot]
        if may_tell(now, max(last, stay.start)):
            has_devices = any(d.end is None for d in stay.devices)
            known = last if last >= 0 else None
            stays.append(StayFact(stay.id, has_devices, known, stay.start, _shortest(core, stay)))
    return devices, stays


def _shortest(core: Core, stay: Stay) -> float | None:
    """The shortest interval that any of its devices declares."""
    keys = (f"{d.ward}/{d.device}" for d in stay.devices if d.end is None)
    views = [core.router.view(key) for key in keys if core.router.knows(key)]
    return min((s for d in views if d.stay == stay.id for s in d.intervals.values()), default=None)


def to_be_measured_again(core: Core) -> list[Standing]:
    """Rules whose time is up but whose readings are too few: somebody should measure again."""
    asked, applies = core.engine.sustain.grid("asked"), core.engine.applies
    slot, column = np.nonzero(asked & applies)
    since = core.engine.sustain.grid("since")[slot, column]
    return [
        Standing(core.slots.stay(s), "measure-again", core.engine.rules[c].id, t)
        for s, c, t in zip(slot.tolist(), column.tolist(), since.tolist(), strict=True)
    ]


def leads_off(core: Core) -> list[Standing]:
    """Stays whose heart rate is 0 while their pulse is good: electrodes to be put on again."""
    if core.engine.filter is None:
        return []
    slots, since = core.engine.filter.leads_off()
    return [
        Standing(core.slots.stay(s), "leads-off", "", t)
        for s, t in zip(slots.tolist(), since.tolist(), strict=True)
    ]
