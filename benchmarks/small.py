"""What small wards cost: the whole service, with 24 to 1,000 stays of 1 Hz monitors, at the clock's pace.

The service runs in a process of its own with the pack ``default``, SQLite and Mosquitto; every stay has one
monitor that sends a sample of five signals each second. Its processor time is that of the system's own
account, in windows of some seconds. Beside it: the same service without a stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Part, Series, table, under
from benchmarks.ingest import BROKER, READINGS
from benchmarks.publisher import Publisher, packet
from tests.brokers import mosquitto_at
from tests.ports import free_port
from ward.clock import wall_ms
from ward.config import Settings
from ward.store.database import migrate, open_database
from ward.store.stays import admit
from ward.web.identity import create_token

SIZES: Final = (24, 100, 500, 1_000)
WARM_S: Final = 6.0
WINDOW_S: Final = 3.0
SLICE_S: Final = 0.02
READY_S: Final = 120.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Seen:
    """``cpu``: part of one core, of each window; ``rss`` in bytes at the end."""

    cpu: list[float]
    rss: int


@contextmanager
def served(port: int, stays: int, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], str, str]]:
    """The service of a ward with so many stays, ready; where it listens, and a token for it."""
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(Settings(data_dir=Path(folder)).database)
        migrate(db)
        with db.begin() as tx:
            for bed in range(stays):
                stay = {"stay": f"stay-{bed}", "patient_ref": f"p-{bed}", "ward": "bench", "bed": str(bed)}
                admit(tx, **stay, devices=[f"mon-{bed:04}"], at=0)
        _, token = create_token(db, name="bench", role="admin", now=wall_ms())
        db.dispose()
        http = free_port()
        given = {
            "WARD_DATA_DIR": folder,
            "WARD_HTTP_PORT": str(http),
            "WARD_MQTT_URL": f"mqtt://127.0.0.1:{port}",
            "WARD_LOG_LEVEL": "error",
            "WARD_DOWNTIME_MIN": "0",
            **settings,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "ward", "serve"], env=os.environ | given, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{http}"
            _until(lambda: _is_ready(url), READY_S)
            yield process, url, token
        finally:
            process.terminate()
            process.wait(30)


def _until(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the service was not ready in time")
        time.sleep(0.1)


def _is_ready(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def cpu_of(pid: int) -> float:
    """Processor seconds of a process, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def samples(stays: int, second: int, now: float) -> list[bytes]:
    """One sample of each monitor, of about now."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
    made = []
    for bed in range(stays):
        readings = {**READINGS, "hr": 78 + (second + bed) % 9, "rr": 14 + (second // 7 + bed) % 5}
        message = {"seq": second, "time": moment, "session": "bench", "readings": readings}
        payload = json.dumps(message).encode()
        made.append(packet(f"ward/v1/bench/mon-{bed:04}/vitals", payload, 1, bed % 65_535 + 1))
    return made


def watch(stays: int, windows: int, warm_s: float = WARM_S, window_s: float = WINDOW_S) -> Seen:
    """The service's processor time while every stay sends each second, spread over it."""
    with (
        mosquitto_at(free_port(), *BROKER) as port,
        served(port, stays) as (process, *_),
        Publisher(port) as publisher,
    ):
        found: list[float] = []
        begun = time.monotonic()
        mark, spent, edge = begun, 0.0, begun + warm_s
        second = sent = 0
        due = samples(stays, 0, time.time())
        while len(found) < windows:
            now = time.monotonic()
            wanted = int((now - begun - second) * stays)
            publisher.send(due[sent:wanted])
            sent = max(sent, min(wanted, stays))
            if now - begun >= second + 1:
                second, sent = second + 1, 0
                due = samples(stays, second, time.time())
            if now >= edge:
                total = cpu_of(process.pid)
                if edge > begun + warm_s:
                    found.append((total - spent) / (now - mark))
                mark, spent, edge = now, total, edge + window_s
            time.sleep(SLICE_S)
        return Seen(found, rss_of(process.pid))


def part(quick: bool = False) -> Part:
    """Each size is one service; the rounds are windows of some seconds of it."""
    rounds, sizes = (2, (24, 100)) if quick else (5, SIZES)
    warm = 2.0 if quick else WARM_S
    window = 1.0 if quick else WINDOW_S
    idle = watch(0, rounds, warm, window)
    seen = {stays: watch(stays, rounds, warm, window) for stays in sizes}
    figures = [Figure.of("no stay", [100 * c for c in idle.cpu], "% of a core")]
    for stays, one in seen.items():
        target = under(5) if stays == 500 else None
        figures.append(
            Figure.of(
                f"{stays:,} stays at 1 Hz",
                [100 * c for c in one.cpu],
                "% of a core",
                target=target,
                why="",
            )
        )
    most = max(sizes)
    kilobytes = [(seen[most].rss - idle.rss) / most / 1000]
    figures.append(Figure.of(f"memory a stay, of {most:,}", kilobytes, "kB", target=under(20)))
    return Part(
        "small",
        "Small wards",
        (__doc__ or "").partition("\n\n")[2].strip(),
        "python -m benchmarks small",
        tuple(figures),
        series=(
            Series(
                "processor",
                "stays",
                "% of a core beyond the idle service's",
                tuple(map(float, sizes)),
                tuple(max(f.value - figures[0].value, 1e-3) for f in figures[1 : len(sizes) + 1]),
            ),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stays", type=int, help="this size only")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if asked.stays is None:
        print(table(part()))
        return
    seen = watch(asked.stays, asked.rounds)
    print([round(100 * c, 2) for c in seen.cpu], "% of a core;", seen.rss >> 10, "kB")


if __name__ == "__main__":
    main()
