"""Two web processes before two engines: any of them shows any ward, goes on with the other's stream, and says
what is not live while an engine is away."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator

import httpx
import paho.mqtt.client as paho
import pytest

from tests.brokers import until
from tests.cluster.roles import PATIENCE_S, SETTINGS, WARDS, Role, parts, started
from tests.e2e.served import wait_for
from ward.clock import iso, wall_ms

INSIDE = {"Authorization": f"Bearer {SETTINGS['CLUSTER_SECRET']}"}


@pytest.fixture(scope="module")
def cluster():
    """An engine that has both partitions, one that stands by, and two webs."""
    programs = {
        "engine": ("engine", "--partitions", "0-1"),
        "other": ("engine", "--standby", "0-1"),
        "web": ("web",),
        "web2": ("web",),
    }
    with parts("ward-cluster-") as (folder, broker, given):
        made = {name: Role(folder / name, *given, program=program) for name, program in programs.items()}
        token = made["web"].token()
        old = folder / "web" / "data" / "recordings" / "someone" / "0-old.csv"
        old.parent.mkdir(parents=True)
        old.touch()
        os.utime(old, (0, 0))
        with started(made.values()):
            for web in ("web", "web2"):
                until(made[web].is_ready, PATIENCE_S)
            yield {**made, "broker": broker, "token": token, "old": old}


class Devices:
    """Both wards' monitors: a reading a second, of a breathing rate that is too high."""

    def __init__(self, port):
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="devices")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self):
        seq = 0
        while not self._ended.wait(1):
            seq += 1
            body = json.dumps({"seq": seq, "time": iso(wall_ms()), "readings": {"hr": 80, "rr": 30}})
            for ward in WARDS:
                self._client.publish(f"ward/v1/{ward}/mon/vitals", body, qos=1)

    def close(self):
        self._ended.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


def told(web, token, place=None, form="views", timeout=20) -> Iterator[tuple[str, dict, str | None]]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": place} if place else {})
    url = f"{web.url}/api/v1/events?form={form}"
    kind = id = None
    with httpx.stream("GET", url, headers=headers, timeout=timeout) as answer:
        for line in answer.iter_lines():
            name, _, text = line.partition(": ")
            if name == "event":
                kind, id = text, None
            elif name == "id":
                id = text
            elif name == "data":
                yield kind, json.loads(text), id


def first(events, kind, wanted=lambda data: True):
    """The first event that is wanted; with it the stream ends."""
    with contextlib.closing(events):
        return next((data, id) for one, data, id in events if one == kind and wanted(data))


def test_a_cluster_seen_through_two_webs(cluster):
    web, web2, token = cluster["web"], cluster["web2"], cluster["token"]
    one, two = web.client(token), web2.client(token)
    stays = []
    for ward in WARDS:
        body = {"patient_ref": "p", "ward": ward, "bed": "1", "devices": ["mon"], "flags": []}
        answer = one.post("/stays", json=body)
        assert answer.status_code == 201, answer.text
        stays.append(answer.json()["id"])
        assert one.get(f"/stays/{stays[-1]}").json()["ward"] == ward  # shown by whoever did it, at once
    devices = Devices(cluster["broker"].port)
    try:
        both = wait_for(two, "/alerts", lambda found: len(found["items"]) == 2, PATIENCE_S)["items"]
        assert {alert["stay"] for alert in both} == set(stays)
        shown = wait_for(two, "/stays", lambda found: len(found["items"]) == 2)["items"]
        assert {stay["signals"]["rr"]["value"] for stay in shown} == {30}
        assert two.get(f"/stays/{stays[0]}/risk").status_code in (200, 404)

        snapshot, place = first(told(web, token), "snapshot")
        assert {stay["id"] for stay in snapshot["stays"]} == set(stays)
        assert len(place.split("-")) == 2
        for number, alert in enumerate(both):
            path = f"/alerts/{alert['id']}/acknowledge"
            done = (one, two)[number].post(path, json={"assessment": "actionable"})
            assert done.status_code == 200, done.text
        missed = []
        with contextlib.closing(told(web2, token, place)) as events:  # where the other process was
            for kind, data, id in events:
                if kind == "snapshot":
                    break
                assert kind == "alert"
                missed.append((data["event"]["kind"], data["alert"]["id"], id))
        assert sorted(m[:2] for m in missed) == sorted(("acknowledged", alert["id"]) for alert in both)
        _, again = first(told(web, token, missed[0][2]), "alert")
        assert again == missed[1][2]  # the same places in both
        first(told(web2, token, form="changes"), "snapshot", lambda data: len(data["minutes"]) == 2)
        changed = told(web2, token, form="changes")
        first(changed, "stays", lambda data: any("signals" in stay for stay in data["stays"]))

        first(told(web2, token), "heartbeat", lambda data: data["live"])
        begun = time.monotonic()
        cluster["engine"].kill()
        dark, _ = first(told(web2, token), "heartbeat", lambda data: not data["live"])
        assert "no engine tells of partition" in dark["reasons"][0]
        refused = one.post(f"/stays/{stays[0]}/pause", json={"minutes": 5})
        assert refused.status_code in (200, 503)  # it says so, or the other engine has the ward already
        first(told(web2, token, timeout=PATIENCE_S), "heartbeat", lambda data: data["live"] and data["ready"])
        print("live again after", round(time.monotonic() - begun, 1), "s")
        after = one.get("/alerts").json()["items"]
        assert {(a["id"], a["state"]) for a in after} == {(a["id"], "acknowledged") for a in both}
        assert two.post(f"/stays/{stays[1]}/discharge").status_code == 200
        assert one.get("/stays").json()["items"][0]["id"] == stays[0]
    finally:
        devices.close()


def test_engines_answer_only_who_has_the_secret(cluster):
    for secret in ("", "Bearer", "Bearer no", f"Bearer {cluster['token']}"):
        for path in ("stream", "call", "ask"):
            url = f"http://127.0.0.1:{cluster['other'].port}/internal/{path}"
            assert httpx.post(url, headers={"Authorization": secret}).status_code in (401, 501)


def test_what_an_engine_does_not_know_it_says(cluster):
    ports = [cluster[name].port + n for name in ("engine", "other") for n in (0, 1)]
    port = next(filter(_answers, ports))  # who has the partitions
    asked = {"what": "stop", "about": []}
    said = httpx.post(f"http://127.0.0.1:{port}/internal/ask", headers=INSIDE, json=asked).json()
    assert said["error"]["type"] == "not-found"


def test_what_was_brought_to_a_web_process_goes_there_too(cluster):
    until(lambda: not cluster["old"].exists())
    assert not cluster["old"].parent.exists()


def _answers(port):
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/internal/nothing", headers=INSIDE).status_code == 404
    return False
