"""The core's thread: messages into the journal, acknowledged when durable; commands; the tick."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from ward.clock import Clock
from ward.errors import FencedError, UnavailableError
from ward.ingest.decoding import ALL, decoded, unusable
from ward.ingest.gate import Gate
from ward.ingest.intake import Incoming, Intake
from ward.ingest.journal import Journal
from ward.ingest.limits import DeviceRoom, LetterBudget
from ward.ingest.packed import Part
from ward.ingest.share import Share
from ward.live import load, metrics, recovery, snapshots
from ward.live.board import BoardKeeper
from ward.live.commands import Commands
from ward.live.core import Core
from ward.live.faults import AWAY, told
from ward.live.load import Load
from ward.live.outage import Outage
from ward.live.pieces import is_of_now
from ward.live.recovery import Recovery
from ward.live.views import Json
from ward.live.watchdog import end_process
from ward.machine import give_back
from ward.signals import MINUTE

TICK_S: Final = 1.0
FLUSH_S: Final = 10.0
FLUSH_ROWS: Final = 300_000
"""Readings written to the history at once at the most, so that it keeps no tick waiting."""
BATCH: Final = 5_000
GATHER_S: Final = 0.5
"""So long the first of a few messages waits for others, though never past a tick: they share a commit."""
DRAINED_S: Final = 0.5
"""After a start the backlog counts as drained when nothing has come for so long."""
LONGEST_BACKLOG_S: Final = 30.0
BACK_OFF_S: Final = 1.0
MAX_ASKS: Final = 1_000
"""So many commands may wait for the core; more are refused at once."""
ASKS_S: Final = 1.0
"""Commands that wait let the tick go first after so long."""
LONGEST_WAIT_S: Final = 30.0
"""Evaluation waits for messages that were received and not read yet, at most so long (times the speed)."""
FREE_AFTER: Final = MINUTE
"""A stay's row is free when evaluation is so far beyond its end: its last readings are written."""
CAREFUL: Final = MINUTE
"""After what failed half-way steps are careful so long (ms, times the speed), which costs each a copy."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ask:
    name: str
    arguments: Mapping[str, Any]
    answer: Future[Json]
    context: Context
    """The asker's: by which key she asks (``ward.store.idempotency``)."""


class Runner:
    """Owns the core while it runs. ``ack`` is called with messages that are durable."""

    def __init__(
        self,
        core: Core,
        journal: Journal,
        intake: Intake,
        clock: Clock,
        ack: Callable[[list[Incoming]], None],
        *,
        snapshot_s: float,
        is_connected: Callable[[], bool],
        tick_s: float = TICK_S,
        gate: Gate | None = None,
        beat: Callable[[str], None] = lambda _: None,
        fenced: Callable[[str], None] = end_process,
        share: Share = ALL,
        restore: Callable[[], None],
    ) -> None:
        self._core, self._journal, self._intake, self._clock, self._ack = core, journal, intake, clock, ack
        self._snapshot_s, self._tick_s, self._is_connected = snapshot_s, tick_s, is_connected
        self._beat, self._fenced, self._share = beat, fenced, share
        self._restore = restore
        self.load = Load()
        self._room, self._letters = DeviceRoom(core.router), LetterBudget()
        self.gate = gate or Gate()
        self.keeper = BoardKeeper(core, clock.speed)
        self._commands = Commands(core, journal, self.keeper)
        self._asks: queue.SimpleQueue[_Ask] = queue.SimpleQueue()
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name="core", daemon=True)
        self._unwritten: list[Incoming] = []
        self.faults: dict[str, str] = {}
        """What does not work now, by part."""
        self._recovery: Recovery | None = None
        self._careful_until = 0
        """Until then (ms) a step may meet again what the last one failed with."""
        self._outage = Outage()
        self.is_following = True
        """The clock has taken over from the backlog of a start."""
        self.is_saved = False
        """It has ended, with a snapshot of all that it took."""

    # ------------------------------------------------------------------ from other threads

    def start(self) -> None:
        self.thread.start()

    def halt(self) -> None:
        """Begin to end: a recovery that goes on is left where it is."""
        self._stop.set()

    def stop(self, timeout_s: float = 20.0) -> None:
        """Finish the present round, take a last snapshot, end."""
        self._stop.set()
        self._intake.wake()
        if self.thread.is_alive():
            self.thread.join(timeout_s)

    def ask(self, name: str, arguments: Mapping[str, Any]) -> Future[Json]:
        """Have a command carried out between two rounds."""
        ask = _Ask(name, arguments, Future(), copy_context())
        if self._stop.is_set():
            ask.answer.set_exception(UnavailableError("the service is stopping"))
            return ask.answer
        if self._asks.qsize() >= MAX_ASKS:
            ask.answer.set_exception(UnavailableError("too many requests wait for the core", code="busy"))
            return ask.answer
        self._asks.put(ask)
        self._intake.wake()
        return ask.answer

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        begun = heard = time.monotonic()
        next_tick, next_flush = begun, begun + FLUSH_S
        next_snapshot = begun + self._snapshot_s
        self.is_following = has_heard = False
        while not self._stop.is_set():
            self._beat("core")
            if self._core.is_spoilt:
                self._round("core", self.start_again)
            wait = min(max(next_tick - time.monotonic(), 0.0), self._tick_s) if self._asks.empty() else 0.0
            came = self._round("journal", lambda wait=wait: self.take_messages(wait))  # type: ignore[misc]
            self._look_at_broker(bool(came))
            if came:
                heard, has_heard = time.monotonic(), True
            elif not self._is_connected():
                heard = time.monotonic()  # this is no silence of the broker's
            self._round("commands", lambda: self.answer_asks(ASKS_S))
            machine = time.monotonic()
            if not self.is_following:
                self._beat("engine")  # it waits for the backlog, on purpose and not for long
                drained = self._is_drained(machine - heard, has_heard)
                self.is_following = drained or machine - begun >= LONGEST_BACKLOG_S
            if machine >= next_tick and self.is_following:
                next_tick = max(next_tick + self._tick_s, machine)
                self._round("engine", self.tick)
                if len(self._core.history) > FLUSH_ROWS:  # after a long recovery: bit by bit
                    self._round("history", lambda: snapshots.flush(self._core, FLUSH_ROWS))
                elif machine >= self.load.put_off(next_snapshot, load.SNAPSHOT_S):
                    self._round("snapshot", self.take_snapshot)
                    next_snapshot = machine + self._pause("snapshot", self._snapshot_s, FLUSH_S)
                    next_flush = machine + FLUSH_S
                    give_back()
                elif machine >= self.load.put_off(next_flush, load.FLUSH_S):
                    self._round("history", lambda: snapshots.flush(self._core))
                    next_flush = machine + self._pause("history", FLUSH_S, BACK_OFF_S)
                    give_back()
        self.answer_asks()
        self._round("snapshot", self._save_last)

    def _pause(self, part: str, usual_s: float, again_s: float) -> float:
        """Until a part is due: sooner where it failed, for until it works nobody is told that all is well."""
        return min(usual_s, again_s) if part in self.faults else usual_s

    def _save_last(self) -> None:
        self.take_snapshot()
        self.is_saved = True

    def _is_drained(self, silence_s: float, has_heard: bool) -> bool:
        """After a start: nothing has come for a moment, or what comes is of now: what is still to come is
        then no older than evaluation waits for anyway."""
        if not self._is_connected():
            return False
        return silence_s >= DRAINED_S or (has_heard and self._is_current())

    def _is_current(self) -> bool:
        """What came last is of now, and what waits here came just now: of a ward something always waits."""
        now, oldest = self._clock.now(), self._intake.oldest()
        age = max(now - self._core.reached, 0 if oldest is None else now - oldest)
        return bool(is_of_now(age, self._core.engine.lateness))

    def _look_at_broker(self, has_come: bool) -> None:
        current = self._is_current() if has_come else None
        connected = self._is_connected()
        self._outage.look(self._clock.now(), time.monotonic(), is_connected=connected, is_current=current)

    def _round(self, part: str, work: Callable[[], Any]) -> Any:
        """Do it; a failure is told, counted and tried again, and never ends the thread."""
        try:
            result = work()
        except FencedError as error:  # whatever is held here is another's to tell now
            self._fenced(error.detail)
        except Exception as error:
            metrics.ERRORS.labels(part).inc()
            if part not in self.faults:
                log.exception("a part of the service failed", part=part)
            self.faults[part] = told(part, error)
            self._stop.wait(BACK_OFF_S)
            return None
        self.faults.pop(part, None)
        return result

    def take_messages(self, wait: float = 0.0) -> int:
        """Messages to the journal, then to the core; returns how many. What is not durable is kept."""
        waiting = self._unwritten or self._intake.drain(BATCH, wait, GATHER_S)
        if not waiting:
            return 0
        self._unwritten = waiting
        self.gate.begin()
        parts, refusals, read = decoded(waiting, self.gate, self._share)
        self._room.begin()
        parts, crowded = self._room.divide(parts)
        refusals = self._letters.limit([*refusals, *crowded])
        items, rest = waiting[:read], waiting[read:]
        with metrics.JOURNAL.time():
            try:
                position = self._journal.append(parts, refusals, self.gate.heard())
            except AWAY:
                raise  # it is not the messages' fault: all of them are tried again
            except Exception as error:  # something in it cannot be stored: that one, and not the others
                log.exception("a batch cannot be stored as it is")
                if len(items) > 1:
                    return self._take_apart(items, rest)
                parts, refusals = [], [unusable(items[0], error)]
                position = self._journal.append(parts, refusals)
        self._unwritten = rest
        self.gate.settle(position)
        self._letters.settle()
        self._ack(items)
        metrics.MESSAGES.inc(len(items))
        for refusal in refusals:
            metrics.REFUSED.labels(refusal.reason).inc(refusal.count)
        if parts:
            self._round("core", lambda: self._fold(parts, position))
        return len(items)

    def _take_apart(self, items: list[Incoming], rest: list[Incoming]) -> int:
        """One by one, so that a message that cannot be stored costs no other."""
        for at in range(len(items)):
            self._beat("core")  # thousands may take minutes on a slow disk
            self._unwritten = items[at : at + 1]
            try:
                self.take_messages()
            except Exception:
                self._unwritten = items[at:] + rest
                raise
        self._unwritten = rest
        return len(items)

    def _fold(self, parts: list[Part], position: int) -> None:
        """Where the core is behind the journal the batch waits there, for a start from the snapshot."""
        if self._core.is_spoilt:
            return
        for routed in self._core.take(parts, position, self._clock.now()):
            metrics.UNASSIGNED.inc(len(routed.unassigned))
            metrics.DUPLICATES.inc(routed.duplicates)
            metrics.NULLS.inc(routed.nulls)
            metrics.STRAYS.inc(routed.strays)

    def answer_asks(self, at_most_s: float = math.inf) -> None:
        """Those that wait, in turn, until none is left or so long has passed: while the database keeps
        each of them waiting there would be no end, and no tick."""
        begun = time.monotonic()
        while not self._asks.empty() and time.monotonic() - begun < at_most_s:
            self._beat("core")
            ask = self._asks.get()
            if not ask.answer.set_running_or_notify_cancel():
                continue  # who asked has gone, and was told that nothing was done
            try:
                run = partial(self._commands.run, ask.name, self._clock.now(), ask.arguments)
                ask.answer.set_result(ask.context.run(run))
            except Exception as error:  # it is the asker's
                ask.answer.set_exception(error)

    def tick(self) -> None:
        """Evaluate up to now and show it."""
        self._core.require_whole()
        now, begun = self._clock.now(), time.monotonic()
        careful, rebuilds = now < self._careful_until, self.load.rebuilds
        if left_out := self._core.tick(self._reached(now), careful=careful, rebuilds=rebuilds):
            assert self._recovery is not None
            self._recovery.pass_over(readings=left_out)
        metrics.LATE_WAITING.set(len(self._core.late))
        if self.load.wants_board(begun):
            self.keeper.refresh(now)
        ended = time.monotonic()
        self.load.look(ended, len(self._intake) / self._intake.max_messages, ended - begun)
        self._beat("engine")

    def _reached(self, now: int) -> int:
        """Up to when to evaluate: not ahead of messages that wait to be read, here or at the broker, though
        not for long."""
        oldest = self._unwritten[0].received if self._unwritten else self._intake.oldest()
        ends = [each for each in (oldest, self._outage.since) if each is not None]
        return max(min(now, *ends), now - round(LONGEST_WAIT_S * 1000 * self._clock.speed)) if ends else now

    def take_snapshot(self) -> None:
        """Write readings and state; what the journal holds of before is not needed any more."""
        position = snapshots.save(self._core, self._clock.now())
        self._journal.trim(position)
        self.faults.pop("recovery", None)  # no start will meet that batch again
        for stay in list(self._core.stays.values()):
            if stay.end is not None and self._core.engine.until > stay.end + FREE_AFTER:
                self._core.end_stay(stay.id)

    # ------------------------------------------------------------------ start

    def progress(self) -> str:
        """How far ``recover`` is, for people."""
        done = self._recovery.done if self._recovery else 0.0
        return f"recovering, {done:.0%}"

    def recover(self, patience_s: float | None = None) -> int:
        """Bring the core to the newest snapshot (``restore`` does), then read the journal since; returns how
        many batches that were. Before ``start``. Waits so long where they are away, by default two minutes.
        """
        self._recovery = Recovery(
            self._core, self._journal, self._clock, self._note_passed_over, self._restore
        )
        patience = recovery.LONGEST_AWAY_S if patience_s is None else patience_s
        read = self._recovery.run(self._is_stopping, patience)
        self._core.is_spoilt = False  # what failed was passed over
        self._core.reconcile()
        self._core.settle(self._clock.now())
        self.keeper.refresh(self._clock.now())
        return read

    def start_again(self) -> None:
        """What failed half-way left a core that nobody knows: as after a crash, from the snapshot and the
        journal, which pass over what fails. A snapshot of it at once keeps the next such start short."""
        log.error("the core starts again")
        self._core.commit(self._clock.now())
        self.recover(patience_s=0.0)  # it is tried again
        self._careful_until = self._clock.now() + round(CAREFUL * self._clock.speed)
        snapshots.save(self._core, self._clock.now())

    def _is_stopping(self) -> bool:
        self._beat("core")
        return self._stop.is_set()

    def _note_passed_over(self, reason: str) -> None:
        self.faults["recovery"] = reason
