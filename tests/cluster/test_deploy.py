"""deploy/cluster with real servers: who may say what, what is kept on three, who gets the screens."""

from __future__ import annotations

import contextlib
import http.server
import subprocess
import threading
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
import yaml

from tests.brokers import until
from tests.cluster.nodes import Cluster, version
from tests.databases import postgres_server, postgres_url, sqlite_engine, sqlite_url  # noqa: F401
from tests.parts import haproxy
from tests.ports import free_port
from ward.config import Settings
from ward.ingest.jetstream import JetStreamJournal
from ward.ingest.mqtt import MqttLink
from ward.ingest.records import RulesChanged
from ward.ingest.share import Share
from ward.partitions import Partition, numbers
from ward.standing_by import standing_by

DEPLOY = Path(__file__).parents[2] / "deploy" / "cluster"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
ENGINES = [service for name, service in COMPOSE.items() if name.startswith("engine")]
PARTITIONS = int(ENGINES[0]["environment"]["WARD_PARTITIONS"])
MAPPED = ENGINES[0]["environment"]["WARD_MQTT_MAPPED"]
PASSWORDS = {"$WARD_NATS_PASSWORD": "ward-secret", "$WARD_DEVICES_PASSWORD": "devices-secret"}


@pytest.fixture(scope="module")
def deployed():
    """Three servers as deploy/cluster/nats.conf has them; names, ports and folders are the test's."""
    text = (DEPLOY / "nats.conf").read_text()
    if version() < (2, 10):
        text = text.replace("  sync_interval: always\n", "")
    for variable, password in PASSWORDS.items():
        text = text.replace(variable, password)
    cluster = Cluster(3)
    routes = [free_port() for _ in cluster.nodes]
    text = text.replace("0.0.0.0", "127.0.0.1")
    for number, port in enumerate(routes, 1):
        text = text.replace(f"nats-{number}:6222", f"127.0.0.1:{port}")
    for node, route in zip(cluster.nodes, routes, strict=True):
        own = {
            "$NATS_NAME": node.name,
            "127.0.0.1:4222": f"127.0.0.1:{node.client}",
            "127.0.0.1:8222": f"127.0.0.1:{node.http}",
            "127.0.0.1:1883": f"127.0.0.1:{node.mqtt}",
            "127.0.0.1:6222": f"127.0.0.1:{route}",
            "store_dir: /data": f'store_dir: "{cluster.folder}/{node.name}"',
        }
        config = text
        for before, after in own.items():
            config = config.replace(before, after)
        node.config.write_text(config)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def test_each_partition_has_an_engine_and_one_in_reserve():
    """And the broker maps to as many."""
    first, second = ([], [])
    for engine in ENGINES:
        given = dict(zip(engine["command"][1::2], engine["command"][2::2], strict=True))
        assert given.keys() == {"--partitions", "--standby"}
        first += numbers(given["--partitions"], PARTITIONS)
        second += numbers(given["--standby"], PARTITIONS)
        assert engine["environment"]["WARD_PARTITIONS"] == str(PARTITIONS)
    assert sorted(first) == sorted(second) == list(range(PARTITIONS))
    assert (DEPLOY / "nats.conf").read_text().count(
        f"{MAPPED}.{{{{partition({PARTITIONS},1)}}}}.ward.v1."
    ) == 2


def test_what_engines_leave_to_others_is_done():
    assert {engine["environment"]["WARD_NOTIFY"] for engine in ENGINES} == {"elsewhere"}
    assert [service.get("command") for service in COMPOSE.values()].count(["notify"]) == 2


@contextlib.contextmanager
def device(node, user="devices", password="devices-secret"):
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="mon-1")
    client.username_pw_set(user, password)
    client.connect("127.0.0.1", node.mqtt)
    client.loop_start()
    try:
        until(client.is_connected)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def link_to(cluster, node):
    """As the engine has it that watches the ward of these tests."""
    (mine,) = (part for n in range(PARTITIONS) if (part := Partition(n, PARTITIONS)).has("w1"))
    share = Share(mine, MAPPED)
    return MqttLink(
        f"mqtt://ward:ward-secret@127.0.0.1:{node.mqtt}?protocol=3.1.1",
        now=lambda: 1,
        topics=share.topics,
        prefix=share.prefix,
        also=[("127.0.0.1", each.mqtt) for each in cluster.nodes],
    )


def test_devices_speak_to_ward_with_the_largest_message_on_any_node(deployed):
    with link_to(deployed, deployed.nodes[0]) as link, device(deployed.nodes[1]) as client:
        until(lambda: link.stats().connected, 60)
        client.publish("ward/v1/w1/mon-1/vitals", b"x" * (1 << 20), qos=1).wait_for_publish(20)
        until(lambda: len(link.intake))
        (item,) = link.intake.drain()
        assert (item.topic, len(item.payload)) == ("ward/v1/w1/mon-1/vitals", 1 << 20)
        link.ack([item])


def test_devices_hear_nothing_and_say_nothing_else(deployed):
    with link_to(deployed, deployed.nodes[0]) as link, device(deployed.nodes[1]) as client:
        until(lambda: link.stats().connected, 60)
        answers, heard = [], []
        client.on_subscribe = lambda _c, _d, _m, reasons, _p: answers.extend(reasons)
        client.on_message = lambda *_: heard.append(1)
        client.subscribe([("ward/v1/+/alerts", 1), ("ward/v1/+/+/vitals", 1), ("#", 0)])
        until(lambda: len(answers) == 3)
        assert all(reason.is_failure for reason in answers)
        link.publish("ward/v1/w1/alerts", b"{}")
        client.publish("ward/v1/w1/alerts", b"{}", qos=1)
        client.publish("ward/v1/w1/mon-1/vitals", b"last", qos=1).wait_for_publish(20)
        until(lambda: len(link.intake))
        assert [item.payload for item in link.intake.drain()] == [b"last"]
        assert not heard


def test_the_journal_is_on_three(deployed, sqlite_engine):  # noqa: F811
    urls = ",".join(f"nats://ward:ward-secret@127.0.0.1:{node.client}" for node in deployed.nodes)
    log = JetStreamJournal(sqlite_engine, urls, "ward-journal")
    try:
        position = log.append([RulesChanged(1)])
        assert log.read(position - 1) == [(position, [RulesChanged(1)])]
        assert log.replicas == 3
    finally:
        log.close()


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def balanced(tmp_path):
    """HAProxy before a web process that is gone and one that is there; and a service that stands by."""
    program = haproxy()
    if program is None:
        pytest.skip("needs HAProxy: apt-get install haproxy")
    front, by, ready = free_port(), free_port(), free_port()
    text = (DEPLOY / "haproxy.cfg").read_text().replace("bind :8080", f"bind 127.0.0.1:{front}")
    text = text.replace("bind :1883", f"bind 127.0.0.1:{free_port()}")
    text = text.replace("web-a:8080", f"127.0.0.1:{free_port()}").replace("web-b:8080", f"127.0.0.1:{ready}")
    for number in (1, 2, 3):
        text = text.replace(f"nats-{number}:1883", f"127.0.0.1:{free_port()}")
    (tmp_path / "haproxy.cfg").write_text(text)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", ready), Ready)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with standing_by(Settings(http_port=by)), (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-db", "-f", str(tmp_path / "haproxy.cfg")], stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{front}", f"http://127.0.0.1:{by}"
        finally:
            process.terminate()
            process.wait(10)
            server.shutdown()
            server.server_close()


def answered(url):
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2)
    return None


def test_screens_go_to_the_web_process_that_is_there(balanced):
    front, by = balanced

    def only_that_one():
        got = [answered(f"{front}/") for _ in range(4)]
        return all(one is not None and one.text == "ready" for one in got)

    until(only_that_one)
    assert httpx.get(f"{by}/healthz").json() == {"status": "alive"}
    refused = httpx.get(f"{by}/api/v1/stays")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "stand" in refused.json()["reasons"][0]
    assert httpx.head(f"{by}/readyz").status_code == 503
