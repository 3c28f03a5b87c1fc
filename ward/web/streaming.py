"""The answer that is an event stream: pieces of bytes as they come, until either side has enough.

FastAPI's own way to send events has three tasks and two queues for each stream, and checks and encodes each
event anew for each: with hundreds of screens that is most of what they cost.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""A proxy that gathers before it passes on would hold back alerts."""


class EventStream(StreamingResponse):
    """Each piece is one or more whole events, ready to send. ``pieces`` is closed however it ends."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes], status_code: int = 200) -> None:
        super().__init__(pieces, status_code, HEADERS)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._pieces.aclose()
