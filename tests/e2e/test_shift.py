"""A shift before real screens: who has whom, limits, away, the alarm test, the handover, paper."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.brokers import client_at, mosquitto_at, until
from tests.e2e.served import PASSWORD, Served, served, wait_for
from tests.parts import chromium, mosquitto
from tests.ports import free_port

pytestmark = pytest.mark.alone

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

BEDS = ("1", "2", "3")
PLAN = {
    "timezone": "Europe/Copenhagen",
    "person": [{"id": "ada", "name": "Ada Olsen"}, {"id": "ben", "name": "Ben Holm"}],
    "team": [{"id": "nurses", "people": ["ada", "ben"]}],
    "route": [
        {
            "priority": ["high"],
            "level": [{"tell": ["assigned"]}, {"after": "10m", "tell": ["nurses"]}],
        }
    ],
}


class Monitors(threading.Thread):
    """A monitor for each bed; ``values`` may be changed while it runs."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.over = threading.Event()
        self.values = {bed: {"hr": 80.0, "spo2": 97.0, "rr": 15.0} for bed in BEDS}

    def run(self) -> None:
        with client_at(self._port) as link:
            while not self.over.wait(0.5):
                time = datetime.now(UTC).isoformat(timespec="milliseconds")
                for bed, readings in self.values.items():
                    body = json.dumps({"time": time, "readings": readings})
                    link.publish(f"ward/v1/6A/mon-{bed}/vitals", body, 1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if chromium() is None or mosquitto() is None:
        pytest.skip("needs Chromium and Mosquitto: apt-get install chromium mosquitto")
    folder = tmp_path_factory.mktemp("shift")
    with (
        mosquitto_at(free_port(), "allow_anonymous true") as port,
        served(folder, f"mqtt://127.0.0.1:{port}") as ward,
    ):
        admin = ward.token()
        for login, name, role in (("ada", "Ada Olsen", "nurse"), ("dr", "Dr Dunn", "clinician")):
            ward.add_user(login, name, role, "6A")
        ward.start()
        ward.api = ward.client(admin)
        ward.stays = {
            bed: ward.api.post(
                "/stays",
                json={"patient_ref": f"P-{bed}", "ward": "6A", "bed": bed, "devices": [f"mon-{bed}"]},
            ).json()["id"]
            for bed in BEDS
        }
        put = ward.api.put("/wards/6A/plan", json=PLAN, headers={"If-Match": '"0"'})
        assert put.status_code == 200, put.text
        ward.monitors = Monitors(port)
        ward.monitors.start()
        yield ward
        ward.monitors.over.set()
        ward.monitors.join(5)


def logged_in(chrome, house: Served, login: str, width: int, height: int) -> Page:
    page = chrome.new_context(viewport={"width": width, "height": height}, has_touch=True).new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(house.url)
    page.get_by_test_id("login-name").fill(login)
    page.get_by_test_id("login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("menu")).to_be_visible(timeout=20_000)
    return page


@pytest.fixture(scope="module")
def ada(house: Served, chrome) -> Iterator[Page]:
    """The nurse's phone."""
    page = logged_in(chrome, house, "ada", 390, 844)
    yield page
    assert page.problems == []


@pytest.fixture(scope="module")
def doctor(house: Served, chrome) -> Iterator[Page]:
    """The physician's laptop, on the board."""
    page = logged_in(chrome, house, "dr", 1366, 768)
    yield page
    assert page.problems == []


def go(page: Page, hash: str) -> None:
    page.evaluate("hash => { location.hash = hash }", hash)


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("WARD_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_she_takes_her_beds_and_every_screen_says_so_and_whom_nobody_has(house, ada, doctor):
    go(ada, "#/shift/6A")
    expect(ada.get_by_test_id("nobody-has")).to_contain_text("1, 2, 3")
    expect(ada.get_by_test_id("take")).to_be_disabled()
    ada.get_by_test_id("mark-1").check()
    ada.get_by_test_id("mark-2").check()
    ada.get_by_test_id("take").click()
    expect(ada.get_by_test_id("shift-bed-1")).to_contain_text("Ada Olsen")
    expect(ada.get_by_test_id("nobody-has")).to_contain_text("3")
    expect(doctor.get_by_test_id("bed-3").get_by_test_id("nobody")).to_be_visible()
    expect(doctor.get_by_test_id("bed-1").get_by_test_id("nobody")).to_have_count(0)
    picture(ada, "shift-phone")


def test_she_hands_a_bed_over_to_a_colleague(ada):
    go(ada, "#/shift/6A")
    ada.get_by_test_id("mark-2").check()
    ada.get_by_test_id("colleague").select_option("ben")
    ada.get_by_test_id("give").click()
    expect(ada.get_by_test_id("shift-bed-2")).to_contain_text("Ben Holm")


def test_her_alert_is_told_to_her_first_and_she_takes_it_on_her_phone(house, ada, doctor):
    house.monitors.values["1"] = {"hr": 80.0, "spo2": 82.0, "rr": 15.0}
    found = wait_for(house.api, "/alerts?state=active", lambda answer: answer["items"])
    alert = next(one for one in found["items"] if one["stay"] == house.stays["1"])
    told = house.api.get(f"/alerts/{alert['id']}").json()["deliveries"]
    assert [(one["person"], one["level"]) for one in told] == [("ada", 0)]
    ada.goto(f"{house.url}/#/stay/{house.stays['1']}")  # as the link in a message opens it
    expect(ada.get_by_test_id("stay-carer")).to_contain_text("Ada Olsen")
    ada.get_by_test_id("ack").first.click()
    question = ada.get_by_test_id("assess-actionable")
    if question.count():  # asked at once what it was
        question.click()
    taken = "[data-testid^=alert-][data-state=acknowledged]"
    until(lambda: house.api.get(f"/alerts/{alert['id']}").json()["state"] == "acknowledged", 30)
    expect(doctor.get_by_test_id("bed-1").locator(taken).first).to_be_attached(timeout=5_000)
    if ada.get_by_test_id("sheet-close").count():
        ada.get_by_test_id("sheet-close").click()
    house.monitors.values["1"] = {"hr": 80.0, "spo2": 97.0, "rr": 15.0}


def test_a_patient_goes_away_with_a_reason_and_comes_back(house, ada, doctor):
    go(ada, f"#/stay/{house.stays['2']}")
    ada.get_by_test_id("reason-shower").click()
    ada.get_by_test_id("pause-30").click()
    expect(ada.get_by_test_id("away-now")).to_contain_text("Shower")
    expect(ada.get_by_test_id("away-now")).to_contain_text("Ada Olsen")
    expect(doctor.get_by_test_id("bed-2").get_by_test_id("away")).to_be_visible()
    ada.get_by_test_id("resume").click()
    expect(doctor.get_by_test_id("bed-2").get_by_test_id("away")).to_have_count(0)


def test_limits_of_one_patient_have_an_end_and_a_name_and_are_the_physicians_to_set(house, ada, doctor):
    go(doctor, f"#/stay/{house.stays['3']}")
    doctor.get_by_test_id("limit-new").click()
    doctor.get_by_test_id("limit-rule").select_option("spo2-low")
    expect(doctor.get_by_test_id("limit-save")).to_be_disabled()
    doctor.get_by_test_id("limit-number-0").fill("84")
    doctor.get_by_test_id("limit-hours-4").click()
    doctor.get_by_test_id("limit-save").click()
    expect(doctor.get_by_test_id("limit-spo2-low")).to_contain_text("Dr Dunn")
    go(ada, f"#/stay/{house.stays['3']}")
    expect(ada.get_by_test_id("limit-spo2-low")).to_contain_text("until")
    expect(ada.get_by_test_id("end-spo2-low")).to_have_count(0)
    go(doctor, "#/")
    expect(doctor.get_by_test_id("bed-3").get_by_test_id("own-limits")).to_be_attached()


def test_the_alarm_test_says_which_screens_have_shown_it(ada, doctor):
    go(doctor, "#/")
    go(ada, "#/shift/6A")
    ada.get_by_test_id("alarm-test-begin").click()
    expect(ada.get_by_test_id("alarm-test-screen").first).to_contain_text("Dr Dunn", timeout=15_000)
    expect(ada.get_by_test_id("alarm-test-dashboard")).to_have_attribute("data-state", "sent")
    expect(doctor.get_by_test_id("test-alert")).to_be_visible()
    doctor.get_by_test_id("test-seen").click()
    expect(doctor.get_by_test_id("test-alert")).to_have_count(0)


def test_the_handover_is_on_the_screen_and_a_pdf(house, doctor):
    go(doctor, "#/handover/6A")
    row = doctor.get_by_test_id("handover-1")
    expect(row).to_contain_text("Ada Olsen")
    expect(doctor.get_by_test_id("handover-nobody-3")).to_be_visible()
    expect(doctor.get_by_test_id("handover-3")).to_contain_text("84")
    href = doctor.get_by_test_id("handover-pdf").get_attribute("href")
    answer = doctor.request.get(href)
    assert answer.body().startswith(b"%PDF-")
    assert answer.headers["content-type"] == "application/pdf"
    picture(doctor, "handover")


def test_the_last_board_prints_also_while_it_is_not_live(house, doctor):
    go(doctor, "#/")
    expect(doctor.get_by_test_id("bed-1")).to_be_visible()
    assert doctor.get_by_test_id("last-known").count() == 0  # made only for paper
    house.kill()
    expect(doctor.get_by_test_id("not-live")).to_be_visible(timeout=15_000)
    doctor.emulate_media(media="print")
    doctor.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = doctor.get_by_test_id("last-known")
    expect(paper).to_be_visible()
    for bed in BEDS:
        expect(paper).to_contain_text(f"P-{bed}")
    expect(doctor.get_by_test_id("not-live")).to_be_hidden()
    doctor.evaluate("dispatchEvent(new Event('afterprint'))")
    doctor.emulate_media(media="screen")
    expect(doctor.get_by_test_id("not-live")).to_be_visible()
