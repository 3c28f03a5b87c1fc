"""Trials over a recording: the rules in force, and others, over what a file holds.

It runs in a process of its own (``ward.trial.worker``): a file that cannot be read costs nobody
else anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ward.alerts.overrides import Rulebook
from ward.clock import iso
from ward.errors import InvalidError
from ward.ingest.recordings import Recording, RecordingError, read_recordings, stay_name
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
    found = read(request)
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


def read(request: Json) -> list[Recording]:
    """The stays of the file ``request["recording"]`` that have readings. ``named``, where it is there: what
    people call the file, and the stay of a file that names none. Nobody is told where the file lies. Raises
    InvalidError."""
    path = Path(request["recording"])
    named = request.get("named") or path.name
    try:
        found = [one for one in read_recordings(path) if len(one)]
    except RecordingError as error:
        why = error.detail.replace(str(path), named)
        raise InvalidError(why, field="recording", code="recording-bad", params={"why": why}) from None
    if not found:
        raise InvalidError("there is no reading in this recording", field="recording", code="recording-empty")
    nameless = stay_name(path.name)
    return [replace(one, stay=stay_name(named)) if one.stay == nameless else one for one in found]


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
