"""deploy/ with a real Mosquitto: who may say what, and that the largest message passes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

DEPLOY = Path(__file__).parent.parent / "deploy"
USERS = {"ward": "w-secret", "gateway": "g-secret", "mon-01": "m-secret", "pager": "p-secret"}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A Mosquitto with our configuration, its container paths replaced by a folder of the test."""
    where = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    broker = shutil.which("mosquitto", path=where)
    make_password = shutil.which("mosquitto_passwd", path=where)
    if broker is None or make_password is None:
        pytest.skip("needs Mosquitto: apt-get install mosquitto")
    home = tmp_path_factory.mktemp("mosquitto")
    (home / "passwords").touch(mode=0o600)
    for user, password in USERS.items():
        subprocess.run([make_password, "-b", home / "passwords", user, password], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (DEPLOY / "mosquitto.conf").read_text()
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("/mosquitto/data/", f"{home}/")
    text = text.replace("/mosquitto/config/acl", str(DEPLOY / "mosquitto.acl"))
    if os.geteuid() == 0:
        text += "user root\n"  # else it becomes a user that may not read this folder
    (home / "mosquitto.conf").write_text(text)
    process = subprocess.Popen([broker, "-c", home / "mosquitto.conf"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "mosquitto refused deploy/mosquitto.conf"
                assert time.monotonic() < deadline, "mosquitto does not listen"
        yield port
    finally:
        process.terminate()
        process.wait(10)


class Client:
    """A connected client that remembers what it heard."""

    def __init__(self, port: int, user: str | None):
        self.heard: list[tuple[str, int]] = []
        self.changed = threading.Condition()
        self.code: int | None = None
        self.granted = False
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        if user:
            self.mqtt.username_pw_set(user, USERS[user])
        self.mqtt.on_connect = lambda _c, _u, _f, code, _p: self._set("code", code.value)
        self.mqtt.on_subscribe = lambda *_: self._set("granted", True)
        self.mqtt.on_message = lambda _c, _u, message: self._hear(message)
        self.mqtt.connect("127.0.0.1", port)
        self.mqtt.loop_start()
        self.wait(lambda: self.code is not None)

    def _set(self, name, value):
        with self.changed:
            setattr(self, name, value)
            self.changed.notify_all()

    def _hear(self, message):
        with self.changed:
            self.heard.append((message.topic, len(message.payload)))
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, timeout=10)

    def subscribe(self, topic):
        self.mqtt.subscribe(topic, qos=1)
        self.wait(lambda: self.granted)

    def publish(self, topic, payload=b"{}"):
        self.mqtt.publish(topic, payload, qos=1).wait_for_publish(10)

    def close(self):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@pytest.fixture
def client(port):
    opened = []

    def connect(user):
        opened.append(Client(port, user))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def test_nobody_without_a_password(client):
    assert client(None).code == 135  # not authorised


def test_devices_speak_for_themselves_the_gateway_for_all(client):
    ward, device, gateway = client("ward"), client("mon-01"), client("gateway")
    ward.subscribe("ward/v1/+/+/vitals")
    device.publish("ward/v1/w1/mon-02/vitals")  # not heard: another's name
    device.publish("ward/v1/w1/mon-01/vitals")
    gateway.publish("ward/v1/w1/mon-03/vitals")
    ward.wait(lambda: len(ward.heard) == 2)
    assert {topic for topic, _ in ward.heard} == {"ward/v1/w1/mon-01/vitals", "ward/v1/w1/mon-03/vitals"}


def test_the_largest_message_passes(client):
    ward, gateway = client("ward"), client("gateway")
    ward.subscribe("ward/v1/+/+/vitals")
    gateway.publish("ward/v1/w1/mon-01/vitals", b" " * 2**20)
    ward.wait(lambda: ward.heard)
    assert ward.heard == [("ward/v1/w1/mon-01/vitals", 2**20)]


def test_only_the_service_raises_alerts(client):
    ward, device, gateway, pager = client("ward"), client("mon-01"), client("gateway"), client("pager")
    pager.subscribe("ward/v1/#")
    device.publish("ward/v1/from-device/alerts")
    gateway.publish("ward/v1/from-gateway/alerts")
    ward.publish("ward/v1/w1/alerts")
    pager.wait(lambda: pager.heard)
    assert [topic for topic, _ in pager.heard] == ["ward/v1/w1/alerts"]
