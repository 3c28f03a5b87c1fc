"""Simulated wards with real noise and transplanted artefact: every reading's truth is known.

Courses, devices, sampling and losses are the simulator's; what a monitor's value wobbles by is cut from real
recordings (``Bank.noise``), and so is what goes wrong (``Bank.shapes``). Only a frozen device, of which no
recording here has an example, is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator import Course, plan_ward
from simulator.devices import Device
from simulator.faults import SENSOR_FAULTS, Fault, Measured, Scene
from simulator.noise import generator
from simulator.ward_plan import Bed
from ward.evaluation.filter_shapes import CUFF, DENSE, FROZEN, KINDS, SAID, Bank, Shape
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.signals import INDEX, MINUTE, SECOND, SIGNALS, hold_of

START: Final = 1_700_000_000_000
LASTS: Final = 120 * MINUTE
FIRST: Final = 8 * MINUTE
"""No artefact before this."""
BETWEEN: Final = (3 * MINUTE, 9 * MINUTE)
"""From the end of one artefact of a device to the beginning of its next."""
APART: Final = 30 * SECOND
"""Between two artefacts of one bed, at least."""
FULL: Final = 35 * MINUTE
"""When a course is at its worst; it stays so to the end, longer than the longest rule needs."""
CUFF_WRONG: Final = 0.12
"""Share of a cuff's measurements that are wrong."""
FROZEN_FOR: Final = (11 * MINUTE, 18 * MINUTE)
SAID_FOR: Final = (20 * SECOND, 150 * SECOND)
COURSES: Final = ("respiratory-failure", "sepsis", "opioid", "arrhythmia", "bleeding", "bradycardia")
CHOICE: Final = {
    # kinds that a device of this sort shows, with equal chance
    "monitor": tuple(k for k in KINDS if k not in ("wrong-cuff", "wrong-value")),
    "oximeter": (
        *("fast-dip", "probe-moved", "probe-on-again", "pulse-halved", "pulse-doubled"),
        *(*SAID, FROZEN),
    ),
    "patch": ("leads-off", "wrong-value"),
}
NUMBER: Final = {kind: i for i, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Streams:
    """``clean``: readings of n rows as they would be without artefact, in order of time; value, status,
    quality: what is shown instead (value NaN: nothing is); kind [n]: index into ``KINDS``, -1: true; instance
    [n]: number of the artefact, -1 none; group [n]: of what a bootstrap draws (the ward's seed)."""

    clean: Readings
    value: Float
    status: NDArray[np.int8]
    quality: Float
    kind: NDArray[np.int8]
    instance: Int
    group: Int
    slots: int

    def shown(self) -> tuple[Readings, Int]:
        """The readings with artefact, and their rows of ``clean``."""
        rows = np.flatnonzero(~np.isnan(self.value))
        kept = self.clean.take(rows)
        kept.value[:], kept.status[:] = self.value[rows], self.status[rows]
        kept.quality[:] = self.quality[rows]
        return kept, rows


class Wards:
    """Streams of wards, one from each seed."""

    def __init__(
        self, bank: Bank, seeds: Sequence[int], beds: int = 2, shapes: Sequence[Shape] | None = None
    ):
        self.bank, self.seeds, self.beds = bank, seeds, beds
        self.shapes = bank.shapes if shapes is None else shapes
        self._instances = 0

    def batches(self, wards: int) -> Iterator[Streams]:
        """All wards, so many at once."""
        for first in range(0, len(self.seeds), wards):
            yield self._streams(self.seeds[first : first + wards])

    def _streams(self, seeds: Sequence[int]) -> Streams:
        parts: list[dict[str, NDArray[np.generic]]] = []
        for ward, seed in enumerate(seeds):
            kind = COURSES[seed % len(COURSES)]
            rise = Course(kind, 0).script.rise
            plan = plan_ward(seed, self.beds, courses=[Course(kind, FULL - rise)], faults=False)
            for number, bed in enumerate(plan.beds):
                slot = ward * self.beds + number
                busy: list[tuple[int, int]] = []
                for device_number, device in enumerate(bed.devices):
                    key = (seed, 77, number, device_number)
                    parts += self._device(slot, device_number, device, bed, generator(key), busy)
        table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((table["device"], table["time"]))
        table = {name: column[order] for name, column in table.items()}
        names = ("slot", "signal", "time", "value", "device", "hold")
        clean = Readings.of(len(order), seq=np.arange(len(order)), **{n: table[n] for n in names})
        group = np.asarray(seeds, np.int64)[clean.slot // self.beds]
        shown = table["shown"].astype(np.float64)
        return Streams(
            clean,
            shown,
            table["status"],
            table["quality"].astype(np.float64),
            table["kind"],
            table["instance"],
            group,
            len(seeds) * self.beds,
        )

    def _device(
        self,
        slot: int,
        number: int,
        device: Device,
        bed: Bed,
        rng: np.random.Generator,
        busy: list[tuple[int, int]],
    ) -> list[dict[str, NDArray[np.generic]]]:
        k, t = device.samples(0, LASTS)
        kept = ~device.lost(k, t)
        k, t = k[kept], t[kept]
        true = self._measured(device, bed, k, t, rng)
        shown = {name: values.copy() for name, values in true.items()}
        status = {name: np.zeros(len(t), np.int8) for name in true}
        quality = {name: np.full(len(t), np.nan) for name in true}
        kinds = {name: np.full(len(t), -1, np.int8) for name in true}
        instances = {name: np.full(len(t), -1, np.int64) for name in true}
        for begin, end, kind, shape in self._script(device, t, rng):
            rows = np.flatnonzero((t >= begin) & (t < end))
            # One thing at a time in a bed: leads off while the probe is off too are another kind.
            if not len(rows) or any(begin < late + APART and early < end + APART for early, late in busy):
                continue
            if kind != FROZEN:
                busy.append((begin, end))
            if kind in SAID:
                what = Measured({n: v.copy() for n, v in true.items()}, {}, {})
                inside = (t >= begin) & (t < end)
                scene = Scene(Fault(kind, begin, end), device.key, k, t, inside, device.of.interval, {})
                SENSOR_FAULTS[SAID[kind]](what, scene)
                for name in true:
                    shown[name][rows] = _as_shown(name, what.values[name][rows])
                for column, said in ((status, what.status), (quality, what.quality)):
                    for name, words in said.items():
                        column[name][rows] = words[rows]
            for name in set(true) if shape is None else set(true) & set(shape.deviation):
                if kind not in SAID:
                    shown[name][rows] = spoilt(name, true[name][rows], t[rows] - begin, shape)
                kinds[name][rows] = NUMBER[kind]
                instances[name][rows] = self._instances
            self._instances += 1
        parts = []
        for name, values in true.items():
            rows = np.flatnonzero(~np.isnan(values))
            n, signal = len(rows), INDEX[name]
            hold = hold_of(signal, device.of.interval / SECOND)
            parts.append(
                {
                    "slot": np.full(n, slot),
                    "device": np.full(n, number),
                    "signal": np.full(n, signal),
                    "time": START + t[rows],
                    "value": values[rows],
                    "hold": np.full(n, hold),
                    "shown": shown[name][rows],
                    "status": status[name][rows],
                    "quality": quality[name][rows],
                    "kind": kinds[name][rows],
                    "instance": instances[name][rows],
                }
            )
        return parts

    def _measured(
        self, device: Device, bed: Bed, k: Int, t: Int, rng: np.random.Generator
    ) -> dict[str, Float]:
        """What the device would show without artefact: the truth and real noise, rounded as shown."""
        if set(device.of.signals) & set(CUFF):
            return device.measure(bed.patient, k, t, START).values
        truth = bed.patient.truth(t, START)
        window = rng.integers(0, len(self.bank.noise["hr"]), LASTS // (480 * SECOND) + 1)
        at = (window[t // (480 * SECOND)], t // SECOND % 480)
        result = {}
        for name in device.of.signals:
            values = truth[name]
            if name in DENSE:
                noise = self.bank.noise[name][at]
                values = values * noise if name == "pi" else values + noise
            result[name] = _as_shown(name, values)
        return result

    def _script(
        self, device: Device, t: Int, rng: np.random.Generator
    ) -> Iterator[tuple[int, int, str, Shape | None]]:
        """(begin, end, kind, shape) of what goes wrong with one device; no shape: it is frozen."""
        sort = device.kind.partition("-")[0]
        if sort == "cuff":
            wrong = [s for s in self.shapes if s.kind == "wrong-cuff"]
            for at in t[rng.random(len(t)) < (CUFF_WRONG if wrong else 0)].tolist():
                yield at, at + 1, "wrong-cuff", wrong[rng.integers(len(wrong))]
            return
        have = {
            kind: [s for s in self.shapes if s.kind == kind and set(s.deviation) & set(device.of.signals)]
            for kind in CHOICE[sort]
        }
        kinds = [kind for kind, shapes in have.items() if shapes or kind == FROZEN or kind in SAID]
        at = FIRST + int(rng.uniform(*BETWEEN))
        while at < LASTS - 3 * MINUTE:
            kind = kinds[rng.integers(len(kinds))]
            if kind == FROZEN or kind in SAID:
                shape, lasts = None, int(rng.uniform(*(FROZEN_FOR if kind == FROZEN else SAID_FOR)))
            else:
                shape = have[kind][rng.integers(len(have[kind]))]
                lasts = max(shape.seconds * SECOND, device.of.interval)
            yield at, at + lasts, kind, shape
            at += lasts + int(rng.uniform(*BETWEEN))


def spoilt(name: str, true: Float, since: Int, shape: Shape | None) -> Float:
    """What is shown instead of the true values, ``since`` ms after the artefact began; no shape: frozen."""
    if shape is None:
        return np.full(len(true), true[0])
    at = np.minimum(since // SECOND, shape.seconds - 1)
    deviation, absolute = shape.deviation[name][at], shape.absolute[name][at]
    values = true * deviation if name == "pi" else true + deviation
    return _as_shown(name, np.where(np.isnan(absolute), values, absolute))


def _as_shown(name: str, values: Float) -> Float:
    signal = SIGNALS[INDEX[name]]
    return np.asarray(np.round(np.clip(values, *signal.possible), signal.decimals), np.float64)


def wrong(streams: Streams) -> Bool:
    """Readings whose shown value a clinician would call another one than the true, [n]."""
    tolerance = np.array([TOLERANCE.get(signal.name, np.inf) for signal in SIGNALS])
    with np.errstate(invalid="ignore"):
        off: Bool = np.abs(streams.value - streams.clean.value) >= tolerance[streams.clean.signal]
    return off & (streams.kind >= 0)


TOLERANCE: Final = {"hr": 10, "pr": 10, "spo2": 3, "rr": 5, "sbp": 15, "dbp": 15, "map": 15, "temp": 0.5}
"""What makes a value another one. The perfusion index is not judged: no rule looks at it."""
