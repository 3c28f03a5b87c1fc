"""The course of the held signals over a span of time: where it may matter to a rule, and where not.

Most readings say again what the last one said. A *run* is a row of readings of one slot and signal, each
within the hold of the one before and of its level: together they are as good as one reading with a long
hold. Only where a run begins with something new, or ends, may the state of a condition change; and only
the first few readings after such a place may count towards a rule's ``min_readings``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ward.scoring.held import NEVER, Effective, Held, Timeline
from ward.scoring.levels import Levels, Points
from ward.scoring.readings import Bool, Float, Int, Packing, distinct
from ward.signals import N_OBSERVED

_NO_KEYS: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Strand:
    """One signal's readings, sorted by slot and time, and where its runs begin."""

    slot: Int
    time: Int
    value: Float
    expires: Int
    read: Bool
    begins: Bool
    news: Bool
    """Where a reading says something new to a rule that looks at the signal itself, or to NEWS2 ..."""
    own: Bool
    """... and where to such a rule."""
    ended: Bool
    """Where nothing follows before the hold is over."""


class Course:
    """From ``since`` (of each slot, ms, exclusive) to ``until``; ``new`` is what was read in between."""

    def __init__(
        self, held: Held, new: Effective, since: Int, until: Int, levels: Levels, second: Bool
    ) -> None:
        self._held, self._until, self._levels, self._second = held, until, levels, second
        self._matters = np.flatnonzero(levels.matters).tolist()
        bounds = np.searchsorted(new.signal, np.arange(N_OBSERVED + 1)).tolist()
        self._strands: dict[int, _Strand] = {}
        for signal in self._matters:
            here = slice(bounds[signal], bounds[signal + 1])
            if here.start < here.stop:
                self._add(signal, new, here)
        self._events = [self._carried_ends(since)]
        banded = [strand.slot[strand.news & ~strand.own] for strand in self._strands.values()]
        settled = self._settled(np.concatenate([_NO_KEYS, *banded]))
        for strand in self._strands.values():
            at = strand.own | (strand.news & ~settled[strand.slot])
            self._events += [
                (strand.slot[at], strand.time[at]),
                (strand.slot[strand.ended], strand.expires[strand.ended]),
            ]
        self._packing = Packing(0, 0)
        self._keys: dict[int, Int] = {}
        self._read: dict[int, Int] = {}
        """Of the keys those of readings: a device that takes over has measured nothing."""

    def _add(self, signal: int, new: Effective, here: slice) -> None:
        """Find where the runs of one signal begin and end."""
        levels, second = self._levels, self._second
        slot, time, value, expires = new.slot[here], new.time[here], new.value[here], new.expires[here]
        n = len(slot)
        first = np.ones(n, np.bool_)
        first[1:] = slot[1:] != slot[:-1]
        if first.all():  # one reading of each slot, as in a tick
            at: Int | slice = slice(None)
            last: Int | slice = slice(None)
        else:
            at = np.flatnonzero(first)
            last = np.append(at[1:], n) - 1
        heads = slot[at]
        level = levels.of(signal, value, slot, second)
        before = levels.of(signal, self._held.value[heads, signal], heads, second)
        ended, resumed, changed = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n, np.bool_)
        ended[:-1] = resumed[1:] = time[1:] > expires[:-1]
        resumed[at] = time[at] > self._held.expires[heads, signal]
        changed[1:] = level[1:] != level[:-1]
        changed[at] = level[at] != before
        ended[last] = expires[last] <= self._until[slot[last]]
        news = resumed | changed
        own = resumed
        some = np.flatnonzero(changed)
        if len(some):
            previous = np.where(first[some], 0, level[some - 1])
            begun = first[some]
            previous[begun] = before[np.searchsorted(heads, slot[some[begun]])]
            moved = levels.own(signal, level[some], slot[some], second)
            own[some] |= moved != levels.own(signal, previous, slot[some], second)
        self._strands[signal] = _Strand(
            slot, time, value, expires, new.read[here], news | first, news, own, ended
        )

    def _settled(self, asked: Int) -> Bool:
        """Which of the slots asked for have a NEWS2 that crosses no rule's number, whatever its parts do."""
        settled = np.zeros(len(self._until), np.bool_)
        settled[asked] = True
        slots = np.flatnonzero(settled)
        least, most = np.zeros(len(slots), np.int16), np.zeros(len(slots), np.int16)
        for signals in self._levels.parts if len(slots) else ():
            lows, highs = zip(*(self._range(signal, slots) for signal in signals), strict=True)
            least += np.minimum.reduce(lows)
            most += np.maximum.reduce(highs)
        passed = [np.searchsorted(self._levels.totals, total, side="right") for total in (least, most)]
        settled[slots] = passed[0] == passed[1]
        return settled

    def _range(self, signal: int, slots: Int) -> tuple[Points, Points]:
        """The least and the most points that a signal gives in each of these slots (sorted), [n] each."""
        levels, second = self._levels, self._second
        value = self._held.value[slots, signal]
        low, high = levels.points(signal, levels.of(signal, value, slots, second), slots, second)
        low[np.isnan(value)] = high[np.isnan(value)] = 0
        strand = self._strands.get(signal)
        if strand is not None:
            among = np.zeros(len(self._until), np.bool_)
            among[slots] = True
            rows = np.flatnonzero(strand.begins & among[strand.slot])
            slot = strand.slot[rows]
            own = levels.points(signal, levels.of(signal, strand.value[rows], slot, second), slot, second)
            place = np.searchsorted(slots, slot)
            np.minimum.at(low, place, own[0])
            np.maximum.at(high, place, own[1])
        return low, high

    def _carried_ends(self, since: Int) -> tuple[Int, Int]:
        """Where holds that were running before end without a successor."""
        slot, signal, when = self._held.ending(since, self._until)
        real = self._levels.matters[signal]
        for number, strand in self._strands.items():
            mine = np.flatnonzero(signal == number)
            at = np.searchsorted(strand.slot, slot[mine])
            there = at < len(strand.slot)
            there[there] = strand.slot[at[there]] == slot[mine[there]]
            real[mine[there]] = strand.time[at[there]] > when[mine[there]]
        return slot[real], when[real]

    # ------------------------------------------------------------------ rows

    def rows(self, extra: tuple[Int, Int], counting: Int, most: int) -> Timeline:
        """Where something may change, and at ``extra`` (slots, times), wanted for another reason.

        counting: slots of which the first ``most`` readings of each signal are wanted too, as they may
        count. Rows that nothing asks for do not appear.
        """
        events = [*self._events, extra]
        if not len(counting) and not any(len(slot) for slot, _ in events):
            return self._timeline(_NO_KEYS)
        times = [strand.time for strand in self._strands.values()]
        self._packing = Packing.of(*times, *(time for _, time in events))
        self._keys = {n: self._packing.key(strand.slot, strand.time) for n, strand in self._strands.items()}
        self._read = {n: self._keys[n][strand.read] for n, strand in self._strands.items()}
        keys = [self._packing.key(*event) for event in events]
        low = counting << self._packing.bits
        keys += self._first_readings(low - 1, low + (1 << self._packing.bits), most)
        return self._timeline(distinct(np.concatenate(keys)))

    def key(self, rows: Timeline) -> Int:
        """One number for each row; they grow, and a number in between is a time in between."""
        return self._packing.key(rows.slot, rows.time)

    def open(self, key: Int) -> tuple[Int, Int]:
        """Slot and time of such a number."""
        return self._packing.open(key)

    def readings_after(self, key: Int, which: Bool, most: int) -> Int:
        """Keys of the first ``most`` readings of each signal between these rows and the next of their
        slot."""
        following = np.append(key[1:], NEVER)[which]
        mine = key[which]
        end = ((mine >> self._packing.bits) + 1) << self._packing.bits
        found = self._first_readings(mine, np.minimum(following, end), most)
        return distinct(np.concatenate([_NO_KEYS, *found]))

    def _first_readings(self, low: Int, high: Int, most: int) -> list[Int]:
        """Keys of readings, the first ``most`` of each signal with low < key < high."""
        found = []
        for key in self._read.values() if len(low) else ():
            at = np.searchsorted(key, low, side="right")
            end = np.minimum(np.searchsorted(key, high), at + most)
            for n in range(most):
                more = at + n < end
                if not more.any():
                    break
                found.append(key[at[more] + n])
        return found

    def read_at(self, key: Int) -> dict[int, Bool]:
        """By signal: whether a reading was taken at the very instant of each key."""
        found = {}
        for signal, strand in self._strands.items():
            own = self._keys[signal]
            at = np.minimum(np.searchsorted(own, key), len(own) - 1)
            found[signal] = (own[at] == key) & strand.read[at]
        return found

    def _timeline(self, key: Int) -> Timeline:
        slot, time = self._packing.open(key)
        shape = (len(key), N_OBSERVED)
        value, expires = np.full(shape, np.nan), np.full(shape, -1, np.int64)
        for signal in self._matters if len(key) else ():
            own_value, own_expires = self._held.value[slot, signal], self._held.expires[slot, signal]
            strand = self._strands.get(signal)
            if strand is not None:
                begins = np.flatnonzero(strand.begins)
                ends = strand.expires[np.append(begins[1:], len(strand.slot)) - 1]
                run = np.searchsorted(self._keys[signal][begins], key, side="right") - 1
                hit = run >= 0
                hit[hit] = strand.slot[begins[run[hit]]] == slot[hit]
                own_value[hit], own_expires[hit] = strand.value[begins[run[hit]]], ends[run[hit]]
            value[:, signal], expires[:, signal] = own_value, own_expires
        return Timeline(slot, time, value, time[:, None] < expires, expires)
