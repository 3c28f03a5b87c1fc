"""Real recordings: faults injected at known times, and what the filter says of their own artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ward.evaluation.filter_shapes import (
    DENSE,
    FROZEN,
    KINDS,
    SEGMENTS,
    Bank,
    Segment,
    Shape,
    W,
)
from ward.evaluation.filter_wards import NUMBER, START, TOLERANCE, Streams, spoilt
from ward.ingest.recordings import Recording
from ward.scoring.filter import REASONS, VALID, Filter
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.signals import INDEX, MEASURED, MINUTE, SECOND, SIGNALS, hold_of

EVERY: Final = (3 * 60, 8 * 60)
"""s from the end of one injected fault to the beginning of the next."""
CLEAR: Final = 90
"""s around a real artefact in which none is injected."""
TRUE: Final[tuple[tuple[str, int, int, str], ...]] = (
    (W, 107_400, 109_050, "periodic breathing: SpO2 to 79..88 every 50 s, RR and perfusion swing"),
    (W, 34_190, 34_240, "SpO2 falls by 0.3 % a second to 85 as RR slows"),
    (W, 116_240, 116_300, "SpO2 falls by 0.3 % a second to 84"),
    (W, 131_700, 131_780, "SpO2 falls to 85 after a pause in breathing"),
    (W, 134_250, 134_650, "SpO2 falls to 84 twice, breathing periodic"),
    (W, 162_960, 163_010, "SpO2 falls to 79 in 15 s, RR 30; nothing contradicts it"),
    (W, 161_505, 161_535, "heart rate 138 for 8 s; the pulse follows to 105"),
    (W, 15_500, 15_575, "heart rate 124; the pulse follows to 120"),
    (W, 33_700, 33_760, "no breath for 32 s; heart rate rises to 95 and SpO2 falls after it"),
    ("82284982n", 0, 300, "SpO2 77 to 85 with a pulse of 145"),
)
"""Real extremes: what must not be lost. (record, start s, end s, what one sees)"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One real artefact: wrong readings (their signal far from what it was before and after), of them found
    not valid, and the reasons given."""

    segment: Segment
    shown: int
    caught: int
    beyond: int
    beyond_caught: int
    reasons: tuple[str, ...]


def as_streams(recordings: Sequence[Recording]) -> Streams:
    """As recorded, one slot each, nothing injected; times from ``START``."""
    parts = []
    for slot, recording in enumerate(recordings):
        dense = np.isin(recording.signal, [INDEX[name] for name in DENSE])
        holds = np.array([hold_of(i) for i in range(len(SIGNALS))])
        parts.append(
            Readings.of(
                slot=slot,
                signal=recording.signal[dense],
                time=START + recording.time[dense] + MINUTE,
                value=recording.value[dense],
                hold=holds[recording.signal[dense]],
            )
        )
    clean = Readings.concat(parts)
    clean = clean.take(np.lexsort((clean.signal, clean.time)))
    clean.seq[:] = np.arange(len(clean))
    n = len(clean)
    return Streams(
        clean,
        clean.value.copy(),
        np.zeros(n, np.int8),
        np.full(n, np.nan),
        np.full(n, -1, np.int8),
        np.full(n, -1, np.int64),
        clean.slot.astype(np.int64),
        len(recordings),
    )


def with_faults(bank: Bank, seed: int, shapes: Sequence[Shape] | None = None) -> Streams:
    """The recordings with shapes injected at drawn, known times, away from artefacts of their own.

    Of the long recording every six hours are a stay of their own in the bootstrap.
    """
    names = [W, *bank.bidmc]
    recordings = [bank.monitor[W], *bank.bidmc.values()]
    streams = as_streams(recordings)
    rng = np.random.default_rng([seed, 78])
    by_kind: dict[str, list[Shape]] = {}
    for shape in bank.shapes if shapes is None else shapes:
        if set(shape.deviation) & set(DENSE):
            by_kind.setdefault(shape.kind, []).append(shape)
    kinds, instance = [k for k in KINDS if k in by_kind and k != FROZEN], 0
    for slot, (name, recording) in enumerate(zip(names, recordings, strict=True)):
        own = np.flatnonzero(streams.clean.slot == slot)
        time = (streams.clean.time[own] - START - MINUTE) // SECOND
        real = [(s.start - CLEAR, s.end + CLEAR) for s in SEGMENTS if s.record == name]
        last, at = int(recording.time[-1]) // SECOND - 60, int(rng.uniform(60, 200))
        while at < last:
            shape = _drawn(by_kind[kinds[int(rng.integers(len(kinds)))]], rng)
            end = at + max(shape.seconds, 1)
            if end < last and not any(at < late and early < end for early, late in real):
                rows = own[np.searchsorted(time, at) : np.searchsorted(time, end)]
                _inject(streams, rows, at, shape, instance)
                instance += 1
            at = end + int(rng.uniform(*EVERY))
    hours = (streams.clean.time - START) // (360 * MINUTE)
    streams.group[:] = np.where(streams.clean.slot == 0, hours, 100 + streams.clean.slot)
    return streams


def _drawn(shapes: Sequence[Shape], rng: np.random.Generator) -> Shape:
    return shapes[int(rng.integers(len(shapes)))]


def _inject(streams: Streams, rows: Int, at: int, shape: Shape, number: int) -> None:
    clean = streams.clean
    for name in set(shape.deviation) & set(DENSE):
        mine = rows[clean.signal[rows] == INDEX[name]]
        since = clean.time[mine] - START - MINUTE - at * SECOND
        streams.value[mine] = spoilt(name, clean.value[mine], since, shape)
        streams.kind[mine] = NUMBER[shape.kind]
        streams.instance[mine] = number


def verdicts(bank: Bank) -> tuple[list[Verdict], list[tuple[str, int, int, str, int, int]]]:
    """What the filter says of every listed artefact, and of the true extremes beside them (for these:
    record, start, end, what one sees, extreme readings, of them valid)."""
    names = [*bank.monitor, *bank.bidmc]
    streams = as_streams([*bank.monitor.values(), *bank.bidmc.values()])
    last = int(streams.clean.time[-1]) + 70 * MINUTE
    marked = Filter(streams.slots).push(streams.clean, last)
    order = np.argsort(marked.readings.seq)
    mark, reason = marked.mark[order], marked.reason[order]

    def within(record: str, start: int, end: int) -> Bool:
        time = streams.clean.time - START - MINUTE
        inside: Bool = (streams.clean.slot == names.index(record)) & (time >= start * SECOND)
        return inside & (time < end * SECOND)

    found = []
    for segment in SEGMENTS:
        inside = within(segment.record, segment.start, segment.end)
        beside = within(segment.record, segment.start - 20, segment.end + 20) & ~inside
        wrong, beyond = np.zeros(len(mark), np.bool_), np.zeros(len(mark), np.bool_)
        for name in segment.signals:
            own = streams.clean.signal == INDEX[name]
            usual = streams.clean.value[own & beside]
            if name == "pi" or not len(usual):
                continue
            off = np.abs(streams.clean.value - np.median(usual[usual > 0])) >= TOLERANCE[name]
            wrong |= own & inside & off
            beyond |= own & inside & off & _extreme(name, streams.clean.value)
        bad = mark != VALID
        words = tuple(sorted({REASONS[r] for r in np.unique(reason[wrong & bad])}))
        shown, caught, over, over_caught = (
            int(rows.sum()) for rows in (wrong, wrong & bad, beyond, beyond & bad)
        )
        found.append(Verdict(segment, shown, caught, over, over_caught, words))
    kept = []
    for record, start, end, seen in TRUE:
        if record in names:
            inside = within(record, start, end)
            extreme = inside & _any_extreme(streams.clean)
            kept.append((record, start, end, seen, int(extreme.sum()), int((mark[extreme] == VALID).sum())))
    return found, kept


def _extreme(name: str, value: Float) -> Bool:
    """Where WARD's rules or NEWS2's extreme band look."""
    low, high = {"spo2": (92, 101), "rr": (9, 24), "hr": (41, 111), "pr": (41, 111)}[name]
    beyond: Bool = (value < low) | (value >= high)
    return beyond


def _any_extreme(readings: Readings) -> Bool:
    found = np.zeros(len(readings), np.bool_)
    for name in ("spo2", "rr", "hr"):
        found |= (readings.signal == MEASURED.index(name)) & _extreme(name, readings.value)
    return found
