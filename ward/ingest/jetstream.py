"""The journal in NATS JetStream: a stream on several servers, so that no single machine is the truth.

One message a batch, its position is its sequence in the stream. Needs the extra ``cluster`` (nats-py).

**Who may write** is decided by the stream itself. Who opens the journal writes a mark with its own name;
each batch says which position it expects before it (``Nats-Expected-Last-Sequence``). Whoever was frozen, cut
off or thought dead and writes again expects a position that another one's mark has taken, and is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import nats
import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    Header,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import APIError, NotFoundError
from sqlalchemy import Engine

from ward.errors import ConflictError, FencedError
from ward.ingest.journal import JournalAwayError, careful, letter_of
from ward.ingest.packed import Packed, Part, decode, encode, entries_of, parts_of
from ward.ingest.records import Entry, Refusal
from ward.store.credentials import Heard, add_heard
from ward.store.tables import dead_letters

T = TypeVar("T")

MOST_BYTES: Final = 900_000
"""Of one message; nats-server takes 1 MiB unless it is told otherwise. A larger batch becomes several."""
ANSWER_S: Final = 5.0
"""A cluster elects a new leader within about so long; until then nothing is durable, and we wait."""
CONNECT_S: Final = 15.0
FETCH: Final = 500
OWNER: Final = "Ward-Owner"
WRONG_LAST: Final = (10071, 10164)
"""JetStream's codes for: that is not the position you expect."""
MOST_REPLICAS: Final = 3
READER_IDLE_S: Final = 60.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Reader:
    """A consumer of the stream that stands behind ``after``."""

    after: int
    pull: JetStreamContext.PullSubscription


class JetStreamJournal:
    """See ``Journal``. What was refused and the numbers of signed messages stay in the database: they are
    written there after the batch is in the stream, and a batch counts as written when both are.

    Opening creates the stream where there is none, with three replicas where three addresses or more are
    given, and takes it over from whoever wrote to it. Raises JournalAwayError, and ConflictError for a stream
    that would forget what it was given. May be called in any thread.
    """

    answer_s: float = ANSWER_S
    """How long an answer is waited for; then the batch counts as not written."""

    def __init__(self, engine: Engine, url: str, stream: str) -> None:
        self._engine, self._stream = engine, stream
        self._urls = _urls(url)
        self._subject = f"{stream}.batches"
        self._owner = uuid.uuid4().hex
        self._last = 0
        self.replicas = 0
        self._half_written: list[bytes] = []
        """A batch that is in the stream, while what stands beside it is not in the database."""
        self._reader: _Reader | None = None
        self._turn = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="journal", daemon=True)
        self._thread.start()
        self._client: Client | None = None
        try:
            self.identity = self._call(self._open(), CONNECT_S + ANSWER_S)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        if not self._loop.is_running():
            return
        if self._client is not None:
            client, self._client = self._client, None
            asyncio.run_coroutine_threadsafe(client.close(), self._loop).result(ANSWER_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_S)
        self._loop.close()

    # ------------------------------------------------------------------ the journal

    def append(
        self, entries: Sequence[Part], refusals: Sequence[Refusal] = (), heard: Sequence[Heard] = ()
    ) -> int:
        """See ``Journal``. A batch that is too large for one message becomes several; if the last of them
        fails, those before are in the stream, and are known again when they come again."""
        with self._turn:
            payloads = _payloads(entries) if entries else []
            if payloads != self._half_written:
                for payload in payloads:
                    self._last = self._call(self._publish(payload))
            self._half_written = payloads
            self._write_beside(refusals, heard if entries else ())
            self._half_written = []
            return self._last

    def _write_beside(self, refusals: Sequence[Refusal], heard: Sequence[Heard]) -> None:
        letters = [letter_of(refusal) for refusal in refusals if refusal.kept]
        if letters or heard:
            with self._engine.begin() as tx:
                if letters:
                    tx.execute(dead_letters.insert(), letters)
                if heard:
                    add_heard(tx, self._last, heard)

    def read(self, after: int, limit: int = 1000) -> list[tuple[int, list[Entry] | None]]:
        return [(position, careful(decode, payload)) for position, payload in self._rows(after, limit)]

    def read_parts(self, after: int, limit: int = 1000) -> list[tuple[int, list[Part] | None]]:
        return [(position, careful(parts_of, payload)) for position, payload in self._rows(after, limit)]

    def last(self) -> int:
        return self._last

    def trim(self, upto: int) -> None:
        end = min(upto, self._last - 1)
        if end > 0:
            self._call(self._purge(end))

    # ------------------------------------------------------------------ on the loop

    def _call(self, work: Coroutine[Any, Any, T], within_s: float | None = None) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(within_s or 3 * self.answer_s)
        except (NatsError, TimeoutError, FutureTimeoutError, OSError) as error:
            future.cancel()
            raise JournalAwayError(f"the journal's servers do not answer: {type(error).__name__}") from error

    async def _open(self) -> str:
        async def said(error: Exception) -> None:
            log.warning("the journal's connection", error=type(error).__name__)

        self._client = await nats.connect(
            self._urls,
            name="ward-journal",
            error_cb=said,
            connect_timeout=2,
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            ping_interval=2,
        )
        info = await _patiently(self._found_or_made, CONNECT_S)
        self.replicas = info.config.num_replicas or 1
        _require_lasting(info.config)
        mark = {OWNER: self._owner}
        self._last = await _patiently(lambda: self._sent(encode([]), mark), CONNECT_S)
        return f"{self._stream} {info.created:%Y-%m-%dT%H:%M:%S.%fZ}" if info.created else self._stream

    @property
    def _js(self) -> JetStreamContext:
        assert self._client is not None
        return self._client.jetstream(timeout=self.answer_s)

    async def _found_or_made(self) -> StreamInfo:
        try:
            return await self._js.stream_info(self._stream)
        except NotFoundError:
            return await self._js.add_stream(
                StreamConfig(
                    name=self._stream,
                    subjects=[self._subject],
                    retention=RetentionPolicy.LIMITS,
                    discard=DiscardPolicy.NEW,
                    storage=StorageType.FILE,
                    num_replicas=MOST_REPLICAS if len(self._urls) >= MOST_REPLICAS else 1,
                )
            )

    async def _sent(self, payload: bytes, headers: dict[str, str]) -> int:
        return (await self._js.publish(self._subject, payload, headers=headers, stream=self._stream)).seq

    async def _publish(self, payload: bytes) -> int:
        """Its position. An attempt of before whose answer was lost may be in the stream already: the same
        batch then gets that position, another one comes behind it."""
        while True:
            content = hashlib.sha256(payload).hexdigest()[:16]
            headers = {
                OWNER: self._owner,
                Header.EXPECTED_LAST_SEQUENCE.value: str(self._last),
                Header.MSG_ID.value: f"{self._owner}-{self._last}-{content}",
            }
            try:
                return await self._sent(payload, headers)
            except APIError as error:
                if error.err_code not in WRONG_LAST:
                    raise
            self._last = await self._own_last()

    async def _own_last(self) -> int:
        """The newest position, where it is of our own writing. Raises FencedError where it is not."""
        newest = await self._js.get_last_msg(self._stream, self._subject)
        if (newest.headers or {}).get(OWNER) != self._owner:
            raise FencedError("another service has taken the journal over")
        if newest.seq is None or newest.seq <= self._last:
            raise JournalAwayError("the journal's servers do not agree yet")
        return newest.seq

    async def _purge(self, end: int) -> None:
        await self._js.purge_stream(self._stream, seq=end + 1)

    # ------------------------------------------------------------------ reading

    def _rows(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        if after >= self._last:
            return []
        with self._turn:
            return self._call(self._fetched(after, limit, self._last), CONNECT_S)

    async def _fetched(self, after: int, limit: int, last: int) -> list[tuple[int, bytes]]:
        """Up to ``limit`` batches, and no fewer unless ``last``, which is there, is among them."""
        reader = self._reader
        if reader is None or reader.after != after:
            reader = _Reader(after, await self._consumer(after + 1))
        self._reader = None  # if this fails the next one begins anew
        found: list[tuple[int, bytes]] = []
        while len(found) < limit and reader.after < last:
            messages = await reader.pull.fetch(min(FETCH, limit - len(found)), timeout=self.answer_s)
            for message in messages:
                reader.after = message.metadata.sequence.stream
                found.append((reader.after, message.data))
        self._reader = reader
        return [row for row in found if row[0] <= last]

    async def _consumer(self, start: int) -> JetStreamContext.PullSubscription:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=READER_IDLE_S,
            mem_storage=True,
        )
        return await self._js.pull_subscribe(self._subject, stream=self._stream, config=config)


def replicas_of(url: str, stream: str) -> int:
    """On how many servers the stream is kept; 0 where there is none yet. Changes nothing. Raises
    JournalAwayError."""

    async def ask() -> int:
        async with asyncio.timeout(ANSWER_S):
            client = await nats.connect(_urls(url), connect_timeout=2)
            try:
                return (await client.jetstream().stream_info(stream)).config.num_replicas or 1
            except NotFoundError:
                return 0
            finally:
                await client.close()

    try:
        return asyncio.run(ask())
    except (NatsError, TimeoutError, OSError) as error:
        raise JournalAwayError(f"the journal's servers do not answer: {type(error).__name__}") from error


def _urls(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


async def _patiently(work: Callable[[], Awaitable[T]], within_s: float) -> T:
    """A cluster without a leader does not answer; so it is asked again."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return await work()
        except NatsError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def _payloads(entries: Sequence[Part]) -> list[bytes]:
    """The batch as messages, each small enough, in order."""
    payload = encode(entries)
    if len(payload) <= MOST_BYTES or (len(entries) == 1 and not isinstance(entries[0], Packed)):
        return [payload]
    if len(entries) == 1:
        entries = entries_of(entries)
    half = len(entries) // 2
    return [*_payloads(entries[:half]), *_payloads(entries[half:])]


def _require_lasting(config: StreamConfig) -> None:
    """A stream that forgets by itself is no journal."""
    forgets = {
        "retention": config.retention not in (None, RetentionPolicy.LIMITS),
        "discard": config.discard != DiscardPolicy.NEW,
        "max_age": bool(config.max_age),
        "max_msgs_per_subject": (config.max_msgs_per_subject or -1) > 0,
        "storage": config.storage == StorageType.MEMORY,
    }
    if wrong := [name for name, is_wrong in forgets.items() if is_wrong]:
        raise ConflictError(f"the stream {config.name} would forget what it was given: {', '.join(wrong)}")
