"""Real artefact and real noise, cut out of the recordings at run time: what is transplanted and judged.

Every segment below was looked at in a plot of all signals and is listed for what they show together, not for
what the filter says of it. ``alike``: nothing in any signal tells it from an event; such kinds are let
through, and counted by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ward.errors import InvalidError
from ward.ingest.recordings import Recording, read_recordings
from ward.signals import INDEX, SECOND

Float = NDArray[np.float64]

DENSE: Final = ("hr", "pr", "spo2", "rr", "pi")
CUFF: Final = ("sbp", "dbp", "map")
BESIDE: Final = 20
"""Seconds before and after a segment from which its baseline is taken (median, then a straight line)."""
STALE: Final = 3
"""A reading speaks for so many seconds of the one-second grid."""


@dataclass(frozen=True, slots=True)
class Segment:
    """``start`` to ``end``: s of the recording; ``signals``: what is wrong; ``seen``: what one sees."""

    record: str
    start: int
    end: int
    kind: str
    signals: tuple[str, ...]
    seen: str
    alike: bool = False


@dataclass(frozen=True, slots=True)
class Charted:
    """One wrong value among hourly ones: the stay of the CinC 2019 collection (set B) and its hour."""

    record: str
    hour: int
    signals: tuple[str, ...]


W: Final = "86130599n"
_ALL, _PULSE, _OXI = DENSE, ("pr", "pi"), ("spo2", "pr", "pi")

SEGMENTS: Final[tuple[Segment, ...]] = (
    Segment(W, 74990, 75012, "leads-off", ("hr", "rr"), "HR 0 for 10 s, RR gone; pulse 82, perfusion 2.9"),
    Segment(W, 96160, 96358, "leads-off", ("hr", "rr"), "RR, then HR gone, HR 0 for 126 s; pulse 85 to 90"),
    Segment(W, 118350, 118378, "leads-off", ("hr",), "HR 0 for 21 s; pulse 80, SpO2 96"),
    Segment(W, 8284, 8302, "fast-dip", ("spo2",), "99 to 92 in 6 s and back in 6; HR, RR as before"),
    Segment(W, 9013, 9032, "fast-dip", ("spo2", "pi"), "99 to 89 in steps, perfusion doubles, back at once"),
    Segment(W, 69076, 69097, "fast-dip", ("spo2", "pi"), "95 to 87 in 7 s, held values, perfusion moves"),
    Segment(W, 79421, 79441, "fast-dip", ("spo2", "pi"), "96 to 89 in steps, perfusion halves"),
    Segment(W, 157722, 157744, "fast-dip", ("spo2", "pi"), "98 to 89 in 4 s, back in steps; pulse steady"),
    Segment(W, 71289, 71304, "fast-dip", _OXI, "SpO2 98 to 93 as the pulse reads 45 beside HR 85"),
    Segment("bidmc_12_Numerics", 209, 217, "fast-dip", ("spo2",), "96 to 92 in 2 s, then 99; pulse steady"),
    Segment("bidmc_22_Numerics", 47, 52, "fast-dip", ("spo2",), "92 to 88 for one second"),
    Segment(W, 79794, 79834, "probe-moved", _OXI, "SpO2 held at 88, pulse at 74, perfusion 3.4 to 1.4", True),
    Segment(W, 142990, 143088, "probe-on-again", _OXI, "first 40 s on the finger: pulse 29, HR 99", True),
    Segment(W, 74440, 74580, "probe-on-again", _OXI, "first 80 s on the finger: pulse 60, HR 88", True),
    Segment(W, 117420, 117490, "probe-on-again", _OXI, "first 10 s on the finger: SpO2 92, rising", True),
    Segment(W, 24155, 24172, "pulse-halved", _PULSE, "pulse 55 beside HR 84", True),
    Segment(W, 52928, 52947, "pulse-halved", _PULSE, "pulse 42 beside HR 82", True),
    Segment(W, 72485, 72545, "pulse-halved", _PULSE, "pulse 40 beside HR 88", True),
    Segment(W, 76682, 76798, "pulse-halved", _PULSE, "pulse 32 beside HR 90", True),
    Segment(W, 77505, 77640, "pulse-halved", _PULSE, "pulse 35 beside HR 90", True),
    Segment(W, 88508, 88546, "pulse-halved", _PULSE, "pulse 36 beside HR 86", True),
    Segment(W, 90636, 90765, "pulse-halved", _PULSE, "pulse 38 beside HR 90", True),
    Segment(W, 96532, 96552, "pulse-halved", _PULSE, "pulse 35 beside HR 86", True),
    Segment(W, 101398, 101446, "pulse-halved", _PULSE, "pulse 32 beside HR 86", True),
    Segment(W, 110345, 110388, "pulse-halved", _PULSE, "pulse 42 beside HR 82", True),
    Segment(W, 113395, 113487, "pulse-halved", _PULSE, "pulse 40 beside HR 80", True),
    Segment(W, 114140, 114176, "pulse-halved", _PULSE, "pulse 35 beside HR 82", True),
    Segment(W, 123626, 123656, "pulse-halved", _PULSE, "pulse 35 beside HR 82", True),
    Segment(W, 125013, 125037, "pulse-halved", _PULSE, "pulse 30 beside HR 92", True),
    Segment(W, 68205, 68236, "pulse-doubled", _PULSE, "pulse 127 beside HR 76", True),
    Segment(W, 109870, 109908, "pulse-doubled", _PULSE, "pulse 139 beside HR 85, perfusion falls", True),
    Segment(W, 45546, 45555, "breaths-lost", ("rr",), "RR 0 for 2 s, then gone, then 20 again"),
    Segment(W, 47320, 47330, "breaths-lost", ("rr",), "RR gone, 0 for 2 s, gone, 20 again"),
    Segment(W, 83979, 83988, "breaths-lost", ("rr",), "RR 0 for 2 s between 11 and 10"),
    Segment(W, 96482, 96492, "breaths-lost", ("rr",), "RR 8 to 0 for 4 s and back to 14"),
    Segment(W, 50105, 50140, "no-breaths", ("rr",), "RR 0 for 20 s, then gone; SpO2 97 throughout", True),
    Segment(W, 83425, 84195, "no-breaths", ("rr",), "RR 0 to 11 for 12 min; SpO2 97.3 throughout", True),
    Segment(W, 66108, 66120, "breaths-doubled", ("rr",), "RR +12 for 6 s"),
    Segment(W, 62965, 63128, "all-off", _ALL, "all go within 15 s, HR 0; all return as they were", True),
    Segment(W, 74240, 74495, "all-off", _ALL, "SpO2, RR, then HR go, HR 0; all return as they were", True),
    Segment(W, 118380, 118587, "all-off", _ALL, "SpO2 goes, 1 min later RR and HR, HR 0 for 79 s", True),
)  # fmt: skip

CHARTED: Final[tuple[Charted, ...]] = (
    Charted("p100064", 7, CUFF),
    Charted("p100162", 4, CUFF),
    Charted("p100215", 13, CUFF),
    Charted("p100144", 44, CUFF),
    Charted("p100072", 25, CUFF),
    Charted("p100048", 5, CUFF),
    Charted("p100119", 14, CUFF),
    Charted("p101232", 5, ("hr",)),
    Charted("p101295", 44, ("hr",)),
    Charted("p101455", 12, ("hr",)),
    Charted("p101242", 52, ("rr",)),
    Charted("p101164", 5, ("rr",)),
    Charted("p101897", 24, ("rr",)),
    Charted("p102177", 6, ("rr",)),
    Charted("p100148", 24, ("spo2",)),
    Charted("p100313", 42, ("spo2",)),
    Charted("p100008", 37, ("spo2",)),
    Charted("p100187", 21, ("spo2",)),
    Charted("p100834", 5, ("spo2",)),
)
WRONG: Final = {CUFF: "wrong-cuff", ("hr",): "wrong-value", ("rr",): "wrong-value", ("spo2",): "wrong-value"}
"""Kind of a charted value: a measurement of a cuff, or a lone value of another signal."""

SAID: Final = {"motion-said": "motion", "probe-off-said": "probe-off"}
"""Kinds that no recording here has, as none carries a device's words: the simulator's faults of that name."""
FROZEN: Final = "frozen"
"""Nor has any a device that repeats its last values: the simulator's, too."""
KINDS: Final[tuple[str, ...]] = (
    *dict.fromkeys(s.kind for s in SEGMENTS),
    *("wrong-cuff", "wrong-value", *SAID, FROZEN),
)
ALIKE: Final = frozenset(s.kind for s in SEGMENTS if s.alike)
"""Kinds in which artefact and event look alike in every signal, or that last too long for law 11."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an artefact does to each wrong signal, one number a second from its beginning.

    deviation: to be added to the true value; NaN where the device shows nothing; absolute: the shown value
    where that is 0 whatever the truth (silent leads), else NaN. ``pi`` deviates as a factor. ``source``:
    where it is from, for what is tuned on one source and judged on another.
    """

    kind: str
    deviation: Mapping[str, Float]
    absolute: Mapping[str, Float]
    source: str

    @property
    def seconds(self) -> int:
        return len(next(iter(self.deviation.values())))


class Bank:
    """The shapes and the noise of one folder of recordings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.monitor = {r.stay: r for r in _read(folder, "mimic4wdb", "*n.csv.gz")}
        self.bidmc = {r.stay: r for r in _read(folder, "bidmc", "bidmc_*_Numerics.csv")}
        if W not in self.monitor or not self.bidmc:
            raise InvalidError(
                f"{folder}: the filter is judged with mimic4wdb/{W} and bidmc; they are missing"
            )

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        found = [_shape(self._of(s.record), s) for s in SEGMENTS]
        return (*found, *(shape for c in CHARTED if (shape := self._charted(c)) is not None))

    def of_kind(self, kind: str, signals: tuple[str, ...]) -> list[Shape]:
        """Shapes of a kind that a device with these signals can show."""
        return [s for s in self.shapes if s.kind == kind and set(s.deviation) & set(signals)]

    @cached_property
    def noise(self) -> dict[str, Float]:
        """Deviations from a running median of a minute, signal → [windows, 480]; pi as a factor.

        BIDMC's records, and as many windows of the long recording, where nothing moves much.
        """
        windows = [_window(r, 0, 480) for r in self.bidmc.values()]
        long = self.monitor[W]
        windows += [_window(long, start, 480) for start in range(1_000, 160_000, 1_500)]
        kept = [w for w in windows if w is not None]
        without = next(w["pi"] for w in reversed(kept) if "pi" in w)
        return {name: np.array([w.get(name, without) for w in kept]) for name in DENSE}

    def _of(self, record: str) -> Recording:
        return self.monitor[record] if record in self.monitor else self.bidmc[record]

    def _charted(self, wrong: Charted) -> Shape | None:
        """How far that hour is off the mean of the hours beside it; None without that collection."""
        path = next((self.folder / "cinc2019").rglob(f"{wrong.record}.psv"), None)
        if path is None:
            return None
        (stay,) = read_recordings(path, "cinc2019")
        off = {}
        for name in wrong.signals:
            own = stay.signal == INDEX[name]
            by_hour = dict(zip((stay.time[own] // 3_600_000).tolist(), stay.value[own].tolist(), strict=True))
            around = [by_hour[h] for h in (wrong.hour - 1, wrong.hour + 1)]
            off[name] = np.array([by_hour[wrong.hour] - np.mean(around)])
        nowhere = {name: np.array([np.nan]) for name in off}
        return Shape(WRONG[wrong.signals], off, nowhere, wrong.record)


def grid(recording: Recording, signal: str, start: int, seconds: int) -> Float:
    """Values on whole seconds from ``start``; NaN where the last reading is older than ``STALE``."""
    own = recording.signal == INDEX[signal]
    time, value = recording.time[own] / SECOND, recording.value[own]
    at = np.arange(start, start + seconds)
    row = np.searchsorted(time, at, side="right") - 1
    known = row >= 0
    result = np.full(seconds, np.nan)
    known[known] = at[known] - time[row[known]] < STALE
    result[known] = value[row[known]]
    return result


def _read(folder: Path, name: str, pattern: str) -> list[Recording]:
    own = folder / name
    paths = sorted((own if own.is_dir() else folder).rglob(pattern))
    return [recording for path in paths for recording in read_recordings(path, name)]


def _shape(recording: Recording, segment: Segment) -> Shape:
    deviation, absolute = {}, {}
    n = segment.end - segment.start
    for name in segment.signals:
        values = grid(recording, name, segment.start - BESIDE, n + 2 * BESIDE)
        before, after = values[:BESIDE], values[-BESIDE:]
        known = [np.median(side[side > 0]) for side in (before, after) if (side > 0).any()]
        if not known:
            raise InvalidError(f"{segment.record} at {segment.start} s: nothing beside {name}")
        line = np.linspace(known[0], known[-1], n)
        own = values[BESIDE:-BESIDE]
        silent = (own == 0) & (name in ("hr", "rr"))
        absolute[name] = np.where(silent, 0.0, np.nan)
        deviation[name] = own / line if name == "pi" else own - line
    return Shape(segment.kind, deviation, absolute, f"{segment.record}:{segment.start}")


QUIET: Final = {"hr": 12.0, "pr": 12.0, "spo2": 2.5, "rr": 6.0}
"""How far a stretch that serves as noise may move off its running median."""


def _window(recording: Recording, start: int, seconds: int) -> dict[str, Float] | None:
    found = {}
    for name in DENSE:
        if not (recording.signal == INDEX[name]).any():
            continue
        values = grid(recording, name, start, seconds)
        if np.isnan(values).mean() > 0.02:
            return None
        values = np.interp(np.arange(seconds), np.flatnonzero(~np.isnan(values)), values[~np.isnan(values)])
        level = np.median(sliding_window_view(np.pad(values, 30, mode="edge"), 61), axis=1)
        found[name] = values / np.maximum(level, 0.1) if name == "pi" else values - level
        if name in QUIET and np.abs(found[name]).max() > QUIET[name]:
            return None
    return found if set(found) >= set(QUIET) else None
