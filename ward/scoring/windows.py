"""What rules with ``within`` > ``for`` remember beyond the numbers of a cell: their past BREACH runs.

A *run* is BREACH with no OK inside (UNKNOWN neither ends nor lengthens it). On the rule's clock a run
begins at ``known`` ms of known time and ``total`` ms of BREACH. The last ``within`` of known time holds
``for`` of BREACH exactly if, going back from now over ``for`` of BREACH, no more than ``within`` of known
time passes; inside a run that distance does not change, so only the starts of runs need testing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.readings import Bool, Int
from ward.scoring.rules import Rule

_OK: Final = 0
_BREACH: Final = 1
_FIRST_ROOM: Final = 4
_FAR: Final = np.iinfo(np.int64).max // 4

_RUN: Final = ("known", "total", "since", "count")


class Windows:
    """Runs of every windowed cell, oldest first; room grows with the busiest cell."""

    def __init__(self, rules: Sequence[Rule], slots: int) -> None:
        windowed = [i for i, r in enumerate(rules) if r.within_ms > r.for_ms]
        self._rules = len(rules)
        self._columns = len(windowed)
        self._column = np.full(max(len(rules), 1), -1, np.int64)
        self._column[windowed] = np.arange(len(windowed))
        self._for = np.array([rules[i].for_ms for i in windowed], np.int64)
        self._within = np.array([rules[i].within_ms for i in windowed], np.int64)
        n = slots * len(windowed)
        self._known = np.zeros(n, np.int64)  # known ms on the clock, at the cell's anchor
        self._total = np.zeros(n, np.int64)  # BREACH ms on the clock, at the cell's anchor
        self._runs = np.zeros(n, np.int64)
        self._run: dict[str, Int] = {name: np.zeros((n, _FIRST_ROOM), np.int64) for name in _RUN}

    def _own(self, cells: Int) -> tuple[Bool, Int]:
        """Which of the cells are windowed, and those cells' rows here."""
        column = self._column[cells % self._rules] if self._rules else np.empty(0, np.int64)
        mine = column >= 0
        return mine, (cells[mine] // self._rules) * self._columns + column[mine]

    def resize(self, slots: int) -> None:
        added = slots * self._columns - len(self._known)
        self._known, self._total, self._runs = (
            np.concatenate([a, np.zeros(added, np.int64)]) for a in (self._known, self._total, self._runs)
        )
        self._run = {
            k: np.concatenate([v, np.zeros((added, v.shape[1]), np.int64)]) for k, v in self._run.items()
        }

    def owns(self, cells: Int) -> Bool:
        """Which of the cells are windowed."""
        return self._own(cells)[0]

    def adopt(self, cells: Int, other: Windows, theirs: Int) -> None:
        """The runs of these cells, from cells of another set; windowed here as there."""
        _, rows = self._own(cells)
        _, source = other._own(theirs)
        if not len(rows):
            return
        self._known[rows], self._total[rows] = other._known[source], other._total[source]
        self._runs[rows] = other._runs[source]
        for name, runs in other._run.items():
            missing = runs.shape[1] - self._run[name].shape[1]
            if missing > 0:
                self._run[name] = np.pad(self._run[name], ((0, 0), (0, missing)))
            self._run[name][rows, : runs.shape[1]] = runs[source]

    def seed(self, cells: Int, since: Int, breach: Int, count: NDArray[np.int32]) -> None:
        """One run, still open, of ``breach`` ms since ``since`` (-1: none)."""
        _, rows = self._own(cells)
        self._known[rows] = self._total[rows] = breach
        self._runs[rows] = since >= 0
        self._run["since"][rows, 0] = since
        self._run["count"][rows, 0] = count

    def clear(self, cells: Int) -> None:
        """The clocks of these cells start anew."""
        self.restart(cells, np.zeros(len(cells), np.int64))

    def restart(self, cells: Int, known: Int) -> None:
        """The clocks start anew, ``known`` ms of OK ago."""
        if self._columns:
            mine, rows = self._own(cells)
            self._known[rows] = known[mine]
            self._total[rows] = 0
            self._runs[rows] = 0

    def holds(self, cells: Int) -> Bool:
        """Whether the cell has anything that a long UNKNOWN would wipe."""
        found = np.zeros(len(cells), np.bool_)
        if self._columns:
            mine, rows = self._own(cells)
            found[mine] = self._known[rows] > 0
        return found

    def advance(self, cells: Int, lasted: Int, state: NDArray[np.int8]) -> None:
        """The present state lasts ``lasted`` ms more."""
        if self._columns:
            mine, rows = self._own(cells)
            self._known[rows] += np.where(state[mine] <= _BREACH, lasted[mine], 0)
            self._total[rows] += np.where(state[mine] == _BREACH, lasted[mine], 0)

    def begin(self, cells: Int, at: Int) -> None:
        """A run begins at ``at`` in each cell; runs that no window can reach any more are dropped."""
        if not self._columns or not len(cells):
            return
        mine, rows = self._own(cells)
        if not len(rows):
            return
        self._drop_old(rows)
        room = self._run["known"].shape[1]
        if (self._runs[rows] >= room).any():
            self._run = {k: np.concatenate([v, np.zeros_like(v)], axis=1) for k, v in self._run.items()}
        place = self._runs[rows]
        self._run["known"][rows, place] = self._known[rows]
        self._run["total"][rows, place] = self._total[rows]
        self._run["since"][rows, place] = at[mine]
        self._run["count"][rows, place] = 0
        self._runs[rows] += 1

    def _drop_old(self, rows: Int) -> None:
        """Forget runs that ended ``within`` or more known ms ago."""
        column = rows % self._columns
        known, total = self._run["known"][rows], self._run["total"][rows]
        width = known.shape[1]
        index = np.arange(width)
        following = np.concatenate([total[:, 1:], np.zeros((len(rows), 1), np.int64)], axis=1)
        last = index == (self._runs[rows] - 1)[:, None]
        following = np.where(last, self._total[rows][:, None], following)
        end = known + following - total
        old = (index < self._runs[rows][:, None]) & (
            self._known[rows][:, None] - end >= self._within[column][:, None]
        )
        drop = old.sum(axis=1)
        some = drop > 0
        if some.any():
            moved = np.minimum(index + drop[some][:, None], width - 1)
            for values in self._run.values():
                values[rows[some]] = np.take_along_axis(values[rows[some]], moved, axis=1)
            self._runs[rows[some]] -= drop[some]

    def count(self, cells: Int) -> None:
        """One more reading found the present run in BREACH."""
        if self._columns and len(cells):
            _, rows = self._own(cells)
            some = self._runs[rows] > 0
            self._run["count"][rows[some], self._runs[rows[some]] - 1] += 1

    def earliest(
        self, cells: Int, anchor: Int, need: NDArray[np.int32], at: Int, since: Int, filled: Int
    ) -> None:
        """Where past runs let a cell in BREACH fire, improve ``at`` and ``since`` (in place).

        ``filled`` becomes the first instant at which the time alone would suffice, readings or not.
        """
        if not self._columns or not len(cells):
            return
        mine, rows = self._own(cells)
        if not len(rows):
            return
        column = rows % self._columns
        sustain, within = self._for[column][:, None], self._within[column][:, None]
        known, total = self._known[rows][:, None], self._total[rows][:, None]
        run = {k: v[rows] for k, v in self._run.items()}
        index = np.arange(run["known"].shape[1])
        real = index < self._runs[rows][:, None]
        ahead = run["total"] + sustain - total  # ms until BREACH since this run is `for`
        reach = known + ahead - run["known"]  # known time that passes on the way back, then
        fits = real & (reach <= within)
        counts = np.where(real, run["count"], 0)
        readings = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]  # in this run and those after it

        # A start passed already counts at the anchor, if the way back still ends inside that run.
        next_total = np.concatenate([run["total"][:, 1:], np.full((len(rows), 1), _FAR)], axis=1)
        last = index == (self._runs[rows] - 1)[:, None]
        next_total = np.where(last, _FAR, next_total)
        inside = total - sustain < next_total
        usable = fits & ((ahead >= 0) | inside)
        wait = np.where(usable, np.maximum(ahead, 0), _FAR)
        first = wait.min(axis=1)
        hit = first < _FAR
        base = anchor[mine]
        filled[mine] = np.where(hit, np.minimum(filled[mine], base + np.where(hit, first, 0)), filled[mine])

        enough = np.where(readings >= need[mine][:, None], wait, _FAR)
        best = enough.min(axis=1)
        chosen = np.where(enough == best[:, None], index, -1).max(axis=1)
        found = best < _FAR
        when = base + np.where(found, best, 0)
        better = found & (when <= at[mine])
        places = np.flatnonzero(mine)[better]
        at[places] = when[better]
        since[places] = run["since"][np.flatnonzero(better), chosen[better]]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        own = {"known": self._known, "total": self._total, "runs": self._runs}
        return {f"window.{k}": v.copy() for k, v in own.items()} | {
            f"window.run.{k}": v.copy() for k, v in self._run.items()
        }

    def restore(self, state: dict[str, NDArray[Any]], slots: int) -> None:
        self._known, self._total, self._runs = (
            state[f"window.{k}"].copy() for k in ("known", "total", "runs")
        )
        if len(self._known) != slots * self._columns:
            raise ValueError("the snapshot holds other rules or slots")
        self._run = {k: state[f"window.run.{k}"].copy() for k in _RUN}
