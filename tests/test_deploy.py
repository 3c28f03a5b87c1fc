"""deploy/ with a real Mosquitto: who may say what, and that the largest message passes."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from tests.brokers import until
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.credentials import Credentials
from ward.store.database import migrate, open_database

DEPLOY = Path(__file__).parent.parent / "deploy"
WARD, PASSWORD = "ward", "w-secret"


class Deployed:
    """The broker as compose.yaml runs it, started by our script, its container paths replaced by folders of
    the test; and ward's side of it, which adds devices."""

    def __init__(self, folder: Path) -> None:
        self.users = {WARD: PASSWORD}
        where = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
        if (
            shutil.which("mosquitto", path=where) is None
            or shutil.which("mosquitto_passwd", path=where) is None
        ):
            pytest.skip("needs Mosquitto: apt-get install mosquitto")
        for name in ("data", "config", "ward"):
            (folder / name).mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = (DEPLOY / "mosquitto.conf").read_text()
        text = text.replace("listener 1883", f"listener {self.port} 127.0.0.1")
        text = text.replace("/mosquitto/data/", f"{folder}/data/")
        if os.geteuid() == 0:
            text += "user root\n"  # else it becomes a user that may not read this folder
        (folder / "config" / "mosquitto.conf").write_text(text)
        shutil.copy(DEPLOY / "mosquitto.acl", folder / "config" / "acl")
        url = f"mqtt://{WARD}:{PASSWORD}@127.0.0.1:{self.port}"
        self._database = open_database(f"sqlite:///{folder / 'ward.db'}")
        migrate(self._database)
        self.credentials = Credentials(
            self._database,
            folder,
            BrokerUrl.parse(url),
            folder=folder / "ward",
            reload_command="true",
        )
        script = {
            "WARD_FILES": str(folder / "ward"),
            "MOSQUITTO_DATA": str(folder / "data"),
            "MOSQUITTO_CONFIG": str(folder / "config"),
            "WARD_EVERY": "0.2",
            "WARD_USER": WARD,
            "WARD_PASSWORD": PASSWORD,
        }
        self._process = subprocess.Popen(
            ["sh", DEPLOY / "mosquitto-start.sh"],
            env={**os.environ, **script, "PATH": where},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        until(self._listens)

    def _listens(self) -> bool:
        assert self._process.poll() is None, "mosquitto refused deploy/mosquitto.conf"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def add(self, user: str, **options: list[str]) -> None:
        """As ``ward device add`` does; returns when the broker knows it."""
        made = self.credentials.add(user, 0, **options)
        assert made.unreloaded is None
        self.users[user] = made.password
        until(lambda: self.comes_in(user))

    def comes_in(self, user: str | None) -> bool:
        client = Client(self, user)
        client.close()
        return client.code == 0

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.wait(10) is not None
        until(lambda: not self._listens_still())
        self._database.dispose()

    def _listens_still(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    made = Deployed(tmp_path_factory.mktemp("mosquitto"))
    assert made.comes_in(WARD)  # before ward has written any file
    made.add("w1/mon-01")
    made.add("gateway", speaks_for=["+/+"])
    made.add("pager", hears=["w1"])
    yield made
    made.stop()


class Client:
    """A connected client that remembers what it heard."""

    def __init__(self, deployed: Deployed, user: str | None):
        self.heard: list[tuple[str, int]] = []
        self.changed = threading.Condition()
        self.code: int | None = None
        self.granted = False
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        if user:
            self.mqtt.username_pw_set(user, deployed.users[user])
        self.mqtt.on_connect = lambda _c, _u, _f, code, _p: self._set("code", code.value)
        self.mqtt.on_subscribe = lambda *_: self._set("granted", True)
        self.mqtt.on_message = lambda _c, _u, message: self._hear(message)
        self.mqtt.connect("127.0.0.1", deployed.port)
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
def client(deployed):
    opened = []

    def connect(user):
        opened.append(Client(deployed, user))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def test_nobody_without_a_password(client):
    assert client(None).code == 135  # not authorised


def test_devices_speak_for_themselves_the_gateway_for_all(client):
    ward, device, gateway = client("ward"), client("w1/mon-01"), client("gateway")
    ward.subscribe("ward/v1/+/+/vitals")
    device.publish("ward/v1/w1/mon-02/vitals")  # not heard: another's name
    device.publish("ward/v1/w2/mon-01/vitals")  # nor another ward's
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
    ward, device, gateway, pager = client("ward"), client("w1/mon-01"), client("gateway"), client("pager")
    pager.subscribe("ward/v1/#")
    device.publish("ward/v1/w1/alerts", b"from a device")
    gateway.publish("ward/v1/w1/alerts", b"from a gateway")
    ward.publish("ward/v1/w1/alerts")
    pager.wait(lambda: pager.heard)
    assert pager.heard == [("ward/v1/w1/alerts", 2)]


def test_a_removed_device_is_out_while_the_broker_runs(deployed):
    deployed.add("w1/mon-09")
    deployed.credentials.remove(deployed.credentials.find("w1/mon-09").id, 1)
    until(lambda: not deployed.comes_in("w1/mon-09"))
    assert deployed.comes_in("w1/mon-01")
