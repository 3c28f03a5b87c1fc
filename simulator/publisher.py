"""Play a simulated ward to a broker, in the time of a clock, from one thread."""

from __future__ import annotations

import contextlib
import selectors
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from simulator.connection import Connection
from simulator.transport import Message
from ward.ingest.broker_url import BrokerUrl

AT_ONCE: Final = 500
"""Messages taken in one round, so that sockets are served in between."""
BACKLOG: Final = 20_000
"""Messages waiting for the broker above which no more are made: the devices store, the ward falls behind."""
LONGEST_WAIT_S: Final = 0.1
MISC_S: Final = 0.5
NOTE_S: Final = 0.1


class Pace(Protocol):
    """A clock of ``ward.clock``: now() in ms since 1970, running ``speed`` times as fast as the wall's."""

    @property
    def speed(self) -> float: ...

    def now(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What a publisher has done: connections open, messages given to and not yet acknowledged by the
    broker, how far it is behind its clock (ms of the ward's time), and why a device cannot connect."""

    connected: int = 0
    published: int = 0
    waiting: int = 0
    behind_ms: int = 0
    problem: str | None = None


class Publisher:
    """Sends messages when the clock reaches their time; ``progress`` may be read from any thread."""

    def __init__(self, broker: BrokerUrl, clock: Pace, ca_file: str | None = None) -> None:
        self.broker, self.clock, self.ca_file = broker, clock, ca_file
        self.progress = Progress()
        self._connections: dict[tuple[str, str], Connection] = {}
        self._ended = 0
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, tuple[Connection, object, int]] = {}
        self._misc_at = self._note_at = 0.0

    def run(self, messages: Iterable[Message], stop: threading.Event) -> Progress:
        """Publish until the messages end and are acknowledged, or ``stop`` is set; then say goodbye."""
        _allow_sockets()
        source = iter(messages)
        due = next(source, None)
        try:
            while not stop.is_set():
                now, taken = self.clock.now(), 0
                room = AT_ONCE if self.progress.waiting < BACKLOG else 0
                while due is not None and due.at <= now and taken < room:
                    self._route(due)
                    due, taken = next(source, None), taken + 1
                self._serve(self._pause(due, now))
                self._note(due)
                if due is None and not self._waiting():
                    break
        finally:
            self._leave()
        self._note_at = 0.0
        self._note(due)
        return self.progress

    def _pause(self, due: Message | None, now: int) -> float:
        """Seconds until the next message at most."""
        if due is None or self.progress.waiting >= BACKLOG:
            return LONGEST_WAIT_S
        return min(max(0.0, (due.at - now) / 1000 / self.clock.speed), LONGEST_WAIT_S)

    def _route(self, message: Message) -> None:
        key = (message.device, message.session)
        connection = self._connections.get(key)
        if connection is None:
            if message.what != "birth":  # that session is over; only a late message of it remains
                connection = self._newest(message.device)
                if connection is None:
                    return
            else:
                connection = self._connections[key] = Connection(self.broker, message, self.ca_file)
        connection.give(message)
        self._advance(connection, time.monotonic())

    def _newest(self, device: str) -> Connection | None:
        return next((c for c in reversed(self._connections.values()) if c.device == device), None)

    def _advance(self, connection: Connection, now_s: float) -> None:
        connection.advance(now_s)
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Let the selector know this connection's present socket and wish."""
        sock = connection.socket
        wish = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_write else 0)
        known = self._watched.get(id(connection))
        if known is not None and (known[1] is not sock or known[2] != wish):
            self._selector.unregister(known[1])  # type: ignore[arg-type]  # what was registered
            del self._watched[id(connection)]
            known = None
        if known is None and sock is not None:
            self._selector.register(sock, wish, connection)
            self._watched[id(connection)] = (connection, sock, wish)

    def _serve(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            connection: Connection = key.data
            connection.serve()
            self._advance(connection, time.monotonic())
        now_s = time.monotonic()
        if now_s >= self._misc_at:
            self._misc_at = now_s + MISC_S
            for session, connection in list(self._connections.items()):
                connection.misc()
                self._advance(connection, now_s)
                if connection.over:
                    self._ended += connection.published
                    del self._connections[session]

    def _waiting(self) -> int:
        return sum(c.waiting for c in self._connections.values())

    def _note(self, due: Message | None) -> None:
        if time.monotonic() < self._note_at:
            return
        self._note_at = time.monotonic() + NOTE_S
        active = self._connections.values()
        self.progress = Progress(
            connected=sum(c.connected for c in active),
            published=self._ended + sum(c.published for c in active),
            waiting=self._waiting(),
            behind_ms=0 if due is None else max(0, self.clock.now() - due.at),
            problem=next((c.problem for c in active if c.problem), None),
        )

    def _leave(self) -> None:
        for connection in self._connections.values():
            connection.leave()
            self._watch(connection)
        until = time.monotonic() + 2.0
        while any(c.socket for c in self._connections.values()) and time.monotonic() < until:
            self._serve(0.05)
        self._selector.close()


def _allow_sockets() -> None:
    """As many open sockets as the system lets this process have: a connection takes three."""
    try:
        import resource
    except ImportError:  # not Unix: no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
