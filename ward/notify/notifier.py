"""Everything about telling people in one place: the sender, test alerts, and what the web asks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

import structlog
from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from ward.alerts.deliver import Delivery
from ward.alerts.plan import Plan
from ward.clock import wall_ms
from ward.errors import NotFoundError
from ward.language import Language
from ward.notify import carriers
from ward.notify.channels import Configured
from ward.notify.circuit import Condition
from ward.notify.duty import EVERYTHING, Duty
from ward.notify.rehearsal import by_hand, of_shift
from ward.notify.sender import Sender, Undelivered
from ward.notify.views import Json, channel_view, delay_view, delivery_view, test_view
from ward.store.care import enqueue_deliveries
from ward.store.deliveries import (
    DASHBOARD,
    by_keys,
    confirm_shown,
    delays,
    deliveries_of,
    deliveries_with,
    last_failures,
    last_tests,
    list_tests,
    note_screen,
    note_seen,
    tests_on_screens,
    to_be_shown,
    waiting_of_channels,
)

SHIFTS_S: Final = 30.0
"""How often is looked whether a shift has begun."""

log = structlog.get_logger(__name__)


class Notifier:
    """``plan_of(ward)`` and ``wards()`` tell of the wards as they are; ``ward_now`` is their clock.

    Where ``duty`` is not everything, the processes that carry alerts to people tell of themselves in the
    database, and those that leave it to them look whether there are any.
    """

    def __init__(
        self,
        db: Database,
        channels: Mapping[str, Configured],
        undelivered: Undelivered,
        *,
        plan_of: Callable[[str], Plan],
        wards: Callable[[], Iterable[str]],
        ward_now: Callable[[], int],
        in_real_time: bool = True,
        link: str | None = None,
        language: Language = "en",
        beat: Callable[[], None] = lambda: None,
        duty: Duty = EVERYTHING,
        is_woken: bool = False,
    ) -> None:
        self._db, self._channels, self._duty = db, channels, duty
        self._watch = carriers.Watch(db)
        self._told, self._number = float("-inf"), 0
        self._plan_of, self._wards, self._ward_now = plan_of, wards, ward_now
        self._in_real_time, self._beat = in_real_time, beat
        self._looked = float("-inf")
        self._sender = Sender(
            db,
            channels,
            undelivered,
            give_up_of=lambda ward: plan_of(ward).give_up,
            link=link,
            language=language,
            beat=self._round,
            in_real_time=in_real_time,
            duty=duty,
            is_woken=is_woken,
        )
        self.wake = self._sender.wake

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        self._sender.start()

    def stop(self) -> None:
        self._sender.stop()
        if self._number:
            with contextlib.suppress(SQLAlchemyError):  # then it is seen that it does not count up
                carriers.take_leave(self._db, self._sender.name)

    @property
    def thread(self) -> threading.Thread:
        return self._sender.thread

    @property
    def fault(self) -> str | None:
        """Why nobody at all can be told, if so."""
        return self._sender.fault or (None if self._duty.people else self._watch.fault)

    def failing(self) -> list[str]:
        """Channels through which nothing gets: what lasts is an alert of the service's own."""
        return [
            f"channel-{name}" for name, each in self._conditions().items() if each.broken_since is not None
        ]

    def look(self) -> None:
        """How the channels do by those who carry. Raises SQLAlchemyError."""
        self._watch.look()

    def _conditions(self) -> dict[str, Condition]:
        return {**self._sender.conditions(), **self._watch.conditions()}

    def _round(self) -> None:
        self._beat()
        try:
            if not self._duty.people:
                self.look()
            elif not self._duty.screens:
                self._tell(time.monotonic())
        except SQLAlchemyError:  # the sender says so, and tries again
            log.warning("who carries alerts cannot be read or told now")
        if not self._duty.people or time.monotonic() - self._looked < SHIFTS_S:
            return
        self._looked = time.monotonic()
        try:
            self.test_shifts()
        except Exception:  # looked at again; it must not keep alerts from being sent
            log.exception("the tests of the shifts were not made")

    def _tell(self, now: float) -> None:
        if now - self._told < carriers.TELL_S:
            return
        self._told = now
        self._number += 1
        carriers.tell(self._db, self._sender.name, self._number, self._sender.conditions())
        self.look()
        if gone := self._watch.gone():
            carriers.take_leave(self._db, *gone)

    # ------------------------------------------------------------------ tests

    def test_shifts(self) -> int:
        """Put the tests of the shifts that have begun in line; those that are there change nothing."""
        now, wall = self._ward_now(), wall_ms()
        tests = [
            test
            for ward in sorted(set(self._wards()))
            for test in of_shift(ward, self._plan_of(ward), self._channels, now, wall)
        ]
        return self._put(tests)

    def test(self, ward: str, channel: str | None = None) -> list[Json]:
        """A test of every channel of a ward, or of one; sent within moments, as ``tests`` then shows.

        Raises NotFoundError for a channel that is not configured.
        """
        if channel is not None and channel not in self._channels:
            raise NotFoundError(f"no channel {channel}; there are: {', '.join(self._channels)}")
        wanted: Collection[str] = self._channels if channel is None else {channel}
        made = by_hand(ward, self._plan_of(ward), wanted, self._ward_now(), wall_ms())
        self._put(made)
        with self._db.connect() as connection:
            return [test_view(sent) for sent in by_keys(connection, [test.key for test in made])]

    def _put(self, tests: list[Delivery]) -> int:
        """How many of them are new."""
        if not tests:
            return 0
        with self._db.connect() as connection:
            known = len(by_keys(connection, [test.key for test in tests]))
        if known < len(tests):
            with self._db.begin() as tx:
                enqueue_deliveries(tx, tests)
        return len(tests) - known

    def tests(self, wards: frozenset[str] | None, *, cursor: str | None = None, limit: int = 100) -> Json:
        """A page of test alerts and what became of them, the latest first."""
        with self._db.connect() as connection:
            found = list_tests(connection, wards=wards, cursor=cursor, limit=limit)
        return {"items": [test_view(sent) for sent in found.items], "next": found.next}

    def seen(self, id: int, wards: frozenset[str] | None, by: str) -> Json:
        """A person says that a test reached her. Raises NotFoundError."""
        with self._db.begin() as tx:
            return test_view(note_seen(tx, id, wards, by, wall_ms()))

    # ------------------------------------------------------------------ what the web asks

    def shown(self, ids: Collection[int], wards: frozenset[str] | None, by: str) -> None:
        """A page says that it shows these notices; what nobody waits for any more changes nothing."""
        with self._db.connect() as connection:
            waiting = to_be_shown(connection, ids, wards)
            tests = tests_on_screens(connection, ids, wards)
        if not waiting and not tests:  # most often: another page was first
            return
        now = wall_ms()
        with self._db.begin() as tx:
            told = [notice for notice in waiting if confirm_shown(tx, notice, by, now)]
            for test in tests:
                note_screen(tx, test, by, now)
        for notice in told:
            self._sender.observe(DASHBOARD, notice.reason, notice.raised_at, now)

    def channels(self, wards: frozenset[str] | None) -> list[Json]:
        """Every channel: how it does, its last test and its last failure in these wards."""
        with self._db.connect() as connection:
            waiting = waiting_of_channels(connection)
            tests, failures = last_tests(connection, wards), last_failures(connection, wards)
        conditions = self._conditions()
        return [
            channel_view(channel, conditions[name], waiting.get(name, 0), tests.get(name), failures.get(name))
            for name, channel in self._channels.items()
        ]

    def told(self, alert: str, episode: str | None) -> dict[str, list[Json]]:
        """Who was told of an alert, or was to be told; and who of the others of its episode."""
        with self._db.connect() as connection:
            own = deliveries_of(connection, alert)
            others = [] if episode is None else deliveries_with(connection, alert, episode)
        return {
            name: [delivery_view(sent, in_real_time=self._in_real_time) for sent in found]
            for name, found in (("deliveries", own), ("episode_deliveries", others))
        }

    def delays(self, *, since: int, until: int, wards: frozenset[str] | None) -> Iterator[Json]:
        """Both delays of each alert raised in ``[since, until)``, a row a delivery."""
        with self._db.connect() as connection:
            for block in delays(connection, since=since, until=until, wards=wards):
                for delay in block:
                    yield delay_view(delay, in_real_time=self._in_real_time)
