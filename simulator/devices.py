"""The device kinds of a ward, and what each shows of a patient: noise, rounding, sensor faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from simulator.faults import SENSOR_FAULTS, Fault, Measured, Scene
from simulator.noise import Float, Int, Key, Waves, normal, uniform
from simulator.patients import Patient
from ward.signals import INDEX, MINUTE, SECOND, SIGNALS


@dataclass(frozen=True, slots=True)
class Kind:
    """interval: ms between samples; lost: share of samples the air loses; failed: share of samples
    that give no value though nothing is wrong (a cuff that did not find a pressure)."""

    signals: tuple[str, ...]
    interval: int
    lost: float = 0.0
    failed: float = 0.0


KINDS: Final[dict[str, Kind]] = {
    "monitor": Kind(("hr", "pr", "spo2", "rr", "pi"), SECOND),
    "patch": Kind(("hr", "rr", "temp"), MINUTE, lost=0.03),
    "oximeter": Kind(("spo2", "pr", "pi"), 4 * SECOND, lost=0.04),
    "cuff-15": Kind(("sbp", "dbp", "map"), 15 * MINUTE, failed=0.03),
    "cuff-30": Kind(("sbp", "dbp", "map"), 30 * MINUTE, failed=0.03),
    "cuff-60": Kind(("sbp", "dbp", "map"), 60 * MINUTE, failed=0.03),
}

NOISE: Final[dict[str, tuple[float, float]]] = {
    # signal: standard deviation of the white and of the slow (8 s to 3 min) measurement noise
    "hr": (0.5, 0.6),
    "pr": (0.6, 0.7),
    "spo2": (0.2, 0.35),
    "rr": (0.25, 0.7),
    "sbp": (2.5, 0.0),
    "dbp": (2.0, 0.0),
    "map": (1.0, 0.0),
    "temp": (0.04, 0.05),
    "pi": (0.08, 0.1),
}


@dataclass(frozen=True)
class Device:
    """One device: its topic name, kind, where its sample grid lies (``phase`` ms), its faults in order."""

    name: str
    kind: str
    key: Key
    phase: int = 0
    faults: tuple[Fault, ...] = field(default=())

    @property
    def of(self) -> Kind:
        return KINDS[self.kind]

    @cached_property
    def _slow(self) -> dict[str, Waves]:
        return {
            s: Waves((*self.key, 31, INDEX[s]), NOISE[s][1], 8, 180, 10)
            for s in self.of.signals
            if NOISE[s][1]
        }

    def samples(self, lo: int, hi: int) -> tuple[Int, Int]:
        """Numbers and true times (ms since start) of the samples in [lo, hi), lost ones included."""
        interval = self.of.interval
        k = np.arange(
            max(0, -((self.phase - lo) // interval)), -((self.phase - hi) // interval), dtype=np.int64
        )
        return k, k * interval + self.phase

    def lost(self, k: Int, t: Int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which samples never leave the device: the air's share, and all of a dropout."""
        gone = uniform((*self.key, 32), k) < self.of.lost if self.of.lost else np.zeros(len(k), np.bool_)
        for fault in self.faults:
            if fault.kind == "dropout":
                gone |= (t >= fault.start) & (t < fault.end)
        return gone

    def measure(self, patient: Patient, k: Int, t: Int, start: int) -> Measured:
        """What the device shows for the samples ``k`` at times ``t`` (of ``samples``), faults included."""
        result = Measured(self._clean(patient, k, t, start), {}, {})
        if self.of.failed:
            failed = uniform((*self.key, 33), k) < self.of.failed
            for signal in self.of.signals:
                result.values[signal][failed] = np.nan
                result.say(signal, failed, "invalid")
        for fault in self.faults:
            act = SENSOR_FAULTS.get(fault.kind)
            rows = (t >= fault.start) & (t < fault.end)
            if act is None or not rows.any():
                continue
            at_start: dict[str, float] = {}
            if fault.kind == "flat-line":
                k0, t0 = self.samples(fault.start, fault.start + self.of.interval)
                at_start = {s: float(v[0]) for s, v in self._clean(patient, k0, t0, start).items()}
            act(result, Scene(fault, self.key, k, t, rows, self.of.interval, at_start))
        for signal, values in result.values.items():
            lo, hi = SIGNALS[INDEX[signal]].possible
            np.round(np.clip(values, lo, hi), SIGNALS[INDEX[signal]].decimals, out=values)
        return result

    def _clean(self, patient: Patient, k: Int, t: Int, start: int) -> dict[str, Float]:
        truth = patient.truth(t, start)
        shown: dict[str, Float] = {}
        for signal in self.of.signals:
            value = truth[signal] + NOISE[signal][0] * normal((*self.key, 30, INDEX[signal]), k)
            if signal in self._slow:
                value += self._slow[signal](t / SECOND)
            shown[signal] = value
        if "sbp" in shown:  # one inflation errs in all three pressures together
            error = 3.0 * normal((*self.key, 34), k)
            for signal in ("sbp", "dbp", "map"):
                shown[signal] += error
        return shown
