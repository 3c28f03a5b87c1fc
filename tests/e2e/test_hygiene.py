"""Marked secrets and a marked patient go through the whole service; neither may come out where it does not
belong: in the log, in metrics, on the broker, in the audit trail or in an error."""

from __future__ import annotations

import json
import time

import httpx

from tests.brokers import broker_port, client_at, subscribe, until  # noqa: F401
from tests.e2e.served import served, wait_for
from tests.e2e.test_service import now

PATIENT = "MARK1-Lovelace-4711"
SECRETS = ("MARK2-password", "MARK3-token", "MARK4-query", "MARK5-path", "MARK6-cookie", "MARK7-body")


def test_nothing_marked_comes_out(tmp_path, broker_port):  # noqa: F811
    url = f"mqtt://127.0.0.1:{broker_port}"
    heard: list[tuple[str, bytes]] = []
    with (
        served(tmp_path, url, LOG_LEVEL="debug") as ward,
        client_at(broker_port) as device,
        client_at(broker_port) as listener,
    ):
        token = ward.command("token", "create", "--role", "admin", "--name", "programs")
        ward.start()
        listener.on_message = lambda *args: heard.append((args[2].topic, args[2].payload))
        subscribe(listener, "#")
        api = ward.client(token)
        body = {"patient_ref": PATIENT, "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        stay = api.post("/stays", json=body).json()
        assert stay["patient_ref"] == PATIENT
        answers = [
            api.post("/stays", json=body),  # the bed is taken
            api.post("/stays", json={**body, "MARK7-body": 1}),
            api.post("/stays", content=b'{"patient_ref": "%s"' % PATIENT.encode()),
            api.get(f"/stays/{stay['id']}?token=MARK4-query&x={PATIENT}"),
            api.get("/alerts?state=MARK4-query"),
            api.get(f"/stays/{PATIENT}"),
            *strangers(ward.url),
        ]
        for seq in range(10):
            sample = {"seq": seq, "time": now(), "readings": {"spo2": 80, PATIENT: 1}, "MARK7-body": "x"}
            device.publish("ward/v1/w/mon/vitals", json.dumps(sample), 1)
            time.sleep(0.5)
        device.publish("ward/v1/w/mon/vitals", b"\xff" + PATIENT.encode(), 1)
        found = wait_for(api, "/alerts?state=active", lambda a: a["items"])
        until(lambda: any(topic.endswith("/alerts") for topic, _ in heard))
        assert api.get(f"/alerts/{found['items'][0]['id']}").status_code == 200
        metrics = httpx.get(f"{ward.url}/metrics", headers=api.headers).text
        assert "ward_http_requests_total" in metrics
        assert ward.stop() == 0
        trail = ward.command("audit", "export")
        assert ward.command("audit", "verify").startswith("the audit trail holds")
        log = (ward.folder / "log").read_text()
    assert "listening" in log
    for marked in (PATIENT, *SECRETS, token):
        assert marked not in log
        assert marked not in metrics
    for secret in (*SECRETS, token):
        assert secret not in trail
    for secret in SECRETS[:5]:  # the name of a field that is not known is told its sender
        assert not any(secret in answer.text.replace(answer.url.path, "") for answer in answers), secret
    # Only who asks for a patient by what she believes is an id writes her words into the trail.
    assert all(
        json.loads(line)["object"] == f"stay:{PATIENT}" for line in trail.splitlines() if PATIENT in line
    )
    told = [payload for topic, payload in heard if topic.endswith("/alerts")]
    assert told
    assert not any(PATIENT in topic or b"MARK" in payload for topic, payload in heard if payload in told)
    assert not any("MARK" in topic for topic, _ in heard)


def strangers(url: str) -> list[httpx.Response]:
    with httpx.Client(base_url=url, timeout=20) as client:
        return [
            client.post("/api/v1/session", json={"login": "ada", "password": "MARK2-password"}),
            client.post("/api/v1/session", json={"token": "MARK3-token"}),
            client.post("/api/v1/session", json={"password": "MARK2-password"}),
            client.get("/api/v1/stays", headers={"Authorization": "Bearer MARK3-token"}),
            client.get("/api/v1/stays", headers={"Cookie": "ward_session=MARK6-cookie"}),
            client.get("/login?code=MARK4-query"),
            client.get("/MARK5-path?MARK4-query"),
            client.get("/problems/MARK5-path"),
            client.request("MARK5-path", "/api/v1/stays"),
        ]
