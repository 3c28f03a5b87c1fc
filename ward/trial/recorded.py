"""Trials over a recording: the rules in force, and others, over what a file holds.

It runs in a process of its own (``ward.trial.worker``): a file that cannot be read costs nobody
else anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ward.alerts.overrides import Rulebook
from ward.clock import iso
from ward.errors import InvalidError
from ward.ingest.recordings import Recording, read_recordings
from ward.replay import as_readings, shift_of
from ward.scoring.readings import Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.trial.labels import Times, parse_labels
from ward.trial.run import Json, Patient, Tell, run
from ward.trial.stored import wanted_of


def recorded_trial(
    rulebook: Rulebook,
    request: Json,
    tell: Tell,
    model: Callable[[], RiskModel | None] = lambda: None,
) -> Json:
    """``request["recording"]`` is the file. Times in the answer are RFC 3339; where the file gives
    seconds they count from 1970, and ``relative`` says so. Raises InvalidError (``RecordingError``)."""
    tell(0.0, "reading the recording")
    found = [one for one in read_recordings(Path(request["recording"])) if len(one)]
    if not found:
        raise InvalidError("there is no reading in this recording", field="recording")
    place = {one.stay: one for one in found}
    _, _, ward = (request.get("scope") or "all").partition(":")
    in_force = rulebook.effective(ward or None)
    shift = shift_of(found)
    patients = patients_of(found, in_force, shift)
    labels = moved(parse_labels(request["labels"], "labels"), shift) if request.get("labels") else None
    wanted = wanted_of(request, [in_force], labels)

    def load(some: Sequence[Patient]) -> list[Readings]:
        return [as_readings([place[one.id]], {}, shift) for one in some]

    answer = run(patients, load, wanted, tell, lambda ms: iso(ms - shift), model)
    return answer | {"relative": found[0].origin.zone is None}


def patients_of(found: Sequence[Recording], in_force: Sequence[Rule], shift: int) -> list[Patient]:
    """Whom recordings are of, all watched until the last of them ends; times moved by ``shift`` ms."""
    end = max(int(one.rows[-1]) for one in found) + shift
    return [
        Patient(
            one.stay,
            int(one.time[0]) + shift,
            end,
            len(one),
            tuple(in_force),
            recorded_until=int(one.rows[-1]) + shift,
        )
        for one in found
    ]


def moved(labels: Times, shift: int) -> Times:
    """Times of events, as the recordings' are moved."""
    return {stay: {at + shift for at in times} for stay, times in labels.items()}
