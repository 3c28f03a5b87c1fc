"""A start: the journal since the last snapshot, folded as it was when it was written, only faster.

Live, each batch is taken by itself and evaluation follows the clock. Here batches of samples are taken
many at a time, as one table, and evaluated in larger steps. What comes of it is the same: a reading that
came late then comes late now, and the rest does not depend on how time is cut into steps.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import Any, Final

import numpy as np
import structlog

from ward.clock import Clock
from ward.ingest.bulk import route
from ward.ingest.journal import Journal
from ward.ingest.packed import Packed, Part, Run, entries_of, pack
from ward.ingest.records import Sample
from ward.live import metrics
from ward.live.core import Core
from ward.scoring.readings import Int
from ward.scoring.sustain import NEVER

AT_ONCE: Final = 200_000
"""Readings evaluated in one step: about as quick as it gets."""
TABLE: Final = 500_000
"""Samples that are routed as one table."""
ROWS: Final = 5_000
"""Batches read at a time."""
PASSED_OVER: Final = "recovery: a batch of the journal was passed over"

log = structlog.get_logger(__name__)


class Recovery:
    """Folds the journal into the core. ``done`` tells how much of it is (0 to 1), from any thread."""

    def __init__(self, core: Core, journal: Journal, clock: Clock, fault: Callable[[str], None]) -> None:
        self._core, self._journal, self._clock, self._fault = core, journal, clock, fault
        self.done = 0.0
        self._parts: list[Part] = []
        self._ends: list[int] = []
        self._held = 0
        self._position = 0

    def run(self, is_stopping: Callable[[], bool]) -> int:
        """Everything after the core's position; returns how many batches that were."""
        begin, last = self._core.position, self._journal.last()
        read, after = 0, begin
        with _without_collector():
            while rows := self._journal.read_parts(after, ROWS):
                if is_stopping():
                    break
                for position, parts in rows:
                    self._take(position, parts)
                read, after = read + len(rows), rows[-1][0]
                self.done = (after - begin) / max(last - begin, 1)
            self._flush()
        return read

    def _take(self, position: int, parts: list[Part] | None) -> None:
        if parts is None or not all(isinstance(part, Packed | Sample) for part in parts):
            self._flush()
            self._guarded(position, lambda: self._alone(parts, position))
            return
        if parts:
            self._parts += parts
            self._held += sum(len(part) if isinstance(part, Packed) else 1 for part in parts)
            self._ends.append(self._held)
        self._position = position
        if self._held >= TABLE:
            self._flush()

    def _alone(self, parts: list[Part] | None, position: int) -> None:
        """A batch as it was taken live."""
        if parts is None:
            raise ValueError("it cannot be read")
        entries, now = entries_of(parts), self._clock.now()
        self._core.take(entries, position, now)
        received = max((entry.received for entry in entries), default=0)
        self._core.follow(min(received, self._core.reached + self._core.engine.lateness), now)

    def _flush(self) -> None:
        """Take the batches that were gathered."""
        parts, ends, position = self._parts, self._ends, self._position
        self._parts, self._ends, self._held = [], [], 0
        if not parts:
            return
        try:
            run = Run.of(_packed(parts))
        except ValueError:  # one of them is damaged: it costs itself, so the others go one by one
            for part in parts:
                self._guarded(position, partial(self._alone, [part], position))
            return
        now = self._clock.now()
        self._guarded(position, lambda: take_run(self._core, run, np.array(ends), position, now))

    def _guarded(self, position: int, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            metrics.ERRORS.labels("recovery").inc()
            log.exception("a batch of the journal cannot be taken in; it is passed over", position=position)
            self._fault(PASSED_OVER)
        self._core.position = position


def _packed(parts: Sequence[Part]) -> list[Packed]:
    """Samples in columns. Raises ValueError where some do not fit into columns."""
    found: list[Packed] = []
    for is_packed, group in groupby(parts, key=lambda part: isinstance(part, Packed)):
        alike: list[Any] = list(group)
        columns: list[Any] = alike if is_packed else [pack(alike)]
        if None in columns:
            raise ValueError("a sample that fits into no column")
        found += columns
    return found


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here makes rings of objects, and looking for them among millions takes longer than the work."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def take_run(core: Core, run: Run, ends: Int, position: int, now: int) -> None:
    """Many batches of samples at once, as ``Core.take`` and ``Core.follow`` would one by one.

    ``ends`` [batches]: where in the table each batch ends.
    """
    found = route(core.router, run, core.measure_offset)
    rows = found.routed.rows
    core.position = position
    readings = core.to_slots(rows)
    batch = np.searchsorted(ends, found.sample, side="right")
    middle = _middles(readings.time, batch, len(ends), core.reached)
    core.reached = int(middle[-1])
    received = np.maximum.reduceat(run.received, np.concatenate([[0], ends[:-1]]))
    # A backlog came in many batches, all received at about one time: what is in the next is not late.
    reached = np.maximum.accumulate(np.minimum(received, middle + core.engine.lateness))
    for first, last in pairwise(_edges(core, readings.time, batch, reached)):
        begin, end = np.searchsorted(batch, [first, last])
        part = readings.take(slice(begin, end))
        core.engine.add(part.take(part.slot >= 0))
        core.follow(int(reached[last - 1]), now)
    core.note_heard(rows.stays, now)
    core.note_routed(found.routed)


def _middles(time: Int, batch: Int, batches: int, before: int) -> Int:
    """The median time of each batch's readings; of one without readings that of the batch before it."""
    count = np.bincount(batch, minlength=batches)
    begin = np.cumsum(count) - count
    ordered = np.append(time[np.lexsort((time, batch))], before)
    low, high = (ordered[np.minimum(begin + at, len(time))] for at in ((count - 1) // 2, count // 2))
    last = np.maximum.accumulate(np.where(count > 0, np.arange(batches), -1))
    found: Int = np.where(last < 0, before, ((low + high) // 2)[last])
    return found


def _edges(core: Core, time: Int, batch: Int, reached: Int) -> list[int]:
    """Between which batches to evaluate: where there is enough to do, and before each that has what comes
    late, behind what the batches before it have reached."""
    first = np.full(len(reached), NEVER)
    np.minimum.at(first, batch, time)
    before = np.concatenate([[core.engine.until], reached[:-1] - core.engine.lateness])
    late = np.flatnonzero(first <= np.maximum.accumulate(before))
    done = np.cumsum(np.bincount(batch, minlength=len(reached))) // AT_ONCE
    return sorted({0, len(reached), *late.tolist(), *(np.flatnonzero(np.diff(done)) + 1).tolist()})
