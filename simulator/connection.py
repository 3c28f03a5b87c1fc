"""One device session's MQTT connection, with a real will; many of them share one thread.

paho's own threads would be one for each device; here every socket is served by the loop of
``publisher``, through paho's interface for foreign loops.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulator.transport import Message
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.tls import context_of

WINDOW: Final = 60
"""Messages in flight (sent, not acknowledged) at most; the rest wait here, not in the network."""
KEEPALIVE_S: Final = 60
FIRST_RETRY_S: Final = 0.5
LAST_RETRY_S: Final = 8.0


class Connection:
    """A device session at the broker. Messages are given in order and sent in order; a 'birth' opens
    the connection, a 'will' breaks it without goodbye once all before it is acknowledged, so that the
    broker publishes the will, and a 'bye' closes it in good order."""

    def __init__(self, broker: BrokerUrl, birth: Message, ca_file: str | None = None) -> None:
        self.broker, self.ca_file, self.device, self.session = broker, ca_file, birth.device, birth.session
        self.outbox: deque[Message] = deque()
        self.published = 0
        self.connected = False
        self.problem: str | None = None
        self._wanted = False
        self._birth = birth
        self._unacknowledged: set[int] = set()
        self._retry_at, self._retry_s = 0.0, FIRST_RETRY_S
        self._client = self._make_client(birth)

    def _make_client(self, birth: Message) -> paho.Client:
        # The session is part of the client id: a device that is back must not end its own old
        # connection, as a lost one is noticed late in life too.
        version = MQTTProtocolVersion.MQTTv5 if self.broker.protocol == "5" else MQTTProtocolVersion.MQTTv311
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{birth.device}-{birth.session}",
            protocol=version,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(WINDOW)
        client.connect_timeout = 3.0
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self.broker.password)
        if self.broker.tls:
            client.tls_set_context(context_of(self.ca_file))
        will = b'{"state":"offline","session":"%b"}' % birth.session.encode()
        client.will_set(birth.topic, will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    # paho calls these from within the loop's own calls, so there is one thread only.
    def _on_connect(self, client: paho.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.problem = f"{self.broker} refuses: {reason}"
            return
        self.problem = None
        self.connected, self._retry_s = True, FIRST_RETRY_S
        self._publish(self._birth)

    def _on_disconnect(
        self, client: paho.Client, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self.connected = False

    def _on_publish(self, client: paho.Client, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._unacknowledged.discard(mid)

    def _publish(self, message: Message) -> None:
        sent = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        self._unacknowledged.add(sent.mid)
        self.published += 1

    @property
    def socket(self) -> Any:
        return self._client.socket()

    @property
    def waiting(self) -> int:
        return len(self.outbox) + len(self._unacknowledged)

    @property
    def over(self) -> bool:
        """Nothing left to do: the session has ended, all of it is delivered."""
        return not self._wanted and not self.outbox and not self.connected

    def give(self, message: Message) -> None:
        self.outbox.append(message)

    def advance(self, now_s: float) -> None:
        """Do what can be done now: connect, send, break off. ``now_s``: a monotonic clock, seconds."""
        while self.outbox:
            head = self.outbox[0]
            if head.what == "birth":
                self._wanted, self._birth = True, self.outbox.popleft()
                continue
            if not self.connected or len(self._unacknowledged) >= WINDOW:
                break
            if head.what in ("will", "bye") and self._unacknowledged:
                break
            self._send(self.outbox.popleft())
        if self._wanted and self.socket is None and now_s >= self._retry_at:
            self._connect(now_s)

    def _send(self, message: Message) -> None:
        if message.what == "will":
            self._wanted = False
            self.cut()
            return
        self._publish(message)
        self._wanted = self._wanted and message.what != "bye"

    def _connect(self, now_s: float) -> None:
        self._retry_at, self._retry_s = now_s + self._retry_s, min(2 * self._retry_s, LAST_RETRY_S)
        try:
            self._client.connect(self.broker.host, self.broker.port, KEEPALIVE_S)
        except OSError as error:  # no broker yet: try again later
            self.problem = f"{self.broker}: {error}"

    def cut(self) -> None:
        """Lose the connection without goodbye."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self._client.loop_read()

    def serve(self) -> None:
        """Read and write what the socket has and takes."""
        self._client.loop_read()
        while self.socket is not None and self.broker.tls and self.socket.pending():
            self._client.loop_read()
        self.write()

    def write(self) -> None:
        if self._client.want_write():
            self._client.loop_write()

    @property
    def wants_write(self) -> bool:
        return self._client.want_write()

    def misc(self) -> None:
        self._client.loop_misc()
        if not self._wanted and self.connected and not self.waiting:
            self._client.disconnect()

    def leave(self) -> None:
        """Say goodbye: publish 'offline' and close, without what still waits."""
        self.outbox.clear()
        self._wanted = False
        if self.connected:
            offline = b'{"state":"offline","session":"%b"}' % self.session.encode()
            self._client.publish(self._birth.topic, offline, 1, True)
            self._client.disconnect()
            self.write()
