"""The demo in a real browser: a living board, an alert taken, NOT LIVE, and nothing left at the end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import DEADLINE_S, until
from tests.browsers import not_live_after, picture, watch_life
from tests.e2e.served import START_S
from tests.parts import chromium
from tests.ports import free_port

pytestmark = pytest.mark.alone

playwright = pytest.importorskip("playwright.sync_api")
Page = playwright.Page
expect = playwright.expect


class Demo:
    """``ward demo`` in a process group of its own, as a terminal would run it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.mqtt_port, self.http_port = free_port(), free_port()
        env = {k: v for k, v in os.environ.items() if not k.startswith("WARD_")}
        env |= {
            "WARD_MQTT_URL": f"mqtt://127.0.0.1:{self.mqtt_port}",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(folder),
        }
        self.log = folder / "demo.log"
        command = [sys.executable, "-m", "ward", "demo", "--http-port", str(self.http_port), *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        until(lambda: "/login?code=" in self.said() or self.process.poll() is not None, START_S)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text()

    @property
    def link(self) -> str:
        found = re.search(r"http://\S+/login\?code=\S+", self.said())
        assert found
        return found.group()

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def is_gone(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    made = Demo(tmp_path_factory.mktemp("demo"))
    yield made
    if not made.is_gone():
        made.signal(signal.SIGKILL)
        made.process.wait(10)


@pytest.fixture(scope="module")
def board(demo: Demo, chrome) -> Iterator[Page]:
    """A browser logged in by the link that the demo printed."""
    context = chrome.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.goto(demo.link)
    yield page
    context.close()


def test_all_beds_are_live_within_a_moment(board):
    expect(board.get_by_test_id("board")).to_be_visible()
    expect(board.locator("[data-testid^=bed-]")).to_have_count(24)
    expect(board.get_by_test_id("not-live")).to_have_count(0)
    expect(board.locator("[data-testid=vital-hr][data-trust=fresh]").first).to_be_visible()
    # 24 beds fit on the wall screen.
    until(lambda: board.evaluate("document.documentElement.scrollHeight <= window.innerHeight"))


def test_a_sustained_alert_comes_and_is_taken_on_every_screen(demo, board):
    first = board.locator("[data-testid^=alert-][data-state=active][data-priority=high]").first
    expect(first).to_be_visible(timeout=90_000)
    alert = first.get_attribute("data-testid")
    bed = board.locator(f"[data-testid^=bed-]:has([data-testid={alert}])").first
    other = board.context.new_page()
    other.goto(f"{board.url.split('#')[0]}#/stay/{bed.get_attribute('data-stay')}")
    expect(other.locator(f"[data-testid={alert}][data-state=active]").first).to_be_visible()

    # There, as the card's button takes the worst, which may be another by now.
    other.locator(f"[data-testid=open-alerts] li:has([data-testid={alert}])").get_by_test_id("ack").click()
    expect(other.locator(f"[data-testid={alert}][data-state=acknowledged]").first).to_be_attached()
    expect(board.locator(f"[data-testid={alert}][data-state=active]")).to_have_count(0)
    picture(board, "board")
    other.close()


def test_a_stay_shows_its_trends_and_score(board):
    stay = board.evaluate("fetch('/api/v1/stays').then(r => r.json()).then(j => j.items[0].id)")
    board.goto(f"{board.url.split('#')[0]}#/stay/{stay}")
    expect(board.get_by_test_id("news2-table")).to_be_visible()
    expect(board.get_by_test_id("trends").locator("canvas").first).to_be_visible()
    picture(board, "stay")
    board.goto(f"{board.url.split('#')[0]}#/")
    expect(board.get_by_test_id("board")).to_be_visible()
    assert board.problems == []


def test_a_screen_that_is_not_live_says_so_within_ten_seconds(demo, board):
    """Law 12, with a service that hangs and still holds the connection."""
    expect(board.get_by_test_id("not-live")).to_have_count(0)
    watch_life(board)
    os.kill(demo.process.pid, signal.SIGSTOP)
    begun = time.time()
    try:
        assert not_live_after(board, begun) <= 10.5
        box = board.get_by_test_id("not-live").bounding_box()
        assert (box["width"], box["height"]) == (1920, 1080)
    finally:
        os.kill(demo.process.pid, signal.SIGCONT)
    expect(board.get_by_test_id("not-live")).to_have_count(0)


def test_ctrl_c_leaves_nothing_running(demo, board):
    demo.signal(signal.SIGINT)
    assert demo.process.wait(DEADLINE_S) == 0, demo.said()[-2000:]
    until(demo.is_gone, 5)
    for port in (demo.mqtt_port, demo.http_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert list(demo.log.parent.glob("ward-demo-*")) == []
    assert "Traceback" not in demo.said()
    expect(board.get_by_test_id("not-live")).to_be_visible(timeout=12_000)
