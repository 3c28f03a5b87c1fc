"""The watchdog and the dead man's switch: silence of a part is seen inside, silence of all of it outside."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.brokers import until
from ward.config import SettingsError, load_settings, mask
from ward.live.deadman import DeadMan
from ward.live.health import LIMITS
from ward.live.heartbeats import Heartbeats
from ward.live.watchdog import Watchdog


def test_a_late_heartbeat_is_a_reason_and_then_an_alert(world):
    """By its name on /readyz at once, as an alert of everybody's once it lasts."""
    world.admit()
    service = world.service
    service.core.service_faults = lambda: [f for f in service.healthy.failing() if f != "broker"]
    service.beats.expect("outbox", 0.001)
    time.sleep(0.01)
    assert any(r.startswith("outbox: no sign of life") for r in service.health()["reasons"])
    assert service.health()["live"]
    world.live(35, hr=80)
    assert [a["rule"] for a in service.board.alerts] == ["service-fault:outbox"]
    service.beats.expect("outbox", 60)
    world.live(3, hr=80)
    assert [a["state"] for a in service.board.alerts] == ["returned"]


def test_an_engine_that_stands_still_is_not_live_whatever_http_says(world):
    """Law 12: the ticks fail or hang, the event stream goes on and says so."""
    world.service.beats.expect("engine", LIMITS["engine"])
    assert world.service.health()["live"]
    world.service.beats.expect("engine", 0.001)
    time.sleep(0.01)
    health = world.service.health()
    assert not health["live"]
    assert not health["ready"]
    assert any("the engine stands still" in reason for reason in health["reasons"])
    world.tick()  # beats
    world.service.beats.expect("engine", 10)
    assert world.service.health()["live"]


def test_a_tick_that_fails_does_not_beat(world, monkeypatch):
    beats: list[str] = []
    world.runner._beat = beats.append
    world.tick()
    assert beats == ["engine"]
    monkeypatch.setattr(world.service.core.engine, "step", lambda _: 1 / 0)
    world.runner._stop.set()  # so that the round does not pause
    world.runner._round("engine", world.runner.tick)
    assert beats == ["engine"]
    assert world.runner.faults == {"engine": "engine: ZeroDivisionError"}


def test_while_it_recovers_it_is_neither_ready_nor_live(world, monkeypatch):
    world.admit()
    world.live(20, hr=80)
    seen = []
    real = world.service.core.follow

    def follow(*arguments):
        seen.append(world.service.health())
        return real(*arguments)

    world.crash()
    monkeypatch.setattr(world.service.core, "follow", follow)
    world.service.core.position = 0
    world.service.recover()
    assert seen
    assert not seen[0]["live"]
    assert seen[0]["reasons"][0].startswith("recovering, ")
    assert not any(r.startswith("recovering") for r in world.service.health()["reasons"])


def test_a_dead_thread_or_a_core_that_hangs_for_minutes_ends_the_process():
    beats, ended = Heartbeats(), []
    beats.expect("core", 40)
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    dog = Watchdog(beats, lambda: {"outbox": thread}, ended.append, hung_s=180)
    dog.look(time.monotonic())
    assert ended == []  # it has not begun yet, which is no death
    thread.start()
    begun = time.monotonic()
    for second in range(180):
        dog.look(begun + second)
    assert ended == []
    dog.look(begun + 182)
    assert "the core has stood still" in ended.pop()
    gate.set()
    thread.join()
    dog.look(time.monotonic())
    assert ended == ["the thread outbox has died"]


def test_a_process_that_was_stopped_for_a_while_is_not_ended_when_it_goes_on():
    """Suspended, frozen by its container, stopped in a terminal: the core could not beat, as nothing ran."""
    beats, ended = Heartbeats(), []
    beats.expect("core", 40)
    dog = Watchdog(beats, dict, ended.append, hung_s=180)
    begun = time.monotonic()
    dog.look(begun)
    for second in range(600, 780):
        dog.look(begun + second)
    assert ended == []
    dog.look(begun + 782)  # by now it had its time again
    assert ended


def test_commands_that_wait_for_the_database_let_the_tick_go_first_and_are_signs_of_life(world, monkeypatch):
    beats: list[str] = []
    world.runner._beat = beats.append
    monkeypatch.setattr(world.runner._commands, "run", lambda *_: time.sleep(0.05))
    asked = [world.runner.ask("acknowledge", {}) for _ in range(3)]
    world.runner.answer_asks(0.02)
    assert [ask.done() for ask in asked] == [True, False, False]
    world.runner.answer_asks()
    assert all(ask.done() for ask in asked)
    assert beats == ["core"] * 3


CRASH = """
import sys
from pathlib import Path
from ward.config import Settings
from ward.service import WardService
service = WardService(Settings(data_dir=Path(sys.argv[1]), mqtt_url="mqtt://127.0.0.1:1"))
service.start(in_background=True)
while service.healthy.recovering():
    pass
def die(*_):
    raise SystemExit  # no Exception: it passes every guard, as a fault of the interpreter would
service.runner.answer_asks = die
service._starter.join()
service.runner.thread.join()
import time
time.sleep(10)
"""


def test_a_process_whose_core_died_ends_with_a_status_that_gets_it_started_again(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path / "data")], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 70
    assert b"the thread core has died" in done.stdout + done.stderr


class Outside:
    """A service as Healthchecks is one, on this machine; can hang."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.hangs = threading.Event()
        self.status = 200
        outside = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                outside.heard.append((self.command, self.path, self.rfile.read(size).decode()))
                if outside.hangs.is_set():
                    outside.hangs.wait()
                    time.sleep(30)
                self.send_response(outside.status)
                self.end_headers()

            do_GET = do_POST = answer  # noqa: N815 - the base class names them so

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping/secret"


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_outside_hears_from_a_well_ward_only_and_the_reasons_when_it_lasts(outside):
    reasons: list[str] = []
    switch = DeadMan(
        outside.url,
        lambda: reasons,
        every_s=0.05,
        fail_url=f"{outside.url}/fail",
        lasting_s=0.1,
        look_s=0.01,
    )
    switch.start()
    until(lambda: len(outside.heard) >= 3)
    assert set(outside.heard) == {("GET", "/ping/secret", "")}
    reasons.append("the engine stands still")
    until(lambda: outside.heard[-1] == ("POST", "/ping/secret/fail", "the engine stands still"))
    pings = [call[0] for call in outside.heard].count("GET")
    until(lambda: [call[0] for call in outside.heard].count("POST") >= 3)
    assert [call[0] for call in outside.heard].count("GET") == pings
    reasons.clear()
    until(lambda: outside.heard[-1][0] == "GET")
    switch.stop()


def test_an_outside_that_hangs_or_refuses_keeps_nobody_and_its_secret_is_not_logged(outside, capsys):
    outside.hangs.set()
    switch = DeadMan(outside.url, lambda: (), every_s=0.05, timeout_s=0.2, look_s=0.01)
    switch.start()
    until(lambda: len(outside.heard) >= 2)  # it gave up the first one and tried again
    outside.hangs.clear()
    outside.status = 500
    until(lambda: len(outside.heard) >= 4)
    switch.stop()
    outside.hangs.set()
    heard = len(outside.heard)
    patient = DeadMan(outside.url, lambda: (), every_s=0.05, timeout_s=60, look_s=0.01)
    patient.start()
    until(lambda: len(outside.heard) > heard)
    begun = time.monotonic()
    patient.stop()  # while its ping hangs
    assert time.monotonic() - begun < 20
    outside.server.shutdown()
    said = capsys.readouterr()
    assert "was not reached" in said.out + said.err
    assert "secret" not in said.out + said.err


def test_addresses_outside_are_https_and_never_shown():
    assert mask("deadman_url", "https://hc.example/uuid") == "***"
    settings, _ = load_settings(environ={"WARD_DEADMAN_URL": "https://hc.example/uuid"})
    assert settings.deadman_s == 60
    for wrong in ("http://hc.example/uuid", "ftp://127.0.0.1/x", "https:///uuid"):
        with pytest.raises(SettingsError) as told:
            load_settings(environ={"WARD_DEADMAN_URL": wrong})
        assert "uuid" not in str(told.value)
        assert "https" in str(told.value)
