"""The service's side of a trial: starts its process, hands on what it tells, ends it when nobody waits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from time import monotonic
from typing import Any, Final

import msgspec

from ward.errors import InvalidError, UnavailableError, WardError
from ward.trial.worker import FRAME, Job

LONGEST_S: Final = 300.0
"""So long a trial may take."""
PULSE_S: Final = 1.0
"""Progress is told at least so often, also where there is none: who waits learns that it goes on, and the
service that nobody waits any more."""

Json = dict[str, Any]


class Trials:
    """Those that are running; each is a process."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._running: set[Process] = set()

    async def run(self, job: Job) -> AsyncGenerator[tuple[str, Json], None]:
        """``("progress", {"done", "what"})`` again and again, then ``("result", answer)``. Closing it ends
        the process. Raises what the trial raised, and UnavailableError where it took too long or died."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing that lies in the working folder is taken for a module
            "-m",
            "ward.trial.worker",
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C at the service is not for it
        )
        self._running.add(process)
        try:
            async with contextlib.aclosing(self._follow(process, job)) as messages:
                async for message in messages:
                    yield message
        finally:
            _end(process)
            await process.wait()
            self._running.discard(process)

    def stop(self) -> None:
        """End all of them. From any thread."""
        for process in list(self._running):
            _end(process)

    async def _follow(self, process: Process, job: Job) -> AsyncGenerator[tuple[str, Json], None]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.msgpack.encode(job))
        process.stdin.close()
        deadline = monotonic() + self._longest_s
        told: Json = {"done": 0.0, "what": "starting"}
        coming = asyncio.ensure_future(_frame(process.stdout))
        try:
            while True:
                await asyncio.wait((coming,), timeout=PULSE_S)
                if monotonic() > deadline:
                    raise UnavailableError(
                        f"the trial took longer than {self._longest_s:g} s and was ended; ask for fewer "
                        "stays, a shorter time or a smaller grid",
                        code="trial-long",
                        params={"seconds": f"{self._longest_s:g}"},
                    )
                if coming.done():
                    kind, value = coming.result()
                    if kind == "result":
                        yield kind, value
                        return
                    told = value
                    coming = asyncio.ensure_future(_frame(process.stdout))
                yield "progress", told
        finally:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, WardError):
                await coming


def _end(process: Process) -> None:
    """With the copies that work beside it, which are of its group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def _frame(out: asyncio.StreamReader) -> tuple[str, Json]:
    """Raises what the trial refused; UnavailableError at its end."""
    try:
        (size,) = FRAME.unpack(await out.readexactly(FRAME.size))
        message = msgspec.json.decode(await out.readexactly(size), type=dict[str, Json])
    except asyncio.IncompleteReadError:
        raise UnavailableError(
            "the trial's process ended before its result; the service's log may say why", code="trial-died"
        ) from None
    ((kind, value),) = message.items()
    if kind == "refused":
        error = InvalidError(value["detail"], **value["extra"])
        error.type, error.title = value["type"], value["title"]
        raise error
    return kind, value
