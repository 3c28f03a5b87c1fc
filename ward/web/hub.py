"""Fan-out of the ward's changes to the open event streams.

The core's thread publishes; each stream is served on the event loop. A stream that is slow costs only
itself: of each stay it keeps the newest view only, and when more than ``limit`` other events wait for it,
it is closed, so that the client comes back with ``Last-Event-ID`` and misses nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

Kind = Literal["alert", "stay", "device", "stay-removed"]
COALESCED: Final[frozenset[str]] = frozenset({"stay", "stay-removed", "device"})
"""Kinds of which only the newest matters, per id."""
LIMIT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """One event, encoded once for all streams. ``id`` is its number in the event log, if it has one."""

    kind: str
    data: str
    ward: str
    id: int | None
    key: str | None


class Closed(Exception):  # noqa: N818 - a state, not a fault
    """The stream is over: too slow, or the service is ending."""


class Subscription:
    """What waits for one stream. Only ``Hub`` writes to it; only its stream's task reads."""

    def __init__(self, sees: Callable[[str], bool], limit: int, loop: asyncio.AbstractEventLoop) -> None:
        self.sees = sees
        self._limit = limit
        self._loop = loop
        self._lock = threading.Lock()
        self._alerts: deque[Event] = deque()
        self._latest: OrderedDict[str, Event] = OrderedDict()
        self._closed = False
        self._waiting = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Called from any thread; never waits."""
        with self._lock:
            if self._closed:
                return
            if event.key is not None:
                self._latest[event.key] = event
            elif len(self._alerts) >= self._limit:
                self._closed = True
            else:
                self._alerts.append(event)
        self._wake()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop is already closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._waiting.set)

    async def take(self, timeout: float) -> list[Event]:  # noqa: ASYNC109 - a heartbeat, not a failure
        """What waits, alerts first; after ``timeout`` seconds an empty list. Raises Closed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.wait(), timeout)
        self._waiting.clear()
        with self._lock:
            events = [*self._alerts, *self._latest.values()]
            self._alerts.clear()
            self._latest.clear()
            if self._closed and not events:
                raise Closed
        if self._closed:
            self._waiting.set()
        return events


class Hub:
    """Thread-safe. ``subscribers`` tells how many streams are open."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    def publish(self, kind: Kind, data: dict[str, Any], ward: str, id: int | None = None) -> None:
        """Tell every stream that sees ``ward``. ``data`` is a JSON object; from any thread, never waits.

        alert: ``{"alert": …, "event": …}`` with ``id`` = its number in the event log. stay: the stay's view.
        stay-removed: ``{"id": …}``, when it was discharged or left ``ward``. device: the device's view, whose
        ``id`` is ``ward/device``.
        """
        with self._lock:
            to = [s for s in self._subscriptions if s.sees(ward)]
        if not to:
            return
        key = None
        if kind in COALESCED:
            what = "stay" if kind.startswith("stay") else kind
            key = f"{what} {data['id']}"
        event = Event(kind, msgspec.json.encode(data).decode(), ward, id, key)
        for subscription in to:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, sees: Callable[[str], bool]) -> Iterator[Subscription]:
        """A subscription of the running loop to the wards that ``sees`` lets through."""
        subscription = Subscription(sees, self._limit, asyncio.get_running_loop())
        with self._lock:
            self._subscriptions.add(subscription)
            closed = self._closed
        if closed:
            subscription.close()
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End all streams, also those that still come, so that the server can stop."""
        with self._lock:
            self._closed = True
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
