"""A learned detector beside the table: would its second opinion help?

Gradient-boosted trees look at a short window of all signals before each reading and say how likely it is
artefact; where that is likely the reading is doubted, as by any other doubt of the filter: it waits for what
follows, at most 15 s, and no extreme that lasts is hidden. Trained on wards and on shapes that are not those
it is judged on. It is offline only: the live filter has it only if it is better there by these figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.evaluation.filter_judge import Tally, marks_of
from ward.evaluation.filter_shapes import Shape
from ward.evaluation.filter_wards import Streams, wrong
from ward.scoring.detectors import REASON, Doubts
from ward.scoring.filter import Filter
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.signals import INDEX, SECOND

JUDGED: Final = ("hr", "spo2", "rr")
"""Signals that rules look at and that are measured every few seconds."""
BESIDE: Final = ("hr", "pr", "spo2", "rr", "pi")
BACK: Final = (1, 2, 4, 8)
"""A reading is compared with those so many before it, and with the mean and the highest of the last ..."""
WINDOW: Final = 30
CLOSE: Final = 10 * SECOND
"""Readings further apart are too sparse for it; other signals count when no older than this."""
FALSE: Final = 0.002
"""Share of the true readings of the training wards that it may doubt."""
ROWS: Final = 150_000


@dataclass(frozen=True, slots=True)
class Learned:
    """One model and its cut-off for each signal of ``JUDGED``."""

    models: dict[str, tuple[Any, float]]


def halves(shapes: Sequence[Shape]) -> tuple[list[Shape], list[Shape]]:
    """Shapes to train on and shapes to judge with: of each kind every other one; a lone one is judged."""
    seen: dict[str, int] = {}
    parts: tuple[list[Shape], list[Shape]] = ([], [])
    for shape in shapes:
        seen[shape.kind] = seen.get(shape.kind, 0) + 1
        parts[seen[shape.kind] % 2].append(shape)
    return parts


def features(readings: Readings, name: str) -> tuple[Int, Float]:
    """Rows of a signal that is measured every few seconds, and what was seen until then, [rows, features]."""
    own = np.flatnonzero(readings.signal == INDEX[name])
    order = own[np.lexsort((readings.time[own], readings.device[own], readings.slot[own]))]
    slot, time, value = readings.slot[order], readings.time[order], readings.value[order]
    stream = slot.astype(np.int64) * 8 + readings.device[order]
    columns = [value, *(value - _before(value, stream, time, back) for back in BACK)]
    total = np.concatenate([[0.0], np.cumsum(value)])
    at = np.arange(len(value))
    begin = np.maximum(at - WINDOW, np.searchsorted(stream, stream))
    with np.errstate(invalid="ignore", divide="ignore"):
        columns.append(value - (total[at] - total[begin]) / (at - begin))
    for other in BESIDE:
        if other != name:
            now, then = (_latest(readings, other, slot, time - ago) for ago in (0, 8 * SECOND))
            columns += [now, now - then]
    columns.append(columns[0] - columns[-2] if name == "hr" else np.zeros(len(value)))
    kept = np.append(False, (np.diff(time) <= CLOSE) & (np.diff(stream) == 0))
    return order[kept], np.stack(columns, axis=1)[kept].astype(np.float32)


def train(batches: Iterable[Streams], seed: int) -> Learned:
    from sklearn.ensemble import HistGradientBoostingClassifier

    taken: dict[str, list[tuple[Float, Bool]]] = {name: [] for name in JUDGED}
    rng = np.random.default_rng([seed, 79])
    for streams in batches:
        shown, rows = streams.shown()
        artefact = wrong(streams)[rows]
        for name in JUDGED:
            which, x = features(shown, name)
            y = artefact[which]
            keep = y | (rng.random(len(y)) < 0.2)
            taken[name].append((x[keep], y[keep]))
    models = {}
    for name, parts in taken.items():
        x, y = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        chosen = rng.permutation(len(y))[:ROWS]
        held = rng.random(len(chosen)) < 0.3
        fit, calibrate = chosen[~held], chosen[held]
        model = HistGradientBoostingClassifier(max_iter=80, max_depth=4, random_state=seed)
        model.fit(x[fit], y[fit])
        true = calibrate[~y[calibrate]]
        cut = float(np.quantile(model.predict_proba(x[true])[:, 1], 1 - FALSE))
        models[name] = (model, cut)
    return Learned(models)


class Advised(Filter):
    """The filter with doubts from outside: ``doubtful`` by the readings' ``seq``."""

    def __init__(self, slots: int, doubtful: Bool, *, without: Sequence[str] = ()) -> None:
        super().__init__(slots, without=without)
        self._doubtful = doubtful

    def _doubts(self, readings: Readings, order: Int, stream: Int) -> Doubts:
        doubts = super()._doubts(readings, order, stream)
        doubts.reason[self._doubtful[readings.seq] & (doubts.reason == 0)] = REASON["device-quality"]
        return doubts


def advised(streams: Streams, learned: Learned, *, without: Sequence[str] = ()) -> tuple[Tally, Int]:
    """The filter with the second opinion on these streams; how many readings waited in vain, by reason."""
    shown, rows = streams.shown()
    doubtful = np.zeros(len(streams.clean), np.bool_)
    for name, (model, cut) in learned.models.items():
        which, x = features(shown, name)
        doubtful[rows[which]] = model.predict_proba(x)[:, 1] > cut
    filter_ = Advised(streams.slots, doubtful, without=without)
    tally = Tally.of(streams, marks_of(streams, filter_))
    return tally, filter_.confirmed


def _before(value: Float, stream: Int, time: Int, back: int) -> Float:
    result = np.full(len(value), np.nan)
    if back < len(value):
        same = (stream[back:] == stream[:-back]) & (time[back:] - time[:-back] <= back * CLOSE)
        result[back:][same] = value[:-back][same]
    return result


def _latest(readings: Readings, name: str, slot: NDArray[np.int32], time: Int) -> Float:
    """The signal's last value up to each time, from whichever device; NaN where older than ``CLOSE``."""
    own = np.flatnonzero(readings.signal == INDEX[name])
    bits = 44
    base = int(readings.time.min()) - 3600 * SECOND
    key = (readings.slot[own].astype(np.int64) << bits) + readings.time[own] - base
    order = np.argsort(key, kind="stable")
    wanted = (slot.astype(np.int64) << bits) + time - base
    at = np.searchsorted(key[order], wanted, side="right") - 1
    result = np.full(len(time), np.nan)
    near = at >= 0
    near[near] = wanted[near] - key[order][at[near]] <= CLOSE
    result[near] = readings.value[own[order[at[near]]]]
    return result
