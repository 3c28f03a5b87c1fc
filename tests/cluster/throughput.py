"""What a reading costs with 1, 2 and 4 engines: ``python -m tests.cluster.throughput [--beds 300]``.

One nats-server as broker and journal, which divides the devices by partition, and PostgreSQL; a monitor a bed
with five signals each second. Counted is processor time, of each kind of process by itself: with fewer cores
than processes elapsed time says nothing. What a reading costs is all that was used while messages came, with
what an engine uses anyway. That is told beside it, from a window before the first message, and not taken off:
that window may hold what a start leaves to do. As JSON; docs/scale.md has what came out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import paho.mqtt.client as paho

from tests.brokers import until
from tests.cluster.nodes import Cluster
from tests.cluster.test_mapping import KINDS, MAPPED
from tests.e2e.served import Served
from tests.faults.house import Postgres, children_of, resident_mb, stat_of
from tests.ports import free_ports
from ward.clock import iso, wall_ms
from ward.partitions import Partition

SIGNALS: Final = {"hr": 80, "spo2": 97, "rr": 15, "pr": 80, "temp": 36.8}
BEDS_A_WARD: Final = 20
TICK: Final = os.sysconf("SC_CLK_TCK")
PATIENCE_S: Final = 180
SETTLE_S: Final = 8


class Engines(Served):
    """``ward engine`` with every partition, or ``ward serve``."""

    def __init__(self, folder: Path, mqtt: str, url: str, of: int, **settings: Any) -> None:
        given = {"PARTITIONS": of, "CLUSTER_SECRET": "only-the-cluster-knows", **settings}
        super().__init__(folder, mqtt, url, **given)
        self.of = of
        if of > 1:
            self.program = ("engine", "--partitions", f"0-{of - 1}")
            self.port = free_ports(of)
            self.env["WARD_HTTP_PORT"] = str(self.port)

    def url_of(self, number: int) -> str:
        return f"http://127.0.0.1:{self.port + number}"

    def is_ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            asked = [httpx.get(f"{self.url_of(n)}/readyz", timeout=10) for n in range(self.of)]
            return all(answer.status_code == 200 for answer in asked)
        return False

    @property
    def pids(self) -> list[int]:
        assert self.process is not None
        return children_of(self.process.pid) if self.of > 1 else [self.process.pid]


class Devices:
    """A monitor a bed, all over one connection; ``sent`` counts messages."""

    def __init__(self, port: int, topics: list[str]) -> None:
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="all", protocol=paho.MQTTv311)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._topics, self._end = topics, threading.Event()
        self.sent = self.bytes = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        begun, seq = time.monotonic(), 0
        while not self._end.wait(max(begun + seq - time.monotonic(), 0)):
            seq += 1
            for topic in self._topics:
                body = json.dumps({"seq": seq, "time": iso(wall_ms()), "readings": SIGNALS})
                self._client.publish(topic, body, qos=1)
                self.sent += 1
                self.bytes += len(topic) + len(body)

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


def seconds_of(pid: int, *, ended: bool = False) -> float:
    """Processor time of a process; ``ended``: with that of its children that are over."""
    fields = stat_of(pid)
    return sum(int(value) for value in fields[11 : 15 if ended else 13]) / TICK


class Counted:
    """What the parts have used until now, and how much was sent."""

    def __init__(self, engines: Engines, nats: int, postgres: int, devices: Devices | None) -> None:
        self.at = time.monotonic()
        self.engine = sum(seconds_of(pid) for pid in engines.pids)
        self.nats = seconds_of(nats)
        children = sum(seconds_of(pid) for pid in children_of(postgres))
        self.postgres = children + seconds_of(postgres, ended=True)
        self.sent = devices.sent if devices else 0
        self.bytes = devices.bytes if devices else 0


PARTS: Final = ("engine", "nats", "postgres")


@contextlib.contextmanager
def house(of: int) -> Iterator[tuple[Engines, Cluster, Postgres]]:
    folder = Path(tempfile.mkdtemp(prefix="ward-throughput-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        lines = [f'"ward.v1.*.*.{kind}": "{MAPPED.format(of=of, kind=kind)}"' for kind in KINDS]
        cluster = Cluster(1, more="\n".join(["mappings {", *lines, "}"]) if of > 1 else "")
        stack.callback(cluster.stop)
        cluster.start()
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.stop)
        postgres.start()
        mqtt = f"mqtt://127.0.0.1:{cluster.nodes[0].mqtt}?protocol=3.1.1"
        more = {
            "JOURNAL_URL": cluster.nodes[0].url,
            "MQTT_MAPPED": "parts" if of > 1 else "",
            "PACK": "default",
        }
        engines = Engines(folder / "engine", mqtt, postgres.url, of, **more)
        token = engines.token()
        stack.callback(engines.stop)
        engines.start(ready=False)
        until(engines.is_ready, PATIENCE_S)
        engines.env["TOKEN"] = token
        yield engines, cluster, postgres


def admitted(engines: Engines, beds: int) -> list[str]:
    """The topics of the devices, as many in each partition as chance has it."""
    topics = []
    headers = {"Authorization": f"Bearer {engines.env['TOKEN']}"}
    with httpx.Client(headers=headers, timeout=60) as client:
        for bed in range(beds):
            ward = f"w{bed // BEDS_A_WARD}"
            number = next(n for n in range(engines.of) if Partition(n, engines.of).has(ward))
            body = {"patient_ref": "p", "ward": ward, "bed": str(bed), "devices": [f"mon-{bed}"], "flags": []}
            client.post(f"{engines.url_of(number)}/api/v1/stays", json=body).raise_for_status()
            topics.append(f"ward/v1/{ward}/mon-{bed}/vitals")
    return topics


def heard(engines: Engines) -> int:
    """Beds whose newest heart rate is of the last seconds."""
    fresh = 0
    headers = {"Authorization": f"Bearer {engines.env['TOKEN']}"}
    for number in range(engines.of):
        answer = httpx.get(f"{engines.url_of(number)}/api/v1/stays?limit=1000", headers=headers, timeout=60)
        signals = [one["signals"].get("hr", {}) for one in answer.json()["items"]]
        fresh += sum(one.get("value") == SIGNALS["hr"] for one in signals)
    return fresh


def measure(of: int, beds: int, seconds: int) -> dict[str, Any]:
    with house(of) as (engines, cluster, postgres):
        topics = admitted(engines, beds)
        nats, server = cluster.nodes[0].pid, postgres.process
        assert server is not None
        time.sleep(SETTLE_S)
        idle = [Counted(engines, nats, server.pid, None)]
        time.sleep(seconds)
        idle.append(Counted(engines, nats, server.pid, None))
        devices = Devices(cluster.nodes[0].mqtt, topics)
        try:
            time.sleep(SETTLE_S)
            busy = [Counted(engines, nats, server.pid, devices)]
            time.sleep(seconds)
            busy.append(Counted(engines, nats, server.pid, devices))
            fresh = heard(engines)
        finally:
            devices.close()
        messages = busy[1].sent - busy[0].sent
        readings = messages * len(SIGNALS)
        found: dict[str, Any] = {"engines": of, "beds": beds, "beds_heard": fresh}
        found["readings_a_second"] = round(readings / (busy[1].at - busy[0].at))
        found["bytes_a_message"] = round((busy[1].bytes - busy[0].bytes) / messages)
        found["memory_mb_an_engine"] = round(sum(resident_mb(pid) for pid in engines.pids) / of)
        for part in PARTS:
            found[f"{part}_idle_percent"] = round(100 * rate(idle, part), 2)
            found[f"{part}_us_a_reading"] = round(
                1e6 * rate(busy, part) * (busy[1].at - busy[0].at) / readings, 1
            )
        return found


def rate(counted: list[Counted], part: str) -> float:
    """Of a core."""
    first, last = counted
    return float(getattr(last, part) - getattr(first, part)) / (last.at - first.at)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.throughput")
    parser.add_argument("--of", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--beds", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    for of in args.of:
        print(json.dumps(measure(of, args.beds, args.seconds)), flush=True)


if __name__ == "__main__":
    main()
