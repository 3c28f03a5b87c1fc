"""The suite's parts, and one run of them: each in a process of its own, so that one that fails is a line of
the paper and not its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.figures import Part, table

ROOT: Final = Path(__file__).parent.parent
SLACK: Final = 4
"""So many times its budget a part may take, on a machine that does other things too, before it is ended."""
LONGEST: Final = 300
"""Characters of a failed part's last line that are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``item``: the number under which the paper lists it; ``budget_s``: on two idle cores."""

    name: str
    item: str
    title: str
    budget_s: int

    @property
    def module(self) -> str:
        return f"benchmarks.{self.name}"


PARTS: Final = (
    Entry("ingest", "1", "Ingest ceiling", 80),
    Entry("tick", "2", "Tick", 25),
    Entry("small", "3", "Small wards", 130),
    Entry("replay", "4", "Replay", 115),
    Entry("trial", "4", "Trial", 165),
    Entry("latency", "5", "Latency", 135),
    Entry("peers", "6", "What one would use instead", 160),
    Entry("streams", "7", "Dashboards", 95),
    Entry("start", "8", "Start", 50),
    Entry("recovery", "8", "Recovery", 95),
    Entry("storage", "9", "Storage", 130),
    Entry("risk", "+", "Risk", 8),
)
"""In the order of the paper. Growth, item 10, is gathered from the series of all of them."""


@dataclass(frozen=True, slots=True)
class Made:
    """One part as it was run: what it found, or why it found nothing. ``load``: of the machine when it began,
    processes that wanted a core."""

    name: str
    date: str
    seconds: float
    load: float
    quick: bool
    part: Part | None = None
    failure: str = ""


def measured(name: str, *, quick: bool) -> Part:
    """The part, measured here and now. Raises what its module raises."""
    found: Part = import_module(f"benchmarks.{name}").part(quick=quick)
    return found


def run(entry: Entry, *, quick: bool, date: str, say: Callable[[str], None]) -> Made:
    """In a process of its own, whose whole group is ended if it takes far longer than its budget."""
    load, begun = os.getloadavg()[0], time.monotonic()
    part, failure = None, ""
    with tempfile.TemporaryDirectory() as folder:
        answer, output = Path(folder) / "part.json", Path(folder) / "output"
        command = [sys.executable, "-m", "benchmarks", entry.name, "--alone", str(answer)]
        code = _ended([*command, *(["--quick"] if quick else [])], output, entry.budget_s * SLACK)
        if code == 0 and answer.exists():
            part = msgspec.json.decode(answer.read_bytes(), type=Part)
            say(table(part))
        else:
            said = output.read_text("utf-8", "replace").strip()
            say(said)
            failure = _why(code, said, entry.budget_s * SLACK)
    seconds = round(time.monotonic() - begun, 1)
    return Made(entry.name, date, seconds, round(load, 1), quick, part, failure)


def _ended(command: list[str], output: Path, most_s: float) -> int | None:
    """Its exit code; None: it took longer. Nothing that it started is left."""
    with output.open("wb") as into:
        child = subprocess.Popen(
            command, stdout=into, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        return child.wait(most_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _why(code: int | None, said: str, most_s: float) -> str:
    if code is None:
        return f"ended after {most_s:g} s, four times what it may take"
    last = said.splitlines()[-1].replace(str(ROOT), "").strip()[:LONGEST] if said else "it said nothing"
    return f"exit code {code}: {last}"
