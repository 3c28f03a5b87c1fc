"""One connection to the broker, from CONNECT until it ends. Every reconnect is a new one.

A message's acknowledgement can therefore never reach another connection, where the same message id
may mean another message.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    Client,
    MQTTMessageInfo,
    error_string,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ward.ingest.broker_url import BrokerUrl
from ward.ingest.intake import Incoming, Intake
from ward.ingest.packets import PahoClient
from ward.ingest.tls import context_of

HANDSHAKE_S: Final = 10.0
"""CONNACK and SUBACK must have come by then."""
TICK_S: Final = 0.5
QOS: Final = 1
MOST_UNCONFIRMED: Final = 1_000
REFUSED: Final = "refused"
"""How the reasons begin of a broker that is there and does not want us."""
FAILURE: Final = 0x80
"""Reason codes from here on are refusals."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way. The broker has it once it says so; if the connection ends first, nobody knows."""

    connection: Connection
    info: MQTTMessageInfo

    def wait(self, timeout_s: float) -> bool:
        """Whether the broker has it, within so long."""
        try:
            self.info.wait_for_publish(timeout_s)
            return self.info.is_published()
        except (RuntimeError, ValueError):
            return False

    @property
    def is_lost(self) -> bool:
        """No answer will come any more."""
        return not self.connection.is_up and not self.wait(0)


class Connection:
    """A paho client with its own loop, which reads only while the intake has room.

    The loop runs in the thread that calls ``run``; ``ack`` and ``publish`` may be called in any.
    """

    def __init__(
        self,
        url: BrokerUrl,
        *,
        protocol: MQTTProtocolVersion,
        client_id: str,
        topics: Sequence[str],
        intake: Intake,
        now: Callable[[], int],
        ca_file: str | None,
        cert_file: str | None = None,
        key_file: str | None = None,
        keepalive_s: int,
        session_expiry_s: int,
        receive_maximum: int,
        beat: Callable[[], None] = lambda: None,
        prefix: str = "",
    ) -> None:
        self.url = url
        self.protocol = protocol
        self.is_accepted = False
        """CONNACK came and was good."""
        self.is_subscribed = False
        self.refused: str | None = None
        self.paused_s = 0.0
        self.last_message: float | None = None
        """``time.monotonic`` of the newest message."""
        self.received = 0
        self._intake = intake
        self._now, self._beat = now, beat
        self._topics = topics
        self._keepalive_s = keepalive_s
        self._ended = False
        self._unconfirmed: dict[tuple[str, bytes], Sent] = {}
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)
        is_v5 = protocol == MQTTProtocolVersion.MQTTv5
        self._client = PahoClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if is_v5 else not topics,
            protocol=protocol,
            reconnect_on_failure=False,
        )
        self._client.prefix = prefix
        self._properties: Properties | None = None
        if is_v5:
            self._properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
            self._properties.SessionExpiryInterval = session_expiry_s
            self._properties.ReceiveMaximum = receive_maximum
        if url.user is not None:
            self._client.username_pw_set(url.user, url.password)
        if url.tls:
            self._client.tls_set_context(context_of(ca_file, cert_file, key_file))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        # With this set paho never writes to the socket in the thread of whoever publishes or acks.
        self._client.on_socket_register_write = lambda *_: None

    @property
    def is_up(self) -> bool:
        return self.is_subscribed and not self._ended

    def run(self, is_stopping: Callable[[], bool]) -> str:
        """Connect and serve until the connection ends; returns why. Raises OSError where there is
        no broker, and whatever the libraries raise on nonsense from the network."""
        try:
            is_v5 = self.protocol == MQTTProtocolVersion.MQTTv5
            self._client.connect(
                self.url.host,
                self.url.port,
                self._keepalive_s,
                clean_start=False if is_v5 else MQTT_CLEAN_START_FIRST_ONLY,
                properties=self._properties,
            )
            return self._serve(is_stopping)
        finally:
            self._ended = True
            self._leave()

    def _serve(self, is_stopping: Callable[[], bool]) -> str:
        client = self._client
        deadline = time.monotonic() + HANDSHAKE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._inside, selectors.EVENT_READ)
            watched: tuple[Any, int] = (None, 0)
            while not is_stopping():
                self._beat()
                if self.refused:
                    return self.refused
                is_paused = self._intake.is_full
                if not self.is_subscribed and not is_paused and time.monotonic() > deadline:
                    return "the broker did not answer in time"
                sock = client.socket()
                if sock is None:
                    return "closed"
                wanted = 0 if is_paused else selectors.EVENT_READ
                wanted |= selectors.EVENT_WRITE if client.want_write() else 0
                watched = self._watch(selector, watched, (sock, wanted))
                began = time.monotonic()
                events = selector.select(self._patience(sock, is_paused))
                ready = {key.fileobj: mask for key, mask in events}
                if is_paused:
                    self.paused_s += time.monotonic() - began
                if self._inside in ready:
                    self._drain_wakes()
                rc = self._exchange(sock, ready.get(sock, 0), is_paused)
                if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return self.refused or self._lost(rc)
            return "stopped"

    def _lost(self, rc: MQTTErrorCode) -> str:
        if self.is_accepted or self.url.tls:
            return error_string(rc)
        return "the broker hung up before it answered: does it want TLS?"

    @staticmethod
    def _patience(sock: Any, is_paused: bool) -> float:
        """Decrypted bytes that wait inside TLS are not seen by the selector."""
        pending = getattr(sock, "pending", None)
        return 0.0 if pending is not None and not is_paused and pending() else TICK_S

    @staticmethod
    def _watch(
        selector: selectors.BaseSelector, before: tuple[Any, int], after: tuple[Any, int]
    ) -> tuple[Any, int]:
        if before == after:
            return before
        if before[1]:
            selector.unregister(before[0])
        if after[1]:
            selector.register(after[0], after[1])
        return after

    def _exchange(self, sock: Any, mask: int, is_paused: bool) -> MQTTErrorCode:
        client = self._client
        rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        has_pending = not is_paused and self._patience(sock, is_paused) == 0.0
        if mask & selectors.EVENT_READ or has_pending:
            rc = self._read()
        if rc == MQTTErrorCode.MQTT_ERR_SUCCESS and client.want_write():
            rc = client.loop_write()
        return client.loop_misc() if rc == MQTTErrorCode.MQTT_ERR_SUCCESS else rc

    def _read(self) -> MQTTErrorCode:
        """Read what has come: the messages into the intake, all else to paho."""
        packets = self._client.packets
        if messages := packets.receive(self._intake.room, self._now(), self):
            self.last_message = time.monotonic()
            self.received += len(messages)
            self._intake.put(*messages)
        rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        while rc == MQTTErrorCode.MQTT_ERR_SUCCESS and packets.has_others:
            rc = self._client.loop_read()
        return rc

    def _leave(self) -> None:
        """Say goodbye, with the acknowledgements still to be sent, if the broker takes it at once."""
        client = self._client
        sock = client.socket()
        if sock is not None:
            client.disconnect()
            for _ in range(100):
                if not client.want_write() or client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
            sock.close()
        self._inside.close()
        self._outside.close()

    def _drain_wakes(self) -> None:
        try:
            while self._inside.recv(4096):
                pass
        except BlockingIOError:
            pass

    def wake(self) -> None:
        """Let the loop look again at once: something is to be sent, or there is room to read."""
        with contextlib.suppress(OSError):  # full, so it wakes anyway; or closed, so nobody listens
            self._outside.send(b"\0")

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Acknowledge messages of this connection; after its end the broker will send them again."""
        if self._ended:
            return
        if mids := [message.mid for message in messages if message.qos > 0]:
            self._client.acknowledge(mids)
            self.wake()

    def send(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> Sent | None:
        """On its way to the broker; None where this connection takes nothing."""
        if not self.is_up:
            return None
        try:
            info = self._client.publish(topic, payload, qos, retain)
        except (RuntimeError, ValueError):
            return None
        self.wake()
        return Sent(self, info)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, timeout_s: float) -> bool:
        """True once the broker has acknowledged it (at QoS 0: once it is sent).

        Who tries the same again waits for the same acknowledgement: a broker slower than ``timeout_s`` would
        otherwise be given ever more, and never be found to have any of it.
        """
        if not self.is_up:
            return False
        sent = self._unconfirmed.pop((topic, payload), None) or self.send(topic, payload, qos, retain)
        if sent is None or sent.wait(timeout_s):
            return sent is not None
        if len(self._unconfirmed) < MOST_UNCONFIRMED:
            self._unconfirmed[topic, payload] = sent
        return False

    def _on_connect(self, client: Client, _: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.refused = f"{REFUSED}: {reason}; WARD_MQTT_URL has the user and the password"
            return
        self.is_accepted = True
        if not self._topics:  # it only speaks
            self.is_subscribed = True
            return
        client.subscribe([(topic, QOS) for topic in self._topics])

    def _on_subscribe(self, client: Client, _: Any, mid: int, reasons: Any, properties: Any) -> None:
        refused = [
            topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.value >= FAILURE
        ]
        if refused:
            self.refused = f"{REFUSED} to let us read {', '.join(refused)}: its ACL for this user"
        else:
            self.is_subscribed = True
