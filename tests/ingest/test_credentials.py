"""Credentials of devices with a real Mosquitto: the broker refuses what is another's."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from tests.brokers import mosquitto_at, until
from tests.ports import free_port
from ward.cli import app
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.ingest import credentials as room
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.credentials import Credentials, gate_credentials, master_secret
from ward.ingest.mosquitto import ACL, PASSWORDS, password_hash
from ward.ingest.mqtt import MqttLink
from ward.store.credentials import credentials_version, list_credentials
from ward.store.tables import audit, device_credentials

NOW = 1_800_000_000_000
SERVICE = "mqtt://ward:s3cret@127.0.0.1:1883"


def made_by(engine, place: Path, url: str = SERVICE, **options) -> Credentials:
    return Credentials(engine, place / "data", BrokerUrl.parse(url), **options)


# In the database


def test_only_hashes_and_a_nonce_are_stored(engine, tmp_path):
    made = made_by(engine, tmp_path).add("6A/mon-1", NOW)
    assert len(made.password) >= 32
    with engine.connect() as connection:
        row = str(connection.execute(select(device_credentials)).one())
    assert made.password not in row
    assert made.key not in row
    assert made.password not in repr(made)
    assert made.key not in repr(made)


def test_a_user_is_added_once_rotated_and_removed(engine, tmp_path):
    door = made_by(engine, tmp_path)
    first = door.add("6A/mon-1", NOW)
    with pytest.raises(ConflictError):
        door.add("6A/mon-1", NOW)
    second = door.rotate(first.credential.id, "6A/mon-1", NOW + 1)
    assert second.credential.rotated == NOW + 1
    assert (second.password, second.key) != (first.password, first.key)
    with engine.connect() as connection:
        assert credentials_version(connection) == 2
    door.remove(second.credential.id, NOW + 2)
    assert door.all() == []
    with pytest.raises(NotFoundError):
        door.remove(second.credential.id, NOW + 3)
    with pytest.raises(NotFoundError):
        door.find("6A/mon-1")
    third = door.add("6A/mon-1", NOW + 4)  # the same monitor, back from repair
    assert third.key != second.key
    with engine.connect() as connection:
        assert credentials_version(connection) == 4


@pytest.mark.parametrize(
    ("user", "speaks_for", "hears", "told"),
    [
        ("mon-1", [], [], "WARD/DEVICE"),
        ("a/b/c", [], [], "a user is"),
        ("6A/mon:1", [], [], "a user is"),
        ("6A/mon\n1", [], [], "a user is"),
        ("6A/#", [], [], "a user is"),
        ("6A/+", [], [], "a user is"),
        ("$6A/x", [], [], "a user is"),
        ("6A/" + "x" * 200, [], [], "a user is"),
        ("ward", ["6A/+"], [], "ward itself"),
        ("gateway", ["6A"], [], "is not WARD/DEVICE"),
        ("gateway", ["+/mon-1"], [], "one ward"),
        ("gateway", ["6A/#"], [], "is not WARD/DEVICE"),
        ("pager", [], ["6A/x"], "not the name of a ward"),
    ],
)
def test_what_would_break_the_files_is_refused(sqlite_engine, tmp_path, user, speaks_for, hears, told):
    with pytest.raises(InvalidError, match=told):
        made_by(sqlite_engine, tmp_path).add(user, NOW, speaks_for=speaks_for, hears=hears)


def test_keys_come_from_the_secret_in_the_data_folder(sqlite_engine, tmp_path):
    made = made_by(sqlite_engine, tmp_path).add("6A/mon-1", NOW, signed=True)
    path = tmp_path / "data" / room.SECRET
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with sqlite_engine.connect() as connection:
        listed = list_credentials(connection)
    (known,) = gate_credentials(listed, master_secret(tmp_path / "data"))
    assert known.key == made.key.encode()
    assert known.must_sign
    (lost,) = gate_credentials(listed, bytes(32))  # another secret
    assert lost.key is None
    path.write_text("nonsense")
    with pytest.raises(InvalidError, match="cannot be read"):
        master_secret(tmp_path / "data")


def test_two_that_need_the_secret_first_get_the_same(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(master_secret(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [room.SECRET]


# The files


def test_files_are_whole_and_keep_owner_and_mode(sqlite_engine, tmp_path):
    folder = tmp_path / "mosquitto"
    door = made_by(sqlite_engine, tmp_path, folder=folder)
    assert "reload" in door.add("6A/mon-1", NOW).unreloaded
    passwords = folder / PASSWORDS
    assert not passwords.stat().st_mode & stat.S_IROTH
    passwords.chmod(0o604)
    door.add("6A/mon-2", NOW)
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o604
    assert {line.split(":")[0] for line in passwords.read_text().splitlines()} == {
        "ward",
        "6A/mon-1",
        "6A/mon-2",
    }
    assert not [path for path in folder.iterdir() if path.name not in (PASSWORDS, ACL, ".ward-lock")]


def test_a_folder_that_cannot_be_written_is_said(sqlite_engine, tmp_path):
    (tmp_path / "file").touch()
    made = made_by(sqlite_engine, tmp_path, folder=tmp_path / "file").add("6A/mon-1", NOW)
    assert "cannot be written" in made.unreloaded


def test_a_reload_that_does_not_work_is_said(sqlite_engine, tmp_path):
    def told(**how):
        return made_by(sqlite_engine, tmp_path, folder=tmp_path / "m", **how).publish_files()

    assert "ended with 3" in told(reload_command="sh -c 'echo no such unit >&2; exit 3'")
    assert "no such unit" in told(reload_command="sh -c 'echo no such unit >&2; exit 3'")
    assert "did not work" in told(reload_command="/no/such/program")
    assert "not told to reload" in told(pid_file=tmp_path / "none.pid")
    assert "nobody said how" in told()
    assert told(reload_command="true") is None
    assert "WARD_MQTT_FILES_DIR" in made_by(sqlite_engine, tmp_path).publish_files()


def test_a_password_as_mosquitto_writes_it():
    # mosquitto_passwd's own line for this salt and password.
    text = password_hash("secret", b"saltsaltsalt")
    assert text.startswith("$7$101$c2FsdHNhbHRzYWx0$")
    assert len(text.split("$")[4]) == 88


# A real broker


@contextlib.contextmanager
def as_user(port: int, user: str | None, password: str = ""):
    """A connected client and what it heard; ``code`` is the broker's answer."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    client.heard, client.code, client.granted = [], None, []
    client.on_connect = lambda c, _u, _f, code, _p: setattr(c, "code", code.value)
    client.on_message = lambda c, _u, m: c.heard.append((m.topic, m.payload))
    client.on_subscribe = lambda c, _u, _m, codes, _p: c.granted.extend(code.value for code in codes)
    if user is not None:
        client.username_pw_set(user, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(lambda: client.code is not None)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def broker(sqlite_engine, tmp_path):
    """Mosquitto with files as ward writes them; (port, credentials, folder)."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    port = free_port()
    door = made_by(
        sqlite_engine,
        tmp_path,
        f"mqtt://ward:s3cret@127.0.0.1:{port}",
        folder=folder,
        pid_file=folder / "pid",
    )
    door.publish_files()
    # As root Mosquitto would become a user that may not enter pytest's folders.
    settings = [
        "allow_anonymous false",
        f"password_file {folder / PASSWORDS}",
        f"acl_file {folder / ACL}",
        f"pid_file {folder / 'pid'}",
        *(["user root"] if os.geteuid() == 0 else []),
    ]
    for name in (PASSWORDS, ACL):
        os.chown(folder / name, os.geteuid(), os.getegid())
    with mosquitto_at(port, *settings):
        yield port, door, folder


def published(client, *messages):
    for topic, payload in messages:
        client.publish(topic, payload, qos=1).wait_for_publish(10)


def test_a_device_speaks_for_itself_and_the_broker_refuses_all_else(broker):
    port, door, _ = broker
    one = door.add("6A/mon-1", NOW)
    two = door.add("Intensiv ä/mon 2", NOW)
    gateway = door.add("6A/gateway", NOW, speaks_for=["6A/+"])
    pager = door.add("pager", NOW, hears=["6A"])
    assert [m.unreloaded for m in (one, two, gateway, pager)] == [None] * 4
    with contextlib.ExitStack() as stack:
        ward = stack.enter_context(as_user(port, "ward", "s3cret"))
        ward.subscribe([("ward/v1/+/+/vitals", 1), ("ward/v1/+/+/status", 1)])
        until(lambda: len(ward.granted) == 2)
        until(lambda: _logs_in(port, pager))  # the reload takes a moment
        device = stack.enter_context(as_user(port, "6A/mon-1", one.password))
        other = stack.enter_context(as_user(port, "Intensiv ä/mon 2", two.password))
        many = stack.enter_context(as_user(port, "6A/gateway", gateway.password))
        listener = stack.enter_context(as_user(port, "pager", pager.password))
        for client in (device, other, many, listener):
            client.subscribe([("ward/v1/#", 1), ("ward/v1/+/alerts", 1), ("ward/v1/6A/alerts", 1)])
            until(lambda c=client: len(c.granted) == 3)
        published(
            device,
            ("ward/v1/6A/mon-3/vitals", b"another's"),
            ("ward/v1/6B/mon-1/vitals", b"another ward's"),
            ("ward/v1/6A/mon-3/status", b"another's will"),
            ("ward/v1/6A/alerts", b"not an alert"),
            ("ward/v1/6A/mon-1/vitals", b"own"),
            ("ward/v1/6A/mon-1/status", b"own status"),
        )
        published(other, ("ward/v1/Intensiv ä/mon 2/vitals", b"own too"))
        published(many, ("ward/v1/6B/x/vitals", b"not its ward"), ("ward/v1/6A/x/vitals", b"for another"))
        published(listener, ("ward/v1/6A/x/vitals", b"it only listens"))
        published(ward, ("ward/v1/6B/alerts", b"of 6B"), ("ward/v1/6A/alerts", b"of 6A"))
        until(lambda: len(ward.heard) >= 4 and listener.heard)
    assert sorted(payload for _, payload in ward.heard) == [b"for another", b"own", b"own status", b"own too"]
    assert listener.heard == [("ward/v1/6A/alerts", b"of 6A")]
    assert [client.heard for client in (device, other, many)] == [[], [], []]


def _logs_in(port, made):
    with as_user(port, made.credential.user, made.password) as client:
        return client.code == 0


def test_nobody_comes_in_without_or_with_an_old_password(broker):
    port, door, _ = broker
    with as_user(port, None) as client:
        assert client.code != 0
    first = door.add("6A/mon-1", NOW)
    until(lambda: _logs_in(port, first))
    second = door.rotate(first.credential.id, "6A/mon-1", NOW)
    until(lambda: _logs_in(port, second))
    assert not _logs_in(port, first)
    door.remove(second.credential.id, NOW)
    until(lambda: not _logs_in(port, second))


def test_ward_itself_logs_in_with_the_user_of_its_url(broker):
    port, _, _ = broker
    with MqttLink(f"mqtt://ward:s3cret@127.0.0.1:{port}", now=lambda: 1, client_id="core") as link:
        until(lambda: link.stats().connected)
        assert link.publish("ward/v1/6A/alerts", b"{}")


# The command line


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARD_MQTT_URL", "mqtts://ward:s3cret@broker.example:8883")
    monkeypatch.setenv("WARD_MQTT_CA_FILE", "/etc/ward/ca.pem")
    runner = CliRunner()

    def call(*arguments: str):
        return runner.invoke(app, ["device", *arguments])

    return call


def test_the_command_line_from_adding_to_removing(run, tmp_path):
    folder = str(tmp_path / "m")
    added = run("add", "6A/mon-1", "--signed", "--mosquitto", folder, "--reload-command", "true")
    assert added.exit_code == 0, added.output
    words = dict(line.split() for line in added.stdout.splitlines()[:3])
    assert words["user"] == "6A/mon-1"
    assert f"-P {words['password']}" in added.stdout
    assert "--cafile /etc/ward/ca.pem" in added.stdout
    assert "-t ward/v1/6A/mon-1/vitals" in added.stdout
    assert "not know it" not in added.stderr
    assert "refused as it stands" in added.stderr
    assert "s3cret" not in added.output
    listed = run("list")
    assert "6A/mon-1" in listed.stdout
    assert "must sign" in listed.stdout
    assert words["password"] not in listed.output
    again = run("add", "6A/mon-1")
    assert again.exit_code == 2
    assert "rotate" in again.stderr
    rotated = json.loads(run("rotate", "6A/mon-1", "--json").stdout)
    assert rotated["password"] != words["password"]
    assert "WARD_MQTT_FILES_DIR" in run("rotate", "6A/mon-1").stderr
    assert run("files", "--mosquitto", folder, "--reload-command", "false").exit_code == 1
    assert run("files", "--mosquitto", folder, "--reload-command", "true").exit_code == 0
    assert run("files").exit_code == 2
    assert run("remove", "6A/mon-1", "--mosquitto", folder).exit_code == 0
    assert "6A/mon-1" not in (tmp_path / "m" / PASSWORDS).read_text()
    assert run("remove", "6A/mon-1").exit_code == 2
    assert json.loads(run("list", "--json").stdout) == []


def test_changes_from_the_command_line_are_audited(run, tmp_path):
    from ward.store.database import open_database

    made = json.loads(run("add", "6A/gateway", "--for", "6A/+", "--json").stdout)
    run("remove", "6A/gateway")
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'ward.db'}")
    with engine.connect() as connection:
        lines = connection.execute(select(audit).order_by(audit.c.seq)).all()
    engine.dispose()
    assert [(line.action, line.object, line.ward) for line in lines] == [
        ("device.add", "device:6A/gateway", "6A"),
        ("device.remove", "device:6A/gateway", "6A"),
    ]
    assert made["password"] not in str(lines)
    assert made["key"] not in str(lines)
