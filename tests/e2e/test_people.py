"""People before a real screen: log in, leave it alone, act again; and a wall that cannot act."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsers import picture
from tests.e2e.monitors import Monitors
from tests.e2e.served import PASSWORD, WARD, Served, served_with_broker, wait_for

pytestmark = pytest.mark.alone

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

IDLE_S = 8


def patient(seq: int) -> dict[str, dict[str, float]]:
    """Saturation low all the time, heart rate one up with each sample."""
    return {"6A/mon": {"spo2": 80, "hr": 60 + seq % 60, "rr": 12}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Served]:
    """A ward with one patient in need and one nurse."""
    folder = tmp_path_factory.mktemp("people")
    with served_with_broker(folder, SESSION_IDLE_MIN=IDLE_S / 60) as ward:
        ward.add_user("jberg", "Jonas Berg", "nurse", "6A")
        token = ward.token()
        ward.start()
        body = {"patient_ref": "REF-17", "ward": "6A", "bed": "1", "devices": ["mon"], "flags": []}
        assert ward.client(token).post("/stays", json=body).status_code == 201
        with Monitors(ward.broker_port, patient):
            # Before anybody logs in: who waits for an alert touches nothing, and is logged out soon.
            wait_for(ward.client(token), "/alerts?state=active", lambda found: found["items"])
            yield ward


@pytest.fixture
def page(chrome) -> Iterator[Page]:
    context = chrome.new_context(viewport={"width": 1280, "height": 800})
    made = context.new_page()
    made.problems = []
    made.on("pageerror", lambda error: made.problems.append(str(error)))
    yield made
    context.close()
    assert made.problems == []


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_test_id("login-name").fill("JBerg")
    page.get_by_test_id("login-password").fill(password)
    page.get_by_test_id("login-submit").click()


def is_live(page: Page) -> None:
    """The heart rate goes on changing, and nothing says that it is old."""
    vital = page.get_by_test_id("bed-1").get_by_test_id("vital-hr")
    expect(vital).not_to_have_text(vital.inner_text())
    expect(page.get_by_test_id("not-live")).to_have_count(0)


def test_a_screen_left_alone_stays_live_and_asks_who_acts(house: Served, page: Page) -> None:
    page.goto(house.url)
    expect(page.get_by_test_id("login")).to_be_visible()
    picture(page, "log-in")
    log_in(page, "not the right one at all")
    expect(page.get_by_test_id("login-failed")).to_be_visible()
    log_in(page)
    expect(page.get_by_test_id("bed-1")).to_be_visible()
    expect(page.get_by_test_id("account")).to_contain_text("Jonas Berg")
    alert = page.locator("[data-testid^=alert-][data-state=active]").first
    expect(alert).to_be_visible()
    page.get_by_test_id("bed-1").get_by_role("link").first.click()
    expect(page.get_by_text("REF-17")).to_be_visible()

    # Nobody touches it: who the patient is goes, the board stays, and is live.
    expect(page.get_by_test_id("log-in-first")).to_be_visible(timeout=(IDLE_S + 12) * 1000)
    expect(page.get_by_text("REF-17")).to_have_count(0)
    page.get_by_role("link", name="Board").last.click()
    expect(page.get_by_test_id("read-only")).to_be_visible()
    expect(page.get_by_test_id("ack")).to_have_count(0)
    is_live(page)
    assert "REF-17" not in page.content()
    assert page.evaluate("fetch('/api/v1/stays').then(r => r.status)") == 401
    picture(page, "idle")

    # She comes back, over the live board, and goes on.
    page.get_by_test_id("login-to-act").first.click()
    expect(page.get_by_test_id("login-sheet")).to_be_visible()
    picture(page, "idle-log-in")
    log_in(page)
    expect(page.get_by_test_id("login-sheet")).not_to_be_visible()
    page.get_by_test_id("ack").first.click()
    expect(page.locator("[data-testid^=alert-][data-state=acknowledged]").first).to_be_attached()
    expect(page.get_by_text("Jonas Berg has it").first).to_be_visible()

    page.get_by_test_id("account").click()
    picture(page, "account")
    page.get_by_test_id("logout-everywhere").click()
    expect(page.get_by_test_id("login")).to_be_visible()


def test_a_wall_shows_the_board_and_can_do_nothing(house: Served, page: Page) -> None:
    made = subprocess.run(
        [*WARD, "token", "create", "--role", "kiosk", "--name", "Wall 6A", "--ward", "6A"],
        env=house.env,
        text=True,
        capture_output=True,
        timeout=60,
    )
    link = re.search(r"http://\S+/login\?code=\S+", made.stderr)
    assert link, made.stderr
    page.goto(link.group())
    expect(page.get_by_test_id("bed-1")).to_be_visible()
    expect(page.get_by_test_id("read-only")).to_have_text("Read only")
    is_live(page)
    for name in ("ack", "shelve", "menu", "account", "login-to-act"):
        expect(page.get_by_test_id(name)).to_have_count(0)
    picture(page, "wall")
    page.goto(f"{house.url}/#/devices")
    expect(page.get_by_test_id("board")).to_be_visible()
    calls = ["GET stays", "GET alerts", "GET devices", "POST stays", "POST alerts/x/acknowledge"]
    statuses = page.evaluate(
        """calls => Promise.all(calls.map(async call => {
            const [method, path] = call.split(' ');
            const headers = {'X-Ward-Request': '1', 'Content-Type': 'application/json'};
            const body = method === 'POST' ? '{}' : undefined;
            return (await fetch('/api/v1/' + path, {method, headers, body})).status;
        }))""",
        calls,
    )
    assert statuses == [403] * 5
    assert "REF-17" not in page.content()
