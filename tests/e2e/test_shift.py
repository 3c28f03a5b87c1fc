"""A shift before real screens: who has whom, limits, away, the alarm test, the handover, paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.brokers import until
from tests.browsers import logged_in, picture
from tests.e2e.monitors import Monitors
from tests.e2e.served import Served, served_with_broker, wait_for

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page
Route = playwright.Route

BEDS = ("1", "2", "3")
FINE = {"hr": 80.0, "spo2": 97.0, "rr": 15.0}
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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("shift")
    with served_with_broker(folder) as ward:
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
        with Monitors(ward.broker_port, {f"6A/mon-{bed}": FINE for bed in BEDS}) as ward.monitors:
            yield ward


@pytest.fixture(scope="module")
def ada(house: Served, chrome) -> Iterator[Page]:
    """The nurse's phone."""
    page = logged_in(chrome, house, "ada", (390, 844))
    yield page
    assert page.problems == []


@pytest.fixture(scope="module")
def doctor(house: Served, chrome) -> Iterator[Page]:
    """The physician's laptop, on the board."""
    page = logged_in(chrome, house, "dr", (1366, 768))
    yield page
    assert page.problems == []


def go(page: Page, hash: str) -> None:
    page.evaluate("hash => { location.hash = hash }", hash)


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


def test_what_she_marks_while_a_change_is_under_way_stays_marked(ada):
    go(ada, "#/shift/6A")
    held: list[Route] = []
    change = re.compile("/assignments$")

    def hold(route: Route) -> None:
        held.append(route) if route.request.method == "POST" else route.continue_()

    def caught() -> Route:
        while not held:  # the browser's own loop runs meanwhile; the test's time limit ends it
            ada.wait_for_timeout(20)
        return held.pop()

    ada.route(change, hold)
    ada.get_by_test_id("mark-1").check()
    ada.get_by_test_id("take").click()
    expect(ada.get_by_test_id("mark-1")).not_to_be_checked()
    ada.get_by_test_id("mark-2").check()
    expect(ada.get_by_test_id("take")).to_be_disabled()  # one change at a time
    caught().continue_()
    expect(ada.get_by_test_id("take")).to_be_enabled()
    expect(ada.get_by_test_id("mark-2")).to_be_checked()
    ada.get_by_test_id("mark-2").uncheck()

    ada.get_by_test_id("mark-1").check()
    ada.get_by_test_id("take").click()
    caught().abort()
    expect(ada.get_by_test_id("shift-failed")).to_be_visible()
    expect(ada.get_by_test_id("mark-1")).to_be_checked()  # it did not go through: it is hers to try again
    ada.unroute(change)
    ada.get_by_test_id("take").click()
    expect(ada.get_by_test_id("shift-failed")).to_have_count(0)
    expect(ada.get_by_test_id("mark-1")).not_to_be_checked()


def test_she_hands_a_bed_over_to_a_colleague(ada):
    go(ada, "#/shift/6A")
    ada.get_by_test_id("mark-2").check()
    ada.get_by_test_id("colleague").select_option("ben")
    ada.get_by_test_id("give").click()
    expect(ada.get_by_test_id("shift-bed-2")).to_contain_text("Ben Holm")


def test_her_alert_is_told_to_her_first_and_she_takes_it_on_her_phone(house, ada, doctor):
    house.monitors.values["6A/mon-1"] = FINE | {"spo2": 82.0}
    found = wait_for(house.api, "/alerts?state=active", lambda answer: answer["items"])
    alert = next(one for one in found["items"] if one["stay"] == house.stays["1"])
    told = wait_for(house.api, f"/alerts/{alert['id']}", lambda shown: shown["deliveries"])["deliveries"]
    assert [(one["person"], one["level"]) for one in told] == [("ada", 0)]
    ada.goto(f"{house.url}/#/stay/{house.stays['1']}")  # as the link in a message opens it
    expect(ada.get_by_test_id("stay-carer")).to_contain_text("Ada Olsen")
    here = ada.locator(f"[data-testid=open-alerts] li:has([data-testid=alert-{alert['id']}])")
    here.get_by_test_id("ack").click()
    here.get_by_test_id("assess-actionable").click()  # asked at once what it was
    until(lambda: house.api.get(f"/alerts/{alert['id']}").json()["assessment"] == "actionable")
    taken = "[data-testid^=alert-][data-state=acknowledged]"
    expect(doctor.get_by_test_id("bed-1").locator(taken).first).to_be_attached()
    house.monitors.values["6A/mon-1"] = FINE


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
    expect(ada.get_by_test_id("alarm-test-screen").first).to_contain_text("Dr Dunn")
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
    expect(doctor.get_by_test_id("not-live")).to_be_visible()
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


def test_a_page_that_is_not_hers_says_so_and_offers_nothing(ada):
    go(ada, "#/users")
    expect(ada.get_by_test_id("not-allowed")).to_be_visible()
    expect(ada.get_by_role("main").get_by_role("button")).to_have_count(0)
    go(ada, "#/shift/6A")
    expect(ada.get_by_test_id("not-allowed")).to_have_count(0)
