"""Fan-out of the ward's changes to the open event streams.

The core's thread publishes; each stream is served on the event loop. A stream that is slow costs only
itself: of each stay it keeps the newest view only, and when more than ``limit`` other events wait for it,
it is closed, so that the client comes back with ``Last-Event-ID`` and misses nothing. A dashboard is told of
stays by what changed; one that is behind gets a snapshot in place of all changes that wait for it.

What is told is made and encoded once, as the bytes that go out, and only where somebody listens to it: the
streams share them. All that one tick tells is handed over in one go, and wakes the event loop once.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import msgspec

Json = dict[str, Any]
Kind = Literal["alert", "stay", "stays", "minutes", "device", "stay-removed", "notice"]
COALESCED: Final[frozenset[str]] = frozenset({"stay", "stay-removed", "device"})
"""Kinds of which only the newest matters, per id."""
Form = Literal["views", "changes"]
"""How a stream is told of stays: each anew whenever anything of it changed, or what is other than before."""
FORMS: Final[tuple[Form, Form]] = ("views", "changes")
NOT_FOR: Final[Mapping[str, frozenset[str]]] = {
    "views": frozenset({"stays", "minutes"}),
    "changes": frozenset({"stay"}),
}
"""Kinds that a form leaves out: it has others that say the same."""
_TOLD: Final[Mapping[str, tuple[Form, ...]]] = {
    kind: tuple(form for form in FORMS if kind not in NOT_FOR[form]) for kind in get_args(Kind)
}
STEPS: Final = frozenset({"stays", "minutes", "stay-removed"})
"""Kinds that a stream of changes needs whole and in their order; else all must be told anew."""
MOST_STEPS: Final = 60
"""So many may wait for one stream: a ward's minute. Then a snapshot is less to send."""
BEHIND: Final = "behind"
"""The kind of an event that stands for all that was dropped: the stream is to send a snapshot."""
LIMIT: Final = 1_000
PRIVATE: Final[frozenset[str]] = frozenset(
    {"patient_ref", "note", "shelve_reason", "paused_reason", "detail"}
)
"""Who the patient is, and what people wrote: not for whoever passes a screen on the wall."""


def for_everybody(data: Any) -> Any:
    """The same JSON value with null for all that is private, however deep."""
    if isinstance(data, dict):
        return {name: None if name in PRIVATE else for_everybody(item) for name, item in data.items()}
    if isinstance(data, list | tuple):
        return [for_everybody(item) for item in data]
    return data


def on_wire(kind: str, data: bytes, id: object = None) -> bytes:
    """An event of a stream, from its data as JSON on one line."""
    numbered = b"" if id is None else b"id: %s\n" % str(id).encode()
    return b"event: %s\n%sdata: %s\n\n" % (kind.encode(), numbered, data)


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as all streams send it. ``step`` is that of the board whose change it tells; of those with
    the same ``key`` only the newest matters."""

    kind: str
    wire: bytes
    id: int | str | None = None
    key: str | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told to whoever sees ``ward``. ``data``: a JSON object, or what makes it: that is asked
    for only if somebody listens. ``id``: its number in the event log, if it has one."""

    kind: Kind
    data: Json | Callable[[], Json]
    ward: str
    id: int | str | None = None
    step: int | None = None
    of: str | None = None
    """Of a kind in ``COALESCED``: the id of what it is about."""

    @property
    def key(self) -> str | None:
        if self.kind not in COALESCED:
            return None
        return f"{'stay' if self.kind.startswith('stay') else self.kind} {self.of}"


class _Made:
    """The event of a message, made when the first stream asks, at most once for each kind of reader."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._data: Json | None = None
        self._events: dict[bool, Event] = {}

    def event(self, *, public: bool) -> Event:
        if public not in self._events:
            message = self._message
            if self._data is None:
                self._data = message.data() if callable(message.data) else message.data
            shown = for_everybody(self._data) if public else self._data
            wire = on_wire(message.kind, msgspec.json.encode(shown), message.id)
            self._events[public] = Event(message.kind, wire, message.id, message.key, message.step)
        return self._events[public]


class Closed(Exception):  # noqa: N818 - a state, not a fault
    """The stream is over: too slow, or the service is ending."""


class Subscription:
    """What waits for one stream. Only ``Hub`` writes to it; only its stream's task reads."""

    def __init__(
        self,
        sees: Callable[[str], bool],
        limit: int,
        loop: asyncio.AbstractEventLoop,
        *,
        public: bool,
        form: Form = "views",
    ) -> None:
        self.sees = sees
        self.public = public
        self.form = form
        self._limit = limit
        self._loop = loop
        self._lock = threading.Lock()
        self._alerts: deque[Event] = deque()
        self._latest: OrderedDict[str, Event] = OrderedDict()
        self._steps: deque[Event] = deque()
        self._closed = False
        self._doubted = False
        self._waiting = asyncio.Event()

    def offer(self, events: Sequence[Event]) -> None:
        """Called from any thread; never waits. Whoever offers wakes the stream (``awake``)."""
        with self._lock:
            for event in events:
                if self._closed:
                    return
                if self.form == "changes" and event.kind in STEPS:
                    self._step(event)
                elif event.key is not None:
                    self._latest[event.key] = event
                elif len(self._alerts) >= self._limit:
                    self._closed = True
                else:
                    self._alerts.append(event)

    def _step(self, event: Event) -> None:
        if len(self._steps) >= MOST_STEPS:
            self._steps.clear()
            self._steps.append(Event(BEHIND, b""))
        if not self._steps or self._steps[-1].kind != BEHIND:
            self._steps.append(event)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._wake()

    def behind(self) -> None:
        """What waits is of before: a snapshot takes its place."""
        with self._lock:
            if not self._closed:
                self._steps.clear()
                self._latest.clear()
                self._steps.append(Event(BEHIND, b""))
        self._wake()

    def doubt(self) -> None:
        """Who listens may have lost the right to: nothing more is to be sent before that is known."""
        self._doubted = True
        self._wake()

    def doubted(self) -> bool:
        """Whether it was doubted since this was asked last."""
        doubted, self._doubted = self._doubted, False
        return doubted

    def _wake(self) -> None:
        awake([self])

    async def take(self, timeout: float) -> list[Event]:  # noqa: ASYNC109 - a heartbeat, not a failure
        """What waits, alerts first; after ``timeout`` seconds an empty list. Raises Closed."""
        if not self._waiting.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._waiting.wait()
        self._waiting.clear()
        with self._lock:
            events = [*self._alerts, *self._steps, *self._latest.values()]
            self._alerts.clear()
            self._steps.clear()
            self._latest.clear()
            if self._closed and not events:
                raise Closed
        if self._closed:
            self._waiting.set()
        return events


def awake(subscriptions: Sequence[Subscription]) -> None:
    """One word to each event loop, however many of its streams have something to send."""
    waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Event]] = defaultdict(list)
    for one in subscriptions:
        waiting[one._loop].append(one._waiting)
    for loop, events in waiting.items():
        with suppress(RuntimeError):  # the loop is already closed: nobody reads any more
            loop.call_soon_threadsafe(_set, events)


def _set(events: list[asyncio.Event]) -> None:
    for event in events:
        event.set()


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

    def publish(
        self, kind: Kind, data: Json, ward: str, id: int | None = None, step: int | None = None
    ) -> int:
        """One message; how many streams are told."""
        return self.tell([Message(kind, data, ward, id, step, data.get("id"))])

    def tell(self, messages: Iterable[Message]) -> int:
        """Tell each to every stream that sees its ward; to how many streams that is. From any thread, never
        waits. Where no stream is open the messages are not even asked for.

        alert: ``{"alert": …, "event": …}`` with ``id`` = its number in the event log. stay: the stay's view.
        stays, minutes: what streams of changes are told in its place (``ward.live.board``).
        stay-removed: ``{"id": …}``, when it was discharged or left ``ward``. device: the device's view, whose
        ``id`` is ``ward/device``. notice: what a page is to say that it shows (``ward.notify.dashboard``).
        """
        with self._lock:
            open_ = list(self._subscriptions)
        if not open_:
            return 0
        told: dict[Subscription, list[Event]] = defaultdict(list)
        listening: dict[tuple[str, tuple[Form, ...]], list[Subscription]] = {}
        for message in messages:
            forms = _TOLD[message.kind]
            group = (message.ward, forms)
            if group not in listening:
                listening[group] = [s for s in open_ if s.form in forms and s.sees(message.ward)]
            if to := listening[group]:
                made = _Made(message)
                for subscription in to:
                    told[subscription].append(made.event(public=subscription.public))
        for subscription, events in told.items():
            subscription.offer(events)
        awake(list(told))
        return len(told)

    @contextmanager
    def subscribe(
        self, sees: Callable[[str], bool], *, public: bool = False, form: Form = "views"
    ) -> Iterator[Subscription]:
        """A subscription of the running loop to the wards that ``sees`` lets through; a ``public`` one gets
        what whoever stands before a screen may see."""
        subscription = Subscription(sees, self._limit, asyncio.get_running_loop(), public=public, form=form)
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

    def behind(self) -> None:
        """The board is another: every stream shows all of it anew."""
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.behind()

    def doubt(self) -> None:
        """Users, tokens or sessions changed: every stream looks anew whether it may go on."""
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.doubt()

    def close(self) -> None:
        """End all streams, also those that still come, so that the server can stop."""
        with self._lock:
            self._closed = True
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
