"""The vocabulary: every signal with its unit, codes, hold and limits. All else looks here.

Units are UCUM, LOINC and ISO/IEEE 11073 (MDC) codes as in the public contract. Times are integer
milliseconds everywhere in ward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured, observed or derived quantity.

    ``hold`` is how long a reading speaks for the patient (ms). ``possible`` is the physically
    possible range: outside it a reading is invalid at once. ``plausible`` is the range outside which
    a reading waits for confirmation (clifpy's outlier_config.yaml where it lists the signal).
    """

    name: str
    label: str
    unit: str
    hold: int
    possible: tuple[float, float]
    plausible: tuple[float, float]
    decimals: int = 0
    loinc: str | None = None
    mdc: int | None = None
    derived: bool = False


SIGNALS: Final[tuple[Signal, ...]] = (
    Signal("hr", "Heart rate", "1/min", 90 * SECOND, (0, 350), (0, 300), 0, "8867-4", 147842),
    Signal("pr", "Pulse rate", "1/min", 90 * SECOND, (0, 350), (0, 300), 0, None, 149530),
    Signal("spo2", "SpO2", "%", 90 * SECOND, (0, 100), (50, 100), 0, "2708-6", 150456),
    Signal("rr", "Respiratory rate", "1/min", 90 * SECOND, (0, 150), (0, 60), 0, "9279-1", 151562),
    Signal("sbp", "Systolic pressure", "mm[Hg]", 65 * MINUTE, (-20, 400), (0, 300), 0, "8480-6"),
    Signal("dbp", "Diastolic pressure", "mm[Hg]", 65 * MINUTE, (-20, 400), (0, 200), 0, "8462-4"),
    Signal("map", "Mean pressure", "mm[Hg]", 65 * MINUTE, (-20, 400), (0, 250)),
    Signal("temp", "Temperature", "Cel", 8 * HOUR, (20, 46), (32, 44), 1, "8310-5", 150344),
    Signal("pi", "Perfusion index", "%", 90 * SECOND, (0, 100), (0, 30), 1),
    Signal("consciousness", "Consciousness", "ACVPU", 12 * HOUR, (0, 4), (0, 4)),
    Signal("oxygen", "Supplemental oxygen", "0/1", 12 * HOUR, (0, 1), (0, 1)),
    Signal("news2", "NEWS2", "score", 0, (0, 20), (0, 20), derived=True),
    Signal("risk", "Risk", "0..1", 0, (0, 1), (0, 1), 2, derived=True),
)
INDEX: Final[dict[str, int]] = {s.name: i for i, s in enumerate(SIGNALS)}

MEASURED: Final[tuple[str, ...]] = ("hr", "pr", "spo2", "rr", "sbp", "dbp", "map", "temp", "pi")
"""What a device may publish."""
OBSERVED: Final[tuple[str, ...]] = (*MEASURED, "consciousness", "oxygen")
"""What a person may enter; also the columns of the engine's state, in this order."""
N_OBSERVED: Final = len(OBSERVED)

CONSCIOUSNESS: Final[dict[str, int]] = {"A": 0, "C": 1, "V": 2, "P": 3, "U": 4}
"""Levels as the engine's numbers: alert, new confusion, voice, pain, unresponsive."""

HOLD_BY_PERSON: Final = 6 * HOUR
"""Hold of a measured signal that a person entered."""
HOLD_INTERVALS: Final = 2.5
"""A declared interval times this is the hold of that device's signal."""
HOLD_LEAST: Final = 2_500
"""But not less: a device that declares milliseconds and measures each second would be UNKNOWN in between."""

STATUS_WORDS: Final[tuple[str, ...]] = (
    "ok",
    "probe-off",
    "leads-off",
    "motion",
    "low-perfusion",
    "calibrating",
    "out-of-range",
    "invalid",
    "unknown",
)
"""What a device may say of a reading; a word not in this list is kept and treated as ``unknown``."""
STATUS_INDEX: Final[dict[str, int]] = {word: i for i, word in enumerate(STATUS_WORDS)}


def hold_of(signal: int, interval_s: float | None = None, by_person: bool = False) -> int:
    """Hold in ms of one signal (index), given the device's declared interval or a person's entry."""
    own = SIGNALS[signal]
    if by_person:
        return own.hold if own.name in ("consciousness", "oxygen") else HOLD_BY_PERSON
    if interval_s is not None:
        return max(round(HOLD_INTERVALS * interval_s * SECOND), HOLD_LEAST)
    return own.hold
