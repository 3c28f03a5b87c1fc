"""The HTTP server's patience with callers who hold connections: by sending the head of a request byte by
byte, or by opening more of them than there are files for."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S: Final = 15.0
"""A request's head must be here after so many seconds; its body has its own limit (``BodyLimit``)."""
HEAD_BYTES: Final = 32_768
MOST: Final = 20_000
"""Connections at once, where there are files for twice as many."""


def room() -> int:
    """How many connections may be open: half of the files that this process may have, which are made as many
    as the system allows. The other half is for the database, the journal and the broker."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if allowed == resource.RLIM_INFINITY else min(MOST, allowed // 2)


class PatientProtocol(H11Protocol):
    """Closes a connection on which the head of a request does not come to its end, and one too many."""

    patience_s = HEAD_S
    most = MOST
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()
        elif self._waiting is None and not self.transport.is_closing():
            self._wait()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.patience_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self._is_answering():
            self.transport.close()
