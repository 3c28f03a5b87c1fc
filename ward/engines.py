"""``ward engine``: a process for each of its partitions, each like ``ward serve`` for a part of the wards.

A process of its own for each, because each has a lease of its own and ends when it loses that; and because
two of them then use two cores. Nothing is done here but starting them, and starting them again.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

import structlog

from ward.config import Settings, SettingsError
from ward.server import end_on_term, run, set_up_log

AGAIN_S: Final = 1.0
"""A process that ended is started again after so long: it lost its partition, or failed."""
LONGEST_S: Final = 30.0
LOOK_S: Final = 0.1
STEADY_S: Final = 60.0
"""Who ran for so long is started again as quickly as the first time."""
END_S: Final = 40.0
SECOND_S: Final = 10.0
"""Who is to have a partition comes first where all start at once."""
PDEATHSIG: Final = 1
"""Of prctl(2)."""

log = structlog.get_logger(__name__)


def settings_for(settings: Settings, partition: int) -> Settings:
    """Those of the process of one partition: it stands by, and answers at a port of its own."""
    return settings.model_copy(
        update={
            "partition": partition,
            "standby": True,
            "simulator": "off",
            "http_port": settings.http_port + partition,
        }
    )


def run_one(settings: Settings, partition: int, *, second: bool = False) -> None:
    """The process of one partition; ``second``: another engine is to have it while it can. Raises
    SettingsError and what makes a start impossible."""
    if settings.partitions < 2:
        raise SettingsError("partitions: an engine needs at least 2 (WARD_PARTITIONS); else use `ward serve`")
    if partition >= settings.partitions:
        raise SettingsError(f"partition {partition}: there are {settings.partitions}, from 0")
    _end_with_parent()
    run(settings_for(settings, partition), SECOND_S if second else 0.0)


def run_all(settings: Settings, partitions: Sequence[int], seconds: Sequence[int] = ()) -> None:
    """A process for each, until a signal ends them all; ``seconds``: partitions that are another engine's as
    long as it lives."""
    if not partitions and not seconds:
        raise SettingsError("partitions: say which, such as --partitions 0-3")
    set_up_log(settings.log_level)
    end_on_term()
    of = settings.partitions
    each = [_Process(number, of, second=False) for number in partitions]
    each += [_Process(number, of, second=True) for number in seconds if number not in partitions]
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for one in each:
                one.look(time.monotonic())
            time.sleep(LOOK_S)
    for one in each:
        one.end()
    deadline = time.monotonic() + END_S
    for one in each:
        one.wait(max(deadline - time.monotonic(), 0.0))


def _end_with_parent() -> None:
    """Linux ends us when whoever started us is gone: nobody would start or end us any more."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PDEATHSIG, int(signal.SIGTERM))


class _Process:
    """One partition's, while it runs and in between."""

    def __init__(self, number: int, of: int, *, second: bool) -> None:
        self._number = str(number)
        self._more = ["--of", str(of), *(["--second"] if second else [])]
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._next = 0.0
        self._pause_s = AGAIN_S

    def look(self, now: float) -> None:
        if self._process is not None and (status := self._process.poll()) is not None:
            steady = now - self._begun > STEADY_S
            self._pause_s = AGAIN_S if steady else min(2 * self._pause_s, LONGEST_S)
            self._next = now + self._pause_s
            self._process = None
            log.warning("the process of a partition ended", partition=self._number, status=status)
        if self._process is None and now >= self._next:
            self._begun = now
            command = [sys.executable, "-m", "ward", "engine", "--only", self._number, *self._more]
            # In a group of its own: the terminal's Ctrl-C is for us, who then end it in order.
            self._process = subprocess.Popen(command, process_group=0)  # noqa: S603 - ourselves

    def end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
