"""Derived scores on their way to the history: NEWS2 and risk, whenever they change and every few minutes.

They are kept as readings of the ward itself, as they were known at that time and nothing later: what comes
late changes no score that was shown. Nothing is kept while a score is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ward.live.views import news2_now
from ward.scoring.conditions import HR, PR
from ward.scoring.detectors import REASON
from ward.scoring.engine import Engine
from ward.scoring.filter import QUESTIONABLE, VALID
from ward.scoring.news2 import NOT_SCORED, PARTS
from ward.scoring.readings import Bool, Float, Int
from ward.signals import INDEX, MINUTE, SECOND
from ward.store.chunks import ITSELF, History

if TYPE_CHECKING:
    from ward.live.core import Core

LOOK: Final = 10 * SECOND
"""So often scores are looked at: one that came and went in between was not sustained by anybody."""
EVERY: Final = 5 * MINUTE
"""So often one that does not change is kept again, so that a gap can be told from no change."""
KEPT: Final = ("news2", "risk")
_SIGNALS: Final = np.array([INDEX[name] for name in KEPT], np.int8)
_PARTS: Final = [INDEX[name] for name in PARTS]
_PULSE: Final = PARTS.index("hr")


class Scores:
    """What was kept last of each slot: value and time (ms) of each score, [slots, scores]."""

    def __init__(self, slots: int) -> None:
        self._value: Float = np.full((slots, len(KEPT)), np.nan)
        self._time: Int = np.zeros((slots, len(KEPT)), np.int64)
        self._looked = -LOOK

    def forget(self, slot: int) -> None:
        self._resize(slot + 1)
        self._value[slot] = np.nan

    def look(self, core: Core) -> None:
        """Put what is new into the history, if it is time to look again."""
        engine = core.engine
        if engine.until - self._looked < LOOK:
            return
        self._looked = engine.until
        self._resize(engine.slots)
        slots = np.array(sorted(core.slots.taken()), np.int64)
        slots = slots[engine.frontier[slots] >= 0]
        if not len(slots):
            return
        value, doubt = _scores(engine, slots)
        time = engine.frontier[slots]
        old = time[:, None] - self._time[slots] >= EVERY
        row, score = np.nonzero(~np.isnan(value) & ((value != self._value[slots]) | old))
        self._value[slots] = value
        self._time[slots[row], score] = time[row]
        stays = {slot: core.stays[core.slots.stay(slot)] for slot in slots[row].tolist()}
        kept = History.of(
            len(row),
            signal=_SIGNALS[score],
            time=time[row],
            value=value[row, score],
            mark=np.where(doubt[row, score] > 0, QUESTIONABLE, VALID),
            reason=doubt[row, score],
            device=ITSELF,
        )
        here = np.array([stays[slot].end is None for slot in slots[row].tolist()], np.bool_)
        names = {slot: stay.id for slot, stay in stays.items()}
        core.history.add_scores(names, slots[row][here], kept.take(here))

    def _resize(self, slots: int) -> None:
        more = slots - len(self._value)
        if more > 0:
            self._value = np.concatenate([self._value, np.full((more, len(KEPT)), np.nan)])
            self._time = np.concatenate([self._time, np.zeros((more, len(KEPT)), np.int64)])


def _scores(engine: Engine, slots: Int) -> tuple[Float, NDArray[np.uint8]]:
    """Of each slot, [n, scores]: the values, NaN where unknown, and why they are in doubt (0: they are not).

    A score with a part that was never known, or whose hold is over, is no more than the least it can be, or
    what it was: it is kept in doubt, not as a whole one.
    """
    rows, score, known = news2_now(engine, slots)
    fresh: Bool = rows.fresh[:, _PARTS]
    fresh[:, _PULSE] = rows.fresh[:, HR] | rows.fresh[:, PR]
    stale = (~fresh & ~score.missing).any(axis=1)
    missing = score.missing.any(axis=1)
    value = np.full((len(slots), len(KEPT)), np.nan)
    value[:, 0] = np.where(known, score.total, np.nan)
    if engine.risk is not None:
        value[:, 1] = np.where(engine.scale[slots] == NOT_SCORED, np.nan, engine.risk.value[slots])
    doubt = np.zeros(value.shape, np.uint8)
    doubt[:, 0] = np.select([missing, stale], [REASON["parts-missing"], REASON["parts-stale"]], 0)
    return value, doubt
