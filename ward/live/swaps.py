"""Looks once a minute whether a stay's signals look like another patient's (``ward.scoring.swapped``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ward.alerts.watch import Standing
from ward.live.minutes import BINS, SHOWN
from ward.scoring.readings import Bool
from ward.scoring.swapped import looks_like_another
from ward.signals import MINUTE

if TYPE_CHECKING:
    from ward.live.core import Core

RULE = "other-patient"
_OFTEN = [SHOWN.index(name) for name in ("hr", "pr", "rr", "spo2")]


class Swaps:
    """Its memory is the board's two hours of minutes, so after a start it knows nothing for a while."""

    def __init__(self) -> None:
        self._minute = -1
        self._found: list[Standing] = []

    def standing(self, core: Core, now: int) -> list[Standing]:
        """Stays that look so now. ``now``: ms; only minutes that are over count."""
        minute = now // MINUTE
        if minute != self._minute:
            self._minute, self._found = minute, _look(core, minute)
        return self._found


def _look(core: Core, minute: int) -> list[Standing]:
    ring = core.newest.minutes
    numbers = np.arange(minute - BINS, minute)
    minutes = ring.of(numbers)
    silent: Bool = np.stack([np.isnan(values[:, _OFTEN]).all(axis=1) for values in minutes], axis=1)
    came_back = set(np.flatnonzero((silent[:, :-1] & ~silent[:, 1:]).any(axis=1)).tolist())
    found = []
    for slot in core.slots.taken():
        if slot not in came_back:
            continue
        lines = np.array([values[slot] for values in minutes], np.float64).T
        looks = looks_like_another(lines, SHOWN)
        if looks is None:
            continue
        stay = core.stays[core.slots.stay(slot)]
        since = int(numbers[looks.since]) * MINUTE
        # Whoever has changed its devices since then has looked whose they are.
        changed = any(max(device.start, device.end or 0) > since for device in stay.devices)
        if stay.end is None and not changed:
            found.append(Standing(stay.id, RULE, "", since))
    return found
