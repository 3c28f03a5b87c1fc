"""What the tests of sending share: rows to send, a clock that is set by hand, channels that are scripted,
and a real HTTP server that answers as it is told."""

from __future__ import annotations

import contextlib
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy import Engine

from ward.notify.channels import Configured, Failed
from ward.notify.message import Message
from ward.notify.sender import Sender
from ward.store.care import Delivery, enqueue_deliveries
from ward.store.deliveries import Sending, Sent, get_delivery

START = 1_800_000_000_000


class HandClock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return self.time


class Inline(Executor):
    """Works at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Script:
    """A channel that does what its list says, one entry an attempt; then it takes everything."""

    def __init__(self, *what: Exception) -> None:
        self.what = list(what)
        self.heard: list[Message] = []
        self.tried = 0

    def send(self, message: Message) -> None:
        self.tried += 1
        if self.what:
            raise self.what.pop(0)
        self.heard.append(message)

    def close(self) -> None:
        pass


class Dead(Script):
    def send(self, message: Message) -> None:
        self.tried += 1
        raise Failed("nobody there")


@dataclass
class Office:
    """One sender on a database, driven by hand. ``undelivered`` is what was given up."""

    db: Engine
    channels: Mapping[str, Any]
    give_up: int | None = 30_000
    parallel: int = 4
    clock: Any = field(default_factory=HandClock)
    undelivered: list[tuple[Sending, str]] = field(default_factory=list)
    core_away: bool = False

    def __post_init__(self) -> None:
        self.sender = Sender(
            self.db,
            {
                name: channel
                if isinstance(channel, Configured)
                else Configured(name, "script", channel, self.give_up, self.parallel, "bed")
                for name, channel in self.channels.items()
            },
            self._undelivered,
            now=self.clock,
            chance=random.Random(1),
            workers=lambda configured: Inline(),
            link="https://ward.example/",
        )

    def _undelivered(self, sending: Sending, error: str) -> None:
        if self.core_away:
            raise TimeoutError
        self.undelivered.append((sending, error))

    def run(self, ms: int, step: int = 250) -> None:
        """Let time pass; look for what is due every ``step``."""
        end = self.clock.time + ms
        while self.clock.time < end:
            while self.sender.send_due():
                pass
            self.clock.time += step
        self.sender.send_due()

    def row(self, id: int) -> Sent:
        with self.db.connect() as connection:
            return get_delivery(connection, id)

    def states(self) -> list[str]:
        with self.db.connect() as connection:
            from sqlalchemy import select

            from ward.store.tables import deliveries

            return list(connection.scalars(select(deliveries.c.state).order_by(deliveries.c.id)))


def delivery(key: str = "k", channel: str = "pager", **values: Any) -> Delivery:
    given = {
        "alert": "a1",
        "stay": "s1",
        "ward": "w",
        "episode": "e1",
        "priority": "high",
        "kind": "physiological",
        "reason": "first",
        "level": 0,
        "person": "ada",
        "address": None,
        "created": START,
        "due": START,
        "raised_at": START - 2_000,
        "text": {"title": "SpO2 below 88 %", "bed": "12", "since": START - 600_000},
    } | values
    return Delivery(key=key, channel=channel, **given)


def put(db: Engine, *new: Delivery) -> None:
    with db.begin() as tx:
        enqueue_deliveries(tx, new)


@dataclass(frozen=True)
class Heard:
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Post:
    """A real HTTP server. ``answers``: a status, or (status, headers), or a function of the handler, one a
    request; then always 204."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.heard: list[Heard] = []
        post = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                post.heard.append(Heard({k.lower(): v for k, v in self.headers.items()}, body))
                answer = post.answers.pop(0) if post.answers else 204
                if callable(answer):
                    answer(self)
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    @contextlib.contextmanager
    def open(self) -> Iterator[Post]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join(5)


def keys(rows: Sequence[Any]) -> list[str]:
    return [row.key for row in rows]
