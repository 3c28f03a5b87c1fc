"""A publisher that costs little: packets made beforehand, written to a plain socket, answers only counted."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Final

SECONDS: Final = 60.0


def _size(length: int) -> bytes:
    made = bytearray()
    while True:
        length, digit = divmod(length, 128)
        made.append(digit | (128 if length else 0))
        if not length:
            return bytes(made)


def packet(topic: str, payload: bytes, qos: int, number: int = 1) -> bytes:
    """PUBLISH of MQTT 3.1.1; ``number`` identifies it at QoS 1."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + (struct.pack(">H", number) if qos else b"") + payload
    return bytes([0x30 | qos << 1]) + _size(len(body)) + body


class Publisher:
    """One connection to a broker on this machine, as a context manager."""

    def __init__(self, port: int, name: str = "publisher") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ident = name.encode()
        body = b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(ident)) + ident
        self._socket.sendall(b"\x10" + _size(len(body)) + body)
        if self._socket.recv(4) != b"\x20\2\0\0":
            raise RuntimeError("the broker did not take the connection")
        self._unread = 0

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, packets: Iterable[bytes]) -> None:
        """At once; answers are read when there are some."""
        data = memoryview(b"".join(packets))
        while data:
            readable, writable, _ = select.select([self._socket], [self._socket], [], SECONDS)
            if readable:
                self._unread += len(self._socket.recv(1 << 16))
            if writable:
                data = data[self._socket.send(data[: 1 << 16]) :]

    def publish(self, packets: Sequence[bytes], qos: int) -> None:
        """All of them; returns when the broker has each (at QoS 0: when it has answered a ping)."""
        before = self._unread
        self.send(packets)
        wanted = 4 * len(packets) if qos else 2
        if not qos:
            self.send([b"\xc0\0"])
        while self._unread - before < wanted:
            got = self._socket.recv(1 << 16)
            if not got:
                raise RuntimeError("the broker closed the connection")
            self._unread += len(got)
