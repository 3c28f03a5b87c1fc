"""The service as it runs: real broker, real database, real HTTP; killed in mid-stream."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.brokers import broker_port, client_at, mosquitto_at, subscribe, until  # noqa: F401
from tests.databases import database_url, postgres_server, postgres_url, sqlite_url  # noqa: F401
from tests.e2e.served import START_S, served, wait_for
from tests.ports import free_port


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def test_from_a_reading_to_an_alert_on_stream_and_broker(tmp_path, broker_port):  # noqa: F811
    url = f"mqtt://127.0.0.1:{broker_port}"
    told: list[dict] = []
    with served(tmp_path, url) as ward, client_at(broker_port) as device, client_at(broker_port) as listener:
        token = ward.token()
        ward.start()
        api = ward.client(token)
        body = {"patient_ref": "p1", "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        made = api.post("/stays", json=body)
        assert made.status_code == 201, made.text
        listener.on_message = lambda *args: told.append(json.loads(args[2].payload))
        subscribe(listener, "ward/v1/w/alerts")
        for seq in range(12):
            readings = {"spo2": 80, "hr": 70, "rr": 12}
            device.publish(
                "ward/v1/w/mon/vitals", json.dumps({"seq": seq, "time": now(), "readings": readings}), 1
            )
            time.sleep(0.5)
        found = wait_for(api, "/alerts?state=active", lambda a: a["items"])
        (alert,) = found["items"]
        assert alert["rule"] == "spo2-low"
        assert alert["value"] == 80
        until(lambda: told)
        assert told[0]["alert"]["id"] == alert["id"]
        taken = api.post(f"/alerts/{alert['id']}/acknowledge", json={"assessment": "actionable"})
        assert taken.status_code == 200, taken.text
        assert taken.json()["state"] == "acknowledged"
        until(lambda: told[-1]["alert"]["state"] == "acknowledged")
        vitals = api.get(f"/stays/{made.json()['id']}/vitals?signal=spo2").json()
        assert vitals["signals"]["spo2"]["value"] == [80.0] * len(vitals["signals"]["spo2"]["value"])
        assert ward.stop() == 0


class Stream(threading.Thread):
    """A device that publishes a known stream through a broker, at QoS 1, whoever is listening."""

    def __init__(self, port: int, samples: int, every_s: float) -> None:
        super().__init__(daemon=True)
        self.sent: list[tuple[int, float, float]] = []
        self._port, self._samples, self._every = port, samples, every_s

    def run(self) -> None:
        rng = random.Random(1)
        with client_at(self._port) as device:
            birth = {"state": "online", "session": "s", "interval_s": {"spo2": 1, "rr": 1}}
            device.publish("ward/v1/w/mon/status", json.dumps(birth), 1, retain=True).wait_for_publish(10)
            spo2 = 89.0  # steps too small to look like artefact
            for seq in range(self._samples):
                if seq % 25 == 0:
                    spo2 = 87.0 if spo2 > 88 else 89.0
                rr = float(rng.choice([14, 15, 16]))
                sample = {"seq": seq, "time": now(), "readings": {"spo2": spo2, "rr": rr}}
                message = device.publish("ward/v1/w/mon/vitals", json.dumps(sample), 1)
                message.wait_for_publish(10)
                self.sent.append((seq, spo2, rr))
                time.sleep(self._every)


def test_kill_9_in_mid_stream_loses_nothing_and_tells_nothing_twice(tmp_path, database_url):  # noqa: F811
    port = free_port()
    with (
        mosquitto_at(port, "allow_anonymous true", "max_queued_messages 0"),
        served(tmp_path, f"mqtt://127.0.0.1:{port}", database_url) as ward,
    ):
        token = ward.token()
        ward.start()
        api = ward.client(token)
        body = {"patient_ref": "p1", "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        stay = api.post("/stays", json=body).json()["id"]
        stream = Stream(port, samples=220, every_s=0.2)
        stream.start()
        rng = random.Random(7)
        for _ in range(6):
            time.sleep(rng.uniform(1.0, 6.0))
            ward.kill()
            time.sleep(rng.uniform(0.0, 1.0))
            ward.start(ready=False)
        stream.join(120)
        assert len(stream.sent) == 220
        until(ward.is_ready, START_S)

        def stored(answer: dict) -> bool:
            return len(answer["signals"].get("spo2", {}).get("value", [])) >= 220

        vitals = wait_for(api, f"/stays/{stay}/vitals", stored)
        assert vitals["signals"]["spo2"]["value"] == [spo2 for _, spo2, _ in stream.sent]
        assert vitals["signals"]["rr"]["value"] == [rr for _, _, rr in stream.sent]

        # What one undisturbed engine says: five breaches of 5 s each, in readings 0.2 s apart.
        breaches = sum(
            before > 88 > after
            for (_, before, _), (_, after, _) in zip(
                [(0, 97.0, 0.0), *stream.sent], stream.sent, strict=False
            )
        )
        assert breaches == 5
        time.sleep(3)
        alerts = api.get(f"/alerts?stay={stay}&limit=500").json()["items"]
        raised = [a for a in alerts if a["rule"] == "spo2-low"]
        log = [
            entry
            for a in raised
            for entry in api.get(f"/alerts/{a['id']}").json()["log"]
            if entry["after"] == "active" and entry["before"] != "active"
        ]
        assert len(log) == breaches
        # A start that takes long tells several at one moment; each has its own instant all the same.
        instants = sorted(entry["detail"]["at"] for entry in log)
        assert all(later - earlier > 9_000 for earlier, later in pairwise(instants))


def test_an_impossible_setting_stops_the_start_with_name_value_and_what_is_allowed(tmp_path):
    with served(tmp_path, "mqtt://127.0.0.1:1", HTTP_PORT="eighty", COLOUR="red") as ward:
        ward.start(ready=False)
        assert ward.process is not None
        assert ward.process.wait(START_S) == 2
        said = (tmp_path / "log").read_text()
        assert "http_port = 'eighty'" in said
        assert "colour" in said
        assert "allowed: http_host" in said


def test_a_taken_port_stops_the_start_in_a_line(tmp_path):
    with served(tmp_path, "mqtt://127.0.0.1:1") as ward, socket.socket() as other:
        other.bind(("127.0.0.1", ward.port))
        other.listen()
        ward.start(ready=False)
        assert ward.process is not None
        assert ward.process.wait(START_S) == 2
        said = (tmp_path / "log").read_text()
        assert f"http_port = {ward.port}: Address already in use" in said
        assert "Traceback" not in said


def test_the_service_starts_without_a_broker_says_so_and_recovers(tmp_path):
    port = free_port()
    with served(tmp_path, f"mqtt://127.0.0.1:{port}") as ward:
        token = ward.token()
        ward.start(ready=False)
        api = ward.client(token)
        wait_for(api, "/stays", lambda a: a["items"] == [], START_S)
        import httpx

        answer = httpx.get(f"{ward.url}/readyz")
        assert answer.status_code == 503
        assert "not connected to the broker" in answer.text
        with mosquitto_at(port, "allow_anonymous true"):
            until(ward.is_ready, START_S)


@pytest.mark.parametrize("arguments", [("--help",), ("replay", "--help"), ("config",)])
def test_the_command_line_explains_itself(tmp_path, arguments):
    with served(tmp_path, "mqtt://user:hunter2@127.0.0.1:1") as ward:
        said = ward.command(*arguments)
        assert len(said) > 200
        assert "hunter2" not in said
