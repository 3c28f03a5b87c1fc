"""The clinician's story before a real screen: move a threshold, look at what is lost, propose; a colleague
approves; it comes into force, and goes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsers import logged_in
from tests.e2e.monitors import Monitors
from tests.e2e.served import Served, served_with_broker, wait_for

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

PEOPLE = {"ann": "Ann Dahl", "ben": "Ben Lie"}
RULE = "spo2-low"


def patient(seq: int) -> dict[str, dict[str, float]]:
    """Saturation low for 5 s, fine for 5 s, and again."""
    return {"6A/mon": {"spo2": 80 if seq % 20 < 10 else 97, "hr": 70, "rr": 14}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Served]:
    """A ward with one patient, whose saturation falls again and again, and two clinicians."""
    folder = tmp_path_factory.mktemp("workbench")
    with served_with_broker(folder) as ward:
        for login, name in PEOPLE.items():
            ward.add_user(login, name, "clinician")
        ward.start()
        api = ward.client(ward.token())
        body = {"patient_ref": "REF-17", "ward": "6A", "bed": "1", "devices": ["mon"], "flags": []}
        assert api.post("/stays", json=body).status_code == 201
        with Monitors(ward.broker_port, patient):
            wait_for(api, "/trials/history", lambda kept: kept["readings"] > 100)
            yield ward


def go(page: Page, place: str) -> None:
    page.evaluate(f"location.hash = '#/{place}'")


def threshold(house: Served) -> str:
    rule = house.client(house.token()).get(f"/rules/{RULE}").json()
    return str(rule["when"][0])


def test_a_change_is_tried_proposed_approved_applied_and_taken_back(chrome: object, house: Served) -> None:
    ann, ben = logged_in(chrome, house, "ann"), logged_in(chrome, house, "ben")
    ann.get_by_test_id("menu").click()
    ann.get_by_test_id("to-workbench").click()
    ann.get_by_test_id("rule").select_option(RULE)
    expect(ann.get_by_role("grid")).to_have_attribute("aria-busy", "false")  # no cell moves any more
    expect(ann.get_by_test_id("nothing-moved")).to_be_visible()
    expect(ann.get_by_test_id("save")).to_be_disabled()

    # The map by keyboard: one cell is reached by Tab, arrows go on, Enter chooses.
    cell = ann.locator("[data-testid='heat'] button[tabindex='0']")
    expect(cell).to_have_attribute("aria-label", re.compile("in force"))
    cell.press("ArrowDown")
    expect(cell).to_be_focused()  # the next one, which Tab reaches now
    expect(cell).not_to_have_attribute("aria-label", re.compile("in force"))
    ann.keyboard.press("Enter")
    expect(ann.get_by_test_id("threshold-0-field")).to_have_value("87")
    # A slider by keyboard, and a field.
    ann.get_by_test_id("threshold-0-range").press("ArrowLeft")
    expect(ann.get_by_test_id("threshold-0-field")).to_have_value("86")
    ann.get_by_test_id("threshold-0-field").fill("75")
    ann.get_by_test_id("threshold-0-field").press("Enter")
    expect(ann.get_by_test_id("tried-rule")).to_contain_text("SpO₂ < 75 % for 3 s")

    # Every alert would be lost; each has its trend.
    expect(ann.get_by_test_id("save")).to_be_enabled()
    expect(ann.get_by_test_id("figure-load")).to_contain_text("now")
    expect(ann.get_by_test_id("kind-lost")).not_to_have_text("Lost 0")
    expect(ann.get_by_test_id("kind-gained")).to_have_text("Gained 0")
    ann.get_by_test_id("change-lost-0").click()
    expect(ann.get_by_test_id("change-trend").locator("canvas").first).to_be_visible()
    ann.get_by_test_id("close").click()

    ann.get_by_test_id("save").click()
    ann.get_by_test_id("draft-why").fill("They recover by themselves.")
    ann.get_by_test_id("propose").click()
    expect(ann.get_by_test_id("draft-state")).to_have_text("proposed")
    expect(ann.get_by_test_id("differences")).to_contain_text("SpO₂ < 75 %")
    expect(ann.get_by_test_id("draft-trial")).to_be_visible()
    expect(ann.get_by_test_id("second")).to_contain_text("second person")
    expect(ann.get_by_test_id("act-approve")).to_have_count(0)
    assert threshold(house) == "spo2 < 88"

    go(ben, "drafts")
    ben.locator("[data-testid^='draft-']", has_text="75").first.click()
    ben.get_by_test_id("word").fill("Agreed, for a week.")
    ben.get_by_test_id("act-approve").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("approved")
    assert threshold(house) == "spo2 < 88"
    ben.get_by_test_id("act-apply").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("in force")
    assert threshold(house) == "spo2 < 75"
    expect(ben.get_by_test_id("rule-history")).to_contain_text("proposed by Ann Dahl")
    expect(ben.get_by_test_id("draft-log")).to_contain_text("Agreed, for a week.")

    # In force on the workbench, too; and back with one click.
    go(ann, f"workbench/{RULE}")
    expect(ann.get_by_test_id("tune")).to_contain_text("SpO₂ < 75 % for 3 s")
    ben.get_by_test_id("act-return").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("taken back")
    assert threshold(house) == "spo2 < 88"


def test_a_recording_is_brought_and_tried_and_a_hold_is_tried_but_not_proposed(
    chrome: object, house: Served
) -> None:
    ann = logged_in(chrome, house, "ann")
    go(ann, f"workbench/{RULE}")
    lines = ["time,spo2,hr", *(f"{s},{80 if s % 60 < 20 else 97},70" for s in range(600))]
    ann.get_by_text("A recording of your own").click()
    night = {"name": "night.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    ann.get_by_test_id("recording-file").set_input_files(night)
    expect(ann.get_by_test_id("period")).to_have_value(re.compile("^of:"))
    ann.get_by_test_id("duration-field").fill("1")
    ann.get_by_test_id("duration-field").press("Enter")
    expect(ann.get_by_test_id("kind-lost")).to_have_text("Lost 10")
    expect(ann.get_by_test_id("save")).to_be_enabled()

    # Each alert with its trend, out of the recording.
    ann.get_by_test_id("change-lost-0").click()
    sheet = ann.get_by_test_id("change-sheet")
    expect(sheet.get_by_test_id("trend-spo2").locator("canvas")).to_be_visible()
    expect(sheet.get_by_test_id("trend-failed")).to_have_count(0)
    sheet.get_by_test_id("trend-spo2").locator(".u-over").hover()
    expect(sheet.get_by_test_id("at-spo2")).to_contain_text(re.compile("80|97"))
    sheet.get_by_test_id("close").click()

    ann.get_by_test_id("reading-hold").click()
    ann.get_by_test_id("reading-hold-spo2-field").fill("3")
    ann.get_by_test_id("reading-hold-spo2-field").press("Enter")
    expect(ann.get_by_test_id("hold-tried")).to_contain_text("not proposed")
    expect(ann.get_by_test_id("save")).to_be_disabled()
    ann.get_by_test_id("recording-away").click()
    expect(ann.get_by_test_id("period")).not_to_have_value(re.compile("^of:"))


def test_a_pack_is_read_compared_edited_proposed_approved_and_taken_back(
    chrome: object, house: Served
) -> None:
    ann, ben = logged_in(chrome, house, "ann"), logged_in(chrome, house, "ben")
    go(ann, "packs")
    expect(ann.get_by_test_id("pack-rules")).to_contain_text("SpO₂ < 88 %")
    ann.get_by_test_id("pack-beside").select_option("ward-rct-2025")
    expect(ann.get_by_test_id("beside")).to_contain_text("table T3")  # its evidence

    # A fault is told at its field, and nothing can be proposed with it.
    ann.get_by_test_id("edit-rule").select_option(RULE)
    ann.get_by_test_id("field-for").fill("soon")
    ann.get_by_test_id("field-for").press("Tab")
    expect(ann.get_by_test_id("wrong-for")).to_contain_text("soon")
    expect(ann.get_by_test_id("field-for")).to_have_attribute("aria-invalid", "true")
    expect(ann.get_by_test_id("pack-propose")).to_be_disabled()
    ann.get_by_test_id("field-for").fill("9s")
    ann.get_by_test_id("field-for").press("Tab")
    expect(ann.get_by_test_id("wrong-for")).to_have_count(0)
    # The same as text, with a fault at its line; and one rule less.
    ann.get_by_test_id("mode-text").click()
    text = ann.get_by_test_id("pack-text").input_value()
    ann.get_by_test_id("pack-text").fill(text.replace("spo2 < 88", "spo3 < 88"))
    ann.get_by_test_id("pack-check").click()
    expect(ann.get_by_test_id("pack-problems")).to_contain_text("spo3")
    ann.get_by_test_id("pack-text").fill(text)
    ann.get_by_test_id("pack-check").click()
    expect(ann.get_by_test_id("pack-valid")).to_be_visible()
    ann.get_by_test_id("mode-form").click()
    ann.get_by_test_id("edit-rule").select_option("rr-high")
    ann.get_by_test_id("rule-remove").click()
    expect(ann.get_by_test_id("pack-differences")).to_contain_text("9s")

    ann.get_by_test_id("pack-propose").click()
    ann.get_by_test_id("draft-title").fill("Nine seconds, no rate")
    ann.get_by_test_id("propose").click()
    expect(ann.get_by_test_id("draft-state")).to_have_text("proposed")
    expect(ann.get_by_test_id("act-approve")).to_have_count(0)
    expect(ann.get_by_test_id("act-reject")).to_have_count(0)  # hers is to withdraw
    expect(ann.get_by_test_id("act-withdraw")).to_be_visible()
    go(ben, "drafts")
    ben.locator("[data-testid^='draft-']", has_text="Nine seconds").first.click()
    ben.get_by_test_id("act-approve").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("approved")
    ben.get_by_test_id("act-apply").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("in force")
    api = house.client(house.token())

    def rules() -> list[tuple[str, str]]:
        return [(rule["id"], rule["for"]) for rule in api.get("/rules").json()["items"]]

    assert rules() == [(RULE, "9s")]
    ben.get_by_test_id("act-return").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("taken back")
    assert rules() == [(RULE, "3s"), ("rr-high", "5s")]


def test_a_draft_that_was_overtaken_says_so_and_cannot_be_approved(chrome: object, house: Served) -> None:
    api = house.client(house.token("clinician"))
    seen = api.get(f"/rules/{RULE}?ward=6A")
    draft = {"title": "Later", "scope": "ward:6A", "rules": [{"id": RULE, "for": "4s"}]}
    made = api.post("/drafts", json=draft).json()
    changed = api.put(
        f"/rules/{RULE}?ward=6A", json={"for": "5s"}, headers={"If-Match": seen.headers["etag"]}
    )
    assert changed.status_code == 200
    ben = logged_in(chrome, house, "ben")
    go(ben, f"drafts/{made['id']}")
    expect(ben.get_by_test_id("conflict")).to_contain_text(RULE)
    expect(ben.get_by_test_id("conflict")).to_contain_text("for 5 s")
    expect(ben.get_by_test_id("untried")).to_be_visible()
    expect(ben.get_by_test_id("act-approve")).to_have_count(0)
    ben.get_by_test_id("act-reject").click()
    expect(ben.get_by_test_id("draft-state")).to_have_text("rejected")


def test_the_report_is_shown_and_goes_as_a_table_and_on_paper(chrome: object, house: Served) -> None:
    page = logged_in(chrome, house, "ann")
    go(page, "reports")
    expect(page.get_by_test_id("report-figures")).to_be_visible()
    expect(page.get_by_test_id("report-rules")).to_be_visible()
    for test_id, kind, begins in (
        ("report-csv", "text/csv", b""),
        ("report-pdf", "application/pdf", b"%PDF"),
    ):
        href = page.get_by_test_id(test_id).evaluate("(link) => link.href")
        answer = page.request.get(href)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(kind)
        assert answer.body().startswith(begins)
    page.get_by_test_id("report-7").click()
    expect(page.get_by_test_id("report-7")).to_have_attribute("aria-pressed", "true")
