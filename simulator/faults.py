"""What goes wrong with devices: of the sensor (the values lie) and of the transport (messages stray).

Each sensor fault is a small function in ``SENSOR_FAULTS``; transport faults are acted out by
``messages``, as they concern samples and connections, not values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.noise import Float, Int, Key, normal, uniform
from ward.signals import STATUS_INDEX

BURST: Final = 4_000
"""ms for which one movement spoils the readings."""

Status = NDArray[np.int8]

TRANSPORT_FAULTS: Final = ("dropout", "backlog", "reboot", "duplicates", "reordering", "clock-skew")
"""dropout: samples are lost. backlog: the connection is lost (will), the device stores and forwards
its samples on reconnecting, same session. reboot: the connection is lost, a new session begins, and
the old one's will comes late. duplicates: messages sent twice. reordering: samples arrive out of
order. clock-skew: the device's clock is off by ``amount`` ms."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one device; times in ms since the simulation's start, end excluded.

    ``amount``: ms for clock-skew; else not used.
    """

    kind: str
    start: int
    end: int
    amount: int = 0


@dataclass(slots=True)
class Measured:
    """What a device has measured: per signal values (NaN: expected, not available), status index
    into STATUS_WORDS (0: nothing to say) and quality (NaN: nothing to say), all of one length."""

    values: dict[str, Float]
    status: dict[str, Status]
    quality: dict[str, Float]

    def say(self, signal: str, rows: NDArray[np.bool_], word: str, quality: float | None = None) -> None:
        """Set the device's own word (and quality) for a signal on the given rows."""
        n = len(rows)
        self.status.setdefault(signal, np.zeros(n, np.int8))[rows] = STATUS_INDEX[word]
        if quality is not None:
            self.quality.setdefault(signal, np.full(n, np.nan))[rows] = quality


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a sensor fault acts: sample numbers ``k``, times ``t`` (ms), its rows, and for frozen
    values what was measured at its start."""

    fault: Fault
    key: Key
    k: Int
    t: Int
    rows: NDArray[np.bool_]
    interval: int
    at_start: dict[str, float]


def probe_off(m: Measured, scene: Scene) -> None:
    """The finger probe falls off: some seconds of falling light, then nothing; the device says so."""
    since = (scene.t - scene.fault.start) / 1000
    for signal in ("spo2", "pr", "pi"):
        if signal not in m.values:
            continue
        falling = scene.rows & (since < 6)
        if signal == "spo2":
            m.values[signal][falling] -= 3.0 * since[falling]
        m.values[signal][scene.rows & ~falling] = np.nan
        m.say(signal, falling, "probe-off", 0.1)
        m.say(signal, scene.rows & ~falling, "probe-off")


def leads_off(m: Measured, scene: Scene) -> None:
    """Electrodes come loose. A device that sees the pulse as well shows a silent 0 for the heart;
    breathing is gone, and the device says so."""
    silent = "pr" in m.values
    if "hr" in m.values:
        m.values["hr"][scene.rows] = 0.0 if silent else np.nan
        if not silent:
            m.say("hr", scene.rows, "leads-off")
    if "rr" in m.values:
        m.values["rr"][scene.rows] = np.nan
        m.say("rr", scene.rows, "leads-off")


def motion(m: Measured, scene: Scene) -> None:
    """The body moves: bursts of a few seconds in which saturation reads low, the heart's rate jumps
    and false breaths are counted."""
    moment = scene.k // max(1, BURST // scene.interval)
    burst = scene.rows & (uniform((*scene.key, 21), moment) < 0.5)
    jump = normal((*scene.key, 22), moment)
    changes = {
        "spo2": -9.0 * np.abs(jump) - 2.0,
        "pr": 22.0 * jump,
        "hr": 14.0 * jump,
        "rr": 9.0 * np.abs(jump),
    }
    for signal, change in changes.items():
        if signal in m.values:
            m.values[signal] = np.where(burst, m.values[signal] + change, m.values[signal])
    for signal in ("spo2", "pr"):
        if signal in m.values:
            m.say(signal, scene.rows, "motion", 0.2)


def flat_line(m: Measured, scene: Scene) -> None:
    """The device freezes: it repeats what it showed when the fault began, and says nothing of it."""
    for signal, value in scene.at_start.items():
        m.values[signal][scene.rows] = value


SPIKES: Final = {"hr": 247.0, "pr": 243.0, "spo2": 41.0, "rr": 88.0, "sbp": 62.0, "dbp": 55.0, "map": 57.0}


def spikes(m: Measured, scene: Scene) -> None:
    """Up to three dense samples, or one sparse sample, far from the truth."""
    first = -(-scene.fault.start // scene.interval)
    rows = scene.rows & (scene.k <= first + (2 if scene.interval <= 5_000 else 0))
    for signal, value in SPIKES.items():
        if signal in m.values:
            m.values[signal][rows] = value


SENSOR_FAULTS: Final[dict[str, Callable[[Measured, Scene], None]]] = {
    "probe-off": probe_off,
    "leads-off": leads_off,
    "motion": motion,
    "flat-line": flat_line,
    "spikes": spikes,
}
