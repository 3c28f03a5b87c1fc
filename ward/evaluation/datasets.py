"""PhysioNet's collections as recordings with labels: cinc2019, cinc2012 and the demonstration of mimic3.

A folder may hold them as PhysioNet distributes them (``training/training_setB/*.psv``, ``set-a/*.txt``,
``CHARTEVENTS.csv``) or in sub-folders by these names. What is not a measurement at all (a zero or a minus
one written for 'none', degrees Fahrenheit below freezing) is left out here and counted; what is merely
implausible stays, for the filter is there to judge it.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.errors import InvalidError
from ward.ingest.recordings import FORMATS, Int, Recording
from ward.signals import HOUR, INDEX, MEASURED, MINUTE

HOLD: Final = FORMATS["cinc2019"].hold
"""Of every signal in records that are charted about hourly, ms."""
BEFORE_ONSET: Final = 6
"""Hours by which the label of 2019 begins before the onset."""
NAMES: Final = ("cinc2019", "cinc2012", "mimic3_demo")

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a stay's patient; '' and NaN where not told. hospital: as the folder names it."""

    age: float = np.nan
    sex: str = ""
    unit: str = ""
    hospital: str = ""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Stays [n] in order of name.

    labels: of each stay, one bool per row (``Recording.rows``), True from six hours before the onset on;
    empty arrays where the collection has none. died: [n] in hospital, or None. left_out: why and how many.
    """

    name: str
    recordings: list[Recording]
    people: list[Person]
    labels: list[NDArray[np.bool_]] = field(default_factory=list)
    died: NDArray[np.bool_] | None = None
    left_out: Counter[str] = field(default_factory=Counter)

    def first(self, stays: int) -> DataSet:
        """The first so many of them."""
        died = None if self.died is None else self.died[:stays]
        return replace(
            self,
            recordings=self.recordings[:stays],
            people=self.people[:stays],
            labels=self.labels[:stays],
            died=died,
        )

    def onsets(self) -> dict[str, int]:
        """Stay to the time of its onset (first positive row + 6 h), ms of the recording; those with one."""
        return {
            r.stay: int(r.rows[np.argmax(y)]) + BEFORE_ONSET * HOUR
            for r, y in zip(self.recordings, self.labels, strict=True)
            if y.any()
        }


def load(name: str, folder: Path, progress: Progress | None = None) -> DataSet | None:
    """One collection, or None where the folder does not hold it. Raises InvalidError for what is broken."""
    return _READERS[name](folder, progress or (lambda _what, _share: None))


def check(found: DataSet | None, name: str) -> list[str]:
    """What a person should know of the data before believing figures: lines of text."""
    if found is None:
        return [f"{name}: not in the folder"]
    rows = sum(len(r.rows) for r in found.recordings)
    shares = _measured(found.recordings)
    never = [signal for signal, share in shares.items() if share == 0]
    lines = [
        f"{name}: {len(found.recordings):,} stays, {rows:,} rows, "
        f"{sum(len(r) for r in found.recordings):,} readings",
        "  stays with a reading of: " + ", ".join(f"{s} {v:.1%}" for s, v in shares.items() if v),
    ]
    if found.labels:
        events = sum(bool(y.any()) for y in found.labels)
        positive = sum(int(y.sum()) for y in found.labels)
        lines.append(f"  {events:,} stays with an onset, {positive:,} positive rows ({positive / rows:.2%})")
    if found.died is not None:
        lines.append(f"  {int(found.died.sum()):,} died in hospital")
    hospitals = Counter(p.hospital for p in found.people if p.hospital)
    if len(hospitals) > 1:
        lines.append("  by hospital: " + ", ".join(f"{h} {n:,}" for h, n in sorted(hospitals.items())))
    if never:
        lines.append("  not measured in any stay: " + " ".join(never))
    lines += [f"  left out: {why}: {n:,}" for why, n in sorted(found.left_out.items())]
    return lines


def _measured(recordings: Sequence[Recording]) -> dict[str, float]:
    """Signal to the share of stays with a reading of it."""
    stays = np.zeros(len(MEASURED))
    for r in recordings:
        stays[np.unique(r.signal[r.signal < len(MEASURED)])] += 1
    return dict(zip(MEASURED, (stays / max(1, len(recordings))).tolist(), strict=True))


# ---------------------------------------------------------------- Challenge 2019


def _cinc2019(folder: Path, progress: Progress) -> DataSet | None:
    files = _files(folder, ("cinc2019", "training", "training_setA", "training_setB", "."), "*.psv")
    if not files:
        return None
    recordings, people, labels = [], [], []
    for i, path in enumerate(files):
        recording, person, label = _stay_of_2019(path)
        recordings.append(recording)
        people.append(person)
        labels.append(label)
        if i % 200 == 0:
            progress(f"reading cinc2019: {i:,} of {len(files):,} stays", i / len(files))
    return DataSet("cinc2019", recordings, people, labels)


_COLUMNS_2019: Final = FORMATS["cinc2019"].columns
_UNITS_2019: Final = {(1, 0): "medical", (0, 1): "surgical"}


def _stay_of_2019(path: Path) -> tuple[Recording, Person, NDArray[np.bool_]]:
    """The same recording as ``ward.ingest.recordings`` makes of the file, and the columns beside it."""
    with path.open(encoding="ascii") as lines:
        header = lines.readline().rstrip("\n").split("|")
        try:
            table = np.array([line.rstrip("\n").split("|") for line in lines], np.float64)
            at = {name: header.index(name) for name in (*_COLUMNS_2019, "ICULOS", "SepsisLabel")}
        except ValueError as error:
            raise InvalidError(f"{path}: not a file of the Challenge 2019: {error}") from None
    table = table.reshape(-1, len(header))
    table = table[np.argsort(table[:, at["ICULOS"]], kind="stable")]
    time = np.round(table[:, at["ICULOS"]] * HOUR).astype(np.int64)
    columns = [i for i, name in enumerate(header) if name in _COLUMNS_2019]
    signals = np.array([INDEX[_COLUMNS_2019[header[i]]] for i in columns], np.int8)
    values = table[:, columns]
    row, column = np.nonzero(np.isfinite(values))
    recording = Recording(path.stem, signals[column], time[row], values[row, column], time, hold=HOLD)
    return recording, _person_2019(path, header, table), table[:, at["SepsisLabel"]] > 0


def _person_2019(path: Path, header: Sequence[str], table: NDArray[np.float64]) -> Person:
    first = dict(zip(header, table[0].tolist(), strict=True)) if len(table) else {}
    units = (first.get("Unit1", np.nan), first.get("Unit2", np.nan))
    hospital = {"p0": "A", "p1": "B"}.get(path.stem[:2], "")
    sex = {0.0: "female", 1.0: "male"}.get(first.get("Gender", np.nan), "")
    return Person(first.get("Age", np.nan), sex, _UNITS_2019.get(units, "not told"), hospital)


# ---------------------------------------------------------------- Challenge 2012

_PARAMETERS_2012: Final = {
    "HR": "hr",
    "RespRate": "rr",
    "NISysABP": "sbp",
    "NIDiasABP": "dbp",
    "NIMAP": "map",
    "SysABP": "sbp",
    "DiasABP": "dbp",
    "MAP": "map",
    "Temp": "temp",
}
"""The artery's pressure after the cuff's, so that of one instant the artery's is taken."""
_RANK_2012: Final = {name: i for i, name in enumerate(_PARAMETERS_2012)}
_UNITS_2012: Final = {"1": "coronary", "2": "cardiac surgery", "3": "medical", "4": "surgical"}


def _cinc2012(folder: Path, progress: Progress) -> DataSet | None:
    files = _files(folder, ("cinc2012", "."), "set-a/*.txt")
    outcomes = next((p for p in (folder / "cinc2012", folder) if (p / "Outcomes-a.txt").is_file()), None)
    if not files or outcomes is None:
        return None
    with (outcomes / "Outcomes-a.txt").open(encoding="ascii", newline="") as lines:
        died = {row["RecordID"]: row["In-hospital_death"] == "1" for row in csv.DictReader(lines)}
    left_out: Counter[str] = Counter()
    recordings, people = [], []
    for i, path in enumerate(files):
        if path.stem not in died:
            left_out["stay without an outcome"] += 1
            continue
        recording, person = _stay_of_2012(path, left_out)
        recordings.append(recording)
        people.append(person)
        if i % 200 == 0:
            progress(f"reading cinc2012: {i:,} of {len(files):,} stays", i / len(files))
    outcome = np.array([died[r.stay] for r in recordings], bool)
    return DataSet("cinc2012", recordings, people, died=outcome, left_out=left_out)


def _stay_of_2012(path: Path, left_out: Counter[str]) -> tuple[Recording, Person]:
    """Long form, ``HH:MM,Parameter,Value``; what is of the admission stands at 00:00."""
    admission: dict[str, str] = {}
    found: list[tuple[int, int, int, float]] = []
    with path.open(encoding="ascii") as lines:
        next(lines, None)
        for line in lines:
            clock, name, text = line.rstrip("\n").split(",")
            if name in _RANK_2012:
                hours, minutes = clock.split(":")
                at, signal = int(hours) * HOUR + int(minutes) * MINUTE, INDEX[_PARAMETERS_2012[name]]
                if _taken(signal, float(text), left_out):
                    found.append((at, _RANK_2012[name], signal, float(text)))
            elif clock == "00:00":
                admission.setdefault(name, text)
    found.sort(key=lambda reading: reading[:2])
    sex = {"0": "female", "1": "male"}.get(admission.get("Gender", ""), "")
    age = float(admission.get("Age", "nan"))
    unit = _UNITS_2012.get(admission.get("ICUType", ""), "not told")
    return _recording(path.stem, [(at, signal, value) for at, _, signal, value in found]), Person(
        age, sex, unit
    )


# ---------------------------------------------------------------- MIMIC-III, demonstration

_LABELS_MIMIC3: Final = {
    "Heart Rate": "hr",
    "Respiratory Rate": "rr",
    "SpO2": "spo2",
    "NBP [Systolic]": "sbp",
    "NBP [Diastolic]": "dbp",
    "NBP Mean": "map",
    "Non Invasive Blood Pressure systolic": "sbp",
    "Non Invasive Blood Pressure diastolic": "dbp",
    "Non Invasive Blood Pressure mean": "map",
    "Arterial BP [Systolic]": "sbp",
    "Arterial BP [Diastolic]": "dbp",
    "Arterial BP Mean": "map",
    "Arterial Blood Pressure systolic": "sbp",
    "Arterial Blood Pressure diastolic": "dbp",
    "Arterial Blood Pressure mean": "map",
    "Temperature C": "temp",
    "Temperature Celsius": "temp",
    "Temperature F": "temp",
    "Temperature Fahrenheit": "temp",
}
"""Without the temperatures that were calculated from those charted."""


def _mimic3(folder: Path, progress: Progress) -> DataSet | None:
    rows = _charted(folder)
    if rows is None:
        return None
    progress("reading mimic3_demo", 0.0)
    left_out: Counter[str] = Counter()
    stays: dict[str, list[tuple[int, int, float]]] = {}
    for stay, label, text, clock in rows:
        if not stay or (name := _LABELS_MIMIC3.get(label)) is None or not text:
            continue
        value, signal = float(text), INDEX[name]
        if name == "temp" and value > 60:  # charted in the other unit than the label says
            value = (value - 32) / 1.8
        elif name == "temp" and (label.endswith(("F", "Fahrenheit")) and value > 46):
            left_out["temp: not a measurement"] += 1
            continue
        if _taken(signal, value, left_out):
            at = round(datetime.fromisoformat(clock).replace(tzinfo=UTC).timestamp()) * 1000
            stays.setdefault(stay, []).append((at, signal, value))
    recordings = [_recording(stay, sorted(found)) for stay, found in sorted(stays.items())]
    return DataSet("mimic3_demo", recordings, [Person()] * len(recordings), left_out=left_out)


def _charted(folder: Path) -> Iterator[tuple[str, str, str, str]] | None:
    """Stay, label, number and time of each charted value; None where the folder has none."""
    for place in (folder / "mimic3_demo", folder):
        if (path := place / "charted_vitals.csv.gz").is_file():
            return ((r["stay"], r["label"], r["number"], r["time"]) for r in _table(path))
        if (path := place / "CHARTEVENTS.csv").is_file():
            items = {_lower(r)["itemid"]: _lower(r)["label"] for r in _table(place / "D_ITEMS.csv")}
            return (
                (r["icustay_id"], items.get(r["itemid"], ""), r["valuenum"], r["charttime"])
                for r in map(_lower, _table(path))
            )
    return None


def _table(path: Path) -> Iterator[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as text:
        yield from csv.DictReader(text)


def _lower(row: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in row.items()}


# ---------------------------------------------------------------- of all


_LEAST: Final = {INDEX["temp"]: 20.0}
"""Below it no measurement was made: 0 and -17.8 degrees (0 F) are written for 'none'."""


def _taken(signal: int, value: float, left_out: Counter[str]) -> bool:
    """Whether a charted number is a measurement: zeros and -1 are written for 'none'."""
    if not np.isfinite(value) or value <= _LEAST.get(signal, 0.0):
        left_out[f"{MEASURED[signal]}: zero, negative or below {_LEAST.get(signal, 0):g}"] += 1
        return False
    return True


def _recording(stay: str, found: Iterable[tuple[int, int, float]]) -> Recording:
    """found: time, signal, value, sorted by time."""
    rows = list(found)
    time: Int = np.array([at for at, _, _ in rows], np.int64)
    return Recording(
        stay,
        np.array([signal for _, signal, _ in rows], np.int8),
        time,
        np.array([value for _, _, value in rows], np.float64),
        np.unique(time),
        hold=HOLD,
    )


def _files(folder: Path, places: Sequence[str], pattern: str) -> list[Path]:
    """Those of the first place that has any; of ``training`` also one level below."""
    for place in places:
        found = [*(folder / place).glob(pattern), *(folder / place).glob(f"training_set?/{pattern}")]
        if found:
            return sorted(found, key=lambda path: path.name)
    return []


_READERS: Final[dict[str, Callable[[Path, Progress], DataSet | None]]] = {
    "cinc2019": _cinc2019,
    "cinc2012": _cinc2012,
    "mimic3_demo": _mimic3,
}
