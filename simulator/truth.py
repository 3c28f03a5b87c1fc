"""What really happened in a simulated ward, as JSON lines, so that alerts can be judged against it.

Lines by ``kind``, all times RFC 3339 in UTC:
- ``stay``: ward, bed, patient_ref, devices, flags, age, recording (true: nothing else is known).
- ``course``: bed, course, onset, full (severity 1 from here), treated, end (null: never), and
  ``reaches``: thresholds with durations that the true values meet and hold from ``full`` to ``treated``.
- ``fault``: bed, device, fault, start, end, signals (of the device), amount (ms, clock-skew only).
- ``values``: bed, time, and the true value of each sign, at a fixed step.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from simulator.ward_plan import Bed, Plan
from ward.clock import iso
from ward.signals import INDEX, SECOND, SIGNALS


def script_lines(plan: Plan, start_ms: int, duration_ms: int | None = None) -> Iterator[dict[str, Any]]:
    """Stays, courses and faults of a plan that begin within ``duration_ms`` (None: all of them)."""
    for bed in plan.beds:
        yield {
            "kind": "stay",
            "ward": bed.ward,
            "bed": bed.bed,
            "patient_ref": bed.patient_ref,
            "devices": list(bed.device_names),
            "flags": list(bed.flags),
            "age": None if bed.recording else bed.patient.age,
            "recording": bed.recording is not None,
        }
        if bed.recording is None:
            for begin, line in (*_courses(bed, start_ms), *_faults(bed, start_ms)):
                if duration_ms is None or begin < duration_ms:
                    yield line


def _courses(bed: Bed, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for course in bed.patient.courses:
        yield (
            course.onset,
            {
                "kind": "course",
                "bed": bed.bed,
                "course": course.kind,
                "onset": iso(start + course.onset),
                "full": iso(start + course.full),
                "treated": None if course.treated is None else iso(start + course.treated),
                "end": None if course.end is None else iso(start + course.end),
                "reaches": [{"when": list(c.when), "for": c.duration} for c in course.script.reaches],
            },
        )


def _faults(bed: Bed, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for device in bed.devices:
        for fault in device.faults:
            line = {
                "kind": "fault",
                "bed": bed.bed,
                "device": device.name,
                "fault": fault.kind,
                "start": iso(start + fault.start),
                "end": iso(start + fault.end),
                "signals": list(device.of.signals),
            }
            yield fault.start, line | ({"amount": fault.amount} if fault.amount else {})


def value_lines(
    plan: Plan, start_ms: int, duration_ms: int, step_ms: int = 60 * SECOND
) -> Iterator[dict[str, Any]]:
    """The true signs of every simulated patient each ``step_ms``."""
    t = np.arange(0, duration_ms, step_ms, dtype=np.int64)
    for bed in plan.beds:
        if bed.recording is not None:
            continue
        truth = bed.patient.truth(t, start_ms)
        columns = [np.round(v, SIGNALS[INDEX[name]].decimals + 1).tolist() for name, v in truth.items()]
        for time, row in zip(t.tolist(), zip(*columns, strict=True), strict=True):
            yield {
                "kind": "values",
                "bed": bed.bed,
                "time": iso(start_ms + time),
                **dict(zip(truth, row, strict=True)),
            }


def write_truth(
    path: str | Path, plan: Plan, start_ms: int, duration_ms: int | None = None, step_ms: int = 60 * SECOND
) -> None:
    """Write the truth file. Without a duration (a live simulator) only the script, all of it: the
    values are a pure function of the plan and can be had later."""
    with Path(path).open("wb") as file:
        for line in script_lines(plan, start_ms, duration_ms):
            file.write(msgspec.json.encode(line) + b"\n")
        if duration_ms is not None:
            for line in value_lines(plan, start_ms, duration_ms, step_ms):
                file.write(msgspec.json.encode(line) + b"\n")
