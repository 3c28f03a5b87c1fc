"""A TCP proxy in the way, which can fall silent on open connections, cut them, or be slow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any


class Proxy:
    """``port`` on 127.0.0.1 leads to ``target``; runs in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._pairs: set[_Pair] = set()
        """Of new connections."""
        self.delay_s = 0.0
        """Every piece that passes is held back so long."""
        self.source = ""
        """The address that new connections come from, where one is given (127.0.0.2)."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server: asyncio.Server = self._ask(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _ask(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            address = (self.source, 0) if self.source else None
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self.target, local_addr=address
            )
        except OSError:
            writer.transport.abort()
            return
        except asyncio.CancelledError:  # closed while it waited
            writer.transport.abort()
            raise
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        await asyncio.gather(
            self._pump(pair, reader, far_writer), self._pump(pair, far_reader, writer), return_exceptions=True
        )

    async def _pump(self, pair: _Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if pair.is_dead:
                    continue  # taken, and never passed on
                sink.write(data)
                await sink.drain()
        if not pair.is_dead:
            pair.abort()
            self._pairs.discard(pair)

    def hole(self) -> None:
        """The connections of now lead nowhere from now on, and neither side is told; new ones work."""

        async def kill() -> None:
            for pair in self._pairs:
                pair.is_dead = True

        self._ask(kill())

    def cut(self) -> None:
        """The connections of now are reset, dead ones too."""

        async def reset() -> None:
            for pair in list(self._pairs):
                pair.abort()
            self._pairs.clear()

        self._ask(reset())

    def close(self) -> None:
        async def end() -> None:
            self._server.close()  # first, so that nobody comes back meanwhile
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._ask(end())
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class _Pair:
    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._writers = (near, far)
        self.is_dead = False

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
