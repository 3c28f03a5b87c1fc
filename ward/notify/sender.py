"""Goes through the deliveries: takes what is due with a lease, sends it, and says what became of it.

One thread looks for what is due; each channel has a few threads of its own, so that a slow one delays no
other. Sent at least once: a delivery is marked after its channel took it, and who dies in between has it sent
again under the same id.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from ward.clock import WallClock
from ward.language import Language
from ward.notify import metrics
from ward.notify.channels import Channel, Configured, Failed, Refused, Unconfirmed
from ward.notify.circuit import Circuit, Condition
from ward.notify.duty import EVERYTHING, Duty
from ward.notify.message import Message, message_of
from ward.store.deliveries import (
    Sending,
    claim,
    due_channels,
    mark_failed,
    mark_sent,
    put_back,
    waiting_of_channels,
)

IDLE_S: Final = 0.2
"""So often one looks for what is due that nobody wakes ..."""
WOKEN_S: Final = 1.0
"""... and one that is woken when something is written, for what is due again."""
BROKEN_S: Final = 2.0
COUNT_MS: Final = 5_000
"""How often what waits is counted."""
GIVE_UP_MS: Final = 30_000
FORGET_MS: Final = 7_200_000
"""Longer than anything is tried; what was dropped while it was being sent is forgotten then."""
MANY: Final = 200
"""Handed on in one transaction."""
FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 15_000
MARK_AGAIN_S: Final = (0.1, 0.5, 2.0, 5.0)
"""Pauses between attempts to write down what became of a delivery; what is not written is sent again."""
TOLD_ANYWAY: Final = frozenset({"resolved", "test"})
"""That these do not get through is shown with the delivery, and calls nobody else."""
FIRST_TOLD: Final = frozenset({"first", "priority", "signal", "again"})
"""The tellings whose delay counts; a reminder is late on purpose."""

log = structlog.get_logger(__name__)

Undelivered = Callable[[Sending, str], None]
"""Makes it known, durably, that somebody could not be told; raises where that is not possible now."""


class _Unknown:
    """Stands for a channel that a plan names and the channels file does not."""

    def send(self, message: Message) -> None:
        raise Refused("no channel of this name is configured")

    def close(self) -> None:
        """There is nothing to let go of."""


@dataclass(slots=True)
class _Lane:
    """A channel at work."""

    configured: Configured
    workers: Executor
    circuit: Circuit = field(default_factory=Circuit)
    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: int = 0

    @property
    def channel(self) -> Channel:
        return self.configured.channel


class Sender:
    """``undelivered`` is called with what was given up, ``beat`` as long as the thread goes round.

    ``now`` gives ms of the machine's clock. Several senders may work on one database.
    ``give_up_of(ward)``: how long (ms) its plan has a delivery tried, where the channel's file says nothing.
    ``duty``: which deliveries are its own. ``is_woken``: whoever writes deliveries calls ``wake``.
    """

    def __init__(
        self,
        db: Database,
        channels: Mapping[str, Configured],
        undelivered: Undelivered,
        *,
        give_up_of: Callable[[str], int] = lambda ward: GIVE_UP_MS,
        link: str | None = None,
        language: Language = "en",
        beat: Callable[[], None] = lambda: None,
        now: Callable[[], int] | None = None,
        chance: random.Random | None = None,
        workers: Callable[[Configured], Executor] | None = None,
        in_real_time: bool = True,
        duty: Duty = EVERYTHING,
        is_woken: bool = False,
    ) -> None:
        self._duty, self._idle_s = duty, WOKEN_S if is_woken else IDLE_S
        self._db, self._undelivered, self._beat = db, undelivered, beat
        self._link, self._language = link, language
        self._give_up_of = give_up_of
        self._now = now or WallClock().now
        self._chance = chance or random.Random()
        self._make_workers = workers or _threads
        self._in_real_time = in_real_time
        self.name = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._lanes = {name: self._lane(configured) for name, configured in channels.items()}
        self._begun: dict[int, int] = {}
        """When each delivery that is not through was first tried here."""
        self._counted = 0
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        self.fault: str | None = None

    def _lane(self, configured: Configured) -> _Lane:
        metrics.BROKEN.labels(configured.name).set(0)
        return _Lane(configured, self._make_workers(configured))

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Take nothing more; what is being sent may end. Safe to call twice."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        for lane in self._lanes.values():
            lane.workers.shutdown(wait=True, cancel_futures=True)
            lane.channel.close()

    @property
    def thread(self) -> threading.Thread:
        return self._thread

    def wake(self) -> None:
        """Something was written that may be due."""
        self._wake.set()

    def conditions(self) -> dict[str, Condition]:
        """How each channel does."""
        return {name: lane.circuit.condition() for name, lane in list(self._lanes.items())}

    def _run(self) -> None:
        while not self._stop.is_set():
            self._beat()
            self._wake.clear()
            try:
                taken = self.send_due()
                self.fault = None
            except Exception as error:  # the database may be away for a while
                if self.fault is None:
                    log.exception("the deliveries cannot be read")
                self.fault = f"notify: {type(error).__name__}"
                self._stop.wait(BROKEN_S)
                continue
            if not taken:
                self._wake.wait(self._idle_s)

    def send_due(self) -> int:
        """Take what is due and hand it to the channels' threads; returns how many."""
        now = self._now()
        with self._db.connect() as connection:
            waiting = due_channels(connection, now, of_all=self._duty.of_all)
            self._count(connection, now)
        taken = 0
        for name in sorted(filter(self._duty.has, waiting)):
            lane = self._lanes.get(name) or self._unknown(name)
            with lane.lock:
                free = lane.configured.parallel - lane.busy
            if free <= 0 or self._stop.is_set():
                continue
            if lane.configured.confirmed:
                taken += self._hand_on(lane, now)
                continue
            with self._db.begin() as tx:
                mine = claim(tx, name, self.name, now, free, of_all=self._duty.of_all)
            for sending in mine:
                self._submit(lane, sending)
            taken += len(mine)
        return taken

    def _submit(self, lane: _Lane, sending: Sending) -> None:
        with lane.lock:
            lane.busy += 1
        lane.workers.submit(self._work, lane, sending)

    def _hand_on(self, lane: _Lane, now: int) -> int:
        """Many at once, in one transaction: each is to be repeated until somebody confirms it. Those whose
        time is up go the way of all others."""
        again, over = [], []
        with self._db.begin() as tx:
            for sending in claim(tx, lane.configured.name, self.name, now, MANY):
                left = self._begun.setdefault(sending.id, now) + self._give_up_after(lane, sending) - now
                if left <= 0:
                    over.append(sending)
                    continue
                put_back(tx, sending.id, self.name, now + min(self._pause(sending), left), None)
                again.append(sending)
        for sending in again:
            try:
                lane.channel.send(self._message(lane, sending))
            except Unconfirmed:
                continue
            except Exception as fault:  # of this one: the others, and the other channels, are to be told
                metrics.ATTEMPTS_FAILED.labels(lane.configured.name).inc()
                log.error("a notice cannot be handed on", delivery=sending.id, error=_kind(fault))
        for sending in over:
            self._submit(lane, sending)
        return len(again) + len(over)

    def _unknown(self, name: str) -> _Lane:
        lane = self._lane(Configured(name, "unknown", _Unknown(), None, 1, "none"))
        self._lanes[name] = lane
        return lane

    def _count(self, connection: Connection, now: int) -> None:
        if 0 <= now - self._counted < COUNT_MS:
            return
        self._counted = now
        self._begun = {id: begun for id, begun in self._begun.items() if 0 <= now - begun < FORGET_MS}
        counts = waiting_of_channels(connection)
        for name in self._lanes:
            metrics.WAITING.labels(name).set(counts.get(name, 0))

    # ------------------------------------------------------------------ in a channel's thread

    def _work(self, lane: _Lane, sending: Sending) -> None:
        try:
            self._send(lane, sending)
        except Exception as error:  # the lease runs out, and it is tried again
            log.error("what became of a delivery was not written", error=_kind(error))
        finally:
            with lane.lock:
                lane.busy -= 1
            self._wake.set()

    def _send(self, lane: _Lane, sending: Sending) -> None:
        name, now = lane.configured.name, self._now()
        begun = self._begun.setdefault(sending.id, now)
        if not lane.circuit.lets_through(now):
            self._again(lane, sending, begun, Failed("the channel does not work just now"), tried=False)
            return
        try:
            lane.channel.send(self._message(lane, sending))
        except Refused as error:
            lane.circuit.noted(self._now(), str(error))
            metrics.ATTEMPTS_FAILED.labels(name).inc()
            self._give_up(lane, sending, str(error))
        except Unconfirmed as error:
            self._again(lane, sending, begun, error, tried=True)
        except Failed as error:
            self._failed(lane, error)
            self._again(lane, sending, begun, error, tried=True)
        except Exception as fault:  # a library's; its text may hold what must not be shown
            told = Failed(f"a fault of the channel ({_kind(fault)})")
            self._failed(lane, told)
            self._again(lane, sending, begun, told, tried=True)
        else:
            self._sent(lane, sending)

    def _message(self, lane: _Lane, sending: Sending) -> Message:
        shown = lane.configured
        return message_of(sending, shown.detail, self._link, shown.test_to, self._language)

    def _sent(self, lane: _Lane, sending: Sending) -> None:
        name, now = lane.configured.name, self._now()
        lane.circuit.worked(now)
        metrics.BROKEN.labels(name).set(0)
        self._write(lambda tx: mark_sent(tx, sending.id, now))
        self._begun.pop(sending.id, None)
        self.observe(name, sending.reason, sending.raised_at, now)

    def observe(self, channel: str, reason: str, raised_at: int | None, now: int) -> None:
        """Count one that got through at ``now``."""
        metrics.SENT.labels(channel).inc()
        if self._in_real_time and raised_at is not None and reason in FIRST_TOLD:
            metrics.SIGNAL_DELAY.labels(channel).observe(max(now - raised_at, 0) / 1000)

    def _failed(self, lane: _Lane, error: Failed) -> None:
        name = lane.configured.name
        lane.circuit.failed(self._now(), str(error))
        metrics.ATTEMPTS_FAILED.labels(name).inc()
        broken = lane.circuit.condition().broken_since is not None
        metrics.BROKEN.labels(name).set(broken)

    def _again(self, lane: _Lane, sending: Sending, begun: int, error: Failed, *, tried: bool) -> None:
        """Later, with growing pauses; or never, when its time is up or the channel has long been broken."""
        now, give_up = self._now(), self._give_up_after(lane, sending)
        since = lane.circuit.condition().broken_since
        hopeless = tried and since is not None and now - since >= give_up
        left = begun + give_up - now
        if hopeless or left <= 0:
            self._give_up(lane, sending, str(error))
            return
        pause = max(self._pause(sending), round((error.after_s or 0) * 1000))
        due = now + min(pause, left)
        self._write(lambda tx: put_back(tx, sending.id, self.name, due, str(error)))

    def _give_up_after(self, lane: _Lane, sending: Sending) -> int:
        return lane.configured.give_up or self._give_up_of(sending.ward)

    def _pause(self, sending: Sending) -> int:
        """Until the next attempt; with some chance, so that not all of them come at the same time."""
        pause: int = min(FIRST_PAUSE_MS << min(sending.attempts - 1, 10), LONGEST_PAUSE_MS)
        return round(pause * (0.5 + self._chance.random() / 2))

    def _give_up(self, lane: _Lane, sending: Sending, error: str) -> None:
        """It is told first and marked then: a crash in between tells it twice, not never."""
        if sending.alert is not None and sending.reason not in TOLD_ANYWAY:
            try:
                self._undelivered(sending, error)
            except Exception as fault:
                log.warning("not delivered, and that cannot be told yet", error=_kind(fault))
                due = self._now() + FIRST_PAUSE_MS
                self._write(lambda tx: put_back(tx, sending.id, self.name, due, error))
                return
        self._write(lambda tx: mark_failed(tx, sending.id, self.name, error))
        self._begun.pop(sending.id, None)
        metrics.UNDELIVERED.labels(lane.configured.name).inc()
        log.warning("not delivered", channel=lane.configured.name, delivery=sending.id, error=error)

    def _write(self, work: Callable[[Connection], None]) -> None:
        """In a transaction, tried again while the database is away for a moment."""
        for pause in MARK_AGAIN_S:
            try:
                with self._db.begin() as tx:
                    work(tx)
                return
            except Exception as error:
                log.warning("the deliveries cannot be written", error=_kind(error))
                self._stop.wait(pause)
        with self._db.begin() as tx:
            work(tx)


def _threads(configured: Configured) -> Executor:
    return ThreadPoolExecutor(configured.parallel, thread_name_prefix=f"notify-{configured.name}")


def _kind(error: Exception) -> str:
    return type(error).__name__
