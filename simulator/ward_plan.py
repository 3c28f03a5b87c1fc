"""Who lies where, with which devices, and what will go wrong: a whole ward from one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.courses import SCRIPTS, Course
from simulator.devices import Device
from simulator.faults import Fault
from simulator.noise import generator
from simulator.patients import Patient, draw_patient
from ward.signals import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from ward.ingest.recordings import Recording

WARDS: Final = ("surgical", "medical")
DAY: Final = 24 * HOUR
HORIZON: Final = 7 * DAY
"""Faults and later courses are drawn for this long; after it devices and patients are quiet."""

EARLY: Final[tuple[Course, ...]] = (
    Course("respiratory-failure", -50 * MINUTE, lasts=3 * HOUR),
    Course("sepsis", -170 * MINUTE, lasts=6 * HOUR),
    Course("opioid", 5 * MINUTE, lasts=80 * MINUTE, fades=30 * MINUTE),
    Course("arrhythmia", 15 * MINUTE, lasts=2 * HOUR, fades=5 * MINUTE),
    Course("bleeding", 40 * MINUTE, lasts=4 * HOUR),
    Course("bradycardia", 150 * MINUTE, lasts=40 * MINUTE, fades=5 * MINUTE),
)
"""The courses of the first hours, so that a ward has something to tell soon; one in four or so beds
has one (two already under way at the start)."""
BEDS_PER_COURSE: Final = 4
LATER_PER_DAY: Final = 0.12
"""Later deteriorations a bed and day."""

EQUIPMENT: Final = (("monitor", "cuff"), ("patch", "oximeter", "cuff"), ("monitor", "patch", "cuff"))
CUFFS: Final = ("cuff-15", "cuff-30", "cuff-60")

FAULTS_PER_DAY: Final[dict[str, dict[str, tuple[float, int, int]]]] = {
    # device: fault: how many a day, shortest and longest (ms)
    "monitor": {
        "probe-off": (2.0, 2 * MINUTE, 12 * MINUTE),
        "leads-off": (1.0, MINUTE, 5 * MINUTE),
        "motion": (8.0, 20 * SECOND, 150 * SECOND),
        "flat-line": (0.4, 11 * MINUTE, 20 * MINUTE),
        "spikes": (5.0, 3 * SECOND, 4 * SECOND),
        "dropout": (1.5, 10 * SECOND, 5 * MINUTE),
        "backlog": (0.8, 3 * MINUTE, 20 * MINUTE),
        "reboot": (0.5, 20 * SECOND, 60 * SECOND),
        "duplicates": (0.5, 5 * MINUTE, 20 * MINUTE),
        "reordering": (0.5, 5 * MINUTE, 20 * MINUTE),
    },
    "patch": {
        "leads-off": (0.7, 3 * MINUTE, 15 * MINUTE),
        "spikes": (1.0, MINUTE, MINUTE),
        "dropout": (2.0, 2 * MINUTE, 12 * MINUTE),
        "backlog": (1.5, 5 * MINUTE, 40 * MINUTE),
        "reboot": (0.3, MINUTE, 3 * MINUTE),
        "duplicates": (0.5, 5 * MINUTE, 30 * MINUTE),
    },
    "oximeter": {
        "probe-off": (4.0, 2 * MINUTE, 20 * MINUTE),
        "motion": (8.0, 20 * SECOND, 150 * SECOND),
        "spikes": (2.0, 8 * SECOND, 12 * SECOND),
        "dropout": (4.0, 30 * SECOND, 6 * MINUTE),
        "backlog": (1.0, 5 * MINUTE, 30 * MINUTE),
        "reboot": (0.5, 20 * SECOND, 90 * SECOND),
        "reordering": (0.5, 5 * MINUTE, 20 * MINUTE),
    },
    "cuff": {"spikes": (0.2, 0, 0), "backlog": (0.3, 20 * MINUTE, 60 * MINUTE)},
}
QUIET: Final = 12 * MINUTE
"""No fault begins before this, so that a fresh ward is first seen working."""
SKEWED: Final = 0.06
"""Share of devices whose clock is off, where clocks may be off at all."""


@dataclass(frozen=True)
class Bed:
    """One stay to be: place, pseudonym, devices, flags, and the patient or the recording behind it."""

    ward: str
    bed: str
    patient_ref: str
    patient: Patient
    devices: tuple[Device, ...]
    flags: tuple[str, ...] = ()
    recording: Recording | None = None

    @property
    def device_names(self) -> tuple[str, ...]:
        if self.recording is not None:
            return (recorder_name(self.bed),)
        return tuple(device.name for device in self.devices)


@dataclass(frozen=True)
class Plan:
    seed: int
    beds: tuple[Bed, ...]

    def stays(self) -> list[dict[str, Any]]:
        """The admissions, one a bed, as the body of ``POST /api/v1/stays``."""
        return [
            {
                "patient_ref": bed.patient_ref,
                "ward": bed.ward,
                "bed": bed.bed,
                "devices": list(bed.device_names),
                "flags": list(bed.flags),
            }
            for bed in self.beds
        ]

    def observations(self) -> list[dict[str, Any] | None]:
        """What a nurse notes on admission, one a bed as in ``stays``: values of an observation without
        its time, or None where nothing is known (a recording)."""
        return [
            None if bed.recording else {"consciousness": "A", "oxygen": bed.patient.oxygen}
            for bed in self.beds
        ]


def recorder_name(bed: str) -> str:
    """The device that plays a recording in a bed."""
    return f"recorder-{bed.lower()}"


def plan_ward(
    seed: int = 1,
    beds: int = 24,
    *,
    wards: Sequence[str] = WARDS,
    courses: Sequence[Course] = EARLY,
    faults: bool = True,
    skewed_clocks: bool = False,
    recording: Recording | None = None,
) -> Plan:
    """A ward of ``beds`` beds spread over ``wards``; the same arguments give the same plan.

    ``courses``: the scripted courses of the first hours, given to one bed in four at most, spread over
    the ward. ``skewed_clocks``: let some devices' clocks be off; not for a replay clock, where no
    offset is measured. ``recording`` is played in the first bed instead of a simulated patient.
    Raises ValueError for an impossible number of beds.
    """
    if not 1 <= beds <= 10_000:
        raise ValueError(f"beds must be 1 to 10000, not {beds}")
    sick = _spread(seed, beds, courses, skip_first=recording is not None)
    made = []
    for i in range(beds):
        ward = wards[i * len(wards) // beds]
        own = [sick[i]] if i in sick else []
        made.append(_bed(seed, i, ward, own, faults, skewed_clocks))
    if recording is not None:
        made[0] = replace(made[0], recording=recording, flags=(), devices=())
    return Plan(seed, tuple(made))


def _spread(seed: int, beds: int, courses: Sequence[Course], skip_first: bool) -> dict[int, Course]:
    """Bed number to its early course."""
    free = np.arange(1 if skip_first and beds > 1 else 0, beds)
    count = min(len(courses), max(1, round(beds / BEDS_PER_COURSE)))
    chosen = generator((seed, 1)).choice(free, size=min(count, len(free)), replace=False)
    return dict(zip(chosen.tolist(), courses, strict=False))


def _bed(seed: int, index: int, ward: str, early: list[Course], faults: bool, skewed: bool) -> Bed:
    key = (seed, 2, index)
    source = generator((*key, 100))
    # Chronic lung disease and oxygen would blur a scripted course: only patients without one have them.
    copd, oxygen, bmi40 = (bool(source.random() < share) and not early for share in (0.10, 0.12, 0.06))
    flags = (*(("copd", "spo2-scale-2") if copd else ()), *(("bmi40",) if bmi40 else ()))
    patient = draw_patient(key, copd=copd, oxygen=oxygen)
    later = _later_courses(source, early) if not copd else []
    name = f"{ward[0].upper()}{index + 1:02d}"
    return Bed(
        ward=ward,
        bed=name,
        patient_ref=f"sim-{generator((*key, 101)).integers(16**8):08x}",
        patient=replace(patient, courses=(*early, *later)),
        devices=_devices(key, name, source, bool(early), faults, skewed),
        flags=flags,
    )


def _later_courses(source: np.random.Generator, early: list[Course]) -> list[Course]:
    """Deteriorations after the first hours, one after the other, each treated after a while."""
    courses: list[Course] = []
    end = early[0].end if early else 6 * HOUR
    while end is not None:
        onset = end + int(source.exponential(DAY / LATER_PER_DAY))
        if onset > HORIZON:
            break
        kind = list(SCRIPTS)[source.integers(len(SCRIPTS))]
        courses.append(Course(kind, onset, lasts=int(source.uniform(2, 5) * HOUR)))
        end = courses[-1].end
    return courses


def _devices(
    key: tuple[int, ...], bed: str, source: np.random.Generator, sick: bool, faults: bool, skewed: bool
) -> tuple[Device, ...]:
    made = []
    cuff = CUFFS[0] if sick else CUFFS[source.integers(len(CUFFS))]
    for number, kind in enumerate(EQUIPMENT[source.integers(len(EQUIPMENT))]):
        full = cuff if kind == "cuff" else kind
        device = Device(name=f"{kind}-{bed.lower()}", kind=full, key=(*key, 3, number))
        # A cuff measures soon after it is put on, then on its grid.
        phase = int(source.integers(min(device.of.interval, 3 * MINUTE)))
        drawn = list(_draw_faults(generator((*device.key, 1)), kind, device.of.interval)) if faults else []
        if skewed and source.random() < SKEWED:
            sign = -1 if source.random() < 0.5 else 1
            drawn.insert(0, Fault("clock-skew", 0, HORIZON, sign * int(source.uniform(5, 240) * SECOND)))
        made.append(replace(device, phase=phase, faults=tuple(drawn)))
    return tuple(made)


def _draw_faults(source: np.random.Generator, kind: str, interval: int) -> list[Fault]:
    """Faults of one device in order, never two at once."""
    drawn: list[Fault] = []
    for name, (rate, shortest, longest) in FAULTS_PER_DAY[kind].items():
        for _ in range(source.poisson(rate * HORIZON / DAY)):
            begin = int(source.uniform(QUIET, HORIZON))
            lasts = int(source.uniform(shortest, longest)) if longest else interval
            drawn.append(Fault(name, begin, begin + lasts))
    drawn.sort(key=lambda f: f.start)
    kept: list[Fault] = []
    for fault in drawn:
        # A minute between two faults leaves room for the first one's late messages.
        if not kept or fault.start > kept[-1].end + 2 * MINUTE:
            kept.append(fault)
    return kept
