"""The service's link to the broker: keeps a connection, hands out messages, acknowledges, publishes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import structlog
from paho.mqtt.enums import MQTTProtocolVersion

from ward.ingest.broker_url import BrokerUrl
from ward.ingest.connection import Connection, Sent
from ward.ingest.intake import Incoming, Intake
from ward.ingest.tls import why
from ward.ingest.topics import SUBSCRIPTIONS

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 10.0
KEEPALIVE_S: Final = 10
"""A broker that answers nothing any more (a half-open connection) is noticed within twice as long."""
PROTOCOLS: Final = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LinkStats:
    """What the link is doing; counts since it was made, times in seconds of the machine."""

    connected: bool
    """Connected, and the subscriptions are confirmed."""
    protocol: str
    queue_depth: int
    queue_bytes: int
    queue_size: int
    received: int
    connections: int
    blocked_s: float
    """How long reading was paused because the queue was full."""
    last_message_age_s: float | None
    last_error: str | None


class MqttLink:
    """A supervised connection with a persistent session.

    Messages wait in ``intake``; nothing is acknowledged before ``ack`` is called. One thread, named
    ``mqtt``, does all network work, reconnects with growing pauses, and outlives any exception; it calls
    ``beat`` each time it goes round. ``also`` are other addresses of the same cluster of brokers (host,
    port): when a connection ends the next is to the next of them. ``prefix``: what the broker puts before
    the devices' own topics, and what is taken off them. Without ``topics`` it only publishes, and leaves no
    session behind.
    """

    def __init__(
        self,
        url: str | BrokerUrl,
        *,
        now: Callable[[], int],
        client_id: str = "ward",
        topics: Sequence[str] = SUBSCRIPTIONS,
        intake: Intake | None = None,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
        keepalive_s: int = KEEPALIVE_S,
        session_expiry_s: int = 7 * 86_400,
        receive_maximum: int = 5_000,
        beat: Callable[[], None] = lambda: None,
        also: Sequence[tuple[str, int]] = (),
        prefix: str = "",
    ) -> None:
        self.url = BrokerUrl.parse(url) if isinstance(url, str) else url
        self._places = [self.url, *(replace(self.url, host=host, port=port) for host, port in also)]
        self._turn = 0
        self._is_to_repeat = False
        """The same place, with the other protocol."""
        self.intake = Intake() if intake is None else intake
        self.intake.on_space = self._wake
        self._now, self._beat, self._prefix = now, beat, prefix
        self._client_id = client_id
        self._topics = tuple(topics)
        self._ca_file, self._cert_file, self._key_file = ca_file, cert_file, key_file
        self._keepalive_s = keepalive_s
        self._session_expiry_s = session_expiry_s if topics else 0
        self._receive_maximum = receive_maximum
        self._protocol = "5" if self.url.protocol == "auto" else self.url.protocol
        self._is_settled = self.url.protocol != "auto"
        self._connection: Connection | None = None
        self._connections = 0
        self._received = 0
        self._paused_s = 0.0
        self._last_message: float | None = None
        self._last_error: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> MqttLink:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        if self._thread is not None:
            raise RuntimeError("a link is started once")
        self._thread = threading.Thread(target=self._supervise, name="mqtt", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Disconnect; the session stays at the broker, with all that was not acknowledged."""
        self._stop.set()
        self._wake()
        self.intake.wake()
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def thread(self) -> threading.Thread | None:
        """The thread, once it was started."""
        return self._thread

    def ack(self, messages: Iterable[Incoming]) -> None:
        """Acknowledge what is durable, each message once and in the order they came (MQTT-4.6.0-2:
        brokers may count on it). Those of a connection that is gone come again."""
        for _, group in groupby(messages, key=lambda m: id(m.source)):
            alike = list(group)
            if isinstance(alike[0].source, Connection):
                alike[0].source.ack(alike)

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, timeout_s: float = 5.0
    ) -> bool:
        """Whether the broker has it within ``timeout_s``; False also while there is no connection.

        False does not mean that it was not delivered. Not to be called in the link's own thread.
        """
        connection = self._connection
        return connection is not None and connection.publish(topic, payload, qos, retain, timeout_s)

    def send(self, topic: str, payload: bytes) -> Sent | None:
        """At QoS 1, without waiting for the broker's answer; None while there is no connection."""
        connection = self._connection
        return None if connection is None else connection.send(topic, payload)

    def stats(self) -> LinkStats:
        connection = self._connection
        received, paused_s, last = self._received, self._paused_s, self._last_message
        connections = self._connections
        if connection is not None:
            connections += connection.is_subscribed
            received += connection.received
            paused_s += connection.paused_s
            last = connection.last_message or last
        return LinkStats(
            connected=connection is not None and connection.is_up,
            protocol=self._protocol,
            queue_depth=len(self.intake),
            queue_bytes=self.intake.bytes,
            queue_size=self.intake.max_messages,
            received=received,
            connections=connections,
            blocked_s=paused_s,
            last_message_age_s=None if last is None else time.monotonic() - last,
            last_error=self._last_error,
        )

    def _wake(self) -> None:
        connection = self._connection
        if connection is not None:
            connection.wake()

    def _supervise(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            self._beat()
            if self.intake.is_full:  # there is no room for what a connection would bring
                self._stop.wait(FIRST_WAIT_S)
                continue
            try:
                was_up = self._connect_once()
            except Exception as error:  # whatever it is: the ward must not fall silent for it
                was_up = False
                self._note(why(error, self.url.tls))
            if not self._is_to_repeat:
                self._turn = (self._turn + 1) % len(self._places)
            self._stop.wait(FIRST_WAIT_S if was_up or self._turn else wait_s)
            wait_s = FIRST_WAIT_S if was_up else min(2 * wait_s, LONGEST_WAIT_S)

    def _connect_once(self) -> bool:
        """One connection from beginning to end; whether it ever was up."""
        repeats, self._is_to_repeat = self._is_to_repeat, False
        connection = self._connection = Connection(
            self._places[self._turn],
            protocol=PROTOCOLS[self._protocol],
            client_id=self._client_id,
            topics=self._topics,
            intake=self.intake,
            now=self._now,
            ca_file=self._ca_file,
            cert_file=self._cert_file,
            key_file=self._key_file,
            keepalive_s=self._keepalive_s,
            session_expiry_s=self._session_expiry_s,
            receive_maximum=self._receive_maximum,
            beat=self._beat,
            prefix=self._prefix,
        )
        try:
            reason = connection.run(self._stop.is_set)
        finally:
            self._connection = None
            self._received += connection.received
            self._paused_s += connection.paused_s
            self._last_message = connection.last_message or self._last_message
            if connection.is_subscribed:
                self._connections += 1
        if connection.is_accepted:
            self._is_settled = True
        elif not self._is_settled:
            # It was reached but did not take this protocol's CONNECT: perhaps it knows only the other.
            self._protocol = "3.1.1" if self._protocol == "5" else "5"
            self._is_to_repeat = not repeats
        if not self._stop.is_set():
            self._note(reason)
        return connection.is_subscribed

    def _note(self, reason: str) -> None:
        if reason != self._last_error:
            log.warning("no connection to the broker", broker=str(self._places[self._turn]), reason=reason)
        self._last_error = reason
