"""Real MQTT brokers for tests: our own, and Mosquitto where it is installed; and a plain client."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from tests.parts import mosquitto
from tests.ports import free_port
from ward.ingest.broker import EmbeddedBroker

HOW = "needs Mosquitto: apt-get install mosquitto"


DEADLINE_S = 60.0
"""Until then what is waited for has happened, however busy the machine; who asserts less says how long."""


def until(condition: Callable[[], object], timeout_s: float = DEADLINE_S) -> None:
    """Wait for something that happens in another thread or process; asked less often the longer it takes."""
    deadline, pause = time.monotonic() + timeout_s, 0.002
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.02)


@contextlib.contextmanager
def mosquitto_at(port: int, *settings: str, files: dict[str, str] | None = None) -> Iterator[int]:
    """A Mosquitto on 127.0.0.1; ``{folder}`` in settings is where ``files`` are."""
    binary = mosquitto()
    if binary is None:
        pytest.skip(HOW)
    folder = Path(tempfile.mkdtemp(prefix="ward-mosquitto-"))
    folder.chmod(0o755)  # it gives up being root
    try:
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)
        lines = [f"listener {port} 127.0.0.1", "persistence false", *settings]
        config = folder / "mosquitto.conf"
        config.write_text("\n".join(lines).replace("{folder}", str(folder)) + "\n")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([binary, "-c", str(config)], stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or _listens(port))
            assert process.poll() is None, (folder / "log").read_text()
            yield port
        finally:
            process.terminate()
            process.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module", params=["embedded", "mosquitto"])
def broker_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a running broker, once of each kind."""
    if request.param == "embedded":
        with EmbeddedBroker(free_port()) as broker:
            yield broker.port
    else:
        with mosquitto_at(free_port(), "allow_anonymous true") as port:
            yield port


@contextlib.contextmanager
def client_at(
    port: int, client_id: str = "", *, will: tuple[str, bytes] | None = None, **options: bool
) -> Iterator[paho.Client]:
    """A connected client as a device would use it; ``options`` are paho's."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, **options)
    client.max_queued_messages_set(0)
    if will is not None:
        client.will_set(will[0], will[1], qos=1, retain=True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(client.is_connected)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def subscribe(client: paho.Client, *topics: str) -> None:
    """Return when the broker has it: what others publish from now on is heard."""
    granted = threading.Event()
    client.on_subscribe = lambda *_: granted.set()
    client.subscribe([(topic, 1) for topic in topics])
    assert granted.wait(DEADLINE_S), "the broker grants nothing"


def publish(port: int, *messages: tuple[str, bytes], retain: bool = False) -> None:
    """Publish at QoS 1 and wait until the broker has all of them."""
    with client_at(port) as client:
        sent = [client.publish(topic, payload, qos=1, retain=retain) for topic, payload in messages]
        for info in sent:
            info.wait_for_publish(15)
