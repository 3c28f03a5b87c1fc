"""What devices show now, whoever's they are: so that who attaches one sees whose body it is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ward.clock import iso
from ward.ingest.router import NUMBERS
from ward.live.views import Newest, spoken
from ward.scoring.readings import Readings
from ward.signals import SIGNALS

FIRST: Final = 64
Json = dict[str, Any]


class Showing:
    """The newest readings of devices while they are nobody's, by the device's number. One thread takes; any
    may look: what grows is replaced as a whole."""

    def __init__(self) -> None:
        self._newest = Newest(FIRST)

    def take(self, readings: Readings) -> None:
        rows = readings.device % NUMBERS
        highest = int(rows.max())
        if highest >= len(self._newest.time):
            larger = Newest(2 * highest)
            known = len(self._newest.time)
            for name in ("time", "value", "mark", "reason"):
                getattr(larger, name)[:known] = getattr(self._newest, name)
            self._newest = larger
        columns = readings.columns()
        columns["slot"] = rows.astype(np.int32)
        unjudged = np.zeros(len(readings), np.uint8)
        self._newest.take(Readings(**columns), unjudged, unjudged)

    def of(self, number: int) -> Json:
        """By signal; {} for a device that showed nothing while it was nobody's."""
        newest, number = self._newest, number % NUMBERS
        if number >= len(newest.time):
            return {}
        return {
            SIGNALS[s].name: {
                "value": spoken(s, newest.value[number, s]),
                "unit": SIGNALS[s].unit,
                "time": iso(int(newest.time[number, s])),
            }
            for s in np.flatnonzero(newest.time[number] >= 0).tolist()
        }


def of_stay(view: Mapping[str, Any], device: str) -> Json:
    """The same of a device that is a stay's: what of the stay's signals it measured."""
    return {
        name: {key: shown[key] for key in ("value", "unit", "time")}
        for name, shown in view["signals"].items()
        if shown["device"] == device
    }


def latest(*shown: Json) -> Json:
    """Of each signal the newest of several."""
    found: Json = {}
    for one in shown:
        for name, reading in one.items():
            if name not in found or reading["time"] > found[name]["time"]:
                found[name] = reading
    return found
