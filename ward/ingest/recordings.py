"""Recordings from files: the project's own CSV and three PhysioNet forms, as arrays of readings.

A format is a row of ``FORMATS``. Files may be gzipped. Rows may be in any order: readings come out
sorted by time, and those of one instant stay in the order of their rows.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ward.errors import InvalidError
from ward.ingest.csvtext import rows_of
from ward.signals import CONSCIOUSNESS, HOUR, INDEX, MINUTE, OBSERVED, SECOND

Int = NDArray[np.int64]
Float = NDArray[np.float64]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = 253_402_300_800_000
"""The year 10000, in ms since 1970."""
T = TypeVar("T")
NOT_MEASURED: Final = frozenset(("", "nan"))
PRESSURES: Final = ("sbp", "dbp", "map")


class RecordingError(InvalidError):
    """A file that cannot be read as a recording; the detail names file, line and column."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is laid out.

    time: header of the time column; unit: its step in ms; columns: header → signal; others are
    ignored unless ``strict``; hold: of every signal, in ms, where readings are sparser than the
    signals' own holds allow; repeats: cuff values are shown again and again until the next measurement.
    """

    delimiter: str
    time: str
    unit: float
    columns: Mapping[str, str]
    strict: bool = False
    hold: int | None = None
    repeats: bool = False


FORMATS: Final[dict[str, Format]] = {
    "csv": Format(",", "time", SECOND, {name: name for name in OBSERVED}, strict=True),
    # PhysioNet/CinC Challenge 2019: one row an hour; ICULOS counts hours in intensive care.
    "cinc2019": Format(
        "|",
        "ICULOS",
        HOUR,
        {
            "HR": "hr",
            "O2Sat": "spo2",
            "Resp": "rr",
            "SBP": "sbp",
            "DBP": "dbp",
            "MAP": "map",
            "Temp": "temp",
        },
        hold=75 * MINUTE,
    ),
    # BIDMC PPG and Respiration, numerics: one row a second.
    "bidmc": Format(",", "Time [s]", SECOND, {"HR": "hr", "PULSE": "pr", "RESP": "rr", "SpO2": "spo2"}),
    # MIMIC-IV Waveform Database, numerics: time counts 999.56 ticks a second and is not monotone.
    "mimic4wdb": Format(
        ",",
        "time",
        SECOND / 999.56,
        {
            "HR [bpm]": "hr",
            "Pulse (SpO2) [bpm]": "pr",
            "SpO2 [%]": "spo2",
            "RR [rpm]": "rr",
            "NBPs [mmHg]": "sbp",
            "NBPd [mmHg]": "dbp",
            "NBPm [mmHg]": "map",
            "Perf [NU]": "pi",
        },
        repeats=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """How a file gave its times, so that answers can be given in the same form."""

    zone: tzinfo | None = None
    """The first row's UTC offset where times are RFC 3339; None where they are seconds."""

    def to_input(self, ms: int) -> str | int | float:
        """RFC 3339 text in the file's offset, or a number of seconds (whole ones as int)."""
        if self.zone is None:
            return ms // 1000 if ms % 1000 == 0 else ms / 1000
        moment = (EPOCH + timedelta(milliseconds=ms)).astimezone(self.zone)
        text = moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


@dataclass(frozen=True, slots=True)
class Recording:
    """One stay of a file. The columns have length n and are sorted by time.

    signal: index into ``SIGNALS``; time: ms (since 1970, or since the recording's own zero where the
    file gives seconds); value: in the signal's unit, finite; rows: the distinct times of all rows of
    the stay, also of those without a reading; hold: ms of every signal, None for the signals' own.
    """

    stay: str
    signal: NDArray[np.int8]
    time: Int
    value: Float
    rows: Int
    origin: Origin = field(default_factory=Origin)
    hold: int | None = None

    def __len__(self) -> int:
        return len(self.time)


def read_recordings(path: str | Path, format: str | None = None) -> list[Recording]:
    """The stays of one file, in the order of their first rows.

    ``format`` is a key of ``FORMATS``; without it the header decides. Raises ``RecordingError`` for
    what cannot be read, naming file, line and column.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise RecordingError(f"unknown format {format!r}; allowed: {' '.join(FORMATS)}", field="format")
    return _Table(path, format).recordings()


def stay_name(file: str) -> str:
    """What the stay of a file is called that names none."""
    own = file.removesuffix(".gz")
    return own.rpartition(".")[0] or own


def detect_format(header: str) -> str | None:
    """The format that a file's first line belongs to."""
    for name in ("cinc2019", "bidmc", "mimic4wdb", "csv"):
        form = FORMATS[name]
        names = {cell.strip().strip('"') for cell in header.split(form.delimiter)}
        if form.time in names and (name == "csv" or not names.isdisjoint(form.columns)):
            return name
    return None


class _Table:
    """The text of one file, as columns."""

    def __init__(self, path: Path, name: str | None) -> None:
        self.path = path
        text = _text(path)
        first = text.partition("\n")[0]
        name = name or detect_format(first)
        if name is None:
            raise RecordingError(
                f"{path}: no format fits the header {first[:200]!r}; known: {' '.join(FORMATS)}"
            )
        self.form = FORMATS[name]
        try:
            numbered = rows_of(text, self.form.delimiter)
        except ValueError as error:
            raise RecordingError(f"{path}, {error}") from None
        self.header = [cell.strip() for cell in numbered.pop(0)[1]] if numbered else []
        self._check_header()
        self.lines = [line for line, _ in numbered]
        self.rows = [row for _, row in numbered]
        for line, row in numbered:
            if len(row) != len(self.header):
                raise RecordingError(
                    f"{path}, line {line}: {len(row)} cells, the header has {len(self.header)}"
                )

    def recordings(self) -> list[Recording]:
        if not self.rows:
            return []
        time, origin = self._time()
        stays = self._stays()
        names = dict.fromkeys(stays)
        number = {name: i for i, name in enumerate(names)}
        stay_of_row = np.array([number[name] for name in stays], np.int64)

        rows, signals, values = [], [], []
        for column, header in enumerate(self.header):
            if (signal := self.form.columns.get(header)) is None:
                continue
            found, numbers = self._numbers(column, signal)
            rows.append(found)
            signals.append(np.full(len(found), INDEX[signal], np.int8))
            values.append(numbers)
        row, signal_, value = np.concatenate(rows), np.concatenate(signals), np.concatenate(values)
        order = np.lexsort((row, time[row], stay_of_row[row]))
        row, signal_, value = row[order], signal_[order], value[order]

        found_recordings = []
        for name, i in number.items():
            own = slice(*np.searchsorted(stay_of_row[row], (i, i + 1)))
            recording = Recording(
                name,
                signal_[own],
                time[row[own]],
                value[own],
                np.unique(time[stay_of_row == i]),
                origin,
                self.form.hold,
            )
            found_recordings.append(_without_repeats(recording) if self.form.repeats else recording)
        return found_recordings

    def _check_header(self) -> None:
        form, known = self.form, {self.form.time, "stay", *self.form.columns}
        if form.time not in self.header:
            raise RecordingError(f"{self.path}: no column {form.time!r}; there are {' '.join(self.header)}")
        if form.strict and (unknown := [name for name in self.header if name not in known]):
            raise RecordingError(
                f"{self.path}: unknown column {unknown[0]!r}; allowed: {' '.join(sorted(known))}"
            )
        if set(self.header).isdisjoint(form.columns):
            raise RecordingError(f"{self.path}: no signal column; allowed: {' '.join(form.columns)}")
        if twice := [name for name in known if self.header.count(name) > 1]:
            raise RecordingError(f"{self.path}: column {twice[0]!r} is there twice")

    def _stays(self) -> Sequence[str]:
        own = stay_name(self.path.name)
        if not self.form.strict or "stay" not in self.header:
            return [own] * len(self.rows)
        column = self.header.index("stay")
        return [row[column].strip() or own for row in self.rows]

    def _time(self) -> tuple[Int, Origin]:
        column = self.header.index(self.form.time)
        texts = [row[column].strip() for row in self.rows]
        if "T" in texts[0].upper() or ":" in texts[0]:
            moments = [self._convert(i, self.form.time, _moment, text) for i, text in enumerate(texts)]
            ms = np.array([(m - EPOCH) // timedelta(microseconds=1) for m in moments], np.int64)
            return np.round(ms / 1000).astype(np.int64), Origin(_zone(moments[0]))
        with np.errstate(over="ignore"):  # infinite, and so refused with the line
            ms = np.round(self._floats(column, range(len(texts)), texts) * self.form.unit)
        if len(beyond := np.flatnonzero(np.abs(ms) > LATEST)):
            line = self.lines[int(beyond[0])]
            raise RecordingError(f"{self.path}, line {line}, column {self.form.time!r}: beyond the year 9999")
        return ms.astype(np.int64), Origin()

    def _numbers(self, column: int, signal: str) -> tuple[Int, Float]:
        """Row numbers that hold a reading, and their values."""
        texts = [row[column].strip() for row in self.rows]
        found = [i for i, text in enumerate(texts) if text and text.lower() not in NOT_MEASURED]
        cells = [texts[i] for i in found]
        if signal in CATEGORIES:
            convert = CATEGORIES[signal]
            values = np.array(
                [self._convert(i, signal, convert, text) for i, text in zip(found, cells, strict=True)],
                np.float64,
            )
        else:
            values = self._floats(column, found, cells)
        return np.array(found, np.int64), values

    def _floats(self, column: int, rows: Sequence[int], texts: Sequence[str]) -> Float:
        try:
            values = np.array(texts, np.float64)
        except ValueError:
            values = np.array([np.nan])
        if not np.isfinite(values).all():
            for i, text in zip(rows, texts, strict=True):
                self._convert(i, self.header[column], _finite, text)
        return values

    def _convert(self, row: int, column: str, convert: Callable[[str], T], text: str) -> T:
        try:
            return convert(text)
        except (ValueError, KeyError) as error:
            raise RecordingError(
                f"{self.path}, line {self.lines[row]}, column {column}: {text!r} is {error}",
                line=self.lines[row],
            ) from None


def _without_repeats(recording: Recording) -> Recording:
    """Each cuff measurement once: a cuff row that only shows the last known pressures again is dropped.

    Kept, one measurement would be held for as long as the monitor shows it and would count as many.
    """
    last: dict[int, float] = {}
    keep = np.ones(len(recording), bool)
    cuff = np.flatnonzero(np.isin(recording.signal, [INDEX[name] for name in PRESSURES]))
    starts = np.flatnonzero(np.diff(recording.time[cuff], prepend=np.iinfo(np.int64).min))
    for rows in np.split(cuff, starts[1:]):
        shown = {int(recording.signal[i]): float(recording.value[i]) for i in rows}
        if all(last.get(signal) == value for signal, value in shown.items()):
            keep[rows] = False
        last |= shown
    return Recording(
        recording.stay,
        recording.signal[keep],
        recording.time[keep],
        recording.value[keep],
        recording.rows,
        recording.origin,
        recording.hold,
    )


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: cannot be read: {error}") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("not a time: RFC 3339, or seconds in every row") from None
    if moment.tzinfo is None:
        raise ValueError("a time without UTC offset")
    return moment


def _zone(moment: datetime) -> tzinfo:
    return timezone(moment.utcoffset() or timedelta())


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("not a number") from None
    if not np.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _level(text: str) -> float:
    if text.upper() not in CONSCIOUSNESS:
        raise ValueError(f"not one of {' '.join(CONSCIOUSNESS)}")
    return float(CONSCIOUSNESS[text.upper()])


def _flag(text: str) -> float:
    if _finite(text) not in (0, 1):
        raise ValueError("not 0 or 1")
    return float(text)


CATEGORIES: Final[Mapping[str, Callable[[str], float]]] = {"consciousness": _level, "oxygen": _flag}


def read_all(paths: Iterable[str | Path], format: str | None = None) -> list[Recording]:
    """The stays of several files; a folder stands for its files, by name.

    Raises ``RecordingError`` where two files hold the same stay: their readings are never mixed by guess.
    """
    files = [
        file
        for path in map(Path, paths)
        for file in (sorted(f for f in path.iterdir() if f.is_file()) if path.is_dir() else [path])
    ]
    seen: dict[str, Path] = {}
    recordings = []
    for file in files:
        for recording in read_recordings(file, format):
            if recording.stay in seen:
                raise RecordingError(f"{file}: stay {recording.stay!r} is also in {seen[recording.stay]}")
            seen[recording.stay] = file
            recordings.append(recording)
    if len({recording.origin.zone is None for recording in recordings}) > 1:
        raise RecordingError("some files give seconds, others dates: they cannot share one line of time")
    return recordings
