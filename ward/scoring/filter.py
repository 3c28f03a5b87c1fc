"""The artefact filter: marks each reading valid, questionable or invalid, with a reason.

Only what cannot be (outside the possible range) or what the device itself calls no measurement is
invalid at once. What is doubtful is questionable until what follows confirms or contradicts it; see
``runs``. A true extreme is delayed by at most 15 s or, where readings are further apart, until that
signal's next reading, and counts from its own time. A frozen device's normal-looking values stay
questionable: nothing that follows can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring import limits
from ward.scoring.abreast import follow_all
from ward.scoring.detectors import (
    REASON,
    REASONS,
    Doubts,
    Latest,
    Others,
    examine,
    find_fast,
    find_still,
    looks_normal,
)
from ward.scoring.readings import DTYPES, Bool, Int, Readings
from ward.scoring.runs import INVALID, QUESTIONABLE, VALID, Runs, suspicious
from ward.scoring.screen import LEAST, Screen
from ward.scoring.streams import LONG_AGO, device_registry, stream_keys, stream_registry

__all__ = ["INVALID", "MARKS", "QUESTIONABLE", "REASONS", "VALID", "Filter", "Marked"]

MARKS: Final[tuple[str, ...]] = ("valid", "questionable", "invalid")
"""Words of the marks 0, 1, 2."""
NEVER: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Marked:
    """Readings with their marks, columns of one length.

    mark: 0 valid, 1 questionable, 2 invalid; reason: index into ``REASONS``, 0 where valid; first:
    False where the reading was told before, as questionable, and is now resolved.
    """

    readings: Readings
    mark: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    first: Bool

    def take(self, index: Any) -> Marked:
        """The rows of a mask, slice or index array."""
        return Marked(self.readings.take(index), self.mark[index], self.reason[index], self.first[index])

    @classmethod
    def concat(cls, parts: Sequence[Marked]) -> Marked:
        kept = [part for part in parts if len(part.readings)] or parts[:1]
        if len(kept) == 1:
            return kept[0]
        return cls(
            Readings.concat([part.readings for part in kept]),
            *(np.concatenate([getattr(part, name) for part in kept]) for name in ("mark", "reason", "first")),
        )

    @classmethod
    def all_valid(cls, readings: Readings) -> Marked:
        n = len(readings)
        return cls(readings, np.zeros(n, np.uint8), np.zeros(n, np.uint8), np.ones(n, np.bool_))


class Filter:
    """The filter of all stays of a partition; one slot a stay."""

    def __init__(self, slots: int, *, without: Collection[str] = ()) -> None:
        """``without``: names of ``limits.DETECTORS`` left out, to see what each catches and costs."""
        self.slots = slots
        self._active = frozenset(limits.DETECTORS) - frozenset(without)
        self.until = LONG_AGO
        self._streams = stream_registry()
        self._devices = device_registry()
        self._others = Others(Latest(slots), Latest(slots), Latest(slots))
        self._open = Readings.empty()
        self._open_reason = np.empty(0, np.uint8)
        self.confirmed: Int = np.zeros(len(REASONS), np.int64)
        """Readings that had to wait and were believed, by reason, since this object was made."""

    def push(self, readings: Readings, until: int) -> Marked:
        """Judge new readings; ``until`` is how far time is known to have come (ms).

        ``readings`` are in order (time, seq, row), later than any earlier ``until`` and not later than
        this one. Returns all of them, and before them those of earlier pushes that are resolved now.
        However a stream is cut into pushes, every reading ends with the same mark. Quick where the readings
        of each signal stand together.
        """
        return Marked.concat(self.judge(readings, until))

    def judge(self, readings: Readings, until: int) -> tuple[Marked, ...]:
        """The same in parts, which need not be brought together: what is resolved now, if anything, then the
        new ones, in their order."""
        in_order = len(readings) >= LEAST and (readings.signal[1:] >= readings.signal[:-1]).all()
        if not in_order or self._active != limits.DETECTORS.keys():
            return (self._push(readings, until),)
        screen = Screen(readings, self._streams, self._devices, self._others)
        quiet = screen.quiet(self.slots)
        odd = ~quiet[readings.slot]
        left = odd.copy()
        left[screen.pass_over(quiet)] = True
        rest = np.flatnonzero(left)
        found = self._push(readings.take(rest), until, odd[rest], screen.reason[rest])
        resolved = len(found.mark) - len(rest)
        new = Marked.all_valid(readings)
        new.mark[rest], new.reason[rest] = found.mark[resolved:], found.reason[resolved:]
        return (found.take(slice(0, resolved)), new) if resolved else (new,)

    def _push(
        self,
        readings: Readings,
        until: int,
        odd: Bool | None = None,
        reason: NDArray[np.uint8] | None = None,
    ) -> Marked:
        """Judge each reading. odd [n]: of those that are not, ``reason`` is all that speaks against them."""
        earlier = len(self._open)
        self.until = max(self.until, until)
        table = Readings.concat([self._open, readings])
        mark = np.full(len(table), VALID, np.uint8)
        mark[:earlier] = QUESTIONABLE
        stream = self._streams.find(stream_keys(table))
        pending: dict[int, list[int]] = {}
        for row, own in enumerate(stream[:earlier].tolist()):
            pending.setdefault(own, []).append(row)

        order = np.argsort(stream[earlier:], kind="stable")
        if odd is None or reason is None or odd.all():
            doubts = self._doubts(readings, order, stream[earlier:])
        else:
            doubts = Doubts.none(reason)
            if odd.any():
                some = np.flatnonzero(odd)
                own = stream[earlier:][some]
                doubts.put(some, self._doubts(readings.take(some), np.argsort(own, kind="stable"), own))
        mark[earlier:][doubts.refused] = INVALID
        mark[earlier:][doubts.frozen & ~doubts.refused] = QUESTIONABLE
        reason = np.concatenate([self._open_reason, doubts.reason])
        runs = Runs(table, mark, reason, self._streams, self._others, pending, self._active)
        judged = order[((mark[earlier:] == VALID) & (readings.signal < limits.N_MEASURED))[order]]
        self._judge(
            runs, judged + earlier, stream, np.concatenate([np.zeros(earlier, np.bool_), doubts.strong])
        )
        runs.settle(self.until)
        self.confirmed += runs.confirmed
        for _, latest in self._others.all():
            latest.commit()

        reason[mark == VALID] = 0
        first = np.arange(len(table)) >= earlier
        still = np.zeros(len(table), np.bool_)
        still[[row for rows in pending.values() for row in rows]] = True
        told = first | ~still
        if len(table) == 0 or (told.all() and not still.any()):
            self._open, self._open_reason = Readings.empty(), np.empty(0, np.uint8)
            return Marked(table, mark, reason, first)
        self._open, self._open_reason = table.take(still), reason[still]
        return Marked(table.take(told), mark[told], reason[told], first[told])

    def waiting(self) -> Int:
        """Per slot the time of the earliest questionable reading that will be resolved within 15 s of it.

        The largest int64 where there is none. Readings of sparse streams, which wait for the signal's
        next reading, are not counted: when confirmed, they come late.
        """
        streams = self._streams
        result = np.full(self.slots, NEVER, np.int64)
        soon = (streams["run_start"] != LONG_AGO) & (streams["run_dense"] | (streams["run_count"] > 1))
        soon &= streams["run_start"] + limits.PERSIST > self.until
        np.minimum.at(result, streams.slot[soon], streams["run_start"][soon])
        return result

    def leads_off(self) -> tuple[Int, Int]:
        """Slots whose leads are off by the witness of the pulse, ``OFF_FOR`` by now; since when (ms)."""
        s = self._streams
        lasting = self.until - s["off_since"] >= limits.OFF_FOR
        known = self.until - s["off_last"] <= limits.OFF_MEMORY
        off = lasting & known & (s["off_last"] > s["level_time"])
        slots, first = np.unique(s.slot[off], return_index=True)
        return slots, s["off_since"][off][first]

    def resize(self, slots: int) -> None:
        """Make room for more stays."""
        if slots > self.slots:
            self.slots = slots
            for _, latest in self._others.all():
                latest.resize(slots)

    def forget(self, slot: int) -> None:
        """The slot is free for another stay."""
        self._streams.forget(slot)
        self._devices.forget(slot)
        for _, latest in self._others.all():
            latest.forget(slot)
        self._keep_open(self._open.slot != slot)

    def adopt(self, slot: int, other: Filter, source: int = 0) -> None:
        """Take over what another filter knows of its slot ``source`` as this one's ``slot``."""
        self.forget(slot)
        self._streams.adopt(slot, other._streams, source)
        self._devices.adopt(slot, other._devices, source)
        for (_, own), (_, theirs) in zip(self._others.all(), other._others.all(), strict=True):
            own.adopt(slot, theirs, source)
        rows = other._open.slot == source
        moved = other._open.take(rows)
        moved.slot[:] = slot
        self._open = Readings.concat([self._open, moved])
        self._open_reason = np.concatenate([self._open_reason, other._open_reason[rows]])

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """All state as arrays, for ``restore``."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "streams": self._streams.snapshot(),
            "devices": self._devices.snapshot(),
            "open": {**self._open.columns(), "reason": self._open_reason},
            **{f"latest{signal}": latest.snapshot() for signal, latest in self._others.all()},
        }
        state = {
            f"{part}.{name}": column for part, columns in parts.items() for name, column in columns.items()
        }
        return {**state, "until": np.array([self.until, self.slots], np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Become the filter that gave this snapshot."""
        parts: dict[str, dict[str, NDArray[Any]]] = {}
        for name, column in state.items():
            part, _, own = name.partition(".")
            parts.setdefault(part, {})[own] = column
        self.until, self.slots = (int(number) for number in state["until"])
        self._streams.restore(parts["streams"])
        self._devices.restore(parts["devices"])
        for signal, latest in self._others.all():
            latest.restore(parts[f"latest{signal}"])
        self._open = Readings(**{name: np.array(parts["open"][name], kind) for name, kind in DTYPES.items()})
        self._open_reason = np.array(parts["open"]["reason"], np.uint8)

    def _doubts(self, readings: Readings, order: Int, stream: Int) -> Doubts:
        still = find_still(readings, order, stream, self._streams, self._devices)
        still &= "flat-line" in self._active
        doubts = examine(readings, self._others, still, self._active)
        fast = find_fast(readings, order, stream, self._streams, doubts.refused, self._active)
        doubts.reason[:] = np.where(doubts.reason == 0, fast, doubts.reason)
        frozen = still & looks_normal(readings) & ~doubts.refused
        doubts.reason[frozen] = REASON["flat-line"]
        return Doubts(doubts.refused, frozen, doubts.strong, doubts.reason)

    def _judge(self, runs: Runs, rows: Int, stream: Int, strong: Bool) -> None:
        """Rows of the table, sorted by stream: walk the streams in which something is suspicious."""
        if not len(rows):
            return
        s, own = self._streams, stream[rows]
        value, time, doubt = runs.table.value[rows], runs.table.time[rows], runs.reason[rows]
        doubted = doubt != 0
        first = np.append(True, own[1:] != own[:-1])
        starts = np.flatnonzero(first)
        ends = np.append(starts[1:], len(rows))
        streams = own[starts]

        # The level before each reading: the last undoubted value of its stream, or what was known before.
        number = np.arange(len(rows))
        sure = np.maximum.accumulate(np.where(doubted, -1, number))
        known = np.where(sure >= np.repeat(starts, ends - starts), value[sure], s["level"][own])
        level = np.where(first, s["level"][own], np.roll(known, 1))
        elapsed = time - np.where(first, s["level_time"][own], np.roll(time, 1))
        suspects = suspicious(
            runs.table.signal[rows], value, elapsed, level, doubt, strong[rows], self._active
        )

        walk = (s["run_start"][streams] != LONG_AGO) | np.logical_or.reduceat(suspects, starts)
        steady, last = streams[~walk], ends[~walk] - 1
        s["level"][steady] = known[last]
        s["level_time"][steady] = s["seen"][steady] = time[last]
        here = np.repeat(walk, ends - starts)
        follow_all(
            runs,
            streams[walk],
            (ends - starts)[walk],
            rows[here],
            strong[rows[here]],
            level[here],
            suspects[here],
        )

    def _keep_open(self, rows: Bool) -> None:
        self._open, self._open_reason = self._open.take(rows), self._open_reason[rows]
