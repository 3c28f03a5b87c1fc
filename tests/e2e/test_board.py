"""The board as a ward uses it: 48 beds on a wall, three screens, sound; cut, asleep, roaming, restarted."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.brokers import until
from tests.browsers import browser, not_live_after, watch_life
from tests.e2e.monitors import Monitors
from tests.e2e.served import Served, served_with_broker
from tests.faults.proxy import Proxy

pytestmark = pytest.mark.alone

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

BEDS = 48
CALM = {"spo2": 97, "hr": 72, "rr": 14}
WITHIN_S = 1.0
"""Of each other, three screens show a change; and after its answer, an acknowledgement."""
NOT_LIVE_S = 10.0
"""Within this a screen says that it is not live."""
WATCH = """() => {
  window.firstSeen = {};
  const look = () => document.querySelectorAll('[data-testid^=alert-][data-state]').forEach((e) => {
    window.firstSeen[`${e.dataset.testid.slice(6)} ${e.dataset.state}`] ??= Date.now();
  });
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  look();
}"""
"""Notes in the page itself when it first showed an alert in a state: no driver's delay is in that."""


class Ward:
    """The service with its 48 patients, whose ``values`` may be changed; and tokens for screens."""

    def __init__(self, house: Served) -> None:
        self.house = house
        self.values = {bed: dict(CALM) for bed in range(1, BEDS + 1)}
        self.nurse, self.kiosk = house.token("nurse", "6A"), house.token("kiosk", "6A")
        self.admin = house.token()
        self.api = house.client(self.admin)

    def readings(self, seq: int) -> dict[str, dict[str, float]]:
        return {f"6A/mon-{bed}": own | {"hr": own["hr"] + seq % 3} for bed, own in self.values.items()}

    def admit(self) -> None:
        for bed in range(1, BEDS + 1):
            flags = ["copd", "spo2-scale-2"] if bed % 7 == 0 else []
            body = {"patient_ref": f"r{bed}", "ward": "6A", "bed": str(bed), "devices": [f"mon-{bed}"]}
            assert self.api.post("/stays", json=body | {"flags": flags}).status_code == 201

    def take(self, alert: str) -> None:
        answer = self.api.post(f"/alerts/{alert}/acknowledge", json={"assessment": "actionable"})
        assert answer.status_code == 200, answer.text

    def falls(self, bed: int) -> None:
        """Her saturation does; and the service tells it."""
        self.values[bed]["spo2"] = 80
        until(lambda: self.active(bed))

    def rises(self, bed: int, alert: str) -> None:
        self.values[bed] = dict(CALM)
        self.take(alert)

    def active(self, bed: int) -> list[Any]:
        items = self.api.get("/alerts?state=active").json()["items"]
        return [one for one in items if one["bed"] == str(bed)]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Ward]:
    folder = tmp_path_factory.mktemp("board")
    with served_with_broker(folder, ONE_SOUND="6A") as house:
        made = Ward(house)
        house.start()
        made.admit()
        with Monitors(house.broker_port, made.readings, every_s=1.0):
            yield made


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browser("--autoplay-policy=document-user-activation-required") as made:
        yield made


SOUNDS = re.compile("/api/v1/sounds$")
FIRST_LOAD = """if (!sessionStorage.loaded) {
  sessionStorage.loaded = 1;
  window.since = "the first load";
}"""
"""Not by ``evaluate``: the browser takes that for a hand on the page, and lets it sound."""


@pytest.fixture
def screen(ward: Ward, chrome) -> Iterator[Any]:
    """``screen("kiosk", 1920, 1080)``: a page of a browser of its own, by way of ``port`` where given."""
    contexts = []

    def make(role: str = "nurse", width: int = 1280, height: int = 800, port: int = 0) -> Page:
        context = chrome.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        body = {"token": getattr(ward, role)}
        made = context.request.post(
            f"{ward.house.url}/api/v1/session", data=body, headers={"X-Ward-Request": "1"}
        )
        assert made.ok, made.text()
        page = context.new_page()
        page.add_init_script(FIRST_LOAD)
        # Whatever is asked of a page counts as a hand on it: not before it has asked the browser for sound.
        opened = page.expect_request(SOUNDS) if role == "nurse" else contextlib.nullcontext()
        with opened:
            page.goto(f"http://127.0.0.1:{port or ward.house.port}")
        expect(page.get_by_test_id("bed-48")).to_be_attached()
        return page

    yield make
    for context in contexts:
        context.close()


def alert_of(page: Page, bed: int, state: str, timeout: float = 30.0) -> str:
    """The alert on a bed's card, once it is in this state."""
    found = page.locator(f"[data-testid=bed-{bed}] [data-testid^=alert-][data-state={state}]").first
    expect(found).to_be_attached(timeout=timeout * 1000)
    return str(found.get_attribute("data-testid")).removeprefix("alert-")


FITS = """() => {
  const beds = [...document.querySelectorAll('[data-testid^=bed-]')];
  const box = (e) => e.getBoundingClientRect();
  return {
    page: document.documentElement.scrollHeight,
    outside: beds.filter((e) => box(e).bottom > innerHeight + 1 || box(e).right > innerWidth + 1).length,
    cut: beds.filter((e) => e.scrollHeight > e.clientHeight + 2).map((e) => e.dataset.testid),
    need: Math.min(...beds.filter((e) => e.dataset.need === 'high').map((e) => box(e).height)),
    calm: Math.max(...beds.filter((e) => e.dataset.need === 'calm').map((e) => box(e).height)),
  };
}"""


def test_forty_eight_beds_stand_on_a_wall_and_the_one_in_need_is_large_and_first(ward, screen):
    wall = screen("kiosk", 1920, 1080)
    expect(wall.locator("[data-testid^=bed-]")).to_have_count(BEDS)
    ward.values[30]["spo2"] = 80
    alert = alert_of(wall, 30, "active")
    expect(wall.locator("[data-testid^=bed-]").first).to_have_attribute("data-testid", "bed-30")
    expect(wall.get_by_test_id(f"alert-{alert}")).to_contain_text("80\u00a0%")
    expect(wall.get_by_test_id("board")).to_have_attribute("data-fits", "true")

    def wrong() -> list[Any]:
        found = wall.evaluate(FITS)
        small = [] if found["need"] > 1.3 * found["calm"] else [f"{found['need']} px beside {found['calm']}"]
        return [*found["cut"], *small] + [found] * ((found["page"], found["outside"]) != (1080, 0))

    with contextlib.suppress(AssertionError):  # the cards slide to their places
        until(lambda: not wrong())
    assert wrong() == []
    assert wall.get_by_test_id("ack").count() == 0
    ward.values[30] = dict(CALM)
    ward.take(alert)


def test_an_alert_is_on_three_screens_and_its_taking_on_the_others_within_a_second(ward, screen):
    pages = [screen(), screen(), screen("kiosk")]
    for page in pages:
        page.evaluate(WATCH)
    ward.values[1]["spo2"] = 80
    (alert,) = {alert_of(page, 1, "active") for page in pages}
    raised = [page.evaluate(f"firstSeen['{alert} active']") for page in pages]
    assert max(raised) - min(raised) <= WITHIN_S * 1000
    ward.take(alert)
    taken = time.time() * 1000
    for page in pages:
        alert_of(page, 1, "acknowledged")
        assert page.evaluate(f"firstSeen['{alert} acknowledged']") - taken <= WITHIN_S * 1000
    ward.values[1] = dict(CALM)


def test_sound_says_what_is_so_and_one_screen_sounds_for_the_ward(ward, screen):
    page = screen()
    bell = page.get_by_test_id("sound")
    expect(bell).to_have_attribute("data-state", "blocked")
    bell.click()
    expect(bell).to_have_attribute("data-state", "on")
    ward.values[2]["spo2"] = 80
    alert = alert_of(page, 2, "active")
    expect(bell).to_have_attribute("data-last", "high")
    assert page.locator("[data-testid=bed-2] .flash-high").count() > 0

    other = screen()
    other.get_by_test_id("sound").click()
    expect(other.get_by_test_id("sound")).to_have_attribute("data-state", "elsewhere")
    page.get_by_test_id("sound").click()
    page.get_by_test_id("sound-pause-2").click()
    expect(bell).to_have_attribute("data-state", "paused")
    assert page.locator("[data-testid=bed-2] .flash-high").count() > 0  # silence ends no flash
    page.close()
    expect(other.get_by_test_id("sound")).to_have_attribute("data-state", "on")

    if not other.get_by_test_id("sound-sheet").is_visible():  # it is, where she asked after the first sounded
        other.get_by_test_id("sound").click()
    other.get_by_test_id("sound-off").click()
    other.reload()
    expect(other.get_by_test_id("sound")).to_have_attribute("data-state", "off")
    ward.values[2] = dict(CALM)
    ward.take(alert)


def test_a_cut_network_is_told_and_nothing_is_lost_when_it_is_back(ward, screen):
    page = screen()
    ward.values[3]["spo2"] = 80
    first = alert_of(page, 3, "active")
    watch_life(page)
    page.context.set_offline(True)
    begun = time.time()
    ward.house.process.send_signal(signal.SIGSTOP)  # what is on its way does not come either
    try:
        assert not_live_after(page, begun) <= NOT_LIVE_S + 0.5
    finally:
        ward.house.process.send_signal(signal.SIGCONT)
    ward.take(first)
    ward.falls(4)
    page.context.set_offline(False)
    expect(page.get_by_test_id("not-live")).to_have_count(0, timeout=20_000)
    alert_of(page, 3, "acknowledged")
    second = alert_of(page, 4, "active")
    ward.values[3] = ward.values[4] = dict(CALM)
    ward.take(second)


def is_itself(page: Page) -> bool:
    """Nobody loaded it anew."""
    return bool(page.evaluate("window.since") == "the first load")


@contextlib.contextmanager
def asleep(page: Page) -> Iterator[None]:
    """As a laptop that is closed: the whole browser stands still, and the clock goes on."""
    system = page.context.browser.new_browser_cdp_session()
    processes = [one["id"] for one in system.send("SystemInfo.getProcessInfo")["processInfo"]]
    system.detach()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_a_screen_that_slept_comes_back_with_what_it_missed(ward, screen):
    proxy = Proxy(ward.house.port)
    try:
        page = screen(port=proxy.port)
        page.evaluate(WATCH)
        ward.falls(5)
        first = alert_of(page, 5, "active")
        with asleep(page):
            begun = time.monotonic()
            proxy.cut()  # its wireless sleeps, too
            ward.take(first)
            ward.falls(6)
            until(lambda: time.monotonic() - begun > NOT_LIVE_S, 20)
        woken = time.time() * 1000
        second = alert_of(page, 6, "active", timeout=10)
        alert_of(page, 5, "acknowledged", timeout=10)
        expect(page.get_by_test_id("not-live")).to_have_count(0, timeout=10_000)
        shown = page.evaluate(f"[firstSeen['{first} acknowledged'], firstSeen['{second} active']]")
        assert all(at >= woken - 100 for at in shown), "it slept"
        assert is_itself(page)
        ward.rises(5, first)
        ward.rises(6, second)
    finally:
        proxy.close()


def test_a_screen_that_roams_goes_on_from_another_address(ward, screen):
    """Wireless: the old connection leads nowhere and nobody says so; what comes next has another address."""
    proxy = Proxy(ward.house.port)
    try:
        page = screen(port=proxy.port)
        expect(page.get_by_test_id("not-live")).to_have_count(0)
        proxy.hole()
        proxy.source = "127.0.0.2"
        ward.falls(7)
        begun = time.monotonic()
        alert = alert_of(page, 7, "active")
        assert time.monotonic() - begun <= 20
        expect(page.get_by_test_id("not-live")).to_have_count(0, timeout=10_000)
        proxy.source = "127.0.0.3"
        proxy.cut()  # and this time it is reset
        ward.take(alert)
        alert_of(page, 7, "acknowledged", timeout=10)
        expect(page.get_by_test_id("not-live")).to_have_count(0)
        assert is_itself(page)
        ward.rises(7, alert)
    finally:
        proxy.close()


def test_a_restart_is_told_and_the_board_comes_back_by_itself_without_loss(ward, screen):
    """Killed, not stopped; what devices send meanwhile waits at the broker."""
    page = screen()
    ward.falls(8)
    first = alert_of(page, 8, "active")
    page.get_by_test_id("bed-8").get_by_test_id("ack").first.click()
    alert_of(page, 8, "acknowledged")
    watch_life(page)
    ward.house.kill()
    begun = time.time()
    ward.values[9]["spo2"] = 80
    assert not_live_after(page, begun) <= NOT_LIVE_S + 0.5
    back = time.time()
    ward.house.start()
    expect(page.get_by_test_id("not-live")).to_have_count(0, timeout=30_000)
    assert alert_of(page, 8, "acknowledged") == first
    second = alert_of(page, 9, "active")
    (told,) = ward.active(9)
    assert told["id"] == second
    assert datetime.fromisoformat(told["breach_since"]).timestamp() < back, (
        "it began while the service was down"
    )
    expect(page.locator("[data-testid^=bed-]")).to_have_count(BEDS)
    assert is_itself(page)
    ward.rises(8, first)
    ward.rises(9, second)
