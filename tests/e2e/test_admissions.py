"""Admissions before a real screen: nobody is watched by another patient's device without having been told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsers import logged_in, picture
from tests.e2e.monitors import Monitors
from tests.e2e.served import Served, served_with_broker, wait_for

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

SHOWS = {"mon-1": {"hr": 82, "spo2": 97}, "mon-2": {"hr": 121, "spo2": 91}, "mon-3": {"hr": 61, "spo2": 99}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("admissions")
    shown = {f"6A/{name}": readings for name, readings in SHOWS.items()} | {"6B/mon-9": {"hr": 70}}
    with served_with_broker(folder) as ward:
        ward.admin = ward.token()
        ward.add_user("ada", "Ada Olsen", "nurse", "6A", "6B")
        ward.start()
        ward.api = ward.client(ward.admin)
        with Monitors(ward.broker_port, shown):
            wait_for(ward.api, "/devices", lambda found: len(found["items"]) == 4)
            yield ward


@pytest.fixture(scope="module")
def nurse(house: Served, chrome) -> Iterator[Page]:
    """Ada's tablet, logged in."""
    page = logged_in(chrome, house, "ada", (820, 1180))
    yield page
    assert page.problems == []


def admit(page: Page, ref: str, bed: str) -> None:
    page.goto(page.url.partition("#")[0] + "#/admit")
    page.reload()  # else it may be the form of the admission before
    page.get_by_test_id("patient-ref").fill(ref)
    page.get_by_test_id("patient-ref").press("Enter")  # as a scanner does: it sends nothing half filled in
    expect(page.get_by_test_id("admit-submit")).to_be_visible()
    page.get_by_test_id("ward-name").select_option("6A")
    page.get_by_test_id("bed-name").fill(bed)


def open_bed(page: Page, bed: str) -> None:
    page.goto(page.url.partition("#")[0] + "#/")
    page.get_by_test_id(f"bed-{bed}").get_by_role("link").first.click()
    expect(page.get_by_test_id("stay-place")).to_be_visible()


def test_a_patient_is_admitted_and_the_device_says_whose_it_is(house: Served, nurse: Page) -> None:
    admit(nurse, "P-1042", "4")
    picture(nurse, "admit")
    nurse.get_by_test_id("admit-submit").click()
    expect(nurse.get_by_test_id("attach")).to_be_visible()
    expect(nurse.get_by_test_id("offer-mon-1")).to_contain_text("82")
    picture(nurse, "attach")

    # Until a device is attached nobody may think that this patient is well.
    other = nurse.context.new_page()
    other.goto(house.url)
    expect(other.get_by_test_id("bed-4")).to_have_attribute("data-need", "unmonitored")
    expect(other.get_by_test_id("unmonitored")).to_contain_text("Not monitored")
    picture(other, "not-monitored")

    nurse.get_by_test_id("device-name").fill("6A/mon-1")
    nurse.get_by_test_id("device-name").press("Enter")
    expect(nurse.get_by_test_id("device-shows")).to_contain_text("Is that the patient in bed 4?")
    expect(nurse.get_by_test_id("device-values")).to_contain_text("82")
    expect(nurse.get_by_test_id("device-values")).to_contain_text("97")
    picture(nurse, "attach-confirm")
    nurse.get_by_test_id("attach-yes").click()
    expect(nurse.get_by_test_id("attach-done")).to_contain_text("mon-1 is attached")
    expect(other.get_by_test_id("bed-4")).to_have_attribute("data-need", "calm")
    expect(other.get_by_test_id("bed-4").get_by_test_id("vital-hr")).to_contain_text("82")
    other.close()
    nurse.get_by_test_id("admit-done").click()
    expect(nurse.get_by_test_id("device-mon-1")).to_be_visible()
    expect(nurse.get_by_test_id("stay-log")).to_contain_text("mon-1 attached by Ada Olsen")


def test_a_taken_bed_is_refused_before_anything_is_sent(nurse: Page) -> None:
    admit(nurse, "P-7", "4")
    expect(nurse.get_by_test_id("bed-taken")).to_contain_text("Bed 4 is taken")
    expect(nurse.get_by_test_id("admit-submit")).to_be_disabled()


def test_a_device_of_another_patient_is_taken_only_knowingly(house: Served, nurse: Page) -> None:
    admit(nurse, "P-7", "5")
    nurse.get_by_test_id("admit-submit").click()
    for text, found, words, is_asked in (
        ("6B/mon-9", "wrong-ward", "the patient is in ward 6A", False),
        ("mon-77", "device-unheard", "Nothing was ever heard of mon-77", True),
        ("mon-9", "device-elsewhere", "in ward 6B", True),
    ):
        nurse.get_by_test_id("device-name").fill(text)
        nurse.get_by_test_id("device-look").click()
        expect(nurse.get_by_test_id(found)).to_contain_text(words)
        if is_asked:
            nurse.get_by_test_id("attach-no").click()
    nurse.get_by_test_id("device-name").fill("mon-1")
    nurse.get_by_test_id("device-look").click()
    expect(nurse.get_by_test_id("device-taken")).to_contain_text("on the patient in bed 4")
    expect(nurse.get_by_test_id("attach-yes")).to_have_text("Take it from bed 4")
    picture(nurse, "attach-taken")
    nurse.get_by_test_id("attach-yes").click()
    expect(nurse.get_by_test_id("attach-done")).to_be_visible()

    # Both patients' pages say so.
    nurse.get_by_test_id("admit-done").click()
    expect(nurse.get_by_test_id("stay-log")).to_contain_text("mon-1 taken from bed 4 by Ada Olsen")
    open_bed(nurse, "4")
    expect(nurse.get_by_test_id("not-monitored")).to_be_visible()
    expect(nurse.get_by_test_id("stay-log")).to_contain_text("mon-1 was moved to bed 5 by Ada Olsen")
    picture(nurse, "stay-place")


def test_a_patient_moves_with_her_devices_and_alerts_wait(nurse: Page) -> None:
    held: list[Any] = []
    open_bed(nurse, "5")
    nurse.route("**/api/v1/wards", lambda route: held.append(route))  # who is quicker than the list of wards
    nurse.get_by_test_id("move-open").click()
    nurse.get_by_test_id("bed-name").fill("6")
    expect(nurse.get_by_test_id("move-devices")).to_contain_text("go along")
    picture(nurse, "move")
    nurse.get_by_test_id("move-submit").click()
    expect(nurse.get_by_test_id("failure")).to_have_count(0)
    expect(nurse.get_by_test_id("move-sheet")).to_have_count(0)
    nurse.unroute_all(behavior="ignoreErrors")
    assert held
    expect(nurse.get_by_test_id("stay-log")).to_contain_text("moved from 5 to 6 by Ada Olsen")
    expect(nurse.get_by_test_id("stay-log")).to_contain_text("paused by Ada Olsen")
    expect(nurse.get_by_test_id("device-mon-1")).to_be_visible()


def test_a_discharge_can_be_taken_back_and_its_device_is_offered_again(house: Served, nurse: Page) -> None:
    open_bed(nurse, "6")
    nurse.get_by_test_id("discharge-open").click()
    expect(nurse.get_by_test_id("discharge-sheet")).to_contain_text("mon-1")
    picture(nurse, "discharge")
    nurse.get_by_test_id("discharge-submit").click()
    expect(nurse.get_by_test_id("stay-ended")).to_be_visible()
    picture(nurse, "discharged")
    nurse.get_by_test_id("undo").click()
    expect(nurse.get_by_test_id("device-mon-1")).to_be_visible()
    expect(nurse.get_by_test_id("stay-log")).to_contain_text("discharge taken back by Ada Olsen")

    nurse.get_by_test_id("detach-mon-1").click()
    expect(nurse.get_by_test_id("detach-sheet")).to_contain_text("not monitored")
    nurse.get_by_test_id("detach-yes").click()
    expect(nurse.get_by_test_id("not-monitored")).to_be_visible()
    nurse.get_by_test_id("attach-open").click()
    first = nurse.get_by_test_id("offered").get_by_role("button").first
    expect(first).to_contain_text("mon-1")
    expect(first).to_contain_text("was at this bed before")
    picture(nurse, "attach-offered")
    told = house.api.get("/audit", params={"actor": "Ada Olsen", "action": "stays-undo-discharge"}).json()
    assert [line["outcome"] for line in told["items"]] == ["done", "asked"]
