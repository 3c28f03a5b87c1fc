"""Free ports for what tests start, also while other tests run beside them."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import Final

PLACES: Final = range(15_000, 32_000)
"""Below what systems give to outgoing connections: what is killed finds its port free when it comes back."""

_own = random.Random()  # not the module's: hypothesis seeds that alike in every process
_given: set[int] = set()


def free_ports(count: int) -> int:
    """The first of so many in a row."""
    while True:
        first = free_port()
        if all(_is_free(port) for port in range(first + 1, first + count)):
            _given.update(range(first, first + count))
            return first


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        return port not in _given
    return False


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that this process was not given before."""
    while True:
        port = _own.choice(PLACES)
        if _is_free(port):
            _given.add(port)
            return port
