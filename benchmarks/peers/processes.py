"""Processes that are measured with all that they start: processor time and memory, from /proc."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
PATIENCE_S: Final = 120.0
_STAT: Final = {"parent": 1, "user": 11, "system": 12, "children_user": 13, "children_system": 14}
"""Places in /proc/PID/stat, after the name in brackets."""


class Tree:
    """A process and its descendants, ended with the ``with``."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str], folder: Path) -> None:
        self._log = log
        with log.open("wb") as into:
            self._process = subprocess.Popen(
                command, stdout=into, stderr=into, stdin=subprocess.DEVNULL, env=dict(env), cwd=folder
            )

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def seconds(self) -> float:
        """Of processor so far, also of children that have ended."""
        total = 0
        for pid in self._pids():
            with contextlib.suppress(OSError):
                found = _stat(pid)
                total += sum(int(found[at]) for name, at in _STAT.items() if name != "parent")
        return total / TICKS

    def bytes(self) -> int:
        """Memory of its own and its share of what is shared (PSS)."""
        total = 0
        for pid in self._pids():
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total * 1024

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        """Raises RuntimeError with the end of its log if it ends, or is not ready in time."""
        deadline = time.monotonic() + PATIENCE_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not start: {self._log.read_text('utf-8', 'replace')[-500:]}")
            time.sleep(0.2)

    def _pids(self) -> list[int]:
        """The process and all below it."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
        found = [self._process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def answers(url: str) -> Callable[[], bool]:
    """Whether it does, with 200."""

    def asked() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    return asked
