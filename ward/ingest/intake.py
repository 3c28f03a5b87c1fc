"""The bounded queue between the network thread and the core thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

MAX_MESSAGES: Final = 20_000
MAX_BYTES: Final = 64 << 20
ENOUGH: Final = 16
"""Messages that are worth a commit. Some brokers send no more than so many (Mosquitto to MQTT 3.1.1 20, EMQX
32) before the first is acknowledged: waiting for more of them would be in vain."""
MANY: Final = 2_000
"""Messages for which nobody waits any longer: another commit costs nothing beside them."""
STALL_S: Final = 0.1
"""Where enough came and then nothing for so long, the broker waits for an acknowledgement ..."""
REMEMBERED_S: Final = 60.0
"""... and it is remembered so long how many it sends before one."""


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One message as it came. ``received`` in ms; ``source`` is the connection that wants the ack."""

    topic: str
    payload: bytes
    received: int
    qos: int = 0
    retain: bool = False
    mid: int = 0
    source: Any = None


class Intake:
    """Messages in order of arrival, at most about ``max_messages`` or ``max_bytes``.

    ``put`` neither waits nor drops: the reader of the network looks at ``is_full`` and stops reading,
    so that TCP and the broker wait. ``on_space`` is called when that has ended.
    """

    def __init__(self, *, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        if max_messages < 1 or max_bytes < 1:
            raise ValueError("an intake holds at least one message and one byte")
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self.on_space: Callable[[], None] = lambda: None
        self._items: deque[Incoming] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._awaited = 1
        """So many messages end a wait."""
        self._window, self._window_until = MANY, 0.0

    def __len__(self) -> int:
        return len(self._items)

    def oldest(self) -> int | None:
        """When the message that waits longest was received (ms)."""
        try:
            return self._items[0].received
        except IndexError:
            return None

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def is_full(self) -> bool:
        return len(self._items) >= self.max_messages or self._bytes >= self.max_bytes

    @property
    def room(self) -> int:
        """Messages that there is room for."""
        return max(self.max_messages - len(self._items), 0)

    def put(self, *items: Incoming) -> None:
        size = sum([len(item.payload) for item in items])
        with self._changed:
            self._items.extend(items)
            self._bytes += size
            if len(self._items) >= self._awaited:
                self._changed.notify()

    def drain(self, limit: int = 5_000, timeout: float = 0.0, gather: float = 0.0) -> list[Incoming]:
        """Up to ``limit`` messages; waits up to ``timeout`` seconds for the first one, and of what is left
        of them up to ``gather`` for others: what is taken together costs one commit."""
        end = time.monotonic() + timeout
        with self._changed:
            if not self._items and timeout > 0:
                self._changed.wait(timeout)
            if self._items:
                self._gather(min(end, time.monotonic() + gather))
            was_full = self.is_full
            taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            self._bytes -= sum([len(item.payload) for item in taken])
            has_space = was_full and not self.is_full
        if has_space:
            self.on_space()
        return taken

    def _gather(self, end: float) -> None:
        """Wait for others until then, but not for more than the broker sends."""
        now = time.monotonic()
        if now >= self._window_until:
            self._window = MANY
        is_woken = False
        while now < end and not is_woken and (count := len(self._items)) < self._window:
            few = count < ENOUGH
            self._awaited = ENOUGH if few else self._window
            is_told = self._changed.wait(end - now if few else min(end - now, STALL_S))
            is_woken = is_told and len(self._items) < self._awaited
            now = time.monotonic()
            if not (few or is_told) and len(self._items) == count and now < end:
                self._window, self._window_until = max(ENOUGH, count * 3 // 4), now + REMEMBERED_S
        self._awaited = 1

    def wake(self) -> None:
        """End a waiting ``drain`` early, with nothing."""
        with self._changed:
            self._changed.notify_all()
