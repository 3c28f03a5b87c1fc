"""What many dashboards cost the service: 200 event streams of 48 beds whose monitors send each second.

A real ``ward serve`` in its process, an embedded broker and the monitors in this one, and all screens in a
third, which does nothing but read. In turn: nobody looks, all look, and, for comparison, a bare asyncio
server that writes as many bytes as often to as many sockets.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import paho.mqtt.client as mqtt

from benchmarks.figures import Figure, Part, at_most, table
from tests.brokers import until
from tests.e2e.served import Served, served
from tests.ports import free_port
from ward.clock import iso, wall_ms
from ward.ingest.broker import EmbeddedBroker

WARDS: Final = ("east", "west")
SIGNALS: Final = {"hr": (80, 4), "pr": (80, 4), "spo2": (97, 1), "rr": (16, 2), "pi": (4, 0.5)}
SETTLE_S: Final = 1.5
"""Until all streams have their snapshot."""
READY_S: Final = 180.0
AGE_MS: Final = 1_000
STAYS: Final = re.compile(rb'event: stays\ndata: \{"time":"([^"]+)"')


@dataclass
class Seen:
    """Of all screens: when each tick's changes were made (ms), when they were here, and all bytes."""

    told: list[int] = field(default_factory=list)
    here: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    bytes: int = 0
    lost: int = 0


class Screen(asyncio.Protocol):
    """One event stream. Reading is to cost next to nothing, so the answer's framing is passed over."""

    def __init__(self, request: bytes, seen: Seen) -> None:
        self._request, self._seen, self._rest = request, seen, b""
        self.begin = float("inf")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        at = time.time()
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        if at < self.begin:
            return
        self._seen.bytes += len(data)
        for event in whole:
            if found := STAYS.search(event):
                self._seen.told.append(_ms(found[1]))
                self._seen.here.append(at * 1000)
                self._seen.sizes.append(len(event))

    def connection_lost(self, exc: Exception | None) -> None:
        self._seen.lost += 1


def _ms(time_: bytes) -> int:
    return int(np.datetime64(time_.rstrip(b"Z").decode()).astype("M8[ms]").astype(np.int64))


async def _watch(port: int, request: bytes, count: int, begun: Any, seconds: float) -> Seen:
    """All screens open; ``begun`` is set once they have settled, then they count for so long."""
    seen, loop = Seen(), asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Screen(request, seen), "127.0.0.1", port) for _ in range(count)
    ]
    await asyncio.sleep(SETTLE_S)
    now = time.time()
    for _, screen in made:
        screen.begin = now
    begun.set()
    await asyncio.sleep(seconds)
    counted = replace(seen)  # what ends from here on is not lost
    for transport, _ in made:
        transport.abort()
    return counted


def _screens(asked: Connection, begun: Any) -> None:
    """The readers' process: answers each order (port, request, count, seconds) with what was seen."""
    while (order := asked.recv()) is not None:
        port, request, count, seconds = order
        asked.send(asyncio.run(_watch(port, request, count, begun, seconds)))


def _bare(port: int, size: int, every_s: float) -> None:
    """A server that writes so many bytes to everybody so often, and nothing else."""

    async def serve() -> None:
        writers: list[asyncio.StreamWriter] = []

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)

        async with await asyncio.start_server(answer, "127.0.0.1", port, backlog=1_000):
            while True:
                text = f'event: stays\ndata: {{"time":"{iso(wall_ms())}","x":"'.encode()
                text += b"x" * (size - len(text)) + b"\n\n"
                for writer in writers:
                    writer.write(text)
                writers[:] = [writer for writer in writers if not writer.is_closing()]
                await asyncio.sleep(every_s)

    asyncio.run(serve())


# ---------------------------------------------------------------------- the ward


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def admitted(service: Served, token: str, beds: int) -> list[str]:
    """Devices of so many stays, in turn of each ward; as topics."""
    topics = []
    with httpx.Client(base_url=f"{service.url}/api/v1", trust_env=False, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        for bed in range(beds):
            ward = WARDS[bed % len(WARDS)]
            given = {"ward": ward, "bed": str(bed), "patient_ref": f"p-{bed}", "devices": [f"mon-{bed}"]}
            client.post("/stays", json=given).raise_for_status()
            topics.append(f"ward/v1/{ward}/mon-{bed}/vitals")
    return topics


class Monitors(threading.Thread):
    """Each bed's monitor sends each second, spread over it. Every eighth patient is in breach, and one in two
    of those loses the signal now and then."""

    def __init__(self, port: int, topics: list[str]) -> None:
        super().__init__(daemon=True)
        self._topics, self._done = topics, threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="monitors")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def run(self) -> None:
        random, second = np.random.default_rng(1), 0
        pause = 1 / len(self._topics)
        begun = time.monotonic()
        while True:
            for bed, topic in enumerate(self._topics):
                left = begun + second + bed * pause - time.monotonic()
                if self._done.wait(max(0.0, left)):
                    return
                self._client.publish(topic, self._sample(bed, second, random), qos=1)
            second += 1

    @staticmethod
    def _sample(bed: int, second: int, random: np.random.Generator) -> bytes:
        readings = {
            name: round(float(random.normal(mean, spread)), 1) for name, (mean, spread) in SIGNALS.items()
        }
        if bed % 8 == 0:
            readings["spo2"] = 84.0
            if bed % 16 == 0 and second % 40 > 20:
                del readings["spo2"]
        sample = {"seq": second, "time": iso(wall_ms()), "session": "bench", "readings": readings}
        return json.dumps(sample).encode()

    def stop(self) -> None:
        self._done.set()
        self.join()
        self._client.loop_stop()
        self._client.disconnect()


@contextmanager
def ward_of(beds: int) -> Iterator[tuple[Served, str]]:
    """A service with monitors that send, and the cookie of a browser that may see all of it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedBroker(free_port()) as broker,
        served(Path(folder), broker.url, LATENESS_S=2, SNAPSHOT_S=60, LOG_LEVEL="warning") as service,
    ):
        service.start(ready=False)
        until(service.is_ready, READY_S)
        token = service.token("admin")
        monitors = Monitors(broker.port, admitted(service, token, beds))
        monitors.start()
        try:
            yield service, logged_in(service, token)
        finally:
            monitors.stop()
            service.stop()


def logged_in(service: Served, token: str) -> str:
    with httpx.Client(base_url=f"{service.url}/api/v1", trust_env=False, timeout=30) as client:
        client.post("/session", json={"token": token}).raise_for_status()
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


# ---------------------------------------------------------------------- measuring


def spent_s(pid: int) -> float:
    """Processor time of a process's threads, seconds, as the scheduler has it: to the nanosecond, where the
    process's own count goes by hundredths of a second."""
    spent = 0
    for each in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread that has just ended
            spent += int(each.read_text().split()[0])
    return spent / 1e9


@dataclass
class Taken:
    """Of one round: shares of a core, without and with screens and of the bare server; what screens saw."""

    alone: float
    busy: float
    bare: float
    seen: Seen
    seconds: float


class Readers:
    """The process that reads as so many screens."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        context = multiprocessing.get_context("spawn")
        self._mine, theirs = context.Pipe()
        self._begun = context.Event()
        self._process = context.Process(target=_screens, args=(theirs, self._begun), daemon=True)
        self._process.start()

    def watch(self, port: int, request: bytes, root: int) -> tuple[float, Seen]:
        """The share of a core that ``root`` and its children take meanwhile, and what was seen."""
        self._begun.clear()
        self._mine.send((port, request, self.count, self.seconds))
        if not self._begun.wait(READY_S):
            raise RuntimeError("the screens did not connect")
        begun, used = time.monotonic(), spent_s(root)
        if not self._mine.poll(READY_S):
            raise RuntimeError("the screens said nothing")
        seen = self._mine.recv()
        return (spent_s(root) - used) / (time.monotonic() - begun), seen

    def stop(self) -> None:
        self._mine.send(None)
        self._process.join()


@contextmanager
def bare_server(size: int, every_s: float) -> Iterator[tuple[int, int]]:
    """Its port and its process."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=_bare, args=(port, size, every_s), daemon=True
    )
    process.start()
    until(lambda: listens(port), READY_S)
    try:
        yield port, int(process.pid or 0)
    finally:
        process.kill()
        process.join()


def rounds_of(beds: int, count: int, rounds: int, seconds: float) -> list[Taken]:
    readers = Readers(count, seconds)
    taken = []
    with ward_of(beds) as (service, cookie):
        assert service.process is not None
        root = service.process.pid
        head = f"GET /api/v1/events?form=changes HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n"
        request = f"{head}Cookie: {cookie}\r\n\r\n".encode()
        time.sleep(10 if seconds > 2 else 1)  # the trends and whatever a first minute brings
        for _ in range(rounds):
            begun, used = time.monotonic(), spent_s(root)
            time.sleep(seconds)
            alone = (spent_s(root) - used) / (time.monotonic() - begun)
            busy, seen = readers.watch(service.port, request, root)
            size = round(seen.bytes / max(1, len(seen.told)))
            every = seconds * count / max(1, len(seen.told))
            with bare_server(size, every) as (port, process):
                bare, _ = readers.watch(port, request, process)
            taken.append(Taken(alone, busy, bare, seen, seconds))
    readers.stop()
    return taken


def part(
    quick: bool = False, *, beds: int = 48, screens: int = 200, rounds: int = 5, seconds: float = 4.0
) -> Part:
    if quick:
        screens, rounds, seconds = 20, 1, 2.0
    taken = rounds_of(beds, screens, rounds, seconds)
    fans = [_behind_first(one.seen) for one in taken]
    each = [np.array(one.seen.here) - np.array(one.seen.told) for one in taken]
    alone, busy, bare = (
        np.array([getattr(one, name) for one in taken]) for name in ("alone", "busy", "bare")
    )
    lost = sum(one.seen.lost for one in taken)
    return Part(
        "streams",
        "Dashboards",
        f"{screens} event streams as dashboards open them (`form=changes`), each of {beds} beds in "
        f"{len(WARDS)} wards whose monitors send five signals a second; a tick tells each ward's changes. "
        "One process reads for all screens. The age of a change is counted from the tick's own time, so that "
        "making the board is in it; the fan-out is how much later a screen has it than the first one. The "
        "bare server is an asyncio server in a process of its own that writes as many bytes as often to as "
        f"many sockets. {lost} streams were lost.",
        "python -m benchmarks.streams",
        (
            Figure.of("service without screens", 100 * alone, "% of a core"),
            Figure.of(f"service with {screens} screens", 100 * busy, "% of a core"),
            Figure.of("what one screen costs", 100 * (busy - alone) / screens, "% of a core"),
            Figure.ratio("the fan-out", busy - alone, bare, "a bare server that writes as many bytes"),
            Figure.of("age of a change on a screen, p50", [np.percentile(a, 50) for a in each], "ms"),
            Figure.of(
                "age of a change on a screen, p99",
                [np.percentile(a, 99) for a in each],
                "ms",
                target=at_most(AGE_MS),
            ),
            Figure.of("fan-out, p50", [np.percentile(f, 50) for f in fans], "ms", "the first screen"),
            Figure.of("fan-out, p99", [np.percentile(f, 99) for f in fans], "ms", "the first screen"),
            Figure.of("bytes of a change", [np.median(one.seen.sizes) for one in taken], "B"),
            Figure.of(
                "bytes a screen", [one.seen.bytes / screens / one.seconds / 1000 for one in taken], "kB/s"
            ),
        ),
    )


def _behind_first(seen: Seen) -> np.ndarray:
    """Of each change on each screen, ms after the first screen had it; by when it was told and how large it
    is, which keeps wards apart."""
    if not seen.here:
        raise RuntimeError(
            "no screen was told of any change: the service is behind, or the streams were refused"
        )
    here = np.array(seen.here)
    keys = np.array(seen.told) * 1_000_000 + np.array(seen.sizes)
    _, place = np.unique(keys, return_inverse=True)
    first = np.full(place.max() + 1, np.inf)
    np.minimum.at(first, place, here)
    return here - first[place]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screens", type=int, default=200)
    parser.add_argument("--beds", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    print(table(part(beds=asked.beds, screens=asked.screens, rounds=asked.rounds, seconds=asked.seconds)))


if __name__ == "__main__":
    main()
