"""``ward notify``: two processes carry one engine's alerts. Each person is told once; one is killed in the
middle; a channel that fails is seen on the alert, and the next is told; with none left the engine says so."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading

import httpx
import pytest
from sqlalchemy import select, update

from tests.brokers import client_at, subscribe, until
from tests.cluster.roles import PATIENCE_S, WARDS, Role, parts, started
from tests.e2e.served import wait_for
from tests.notify.office import Post
from tests.notify.test_end_to_end import SECRET, Patient, told
from ward.notify.carriers import NOBODY
from ward.store.tables import deliveries

WARD = WARDS[1]
"""Of partition 1: processes that carry are of no partition."""
NOTIFIERS = ("one", "two")
CHANNELS = """
[channels.pager]
kind = "webhook"
url = "{url}"
secret = "{secret}"
allow_http = true
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
id = "eve"
name = "Eve"

[[person]]
id = "ben"
name = "Ben"

[[route]]
kind = "physiological"
[[route.level]]
tell = ["ada", "eve"]
channels = ["pager"]
[[route.level]]
after = "10m"
tell = ["ben"]
channels = ["lamp"]
"""


class Notifier(Role):
    """``start`` waits until it carries."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, program=("notify",), **settings)


class Engine(Role):
    """Asked is the process of the ward's partition."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, program=("engine", "--partitions", "0-1"), **settings)
        self.port += 1


@pytest.fixture(scope="module")
def cluster():
    with parts("ward-notify-") as (folder, broker, given), Post().open() as post:
        (folder / "plan.toml").write_text(PLAN)
        channels = folder / "channels.toml"
        channels.write_text(CHANNELS.format(url=post.url, secret=SECRET))
        channels.chmod(0o600)
        settings = {"PLAN_FILE": folder / "plan.toml", "NOTIFY": "elsewhere"}
        made = {"engine": Engine(folder / "engine", *given, **settings)}  # without a file of channels
        for name in NOTIFIERS:
            made[name] = Notifier(folder / name, *given, **settings, CHANNELS_FILE=channels)
        token = made["engine"].token()
        with started(made.values()):
            for one in made.values():
                until(one.is_ready, PATIENCE_S)
            yield {**made, "broker": broker, "token": token, "post": post}


@pytest.fixture
def api(cluster):
    return cluster["engine"].client(cluster["token"])


@contextlib.contextmanager
def alarming(cluster, api, bed):
    """A patient with an alert, until the block ends; the alert's id."""
    device = f"mon-{bed}"
    body = {"patient_ref": "p", "ward": WARD, "bed": bed, "devices": [device], "flags": []}
    stay = api.post("/stays", json=body).json()["id"]
    patient = Patient(cluster["broker"].port, device, 80.0, ward=WARD)
    patient.start()
    try:
        found = wait_for(api, f"/stays/{stay}", lambda view: view["alerts"], PATIENCE_S)
        alert = found["alerts"][0]["id"]
        yield alert
    finally:
        patient.end()
        assert api.post(f"/stays/{stay}/discharge").is_success
    # Also that it is over was told: it is not to come into the next test.
    until(lambda: all(row[0] != "waiting" for row in rows_of(cluster, alert, deliveries.c.state)), 60)


def rows_of(cluster, alert, *columns):
    with cluster["engine"].database() as db, db.connect() as connection:
        query = select(*columns).where(deliveries.c.alert == alert, deliveries.c.channel == "pager")
        return [tuple(row) for row in connection.execute(query)]


def test_each_person_is_told_once(cluster, api):
    with alarming(cluster, api, "1") as alert:
        until(lambda: all(row[0] == "sent" for row in rows_of(cluster, alert, deliveries.c.state)))
        heard = [one for one in told(cluster["post"].heard, "first") if one["alert"] == alert]
        assert sorted(one["person"] for one in heard) == ["ada", "eve"]
        shown = api.get(f"/alerts/{alert}").json()
        assert shown["undelivered"] == []
        assert {d["person"]: d["state"] for d in shown["deliveries"] if d["channel"] == "pager"} == {
            "ada": "sent",
            "eve": "sent",
        }


def test_a_notifier_is_killed_in_the_middle_and_the_other_goes_on(cluster, api):
    post, hold = cluster["post"], threading.Event()
    before = len(post.heard)

    def held(handler):
        """Has the alert, and does not answer before the sender is dead."""
        hold.wait(60)
        with contextlib.suppress(OSError):
            handler.send_response(204)
            handler.end_headers()

    post.answers = [held, held]
    with alarming(cluster, api, "2") as alert:
        until(lambda: sum(h.json["data"]["alert"] == alert for h in post.heard[before:]) >= 2)
        holders = {row[0] for row in rows_of(cluster, alert, deliveries.c.lease_by)} - {None}
        victim = next(one for one in NOTIFIERS if any(f"/{cluster[one].process.pid}/" in h for h in holders))
        cluster[victim].process.send_signal(signal.SIGKILL)
        cluster[victim].process.wait(10)
        hold.set()
        with cluster["engine"].database() as db, db.begin() as tx:  # 30 s are over
            gone = deliveries.c.lease_by.contains(f"/{cluster[victim].process.pid}/")
            tx.execute(update(deliveries).where(gone).values(lease_until=0))
        until(lambda: all(row[0] == "sent" for row in rows_of(cluster, alert, deliveries.c.state)))
        heard = [h for h in post.heard[before:] if h.json["data"]["alert"] == alert]
        assert {h.json["data"]["person"] for h in heard} == {"ada", "eve"}
        assert len({h.headers["webhook-id"] for h in heard}) == 2  # again under its own id
        with alarming(cluster, api, "3") as other:
            until(lambda: all(row[0] == "sent" for row in rows_of(cluster, other, deliveries.c.state)))
    assert httpx.get(f"{cluster['engine'].url}/readyz").status_code == 200
    cluster[victim].start()


def test_a_channel_that_fails_is_seen_on_the_alert_and_the_next_is_told(cluster, api):
    lamp = []
    with client_at(cluster["broker"].port) as listener:
        listener.on_message = lambda *args: lamp.append(json.loads(args[2].payload))
        subscribe(listener, f"ward/v1/{WARD}/notify/lamp")
        cluster["post"].answers = [410] * 100
        try:
            with alarming(cluster, api, "4") as alert:
                until(lambda: [one for one in lamp if one["alert"] == alert])
                assert (lamp[0]["reason"], lamp[0]["person"]) == ("undelivered", "ben")
                shown = wait_for(api, f"/alerts/{alert}", lambda view: len(view["undelivered"]) == 2)
                assert {"person": "ada", "channel": "pager"} in shown["undelivered"]
        finally:
            cluster["post"].answers = []


def test_metrics_are_for_who_may_see_them(cluster):
    url = f"{cluster['one'].url}/metrics"
    assert httpx.get(url).status_code == 401
    nurse = cluster["engine"].token("nurse", WARD)
    assert httpx.get(url, headers={"Authorization": f"Bearer {nurse}"}).status_code == 403
    text = httpx.get(url, headers={"Authorization": f"Bearer {cluster['token']}"}).text
    assert "ward_notify_waiting" in text
    assert httpx.get(f"{cluster['one'].url}/healthz").json() == {"status": "alive"}


def test_without_any_the_engine_is_not_ready(cluster):
    """Frozen or ended: what counts is that nobody counts up."""
    frozen, ended = (cluster[name] for name in NOTIFIERS)
    frozen.process.send_signal(signal.SIGSTOP)
    assert ended.stop() == 0

    def reasons():
        return httpx.get(f"{cluster['engine'].url}/readyz", timeout=10).json()["reasons"]

    try:
        until(lambda: NOBODY in reasons(), 60)
    finally:
        os.kill(frozen.process.pid, signal.SIGCONT)
    until(lambda: not reasons())
