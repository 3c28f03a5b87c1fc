"""A table of the journal laid out as the engine takes it: in pieces, each evaluated in one step, whose rows
stand where the engine wants them. So the thread that reads sorts, and the one that evaluates moves nothing.

How time is cut into steps cannot be seen in what comes of it, but for readings that come late: a piece ends
before a batch that has one, behind it, and when the clocks of its stay are built again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ward.ingest.bulk import Placed
from ward.ingest.router import Routed
from ward.ingest.rows import Rows
from ward.scoring.readings import Int, Packing, Readings, cell_order
from ward.scoring.sustain import NEVER
from ward.signals import SECOND

AT_ONCE: Final = 120_000
"""Readings evaluated in one step: about as quick as it gets."""
RECENT: Final = SECOND
"""What comes and is no older (ms), or than evaluation waits for, is no backlog."""


def is_of_now(age: Any, lateness: int) -> Any:
    """Whether what comes so old (ms; a number or an array) is no backlog."""
    return age <= max(lateness, RECENT)


@dataclass(frozen=True, slots=True)
class Course:
    """How evaluation follows the journal (ms): ``lateness`` behind it, ``behind`` within a backlog; clocks
    are built again ``settle`` after the last late reading."""

    lateness: int
    behind: int
    settle: int

    def reached(self, received: Int, middle: Int) -> Int:
        """Up to when to evaluate at each batch: when it was received, as live, or behind a backlog, which
        came in many batches that were all received at about one time."""
        behind = middle + self.lateness - self.behind
        now = is_of_now(received - middle, self.lateness)
        found: Int = np.where(now, received, np.minimum(received, behind))
        return found


@dataclass(frozen=True, slots=True)
class Reached:
    """Where evaluation stands: the middle of the newest batch's times, and what is evaluated already (ms)."""

    middle: int
    until: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """A table, laid out.

    readings: with the engine's slots, piece by piece, each in cell order; batch [rows]; bounds: where each
    piece begins and where the last ends; behind that is what none of the steps reaches yet. edges: the
    batches between which pieces lie; reached [batches]. ``over``: readings of stays that have no slot.
    """

    readings: Readings
    batch: Int
    bounds: Sequence[int]
    edges: Sequence[int]
    reached: Int
    at: Reached
    """Where evaluation stands when all pieces are taken."""
    stays: tuple[str, ...]
    over: Readings
    routed: Routed

    def steps(self, due: Sequence[int]) -> Iterator[tuple[Readings, int]]:
        """Readings, and up to when to evaluate with them. due: also then (ms), within a piece, if need be."""
        also = np.unique(np.searchsorted(self.reached, np.asarray(due, np.int64)) + 1).tolist()
        for (first, last), (low, high) in zip(pairwise(self.edges), pairwise(self.bounds), strict=True):
            piece, batch = self.readings.take(slice(low, high)), self.batch[low:high]
            cuts = [cut for cut in also if first < cut < last]
            for after, cut in pairwise([0, *cuts, last]):
                part = piece.take((batch >= after) & (batch < cut)) if cuts else piece
                yield part, int(self.reached[cut - 1])

    @property
    def rest(self) -> Readings:
        return self.readings.take(slice(self.bounds[-1], None))


def lay(
    placed: Placed, ends: Int, slot_of: Callable[[str], int | None], course: Course, stands: Reached
) -> Pieces:
    """ends: how many samples there are up to the end of each batch; slot_of: of a stay, None if it is
    over."""
    run, own, stays = placed.run, placed.own, placed.stays
    slots = np.array([-1 if at is None else at for at in map(slot_of, stays)], np.int32)
    weight = np.bincount(placed.sample[own], minlength=len(run))
    told = np.flatnonzero(weight)  # samples with readings
    weight, time = weight[told], placed.time[told]
    batch = np.searchsorted(ends, told, side="right")
    middle = _middles(time, weight, batch, len(ends), stands.middle)
    received = np.maximum.reduceat(run.received, np.concatenate([[0], ends[:-1]]))
    reached = np.maximum.accumulate(course.reached(received, middle))
    edges = _edges(time, weight, batch, reached, course, stands.until)
    until = np.maximum(reached[edges[1:] - 1] - course.lateness, stands.until)

    slot = slots[placed.place[told]]
    piece = np.maximum(np.searchsorted(edges, batch, side="right"), np.searchsorted(until, time) + 1)
    piece[slot < 0] = 0
    bounds = np.cumsum(np.bincount(piece, weight, len(edges) + 1).astype(np.int64)).tolist()[:-1]
    if len(edges) < 2**16:
        piece = piece.astype(np.uint16)  # so few are sorted without comparing them
    order = np.argsort(np.repeat(piece, weight), kind="stable")
    signal = run.signal[own[order]]
    columns: list[Any] = [np.repeat(column, weight)[order] for column in (slot, time, run.seq[told])]
    for low, high in pairwise(bounds):
        rows = slice(low, high)
        slots_, times, seqs = (column[rows] for column in columns)
        within = cell_order(slots_, signal[rows], times, seqs)
        if within is not None:
            order[rows] = order[rows][within]
    readings = placed.rows(own[order], stays).for_slots(slots)
    begin = bounds[0]
    return Pieces(
        readings.take(slice(begin, None)),
        np.repeat(batch, weight)[order[begin:]],
        [bound - begin for bound in bounds],
        edges.tolist(),
        reached,
        Reached(int(middle[-1]), int(until[-1])),
        stays,
        placed.rows(own[order[:begin]], stays).readings,
        placed.routed(Rows(stays, Readings.empty())),
    )


def _middles(time: Int, weight: Int, batch: Int, batches: int, before: int) -> Int:
    """The median time of each batch's readings, ``weight`` of a sample; of a batch without any that of the
    one before it."""
    count = np.bincount(batch, weight, batches).astype(np.int64)
    packing = Packing.of(time)
    order = np.argsort(packing.key(batch, time), kind="stable")  # quick: nearly in order
    behind = np.cumsum(weight[order])
    begin = np.cumsum(count) - count
    ordered = np.append(time[order], before)
    low, high = (
        ordered[np.searchsorted(behind, begin + at, side="right")] for at in ((count - 1) // 2, count // 2)
    )
    last = np.maximum.accumulate(np.where(count > 0, np.arange(batches), -1))
    found: Int = np.where(last < 0, before, ((low + high) // 2)[last])
    return found


def _edges(time: Int, weight: Int, batch: Int, reached: Int, course: Course, until: int) -> Int:
    """Between which batches to evaluate: where there is enough to do, before each that has what comes late,
    behind what the batches before it have reached, and when the clocks of its stay are built again."""
    batches = len(reached)
    first = np.full(batches, NEVER)
    if len(batch):
        begins = np.flatnonzero(np.diff(batch, prepend=-1))
        first[batch[begins]] = np.minimum.reduceat(time, begins)
    before = np.concatenate([[until], reached[:-1] - course.lateness])
    late = np.flatnonzero(first <= np.maximum.accumulate(before))
    again = np.searchsorted(reached, reached[late] + course.settle)
    done = np.cumsum(np.bincount(batch, weight, batches)) // AT_ONCE
    enough = np.flatnonzero(np.diff(done)) + 1
    cuts = np.concatenate([[0, batches], late, late + 1, again + 1, enough])
    found: Int = np.unique(cuts[cuts <= batches])
    return found
