"""Which way a signal goes, in a word: from its values minute by minute, the newest last. Pure.

**Often measured** (at least three of the last five minutes known, and three of those 11 to 15 minutes back):
the median of the last five minutes against the median of those five. **Seldom measured** (a cuff, a
thermometer): the newest value against the one before it, if both are of the last two hours. ``rising`` or
``falling`` from a difference of ``STEPS`` on, below that ``steady``. Otherwise it is not known which way it
goes, and no word is said: a gap is not steady.

A step is about twice what the value of a resting patient moves by, or what the sensor is accurate to
(oximeters: 2 %); chosen for this software, not taken from a study.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int8]

STEPS: Final[Mapping[str, float]] = {
    "hr": 10.0,
    "pr": 10.0,
    "spo2": 2.0,
    "rr": 4.0,
    "sbp": 15.0,
    "temp": 0.5,
}
"""By how much a signal must differ to be called rising or falling, in its own unit."""
SELDOM: Final = frozenset({"sbp", "temp"})
"""Signals whose single values are also compared."""
WORDS: Final[tuple[str | None, ...]] = ("steady", "rising", None, "falling")
"""By number: 0, 1, 2 (not known), -1."""
UNCLEAR: Final = 2

_SPAN: Final = 5
_BACK: Final = 10
_LEAST: Final = 3


def tendency(values: NDArray[np.floating], signal: str) -> Words:
    """Of each row of values [n, minutes] (NaN: none in that minute), a number of ``WORDS`` [n].

    At least 15 minutes; the last column is the newest minute that is over. KeyError for a signal that is
    not in ``STEPS``.
    """
    step = STEPS[signal]
    near, far = values[:, -_SPAN:], values[:, -_BACK - _SPAN : -_BACK]
    often = np.minimum(_known(near), _known(far)) >= _LEAST
    found = np.full(len(values), UNCLEAR, np.int8)
    if often.any():
        moved = np.nanmedian(near[often], axis=1) - np.nanmedian(far[often], axis=1)
        found[often] = _word(moved, step)
    if signal in SELDOM:
        seldom = ~often & (_known(values) >= 2)
        found[seldom] = [_word_of_last_two(row, step) for row in values[seldom]]
    return found


def _known(values: NDArray[np.floating]) -> NDArray[np.int64]:
    known: NDArray[np.int64] = (~np.isnan(values)).sum(axis=1, dtype=np.int64)
    return known


def _word(moved: NDArray[np.floating], step: float) -> Words:
    return ((moved >= step).astype(np.int8) - (moved <= -step).astype(np.int8)).astype(np.int8)


def _word_of_last_two(row: NDArray[np.floating], step: float) -> int:
    before, last = row[~np.isnan(row)][-2:]
    return int(_word(np.array([last - before]), step)[0])
