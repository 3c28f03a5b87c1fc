"""What the watch for technical alerts must know of the core: devices, stays, and what others found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ward.alerts.watch import DeviceFact, Standing, StayFact

if TYPE_CHECKING:
    from ward.live.core import Core


def present(core: Core) -> tuple[list[DeviceFact], list[StayFact]]:
    """Every device, and every stay that has a slot, as they are now."""
    shortest: dict[str, float] = {}
    devices = []
    for d in core.router.devices():
        interval = min(d.intervals.values(), default=None)
        devices.append(DeviceFact(d.stay, d.device, d.online, d.last_seen, d.offset, None, interval))
        if d.stay is not None and interval is not None:
            shortest[d.stay] = min(interval, shortest.get(d.stay, interval))
    stays = []
    for slot in core.slots.taken():
        stay = core.stays[core.slots.stay(slot)]
        last = int(core.engine.held.taken[slot].max())
        has_devices = any(d.end is None for d in stay.devices)
        newest = last if last >= 0 else None
        stays.append(StayFact(stay.id, has_devices, newest, stay.start, shortest.get(stay.id)))
    open_stays = {stay.stay for stay in stays}
    return [d if d.stay in open_stays else d._replace(stay=None) for d in devices], stays


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
