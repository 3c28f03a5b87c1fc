"""Many streams on their walk at once: what ``runs`` does with one stream, a reading of each at a time.

Where a whole ward's values leap, walking stream by stream costs more than everything else. Here the k-th
reading that needs a look is judged in all streams together. Both ways lead to the same marks and the same
memory; a property test holds them together.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring import limits
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.runs import (
    FAST,
    IMPLAUSIBLE,
    INVALID,
    LEADS,
    PRESSURES,
    QUESTIONABLE,
    RATE,
    RUN_STATE,
    SPIKE,
    VALID,
    Runs,
    suspicious,
)
from ward.scoring.streams import LONG_AGO

FEW: Final = 12
"""So few streams are walked one by one as quickly."""


def follow_all(
    runs: Runs, streams: Int, sizes: Int, rows: Int, strong: Bool, level: Float, suspects: Bool
) -> None:
    """Walk all these streams' new readings, ``sizes`` [n] of each: rows of the table, each stream's in order.

    strong, level, suspects: of all these rows, as in ``Runs.follow``.
    """
    ends = np.cumsum(sizes)
    left: list[tuple[int, int, bool | None]] = [(n, 0, None) for n in range(len(sizes))]
    if len(streams) > FEW:
        left = _Walk(runs, streams, sizes, rows, strong, level, suspects).go()
    for n, taken, steady in left:
        here = slice(int(ends[n] - sizes[n]) + taken, int(ends[n]))
        runs.follow(int(streams[n]), rows[here], strong[here], level[here], suspects[here], steady)


class _Walk:
    """The streams' new readings in rows one after the other, each stream's after those of its open run.

    All arrays are over streams [n] or over rows [m]; ``pos`` is each stream's next row.
    """

    def __init__(
        self, runs: Runs, streams: Int, new: Int, rows: Int, strong: Bool, level: Float, suspects: Bool
    ) -> None:
        """As ``follow_all``."""
        self.runs, self.streams = runs, streams
        before = [runs.pending.pop(stream, []) for stream in streams.tolist()]
        waiting = np.array([len(own) for own in before], np.int64)
        self.head: Int = np.cumsum(waiting + new) - (waiting + new)
        self.begin: Int = self.head + waiting
        self.end: Int = self.begin + new
        is_new = np.zeros(int((waiting + new).sum()), np.bool_)
        is_new[_spread(self.begin, self.end)] = True
        self.row: Int = np.empty(len(is_new), np.int64)
        self.row[is_new] = rows
        self.row[~is_new] = [row for own in before for row in own]
        self.strong, self.level_before = np.zeros(len(is_new), np.bool_), np.empty(len(is_new))
        self.strong[is_new], self.level_before[is_new] = strong, level
        suspected = np.zeros(len(is_new), np.bool_)
        suspected[is_new] = suspects
        self.next_suspect = _next(suspected)
        self.table = table = runs.table
        self.time, self.value, self.hold = table.time[self.row], table.value[self.row], table.hold[self.row]
        self.doubt = runs.reason[self.row]
        self.signal = table.signal[self.row[self.begin]].astype(np.int64)
        self.slot = table.slot[self.row[self.begin]]
        self.state = {name: runs.streams[name][streams] for name in RUN_STATE}
        self.pos = self.begin.copy()
        self.run_at = self.head.copy()
        self.steady: Bool = self.state["run_start"] == LONG_AGO

    def go(self) -> list[tuple[int, int, bool | None]]:
        """Walk on while there are many. Returns of each stream that is left: its number among the streams,
        how many of its new rows were taken, and whether its level is as was told."""
        left = np.arange(len(self.streams))
        while len(left) > FEW:
            self._skip(left)
            self._take(left)
            left = left[self.pos[left] < self.end[left]]
        for name, column in self.state.items():
            self.runs.streams[name][self.streams] = column
        for n in np.flatnonzero(self._is_open()).tolist():
            rows = self.row[self.run_at[n] : self.pos[n]].tolist()
            self.runs.pending[int(self.streams[n])] = rows
        return [(n, int(self.pos[n] - self.begin[n]), bool(self.steady[n])) for n in left.tolist()]

    # ------------------------------------------------------------------ one reading of each

    def _is_open(self) -> Bool:
        is_open: Bool = self.state["run_start"] != LONG_AGO
        return is_open

    def _skip(self, a: Int) -> None:
        """To the next reading that needs a look, where the level is what it was said to be."""
        steady = a[self.steady[a]]
        at = np.maximum(
            self.pos[steady], np.minimum(self.next_suspect[self.pos[steady]], self.end[steady] - 1)
        )
        self.pos[steady] = at
        self.state["level"][steady] = self.level_before[at]
        inside = at > self.begin[steady]
        before = self.time[at[inside] - 1]
        self.state["seen"][steady[inside]] = self.state["level_time"][steady[inside]] = before

    def _take(self, a: Int) -> None:
        s = self.state
        time = self.time[self.pos[a]]
        self._expire(a, time)
        waits = s["run_start"][a] != LONG_AGO
        self.steady[a] = False
        running, fresh = a[waits], a[~waits]
        trailing = np.zeros(len(fresh), np.bool_)
        if len(running):
            against = self._contradicted(running)
            closed = running[against]
            self._join(running[~against])
            fresh = np.concatenate([fresh, closed])
            trailing = np.concatenate([trailing, self._trails(closed)])
            self._close(closed, self.pos[closed], INVALID, SPIKE)
        if len(fresh):
            self._begin(fresh, trailing)
        s["seen"][a] = time
        self.pos[a] += 1

    def _begin(self, a: Int, trailing: Bool) -> None:
        """Streams without a run: readings that are valid beyond doubt, near enough, or begin a run."""
        s, at = self.state, self.pos[a]
        time, value, doubt = self.time[at], self.value[at], self.doubt[at]
        elapsed = time - s["level_time"][a]
        signal, level = self.table.signal[self.row[at]], s["level"][a]
        judged = suspicious(signal, value, elapsed, level, doubt, self.strong[at], self.runs.active)
        begins = trailing | judged
        calm = a[~begins]
        s["level_time"][calm] = time[~begins]
        sure = ~begins & (doubt == 0)
        s["level"][a[sure]] = value[sure]
        self.steady[a[sure]] = True
        begun = a[begins]
        if len(begun):
            s["run_start"][begun], s["run_value"][begun], s["run_count"][begun] = (
                time[begins],
                value[begins],
                0,
            )
            seen = s["seen"][begun]
            s["run_dense"][begun] = (time[begins] - seen <= limits.PERSIST) | (seen == LONG_AGO)
            self.run_at[begun] = at[begins]
            self._join(begun)

    # ------------------------------------------------------------------ runs

    def _contradicted(self, a: Int) -> Bool:
        """As ``_Stream.contradicted``, [n]."""
        s, at, signal = self.state, self.pos[a], self.signal[a]
        value, latest, level = self.value[at], self.value[at - 1], s["level"][a]
        near = limits.NEAR[signal]
        with np.errstate(invalid="ignore"):
            moved = (np.abs(value - latest) > near) & (self.runs.reason[self.row[at - 1]] == PRESSURES)
            change, was = value - level, latest - level
            close = 2 * np.abs(change) <= near
            back = (3 * np.abs(change) <= np.abs(was)) | (change * was < 0)
            normal = _normal(signal, value)
            known = s["run_start"][a] - s["level_time"][a] <= limits.MEMORY[signal]
            ask = known & normal & ~back & ~close & self._is_fall(a)
            back[ask] = self._is_half_way_back(a[ask], change[ask])
            back &= normal | ~_normal(signal, level)
            began = s["run_value"][a]
            away = (np.abs(value - began) > near) & normal & ~_normal(signal, began)
        found: Bool = ~self.strong[at] & (moved | np.where(known, close | back, away))
        return found

    def _is_fall(self, a: Int) -> Bool:
        if "fast-fall" not in self.runs.active:
            return np.zeros(len(a), np.bool_)
        first = self.runs.reason[self.row[self.run_at[a]]]
        found: Bool = (self.signal[a] == limits.SPO2) & ((first == FAST) | (first == RATE))
        return found

    def _is_half_way_back(self, a: Int, change: Float) -> Bool:
        off = self._medians(self.run_at[a], self.pos[a]) - self.state["level"][a]
        found: Bool = (2 * np.abs(change) <= np.abs(off)) & (change * off > 0)
        return found

    def _trails(self, a: Int) -> Bool:
        off = np.abs(self.value[self.pos[a]] - self.state["level"][a])
        found: Bool = self.state["run_dense"][a] & self._is_fall(a) & (off >= limits.FAST_NEAR)
        return found

    def _join(self, a: Int) -> None:
        s, at = self.state, self.pos[a]
        time, row, doubt = self.time[at], self.row[at], self.doubt[at]
        decide = s["run_start"][a] + limits.PERSIST
        s["run_last"][a] = time
        s["run_end"][a] = np.maximum(time + np.minimum(self.hold[at], limits.LONGEST_WAIT), decide)
        s["run_count"][a] += 1
        self.runs.mark[row] = QUESTIONABLE
        plausible = _within(limits.PLAUSIBLE, self.signal[a], self.value[at])
        self.runs.reason[row] = np.where(doubt != 0, doubt, np.where(plausible, RATE, IMPLAUSIBLE))
        lasted = time >= decide
        self._confirm(a[lasted], at[lasted] + 1, time[lasted])

    def _expire(self, a: Int, before: Int) -> None:
        """Close the runs whose time came before ``before``."""
        s = self.state
        decide = s["run_start"][a] + limits.PERSIST
        is_open = s["run_start"][a] != LONG_AGO
        dense = (s["run_count"][a] > 1) & (s["run_last"][a] >= decide - limits.PERSIST // 2)
        lasted = is_open & (decide < before) & dense
        over = is_open & ~lasted & (s["run_end"][a] < before)
        when = np.where(lasted, decide, s["run_end"][a])
        due = lasted | over
        self._confirm(a[due], self.pos[a[due]], when[due])

    def _confirm(self, a: Int, stop: Int, when: Int) -> None:
        """The runs up to ``stop`` (rows) have lasted."""
        if not len(a):
            return
        s = self.state
        silent = np.zeros(len(a), np.bool_)
        if "leads-off" in self.runs.active:
            silent = self.signal[a] == limits.HR
            silent[silent] = self._highest(self.run_at[a[silent]], stop[silent]) < limits.NO_BEAT
            mute = a[silent]
            outlasts = self.runs.others.pulse_outlasts(self.slot[mute], s["run_start"][mute], when[silent])
            silent[silent] = outlasts
            mute = a[silent]
            begins = mute[s["off_last"][mute] <= s["level_time"][mute]]
            s["off_since"][begins] = s["run_start"][begins]
            s["off_last"][mute] = s["run_last"][mute]
            self._close(mute, stop[silent], INVALID, LEADS)
        a, stop = a[~silent], stop[~silent]
        s["level"][a] = self._medians(self.run_at[a], stop)
        s["level_time"][a] = self.time[stop - 1]
        rows = self.row[_spread(self.run_at[a], stop)]
        np.add.at(self.runs.confirmed, self.runs.reason[rows], 1)
        self._close(a, stop, VALID, 0)

    def _close(self, a: Int, stop: Int, mark: int, reason: int) -> None:
        rows = self.row[_spread(self.run_at[a], stop)]
        self.runs.mark[rows] = mark
        if mark == INVALID:  # what was only a change has turned out to be a spike; other reasons stay
            was = self.runs.reason[rows]
            told = (was == RATE) | (was == FAST) | (reason == LEADS)
            self.runs.reason[rows[told]] = reason
        self.state["run_start"][a] = LONG_AGO

    # ------------------------------------------------------------------ values of runs

    def _medians(self, begin: Int, stop: Int) -> Float:
        size = stop - begin
        value = self.value[_spread(begin, stop)]
        number = np.repeat(np.arange(len(size)), size)
        value = value[np.lexsort((value, number))]
        at = np.cumsum(size) - size
        found: Float = (value[at + (size - 1) // 2] + value[at + size // 2]) / 2
        return found

    def _highest(self, begin: Int, stop: Int) -> Float:
        size = stop - begin
        if not len(size):
            return np.empty(0)
        highest: Float = np.maximum.reduceat(self.value[_spread(begin, stop)], np.cumsum(size) - size)
        return highest


def _spread(begin: Int, stop: Int) -> Int:
    """All rows of the slices, one slice after the other."""
    size = stop - begin
    found: Int = np.arange(int(size.sum())) + np.repeat(begin - (np.cumsum(size) - size), size)
    return found


def _next(found: Bool) -> Int:
    """At each row the next one that was found, itself included; far away where there is none."""
    n = len(found)
    at = np.where(found, np.arange(n), n)
    following: Int = np.minimum.accumulate(at[::-1])[::-1]
    return following


def _within(table: NDArray[np.float64], signal: Int, value: Float) -> Bool:
    found: Bool = (value >= table[signal, 0]) & (value <= table[signal, 1])
    return found


def _normal(signal: Int, value: Float) -> Bool:
    return _within(limits.NORMAL, signal, value)
