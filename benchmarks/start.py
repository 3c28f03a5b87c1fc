"""How long a start takes: what `ward --help` costs beside an import that people know, and when an empty
service is ready.

Seconds of processor of whole processes, the interpreter's own start included. Files and byte code are warm:
each command has run once before. A start with a journal is another part (``benchmarks.recovery``).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.dashboard import processor_s
from benchmarks.figures import Figure, Part, table, under
from tests.brokers import until
from tests.e2e.served import served
from tests.ports import free_port
from ward.ingest.broker import EmbeddedBroker

PYTHON: Final = (sys.executable, "-c")
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "help": (sys.executable, "-m", "ward", "--help"),
    "sklearn": (*PYTHON, "import sklearn"),
    "bare": (*PYTHON, "pass"),
}
READY_S: Final = 180.0


def of_child(command: Sequence[str]) -> float:
    """Seconds of processor of a process, from its start to its end. Raises CalledProcessError."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ready_after(folder: Path, broker: str) -> tuple[float, float, float]:
    """Of an empty service with a new database: seconds until it is ready, and of processor until then; and
    the latter of the same service started again."""
    with served(folder, broker, LOG_LEVEL="warning") as service:
        took = []
        for _ in range(2):
            begun = time.perf_counter()
            service.start(ready=False)
            until(service.is_ready, READY_S)
            assert service.process is not None
            took += [time.perf_counter() - begun, processor_s(service.process.pid)]
            service.stop()
    return took[0], took[1], took[3]


def part(quick: bool = False, *, rounds: int = 7, starts: int = 5) -> Part:
    if quick:
        rounds, starts = 2, 1
    for command in COMMANDS.values():
        of_child(command)
    spent = np.array([[of_child(command) for command in COMMANDS.values()] for _ in range(rounds)]).T
    help_, sklearn, bare = spent
    ready = []
    with EmbeddedBroker(free_port()) as broker, tempfile.TemporaryDirectory() as folder:
        ready = [ready_after(Path(folder) / str(n), broker.url) for n in range(starts)]
    wall, first, again = np.array(ready).T
    return Part(
        "start",
        "Start",
        "Whole processes, from their start to their end or until `GET /readyz` answers 200; seconds of "
        "processor but for one figure. The empty service has no stays; its first start makes the database "
        "(SQLite), the second finds it.",
        "python -m benchmarks.start",
        (
            Figure.of("`ward --help`", help_, "s"),
            Figure.ratio("`ward --help`", help_, sklearn, "`python -c 'import sklearn'`", under(0.5)),
            Figure.ratio("`ward --help`", help_, bare, "`python -c pass`"),
            Figure.of("an empty service is ready, first start", first, "s"),
            Figure.of("an empty service is ready, second start", again, "s"),
            Figure.of("an empty service is ready, first start, by the wall's clock", wall, "s"),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--starts", type=int, default=5)
    asked = parser.parse_args()
    print(table(part(rounds=asked.rounds, starts=asked.starts)))


if __name__ == "__main__":
    main()
