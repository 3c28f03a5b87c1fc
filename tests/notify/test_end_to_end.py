"""From a reading to a person's pager, on a running service: told, passed on, and not delivered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import client_at, mosquitto_at, subscribe, until
from tests.e2e.served import served, wait_for
from tests.notify.office import Post
from tests.notify.test_webhook import verified
from tests.ports import free_port
from ward.notify.webhook import read_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CHANNELS = """
[dashboard]
give_up = "5s"

[channels.pager]
kind = "webhook"
url = "{url}"
secret = "{secret}"
detail = "bed"

[channels.lamp]
kind = "mqtt"
"""
PLAN = """
timezone = "Europe/Zurich"

[[person]]
id = "ada"
name = "Ada"

[[person]]
id = "ben"
name = "Ben"

[[route]]
kind = "physiological"
[[route.level]]
tell = ["ada"]
channels = ["pager"]
[[route.level]]
after = "6s"
tell = ["ben"]
channels = ["lamp"]
"""


class Patient(threading.Thread):
    """A device that measures once a second; ``spo2`` is set by the test."""

    def __init__(self, port: int, device: str = "mon", spo2: float = 97.0, ward: str = "w") -> None:
        super().__init__(daemon=True)
        self.spo2, self._topic = spo2, f"ward/v1/{ward}/{device}/vitals"
        self._port, self._end = port, threading.Event()
        self.sent = 0

    def run(self) -> None:
        with client_at(self._port) as device:
            while not self._end.wait(0.4):
                at = datetime.now(UTC).isoformat(timespec="milliseconds")
                body = {"seq": self.sent, "time": at, "readings": {"spo2": self.spo2, "hr": 70}}
                device.publish(self._topic, json.dumps(body), 1).wait_for_publish(10)
                self.sent += 1

    def end(self) -> None:
        self._end.set()
        self.join(10)


@pytest.fixture
def post() -> Iterator[Post]:
    with Post().open() as opened:
        yield opened


def told(heard: list[Any], reason: str) -> list[dict[str, Any]]:
    return [one["data"] for one in (each.json for each in list(heard)) if one["type"] == f"alert.{reason}"]


def test_told_passed_on_and_not_delivered(tmp_path: Path, post: Post):
    port = free_port()
    (tmp_path / "plan.toml").write_text(PLAN)
    channels = tmp_path / "channels.toml"
    channels.write_text(CHANNELS.format(url=post.url, secret=SECRET))
    channels.chmod(0o600)
    given = {"CHANNELS_FILE": channels, "PLAN_FILE": tmp_path / "plan.toml"}
    lamp: list[dict[str, Any]] = []
    with (
        mosquitto_at(port, "allow_anonymous true"),
        served(tmp_path, f"mqtt://127.0.0.1:{port}", **given) as ward,
        client_at(port) as listener,
    ):
        token = ward.token()
        ward.start()
        api = ward.client(token)
        listener.on_message = lambda *args: lamp.append(json.loads(args[2].payload))
        subscribe(listener, "ward/v1/w/notify/lamp")
        body = {"patient_ref": "PATIENT-17", "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        stay = api.post("/stays", json=body).json()["id"]
        patient = Patient(port)
        patient.start()

        # Told: signed, within moments, and with nobody's name in it.
        patient.spo2 = 80.0
        until(lambda: told(post.heard, "first"))
        assert verified(post.heard[0], read_secret(SECRET))
        assert "PATIENT-17" not in str(post.heard[0])
        first = told(post.heard, "first")[0]
        assert (first["ward"], first["bed"], first["person"]) == ("w", "1", "ada")
        alert = wait_for(
            api, f"/alerts/{first['alert']}", lambda a: any(d["state"] == "sent" for d in a["deliveries"])
        )
        (delivery,) = [d for d in alert["deliveries"] if d["reason"] == "first"]
        assert 0 < delivery["signal_delay_s"] < 8
        assert delivery["name"] == "Ada"
        assert alert["undelivered"] == []

        # Passed on: nobody took it.
        until(lambda: [one for one in lamp if one["reason"] == "escalation"])
        assert lamp[0]["person"] == "ben"

        # Not delivered: seen on the alert, and the next is told at once, not after 6 s.
        post.answers = [410] * 100
        assert api.post(f"/stays/{stay}/discharge").is_success
        api.post("/stays", json=body | {"bed": "2"})
        until(lambda: [one for one in lamp if one["reason"] == "undelivered"])
        seen = time.time()
        (alert,) = api.get("/alerts?state=active").json()["items"]
        assert alert["undelivered"] == [{"person": "ada", "channel": "pager"}]
        raised = datetime.fromisoformat(alert["raised_at"]).timestamp()
        assert seen - raised < 6
        found = api.get(f"/alerts/{alert['id']}").json()["deliveries"]
        assert [d["error"] for d in found if d["channel"] == "pager"] == ["the other side answered 410"]

        # A test goes the same way, and the command line says what became of it.
        post.answers = []
        made = api.post("/channels/test", json={"ward": "w"}).json()["items"]
        assert {test["channel"] for test in made} == {"dashboard", "pager", "lamp"}

        def through(answer: dict[str, Any]) -> bool:
            return all(test["state"] != "waiting" for test in answer["items"])

        tests = wait_for(api, "/channels/tests", through)["items"]
        states = {test["channel"]: test["state"] for test in tests}
        assert states == {"dashboard": "failed", "pager": "sent", "lamp": "sent"}  # no page was open
        patient.end()
        assert ward.stop() == 0
        log = (tmp_path / "log").read_text()
        assert "PATIENT-17" not in log
        assert SECRET not in log
