"""Levels: what of a value matters. Two values of one level are alike to every rule and to NEWS2.

Most readings say again what the last one said; only where a level changes does a condition need a look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.news2 import PARTS, cuts
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.rules import Clause, Rule
from ward.scoring.trends import TRACKED
from ward.signals import INDEX, N_OBSERVED

_SPO2: Final = INDEX["spo2"]
_FEW: Final = 32
"""So many cuts are compared one by one, which is faster than a search among them."""

Level = NDArray[Any]


class Levels:
    """Of a set of rules. A cut is the least value of a level; a value's level counts the cuts up to it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        found: list[set[float]] = [set() for _ in range(N_OBSERVED)]
        clauses = [c for r in rules for c in (*r.when, *r.clear_when)]
        scored = any(c.signal == "news2" for c in clauses)
        self.matters: Bool = np.zeros(N_OBSERVED, np.bool_)
        """Signals that any rule looks at, by itself or by NEWS2."""
        for clause in clauses:
            signal = INDEX[clause.signal]
            if signal < N_OBSERVED:
                self.matters[signal] = True
                found[signal] |= _cut(clause)
        if scored:
            for part in PARTS:
                self.matters[INDEX[part]] = True
                found[INDEX[part]] |= set(cuts(part, scale=1))
        if any(c.signal == "risk" for c in clauses):
            self.matters[[INDEX[name] for name in TRACKED]] = True  # their readings count
        pulse, stand_in = INDEX["hr"], INDEX["pr"]
        if self.matters[pulse]:
            self.matters[stand_in] = True
            found[stand_in] |= found[pulse]
        self._cuts = [_sorted(each) for each in found]
        self._second = _sorted(found[_SPO2] | set(cuts("spo2", scale=2))) if scored else self._cuts[_SPO2]

    def of(self, signal: int, value: Float, slot: Int, second: Bool) -> Level:
        """Levels of a signal's values [n]; of value where it is NaN: 0.

        slot [n]; second [slots]: whose SpO2 is scored on NEWS2's scale 2. Levels of one slot compare.
        """
        level = _count(self._cuts[signal], value)
        if signal == _SPO2 and self._second is not self._cuts[_SPO2] and second.any():
            rows = second[slot]
            level[rows] = _count(self._second, value[rows])
        return level


def _cut(clause: Clause) -> set[float]:
    """Where the truth of a clause changes: at its number, or just above it."""
    if clause.op == "absent":
        return set()
    at_number = clause.op in ("<", ">=")
    return {clause.number if at_number else float(np.nextafter(clause.number, np.inf))}


def _sorted(numbers: Iterable[float]) -> Float:
    return np.array(sorted(numbers), np.float64)


def _count(cuts: Float, value: Float) -> Level:
    if len(cuts) > _FEW:
        level = np.searchsorted(cuts, value, side="right").astype(np.int16)
        level[np.isnan(value)] = 0
        return level
    with np.errstate(invalid="ignore"):
        small = np.zeros(len(value), np.uint8)
        for cut in cuts.tolist():
            small += (value >= cut).view(np.uint8)
    return small
