"""Which setting to choose for a wanted load: of those that no other beats, the one that hears most within it;
and beside it the one that costs least, for the best answer to a low precision may be fewer alerts.

Nothing is applied by this. A choice among hundreds, made and judged on the same readings, flatters itself:
so each suggestion says what the same choice, made on one half of the stays, came to on the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ward.scoring.readings import Bool, Float, Int
from ward.trial.outcome import DAY, Measured

MISS_COST: Final = 5.0
"""A true alert that is missed weighs so many times a false one (PhysioNet/CinC Challenge 2015)."""
ENOUGH: Final = 10
"""Stays and events that a check on the other half needs at the least."""

Load = Literal["alerts", "interruptions"]


@dataclass(frozen=True, slots=True)
class Wish:
    """At most ``per_day`` of these in a patient-day. Alerts: of the rules that are tried; interruptions: of
    the whole set of rules."""

    per_day: float
    of: Load = "alerts"
    miss_cost: float = MISS_COST


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a choice made on one half of the stays came to on the other, both ways added up."""

    per_day: float
    caught: int
    events: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Positions in ``Measured.rows``. chosen, cheapest: None where no setting keeps to the wanted load."""

    chosen: int | None
    cheapest: int | None
    least: int
    """The setting with the smallest load."""
    front: tuple[int, ...]
    held_out: HeldOut | None


def costs(measured: Measured, miss_cost: float) -> Float:
    """[settings] (weight × events missed + false alerts) per patient-day."""
    missed = (~measured.caught).sum(axis=1)
    false = np.array([row.false.sum() for row in measured.rows])
    found: Float = (miss_cost * missed + false) / max(measured.days, 1e-9)
    return found


def front(load: Float, recall: Float, ahead: Float, among: Sequence[int]) -> tuple[int, ...]:
    """Those of ``among`` than which no other has less load and as much recall, by rising load; of equals the
    one that was further ``ahead`` of events. All [settings]."""
    best, found = -1.0, []
    for n in sorted(among, key=lambda n: (load[n], -recall[n], -ahead[n])):
        if recall[n] > best:
            best = float(recall[n])
            found.append(n)
    return tuple(found)


def ahead(measured: Measured) -> Float:
    """[settings] ms by which alerts were ahead of the events they heard, all added up."""
    return np.array([float(row.lead.sum()) for row in measured.rows])


def suggest(measured: Measured, counts: Int, known: Bool, wish: Wish) -> Suggestion:
    """counts [settings, stays]: what the wish counts; known [settings]: where that was worked out. The first
    row, what is in force, is compared with and never suggested. Without any event nothing is."""
    half = np.arange(len(measured.monitored)) % 2 == 1
    every = np.ones(len(half), np.bool_)
    among = [n for n in range(1, len(measured.rows)) if known[n]]
    whole = _Part(measured, counts, every)
    best = whole.front(among) if len(measured.events) else ()
    chosen = _choose(whole, best, wish)
    allowed = [n for n in best if whole.load[n] <= wish.per_day]
    return Suggestion(
        chosen,
        min(allowed, key=lambda n: whole.cost(n, wish), default=None),
        min(among, key=lambda n: whole.load[n]),
        best,
        None if chosen is None else _held_out(measured, counts, half, among, wish),
    )


class _Part:
    """Load, recall and what they are made of, of some stays."""

    def __init__(self, measured: Measured, counts: Int, stays: Bool) -> None:
        inside = stays[measured.events.stay]
        self.days = max(float(measured.monitored[stays].sum()) / DAY, 1e-9)
        self.counted: Int = counts[:, stays].sum(axis=1)
        self.caught: Int = measured.caught[:, inside].sum(axis=1)
        self.events = int(inside.sum())
        self.false: Int = np.array([row.false[stays].sum() for row in measured.rows])
        self.load: Float = self.counted / self.days
        self.recall: Float = self.caught / max(self.events, 1)
        self._ahead = ahead(measured)

    def front(self, among: Sequence[int]) -> tuple[int, ...]:
        return front(self.load, self.recall, self._ahead, among)

    def cost(self, n: int, wish: Wish) -> float:
        return wish.miss_cost * float(self.events - self.caught[n]) + float(self.false[n])


def _choose(part: _Part, best: Sequence[int], wish: Wish) -> int | None:
    """The last on the front that keeps to the load: there is none that hears more."""
    return max((n for n in best if part.load[n] <= wish.per_day), key=lambda n: part.load[n], default=None)


def _held_out(
    measured: Measured, counts: Int, half: Bool, among: Sequence[int], wish: Wish
) -> HeldOut | None:
    parts = [_Part(measured, counts, half), _Part(measured, counts, ~half)]
    if len(half) < ENOUGH or sum(part.events for part in parts) < ENOUGH:
        return None
    counted = caught = 0
    for own, other in (parts, parts[::-1]):
        chosen = _choose(own, own.front(among), wish)
        if chosen is None:
            return None
        counted += int(other.counted[chosen])
        caught += int(other.caught[chosen])
    return HeldOut(counted / sum(part.days for part in parts), caught, sum(part.events for part in parts))
