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
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from itertools import groupby
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, Final

import numpy as np
import structlog

from ward.clock import Clock
from ward.errors import FencedError
from ward.ingest.bulk import place
from ward.ingest.journal import Journal
from ward.ingest.packed import Packed, Part, Run, entries_of, pack
from ward.ingest.records import Sample
from ward.live import metrics
from ward.live.core import Core
from ward.live.faults import AWAY, why
from ward.live.pieces import Course, Pieces, Reached, lay
from ward.signals import SECOND

TABLE: Final = 250_000
"""Samples that are routed as one table."""
ROWS: Final = 5_000
"""Batches read at a time."""
MOST_AGAIN: Final = 8
"""A start is made again so often at the most for tables that cannot be folded."""
LONGEST_AWAY_S: Final = 120.0
"""So long a start waits for a database or a journal that is away, before it is impossible: another service
that stands by may reach them."""
AWAY_PAUSE_S: Final = 1.0
AHEAD: Final = 1
"""Tables that wait for the engine: each holds a hundred megabytes."""
PATIENCE_S: Final = 0.2
"""So often the reader looks whether it is to stop."""
SWITCH_S: Final = 0.0005
"""So soon one thread lets the other have Python: each needs it only between two long operations."""
BEHIND: Final = 30 * SECOND
"""Within a backlog evaluation stays so far behind (ms, times the clock's speed): connections differ in how
far theirs has come, and live it was evaluated when all of it was there."""
_SAMPLES: Final = (Packed, Sample)
PASSED_OVER: Final = "recovery: a part of the journal was passed over"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Table:
    """Batches of samples as one table, laid out. ``error``: why that could not be done."""

    pieces: Pieces | None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """What the reader hands over: a table, or parts that are taken as they were live.

    read: batches that were read up to here; first, position: of the oldest and the newest of them in the
    journal.
    """

    first: int
    position: int
    read: int
    table: _Table | None = None
    parts: Sequence[list[Part] | None] = ()
    done: Event = field(default_factory=Event)


class _Spoilt(Exception):  # noqa: N818 - no error of anybody's, it says where to be careful
    """Folding these batches failed half-way: the core may be anything now."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last)
        self.first, self.last = first, last


class _Care(IntEnum):
    """How batches are folded."""

    NONE = 0
    STEPS = 1
    """As tables; readings that a step fails with are left out of it."""
    ALONE = 2
    """One after another as they came, and what fails costs itself: as it was live."""


class _Cares:
    """What is known to fail."""

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], _Care] = {}
        """From the first to the last position."""
        self._again = 0

    def of(self, position: int) -> _Care:
        if not self._again:
            return _Care.NONE
        usual = _Care.NONE if self._again < MOST_AGAIN else _Care.ALONE
        return max((c for (a, b), c in self._spans.items() if a <= position <= b), default=usual)

    def more(self, first: int, last: int) -> None:
        self._spans[first, last] = _Care(self.of(first) + 1)
        self._again += 1


class Recovery:
    """Folds the journal into the core. ``done`` tells how much of it is (0 to 1), from any thread.

    Where a table cannot be folded nobody knows what the core is then: the start is made again from the
    snapshot (``restore`` brings the core there), more carefully where it failed. What fails is left out by
    itself, counted and told.
    """

    def __init__(
        self,
        core: Core,
        journal: Journal,
        clock: Clock,
        fault: Callable[[str], None],
        restore: Callable[[], None],
    ) -> None:
        self._core, self._journal, self._clock = core, journal, clock
        self._fault, self._restore = fault, restore
        self._cares = _Cares()
        self._has_traced = False
        self.done = 0.0

    def run(self, is_stopping: Callable[[], bool], patience_s: float) -> int:
        """Everything after the newest snapshot; returns how many batches that were. Waits so long for a
        database or a journal that is away."""
        begun = time.monotonic()
        while True:
            try:
                self._restore()
                read = self._read(is_stopping)
                if not is_stopping():  # a mark in the journal is no batch, and has a position
                    self._core.position = max(self._core.position, self._journal.last())
                return read
            except _Spoilt as spoilt:
                self._cares.more(spoilt.first, spoilt.last)
            except FencedError:
                raise
            except AWAY as error:  # in the middle of a batch, which is not to blame
                if is_stopping() or time.monotonic() - begun >= patience_s:
                    raise
                log.warning("a start is made again", error=why(error))
                time.sleep(AWAY_PAUSE_S)

    def _read(self, is_stopping: Callable[[], bool]) -> int:
        begin, last = self._core.position, self._journal.last()
        read = 0
        with (
            _without_collector(),
            _Reader(self._journal, self._core, self._cares) as tasks,
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
            self._fold(task, task.table)
        for parts in task.parts:
            self._guarded(task.position, partial(self._alone, parts, task.position))
        task.done.set()

    def _fold(self, task: _Task, table: _Table) -> None:
        follow = self._core.follow if self._cares.of(task.first) is _Care.NONE else self._follow_without
        try:
            take_run(self._core, table, task.position, self._clock.now(), follow)
        except AWAY:
            raise
        except Exception as error:
            span = {"first": task.first, "last": task.position}
            log.error("a part of the journal cannot be folded", **span, exc_info=not self._has_traced)
            self._has_traced = True
            raise _Spoilt(task.first, task.position) from error
        self._core.position = task.position

    def _follow_without(self, reached: int, now: int) -> None:
        """As ``Core.follow``; readings that cannot be evaluated go to the history in doubt."""
        step, lost = self._core.step_with_care(reached)
        if lost:
            self.pass_over(readings=lost)
        self._core.follow(reached, now, step)

    def _alone(self, parts: list[Part] | None, position: int) -> None:
        """A batch as it was taken live."""
        if parts is None:
            raise ValueError("it cannot be read")
        entries, now = entries_of(parts), self._clock.now()
        self._core.take(entries, position, now)
        received = np.array([max((entry.received for entry in entries), default=0)])
        reached = course_of(self._core).reached(received, np.array([self._core.reached]))
        self._core.follow(int(reached[0]), now)

    def _guarded(self, position: int, work: Callable[[], None]) -> None:
        try:
            work()
        except AWAY:
            raise
        except Exception as error:
            self.pass_over(position=position, error=repr(error))
        self._core.position = position

    def pass_over(self, **what: object) -> None:
        """Count and tell what is left out."""
        metrics.ERRORS.labels("recovery").inc()
        log.error("a part of the journal is passed over", **what, exc_info=not self._has_traced)
        self._has_traced = True
        self._fault(PASSED_OVER)


class _Reader:
    """Reads, routes and sorts the journal ahead of the engine, in a thread of its own: numpy leaves room for
    two.

    Samples change nothing but the router, so tables may be routed before those ahead of them are
    evaluated, and how far that will be is known. Anything else is taken by the core, which has the router
    to itself until it is done.
    """

    def __init__(self, journal: Journal, core: Core, cares: _Cares) -> None:
        self._journal, self._core, self._cares = journal, core, cares
        self._course = course_of(core)
        self._look()
        self._tasks: Queue[_Task | BaseException | None] = Queue(AHEAD)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="ward-recovery-reader", daemon=True)
        self._read = 0

    def _look(self) -> None:
        """Where the core stands; only while it does nothing."""
        self._at = Reached(self._core.reached, self._core.engine.until)

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
                if task.parts:
                    self._look()
            self._put(None)
        except BaseException as error:  # the core's thread raises it
            self._put(error)

    def _put(self, task: _Task | BaseException | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(Full):
                self._tasks.put(task, timeout=PATIENCE_S)
                return

    def _made(self) -> Iterator[_Task]:
        held, after = _Gathered(), self._core.position
        while rows := self._journal.read_parts(after, ROWS):
            for at, own in rows:
                care = self._cares.of(at)
                alone = care is _Care.ALONE or own is None
                alone = alone or not all(isinstance(part, _SAMPLES) for part in own or ())
                if held.ends and (alone or held.care is not care):
                    yield self._routed(held)
                    held = _Gathered()
                self._read += 1
                if alone:
                    yield _Task(at, at, self._read, parts=[own])
                elif own:
                    held.add(at, own, care)
                    if held.ends[-1] >= TABLE:
                        yield self._routed(held)
                        held = _Gathered()
            after = rows[-1][0]
        if held.ends:
            yield self._routed(held)

    def _routed(self, held: _Gathered) -> _Task:
        first, last, read = held.first, held.last, self._read
        parts, ends = held.parts, np.array(held.ends)
        try:
            run = Run.of(_packed(parts))
        except ValueError:  # one of them is damaged: it costs itself, so the others go one by one
            return _Task(first, last, read, parts=[[part] for part in parts])
        try:
            placed = place(self._core.router, run, self._core.measure_offset)
            pieces = lay(placed, ends, self._core.slots.get, self._course, self._at)
        except Exception as error:  # the core's thread notes it, as of any batch
            return _Task(first, last, read, _Table(None, error))
        self._at = pieces.at
        return _Task(first, last, read, _Table(pieces))


class _Gathered:
    """Batches that become a table: their parts, and how many samples there are up to the end of each."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ends: list[int] = []
        self.first = self.last = 0
        self.care = _Care.NONE

    def add(self, position: int, parts: list[Part], care: _Care) -> None:
        before = self.ends[-1] if self.ends else 0
        if not self.ends:
            self.first, self.care = position, care
        self.last = position
        self.parts += parts
        self.ends.append(before + sum(len(part) if isinstance(part, Packed) else 1 for part in parts))


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


def take_run(core: Core, table: _Table, position: int, now: int, follow: Callable[[int, int], None]) -> None:
    """Many batches of samples at once, as ``Core.take`` and ``Core.follow`` (``follow``) would one by one."""
    pieces = table.pieces
    if pieces is None:
        raise table.error or ValueError("it was not routed")
    core.position = position
    core.history.add_unjudged(dict(enumerate(pieces.stays)), pieces.over)
    core.reached = pieces.at.middle
    for readings, reached in pieces.steps(core.late.waiting_for()):
        core.engine.add(readings)
        follow(reached, now)
    core.engine.add(pieces.rest)
    core.note_heard(pieces.stays, now)
    core.note_routed(pieces.routed)


def course_of(core: Core) -> Course:
    """How evaluation follows the journal in a start."""
    return Course(core.engine.lateness, round(BEHIND * core.speed), core.late.settle)
