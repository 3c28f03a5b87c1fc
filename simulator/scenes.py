"""One bed with exactly one thing going on: a ward small enough to judge an alert system by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulator.courses import Course
from simulator.devices import KINDS, Device
from simulator.faults import Fault
from simulator.patients import draw_patient
from simulator.ward_plan import Bed, Plan


def scene(
    *,
    seed: int = 1,
    devices: Sequence[str] = ("monitor", "cuff-15"),
    courses: Sequence[Course] = (),
    faults: Mapping[str, Sequence[Fault]] | None = None,
    ward: str = "scene",
    bed: str = "1",
) -> Plan:
    """A plan of one bed whose devices are named after their kinds (keys of ``KINDS``), with these
    courses and faults (by kind) and no others. KeyError for a kind that does not exist."""
    faults = faults or {}
    key = (seed, 9)
    made = []
    for number, kind in enumerate(devices):
        phase = min(997 * (number + 1), KINDS[kind].interval - 1)
        made.append(Device(kind, kind, (*key, 3, number), phase, tuple(faults.get(kind, ()))))
    patient = replace(draw_patient(key), courses=tuple(courses))
    return Plan(seed, (Bed(ward, bed, f"scene-{seed}", patient, tuple(made)),))
