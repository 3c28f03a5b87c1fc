"""What a broker sends, many packets at once: messages are taken out, all else is left to paho.

paho reads a packet with four calls of the system and a dozen locks. Here one call brings what has come,
and a message costs little more than the slices of its topic and payload.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTProtocolVersion

from ward.ingest.intake import Incoming

AT_ONCE: Final = 1 << 18
"""Bytes that are read by one call of the system."""
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
TOPICS: Final = 20_000
"""Topics whose text is remembered."""


class MalformedError(ValueError):
    """No MQTT; the connection is of no use any more."""


class PacketSocket:
    """In the place of the socket that paho reads and writes; ``sock`` does not block once paho has it.

    ``receive`` reads. ``recv``, paho's, gives what of that is no message, and never reads itself.
    """

    def __init__(self, sock: Any, *, is_v5: bool, prefix: str = "") -> None:
        self._sock, self._is_v5, self._prefix = sock, is_v5, prefix
        self._chunks: list[bytes] = []
        self._have = 0
        self._needed = 2
        """Bytes until there can be a whole packet."""
        self._others = bytearray()
        self._ended = False
        self._topics: dict[bytes, str] = {}
        self.send, self.close, self.fileno = sock.send, sock.close, sock.fileno
        self.setblocking = sock.setblocking

    def pending(self) -> int:
        """Bytes that were read or decrypted already: no selector sees them."""
        if self._have >= self._needed:
            return self._have
        own = getattr(self._sock, "pending", None)
        return 0 if own is None else own()

    @property
    def has_others(self) -> bool:
        """Something is there for paho."""
        return bool(self._others) or self._ended

    def recv(self, size: int) -> bytes:
        """Bytes of packets that are no messages; empty where the connection has ended."""
        if not self._others:
            if self._ended:
                return b""
            raise BlockingIOError
        taken = bytes(self._others[:size])
        del self._others[:size]
        return taken

    def receive(self, limit: int, received: int, source: object) -> list[Incoming]:
        """Up to ``limit`` messages that are complete now; what is read beyond them waits here.
        ``received`` in ms. Raises MalformedError."""
        if self._have < self._needed:
            self._read()
        found: list[Incoming] = []
        if self._have >= self._needed:
            data = b"".join(self._chunks)
            done, self._needed = self._split(data, limit, received, source, found)
            rest = data[done:]
            self._chunks, self._have = [rest], len(rest)
        return found

    def _read(self) -> None:
        try:
            chunk = self._sock.recv(AT_ONCE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._ended = True
        self._chunks.append(chunk)
        self._have += len(chunk)

    def _split(
        self, data: bytes, limit: int, received: int, source: object, found: list[Incoming]
    ) -> tuple[int, int]:
        """Up to where there are whole packets, and how many bytes the next one needs at least."""
        at, end = 0, len(data)
        while at + 2 <= end and len(found) < limit:
            length, body = data[at + 1], at + 2
            if length > 127:
                size = _size(data, at + 1)
                if size is None:
                    return at, end - at + 1
                length, body = size
            after = body + length
            if after > end:
                return at, after - at
            if data[at] & 0xF0 == PUBLISH:
                found.append(self._message(data, data[at], body, after, received, source))
            else:
                self._others += data[at:after]
            at = after
        return at, 2

    def _message(self, data: bytes, head: int, at: int, end: int, received: int, source: object) -> Incoming:
        qos, mid = head >> 1 & 3, 0
        after = at + 2 + int.from_bytes(data[at : at + 2])
        name = data[at + 2 : after]
        if qos:
            mid = int.from_bytes(data[after : after + 2])
            after += 2
        if self._is_v5 and after < end:
            length, after = data[after], after + 1
            if length > 127:
                length, after = _size(data, after - 1) or (end, after)
            after += length
        elif self._is_v5:
            after = end + 1
        if after > end or qos > 1:
            raise MalformedError("a message that is none, or at a QoS that was not asked for")
        topic = self._topics.get(name)
        if topic is None:
            topic = self._text(name)
        return Incoming(topic, data[after:end], received, qos, bool(head & 1), mid, source)

    def _text(self, name: bytes) -> str:
        try:
            text = name.decode()
        except UnicodeDecodeError:
            return ""
        if len(self._topics) >= TOPICS:
            self._topics.clear()
        text = text.removeprefix(self._prefix)
        self._topics[name] = text
        return text


def _size(data: bytes, at: int) -> tuple[int, int] | None:
    """A number of up to four digits to the base of 128, and where it ends; None where it is not all there."""
    found = 0
    for n, digit in enumerate(data[at : at + 4]):
        found |= (digit & 127) << 7 * n
        if digit < 128:
            return found, at + n + 1
    if len(data) - at >= 4:
        raise MalformedError("a length of more than four bytes")
    return None


class PahoClient(Client):
    """paho's client, which meets no message; ``packets`` is its socket while it has one."""

    packets: PacketSocket
    prefix: str = ""
    """What the broker puts before the devices' own topics."""

    def _create_socket(self) -> PacketSocket:
        is_v5 = self.protocol == MQTTProtocolVersion.MQTTv5
        self.packets = PacketSocket(super()._create_socket(), is_v5=is_v5, prefix=self.prefix)
        return self.packets

    def acknowledge(self, mids: Sequence[int]) -> None:
        """At QoS 1, all with one write."""
        packets = (np.array(mids, ">u4") | (PUBACK << 24 | 2 << 16)).astype(">u4").tobytes()
        self._packet_queue(PUBACK, packets, 0, 0)
