"""A cluster of real nats-servers on this machine, to be killed one by one; skipped where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import nats
import pytest

from tests.parts import nats_server
from tests.ports import free_port

HOW: Final = "needs nats-server: apt-get install nats-server, or WARD_TEST_NATS=FILE"
READY_S: Final = 60.0

SETTINGS: Final = """
server_name: {name}
listen: 127.0.0.1:{client}
http: 127.0.0.1:{http}
jetstream {{ store_dir: "{folder}/{name}", {sync} }}
mqtt {{ listen: "127.0.0.1:{mqtt}", ack_wait: 10s, max_ack_pending: 10000, {replicas} }}
{more}
"""
CLUSTER: Final = """
cluster {{ name: ward, listen: 127.0.0.1:{cluster}, routes: [{routes}]}}
"""


class Node:
    """One server: its ports, its folder, its process."""

    def __init__(self, name: str, folder: Path, config: str, client: int, mqtt: int, http: int) -> None:
        self.name, self.client, self.mqtt, self.http = name, client, mqtt, http
        self.config = folder / f"{name}.conf"
        self.config.write_text(config)
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.client}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        binary = nats_server()
        assert binary is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([binary, "-c", str(self.config)], stdout=log, stderr=log)

    def is_ready(self) -> bool:
        """Whether clients are taken, also those of MQTT, which wait for JetStream to have a leader."""
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-3000:]
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.http), 1) as asked:
                asked.sendall(b"GET /healthz?js-server-only=true HTTP/1.0\r\n\r\n")
                asked.settimeout(2)
                answer = asked.recv(64)
            if b" 200 " in answer:
                with socket.create_connection(("127.0.0.1", self.mqtt), 1):
                    return True
        return False

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """As when the machine's power fails, but that the system keeps what was written to it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Cluster:
    """Servers that know each other. ``replicas`` of what MQTT keeps are as many as there are servers."""

    def __init__(self, size: int = 3, *, sync_always: bool = False, more: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ward-nats-"))
        routes = [free_port() for _ in range(size)]
        self.nodes = []
        modern = version() >= (2, 10)
        for number in range(size):
            name = f"n{number + 1}"
            ports = {"client": free_port(), "mqtt": free_port(), "http": free_port()}
            own = more
            if size > 1:
                own += CLUSTER.format(
                    cluster=routes[number],
                    routes=", ".join(f"nats://127.0.0.1:{port}" for port in routes),
                )
            config = SETTINGS.format(
                name=name,
                folder=self.folder,
                sync="sync_interval: always" if sync_always and modern else "",
                replicas=f"stream_replicas: {min(size, 3)}, consumer_replicas: {min(size, 3)}",
                more=own,
                **ports,
            )
            self.nodes.append(Node(name, self.folder, config, **ports))

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        self.until_ready()

    def until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while not all(node.is_ready() for node in self.nodes):
            assert time.monotonic() < deadline, "the cluster did not come up in time"
            time.sleep(0.05)

    def undelivered(self) -> int:
        """Messages that the nodes have for MQTT sessions and know of no acknowledgement for."""
        found = 0
        for node in self.nodes:
            url = f"http://127.0.0.1:{node.http}/jsz?accounts=1&consumers=1"
            accounts = httpx.get(url, timeout=10).raise_for_status().json().get("account_details", [])
            streams = [stream for account in accounts for stream in account.get("stream_detail", [])]
            found += sum(
                consumer["num_pending"] + consumer["num_ack_pending"]
                for stream in streams
                if stream["name"] == "$MQTT_msgs"
                for consumer in stream.get("consumer_detail", [])
                if consumer["cluster"].get("leader") == node.name
            )
        return found

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def version() -> tuple[int, ...]:
    """Of the server that is found; skips where there is none."""
    binary = nats_server()
    if binary is None:
        pytest.skip(HOW)
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.split("v")[-1].strip().split(".")[:2])


@contextlib.contextmanager
def cluster_of(size: int = 3, **options: object) -> Iterator[Cluster]:
    made = Cluster(size, **options)  # type: ignore[arg-type]
    try:
        made.start()
        yield made
    finally:
        made.stop()


def put_raw(cluster: Cluster, subject: str, payload: bytes) -> None:
    """Into whichever stream has the subject, as somebody would who is no ward."""

    async def put() -> None:
        client = await nats.connect(cluster.urls)
        await client.jetstream().publish(subject, payload)
        await client.close()

    asyncio.run(put())
