"""A start: the journal since the last snapshot, folded as it was when it was written, only faster.

Live, each batch is taken by itself and evaluation follows the clock. Here batches of samples are taken
many at a time, as one table, and evaluated in larger steps, while a second thread makes the next table
ready. What comes of it is the same: a reading that
came late then comes late now, and the rest does not depend on how time is cut into steps.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, pairwise
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, Final

import numpy as np
import structlog

from ward.clock import Clock
from ward.ingest.bulk import Bulk, route
from ward.ingest.journal import Journal
from ward.ingest.packed import Packed, Part, Run, entries_of, pack
from ward.ingest.records import Sample
from ward.ingest.router import Router
from ward.live import metrics
from ward.live.core import Core
from ward.scoring.readings import Int
from ward.scoring.sustain import NEVER

AT_ONCE: Final = 60_000
"""Readings evaluated in one step: about as quick as it gets."""
TABLE: Final = 250_000
"""Samples that are routed as one table."""
ROWS: Final = 5_000
"""Batches read at a time."""
AHEAD: Final = 1
"""Tables that wait for the engine: each holds a hundred megabytes."""
PATIENCE_S: Final = 0.2
"""So often the reader looks whether it is to stop."""
SWITCH_S: Final = 0.0005
"""So soon one thread lets the other have Python: each needs it only between two long operations."""
PASSED_OVER: Final = "recovery: a batch of the journal was passed over"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Table:
    """Batches of samples as one table, routed. ``error``: why that could not be done."""

    run: Run
    ends: Int
    found: Bulk | None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """What the reader hands over: a table, or parts that are taken as they were live.

    read: batches that were read up to here; position: of the newest of them in the journal.
    """

    position: int
    read: int
    table: _Table | None = None
    parts: Sequence[list[Part] | None] = ()
    done: Event = field(default_factory=Event)


class Recovery:
    """Folds the journal into the core. ``done`` tells how much of it is (0 to 1), from any thread."""

    def __init__(self, core: Core, journal: Journal, clock: Clock, fault: Callable[[str], None]) -> None:
        self._core, self._journal, self._clock, self._fault = core, journal, clock, fault
        self.done = 0.0

    def run(self, is_stopping: Callable[[], bool]) -> int:
        """Everything after the core's position; returns how many batches that were."""
        begin, last = self._core.position, self._journal.last()
        read = 0
        with (
            _without_collector(),
            _Reader(self._journal, self._core.router, begin, self._core.measure_offset) as tasks,
        ):
            for task in tasks:
                if is_stopping():
                    break
                self._take(task)
                read = task.read
                self.done = (task.position - begin) / max(last - begin, 1)
        return read

    def _take(self, task: _Task) -> None:
        if task.table is not None:
            table, now = task.table, self._clock.now()
            self._guarded(task.position, lambda: take_run(self._core, table, task.position, now))
        for parts in task.parts:
            self._guarded(task.position, partial(self._alone, parts, task.position))
        task.done.set()

    def _alone(self, parts: list[Part] | None, position: int) -> None:
        """A batch as it was taken live."""
        if parts is None:
            raise ValueError("it cannot be read")
        entries, now = entries_of(parts), self._clock.now()
        self._core.take(entries, position, now)
        received = max((entry.received for entry in entries), default=0)
        self._core.follow(min(received, self._core.reached + self._core.engine.lateness), now)

    def _guarded(self, position: int, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            metrics.ERRORS.labels("recovery").inc()
            log.exception("a batch of the journal cannot be taken in; it is passed over", position=position)
            self._fault(PASSED_OVER)
        self._core.position = position


class _Reader:
    """Reads and routes the journal ahead of the engine, in a thread of its own: numpy leaves room for two.

    Samples change nothing but the router, so tables may be routed before those ahead of them are
    evaluated. Anything else is taken by the core, which has the router to itself until it is done.
    """

    def __init__(self, journal: Journal, router: Router, begin: int, measure_offset: bool) -> None:
        self._journal, self._router, self._begin = journal, router, begin
        self._measure_offset = measure_offset
        self._tasks: Queue[_Task | BaseException | None] = Queue(AHEAD)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="ward-recovery-reader", daemon=True)
        self._read = 0

    def __enter__(self) -> Iterator[_Task]:
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        self._thread.start()
        return self._handed()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        sys.setswitchinterval(self._interval)

    def _handed(self) -> Iterator[_Task]:
        while (task := self._tasks.get()) is not None:
            if isinstance(task, BaseException):
                raise task
            yield task

    def _run(self) -> None:
        try:
            for task in self._made():
                self._put(task)
                while task.parts and not (self._stop.is_set() or task.done.wait(PATIENCE_S)):
                    pass
                if self._stop.is_set():
                    return
            self._put(None)
        except BaseException as error:  # the core's thread raises it
            self._put(error)

    def _put(self, task: _Task | BaseException | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(Full):
                self._tasks.put(task, timeout=PATIENCE_S)
                return

    def _made(self) -> Iterator[_Task]:
        parts: list[Part] = []
        ends: list[int] = []
        held, position, after = 0, self._begin, self._begin
        while rows := self._journal.read_parts(after, ROWS):
            for at, own in rows:
                if own is None or not all(isinstance(part, Packed | Sample) for part in own):
                    if parts:
                        yield self._gathered(parts, ends, position)
                        parts, ends, held = [], [], 0
                    self._read += 1
                    yield _Task(at, self._read, parts=[own])
                    continue
                self._read += 1
                if own:
                    parts += own
                    held += sum(len(part) if isinstance(part, Packed) else 1 for part in own)
                    ends.append(held)
                position = at
                if held >= TABLE:
                    yield self._gathered(parts, ends, position)
                    parts, ends, held = [], [], 0
            after = rows[-1][0]
        if parts:
            yield self._gathered(parts, ends, position)

    def _gathered(self, parts: list[Part], ends: list[int], position: int) -> _Task:
        try:
            run = Run.of(_packed(parts))
        except ValueError:  # one of them is damaged: it costs itself, so the others go one by one
            return _Task(position, self._read, parts=[[part] for part in parts])
        try:
            found = route(self._router, run, self._measure_offset)
        except Exception as error:  # the core's thread notes it, as of any batch
            return _Task(position, self._read, _Table(run, np.array(ends), None, error))
        return _Task(position, self._read, _Table(run, np.array(ends), found))


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


def take_run(core: Core, table: _Table, position: int, now: int) -> None:
    """Many batches of samples at once, as ``Core.take`` and ``Core.follow`` would one by one."""
    if table.found is None:
        raise table.error or ValueError("it was not routed")
    run, ends, found = table.run, table.ends, table.found
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
        core.engine.add(part.where(part.slot >= 0))
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
