"""Levels: what of a value matters. Two values of one level are alike to every rule and to NEWS2.

Most readings say again what the last one said; only where a level changes does a condition need a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.news2 import PARTS, cuts, points
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.rules import Clause, Rule
from ward.scoring.trends import TRACKED
from ward.signals import INDEX, N_OBSERVED

_SPO2: Final = INDEX["spo2"]
_FEW: Final = 32
"""So many cuts are compared one by one, which is faster than a search among them."""

Level = NDArray[Any]
Points = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Bands:
    """The levels of one signal. A cut is a level's least value; a value's level counts the cuts up to it.

    own [levels]: the level that counts only where a rule looks at the signal itself; low, high [levels]:
    between which points of NEWS2 its values may lie.
    """

    cuts: Float
    own: Level
    low: Points
    high: Points

    @classmethod
    def of(
        cls, own: Iterable[float], scored: Iterable[float], points: Callable[[Float], list[Points]]
    ) -> Bands:
        """From the cuts of rules and those of NEWS2; points: by every chart in use, of some values."""
        rules = _sorted(own)
        cuts = _sorted({*rules.tolist(), *scored})
        least = np.concatenate([[-np.inf], cuts])
        by_chart = np.stack(points(least))
        return cls(
            cuts, np.searchsorted(rules, least, side="right"), by_chart.min(axis=0), by_chart.max(axis=0)
        )

    def count(self, value: Float) -> Level:
        """Levels of values [n]; of NaN 0."""
        if len(self.cuts) > _FEW:
            level = np.searchsorted(self.cuts, value, side="right")
            level[np.isnan(value)] = 0
            return level
        with np.errstate(invalid="ignore"):
            small = np.zeros(len(value), np.uint8)
            for cut in self.cuts.tolist():
                small += (value >= cut).view(np.uint8)
        return small


class Levels:
    """Of a set of rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        own: list[set[float]] = [set() for _ in range(N_OBSERVED)]
        clauses = [c for r in rules for c in (*r.when, *r.clear_when)]
        self.matters: Bool = np.zeros(N_OBSERVED, np.bool_)
        """Signals that any rule looks at, by itself or by NEWS2."""
        self.totals = _sorted(cut for c in clauses if c.signal == "news2" for cut in _cut(c))
        """Where the truth of a clause on NEWS2 changes."""
        for clause in clauses:
            signal = INDEX[clause.signal]
            if signal < N_OBSERVED:
                self.matters[signal] = True
                own[signal] |= _cut(clause)
        self._scored = any(c.signal == "news2" for c in clauses)
        if self._scored:
            self.matters[[INDEX[part] for part in PARTS]] = True
        if any(c.signal == "risk" for c in clauses):
            self.matters[[INDEX[name] for name in TRACKED]] = True  # their readings count
        pulse, stand_in = INDEX["hr"], INDEX["pr"]
        if self.matters[pulse]:
            self.matters[stand_in] = True
            own[stand_in] |= own[pulse]
        parts = {INDEX[part]: part for part in PARTS if self._scored}
        if self._scored:
            parts[stand_in] = "hr"
        self._bands = [_bands(each, parts.get(signal), scales=(1,)) for signal, each in enumerate(own)]
        self._second = _bands(own[_SPO2], parts.get(_SPO2), scales=(1, 2))
        self.parts = [[pulse, stand_in] if part == "hr" else [INDEX[part]] for part in PARTS] if parts else []
        """For each part of NEWS2 the signals that it is taken from; none if no rule asks for the score."""

    def of(self, signal: int, value: Float, slot: Int, second: Bool) -> Level:
        """Levels of a signal's values [n]; of value where it is NaN: 0.

        slot [n]; second [slots]: whose SpO2 is scored on NEWS2's scale 2. Levels of one slot compare.
        """
        level = self._bands[signal].count(value)
        if signal == _SPO2 and second.any():
            rows = second[slot]
            level[rows] = self._second.count(value[rows])
        return level

    def own(self, signal: int, level: Level, slot: Int, second: Bool) -> Level:
        """Levels [n] as rules see them that look at the signal itself."""
        return self._pick("own", signal, level, slot, second)

    def points(self, signal: int, level: Level, slot: Int, second: Bool) -> tuple[Points, Points]:
        """The least and the most points of NEWS2 that values of these levels [n] may have."""
        return (
            self._pick("low", signal, level, slot, second),
            self._pick("high", signal, level, slot, second),
        )

    def _pick(self, name: str, signal: int, level: Level, slot: Int, second: Bool) -> NDArray[Any]:
        if signal != _SPO2 or not second.any():
            found: NDArray[Any] = getattr(self._bands[signal], name)[level]
            return found
        first, other = getattr(self._bands[signal], name), getattr(self._second, name)
        picked: NDArray[Any] = np.where(second[slot], other[level], first[np.minimum(level, len(first) - 1)])
        return picked


def _bands(own: set[float], part: str | None, scales: Sequence[int]) -> Bands:
    scored = {cut for scale in scales for cut in (cuts(part, scale) if part else ())}

    def by_chart(values: Float) -> list[Points]:
        if part is None:
            return [np.zeros(len(values), np.int8)]
        return [points(part, values, on_oxygen=on, scale=scale) for scale in scales for on in (False, True)]

    return Bands.of(own, scored, by_chart)


def _cut(clause: Clause) -> set[float]:
    """Where the truth of a clause changes: at its number, or just above it."""
    if clause.op == "absent":
        return set()
    at_number = clause.op in ("<", ">=")
    return {clause.number if at_number else float(np.nextafter(clause.number, np.inf))}


def _sorted(numbers: Iterable[float]) -> Float:
    return np.array(sorted(numbers), np.float64)
