"""What a nurse does at a screen: takes, undoes, hands over, shelves, enters; by touch, by key, unsent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.brokers import until
from tests.browsers import logged_in, picture
from tests.e2e.monitors import Monitors
from tests.e2e.served import Served, served_with_broker, wait_for

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

BEDS = ("1", "2", "3", "4")


def patients(seq: int) -> dict[str, dict[str, float]]:
    """Each with a low saturation and a high respiratory rate, all the time: two alerts a bed."""
    rate = 60 + seq % 60
    return {f"6A/mon-{bed}": {"spo2": 80, "hr": rate, "pr": rate, "rr": 30} for bed in BEDS}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Served]:
    """A ward with four patients in need, two nurses and a clinician."""
    with served_with_broker(tmp_path_factory.mktemp("acting")) as ward:
        token = ward.token()
        for login, role, *more in (
            ("Ida", "nurse", "6A"),
            ("Bo", "nurse", "6A"),
            ("Kim", "clinician"),
        ):
            ward.add_user(login.lower(), login, role, *more)
        ward.start()
        ward.api = ward.client(token)  # type: ignore[attr-defined]
        for bed in BEDS:
            body = {"patient_ref": f"REF-{bed}", "ward": "6A", "bed": bed, "devices": [f"mon-{bed}"]}
            assert api(ward).post("/stays", json={**body, "flags": []}).status_code == 201
        with Monitors(ward.broker_port, patients):
            wait_for(api(ward), "/alerts?state=active", lambda found: len(found["items"]) == 2 * len(BEDS))
            yield ward


def api(ward: Served) -> httpx.Client:
    found: httpx.Client = ward.api  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def ida(chrome: Any, house: Served) -> Iterator[Page]:
    page = logged_in(chrome, house, "ida")
    yield page
    assert page.problems == []


def stay_of(house: Served, bed: str) -> str:
    items = api(house).get("/stays").json()["items"]
    return str(next(stay["id"] for stay in items if stay["bed"] == bed))


def alert_of(house: Served, bed: str, rule: str = "spo2-low") -> dict[str, Any]:
    """The newest of the rule at the bed, with its log."""
    items = api(house).get(f"/alerts?stay={stay_of(house, bed)}").json()["items"]
    found = next(alert for alert in items if alert["rule"] == rule)
    shown: dict[str, Any] = api(house).get(f"/alerts/{found['id']}").json()
    return shown


def open_stay(page: Page, house: Served, bed: str) -> None:
    page.goto(f"{house.url}/#/stay/{stay_of(house, bed)}")
    expect(page.get_by_test_id("open-alerts")).to_be_visible()


def at_alert(page: Page, house: Served, bed: str, rule: str = "spo2-low") -> Any:
    """Where the alert stands on the stay's page."""
    alert = alert_of(house, bed, rule)["id"]
    return page.locator(f"[data-testid=open-alerts] li:has([data-testid=alert-{alert}])")


def test_taken_in_one_tap_assessed_later_and_undone(house: Served, ida: Page) -> None:
    ida.goto(f"{house.url}/#/")
    ida.get_by_test_id("bed-1").get_by_test_id("ack").click()
    until(lambda: alert_of(house, "1")["state"] == "acknowledged")
    taken = alert_of(house, "1")
    assert (taken["acknowledged_by"], taken["assessment"]) == ("Ida", None)
    picture(ida, "taken")

    ida.get_by_test_id("bar-undo").click()
    until(lambda: alert_of(house, "1")["state"] == "active")
    assert [line["kind"] for line in alert_of(house, "1")["log"]][-2:] == ["acknowledged", "undone"]
    expect(ida.get_by_test_id("done")).to_have_count(0)

    open_stay(ida, house, "1")
    here = at_alert(ida, house, "1")
    here.get_by_test_id("ack").click()
    here.get_by_test_id("assess-not-actionable").click()
    expect(here.get_by_test_id("assess-not-actionable")).to_have_attribute("aria-pressed", "true")
    until(lambda: alert_of(house, "1")["assessment"] == "not-actionable")
    here.get_by_test_id("more").click()
    ida.get_by_test_id("note").click()
    ida.get_by_test_id("note-text").fill("cold fingers")
    ida.get_by_test_id("note-send").click()
    expect(ida.get_by_test_id("timeline")).to_contain_text("cold fingers")
    expect(ida.get_by_test_id("timeline")).to_contain_text("taken back")


def test_handed_over_and_confirmed_from_a_phone(house: Served, ida: Page, chrome: Any) -> None:
    open_stay(ida, house, "2")
    at_alert(ida, house, "2").get_by_test_id("more").click()
    ida.get_by_test_id("hand-over").click()
    picture(ida, "hand-over")
    ida.get_by_test_id("to-Bo").click()
    expect(ida.get_by_text("Bo has it (from Ida), not confirmed").first).to_be_visible()
    phone = logged_in(chrome, house, "bo", (390, 844))
    expect(phone.get_by_test_id("given")).to_contain_text("Ida handed you: Bed 2")
    open_stay(phone, house, "2")
    confirm = phone.get_by_test_id("confirm")
    box = confirm.bounding_box()
    assert box is not None
    assert box["height"] >= 48, "a glove must find it"
    picture(phone, "confirm-phone")
    confirm.tap()
    until(lambda: alert_of(house, "2")["handed_over_by"] is None)
    expect(phone.get_by_test_id("given")).to_have_count(0)
    assert alert_of(house, "2")["acknowledged_by"] == "Bo"
    expect(ida.get_by_text("not confirmed")).to_have_count(0)
    assert phone.problems == []
    phone.context.close()


def test_shelved_with_a_reason(house: Served, ida: Page) -> None:
    open_stay(ida, house, "3")
    at_alert(ida, house, "3", "rr-high").get_by_test_id("shelve").click()
    ida.get_by_test_id("shelve-15").click()
    expect(ida.get_by_test_id("sheet")).to_be_visible()
    assert alert_of(house, "3", "rr-high")["state"] == "active", "not without a reason"
    ida.get_by_test_id("reason-1").click()
    until(lambda: alert_of(house, "3", "rr-high")["state"] == "shelved")
    assert alert_of(house, "3", "rr-high")["shelve_reason"] == "Care or procedure"
    expect(ida.get_by_test_id("timeline")).to_contain_text("Care or procedure")
    expect(ida.get_by_test_id("sheet")).not_to_be_visible()


def test_what_was_not_sent_says_so_everywhere_and_is_sent_again_as_the_same(house: Served, ida: Page) -> None:
    keys: list[str] = []

    def cut(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) < 3:
            route.abort()
        else:
            route.continue_()

    ida.route("**/acknowledge", cut)
    open_stay(ida, house, "4")
    here = at_alert(ida, house, "4")
    here.get_by_test_id("ack").click()
    expect(here.get_by_test_id("failed")).to_contain_text("NOT SENT")
    here.get_by_test_id("retry").click()
    expect(here.get_by_test_id("failed")).to_be_visible()
    open_stay(ida, house, "1")
    unsent = ida.get_by_test_id("unsent")
    expect(unsent).to_contain_text("Bed 4")
    picture(ida, "not-sent")
    ida.get_by_test_id("unsent-retry").click()
    expect(unsent).to_have_count(0)
    until(lambda: alert_of(house, "4")["acknowledged_by"] == "Ida")
    assert len(set(keys)) == 1, "the same intention has the same key"
    ida.unroute("**/acknowledge")


def test_an_observation_in_two_taps(house: Served, ida: Page) -> None:
    open_stay(ida, house, "1")
    ida.get_by_test_id("acvpu-V").click()
    ida.get_by_test_id("observe-save").click()
    expect(ida.get_by_test_id("news2-consciousness")).to_contain_text("Voice")
    expect(ida.get_by_test_id("timeline")).to_contain_text("Observed")

    temp = ida.get_by_test_id("measured-temp")
    temp.fill("372")
    expect(ida.get_by_test_id("wrong-temp")).to_contain_text("20 to 46")
    expect(ida.get_by_test_id("observe-save")).to_be_disabled()
    temp.fill("41,5")
    ida.get_by_test_id("observe-save").click()
    expect(ida.get_by_test_id("observe-odd")).to_contain_text("41.5")
    picture(ida, "observe-odd")
    ida.get_by_test_id("observe-save").click()
    expect(ida.get_by_test_id("news2-temp")).to_contain_text("41.5")


def test_flags_say_what_they_do_and_are_changed_by_whoever_may(house: Served, ida: Page, chrome: Any) -> None:
    open_stay(ida, house, "3")
    expect(ida.get_by_test_id("flags")).to_be_visible()
    expect(ida.get_by_test_id("flags-edit")).to_have_count(0)
    kim = logged_in(chrome, house, "kim")
    open_stay(kim, house, "3")
    kim.get_by_test_id("flags-edit").click()
    kim.get_by_test_id("flag-spo2-scale-2").click()
    expect(kim.get_by_test_id("effect-spo2-scale-2")).to_contain_text("second scale")
    kim.get_by_test_id("flags-save").click()
    expect(ida.get_by_test_id("effect-spo2-scale-2")).to_be_visible()
    expect(ida.get_by_test_id("news2-table")).to_contain_text("SpO₂ scale 2")
    assert kim.problems == []
    kim.context.close()


def test_undo_before_the_answer_takes_no_older_act_back(house: Served, ida: Page) -> None:
    open_stay(ida, house, "4")
    at_alert(ida, house, "4", "rr-high").get_by_test_id("ack").click()
    expect(ida.get_by_test_id("done")).to_contain_text("Bed 4")
    held: list[Any] = []
    ida.route("**/acknowledge", lambda route: held.append(route))
    open_stay(ida, house, "3")
    at_alert(ida, house, "3").get_by_test_id("ack").click()
    expect(ida.get_by_test_id("sending")).to_be_visible()
    expect(ida.get_by_test_id("done")).to_have_count(0)
    ida.keyboard.press("u")
    held[0].continue_()
    ida.unroute("**/acknowledge")
    expect(ida.get_by_test_id("done")).to_contain_text("Bed 3")
    assert alert_of(house, "4", "rr-high")["state"] == "acknowledged"
    ida.get_by_test_id("bar-undo").click()
    until(lambda: alert_of(house, "3")["state"] == "active")


def test_everything_by_keyboard(house: Served, ida: Page) -> None:
    ida.goto(f"{house.url}/#/")
    expect(ida.get_by_test_id("board")).to_be_visible()
    ida.keyboard.press("?")
    expect(ida.get_by_test_id("keys")).to_be_visible()
    ida.keyboard.press("Escape")
    expect(ida.get_by_test_id("keys")).to_have_count(0)
    bed = ida.get_by_test_id("bed-3")
    own = bed.get_by_test_id(f"alert-{alert_of(house, '3')['id']}")
    to_bed(ida, "3")
    ida.keyboard.press("t")
    until(lambda: alert_of(house, "3")["state"] == "acknowledged")
    expect(ida.get_by_test_id("done")).to_be_visible()
    ida.keyboard.press("u")
    until(lambda: alert_of(house, "3")["state"] == "active")
    expect(own).to_have_attribute("data-state", "active")  # her card is in its place again
    expect(ida.get_by_test_id("done")).to_have_count(0)
    to_bed(ida, "3")
    ida.keyboard.press("Enter")
    expect(ida.get_by_test_id("open-alerts")).to_be_visible()
    expect(ida.get_by_test_id("acvpu-A")).to_be_visible()
    ida.keyboard.press("o")
    expect(ida.get_by_test_id("acvpu-A")).to_be_focused()
    ida.keyboard.press("s")
    expect(ida.get_by_test_id("sheet")).to_be_visible()
    ida.keyboard.press("Escape")
    expect(ida.get_by_test_id("sheet")).not_to_be_visible()
    ida.get_by_test_id("measured-rr").focus()
    ida.keyboard.type("t")
    assert alert_of(house, "3")["state"] == "active", "whoever types gives no commands"
    ida.keyboard.press("Escape")
    ida.get_by_test_id("measured-rr").fill("")


def to_bed(page: Page, bed: str) -> None:
    """By ``j``, from card to card, until the focus is there; cards may move meanwhile."""
    card = page.get_by_test_id(f"bed-{bed}")
    for _ in range(5 * len(BEDS)):
        if card.evaluate("card => card.contains(document.activeElement)"):
            return
        page.keyboard.press("j")
    expect(card.locator(":focus")).to_have_count(1)


def window_of(page: Page, panel: str) -> tuple[int, int]:
    """Both ends at one moment: it moves along with the time."""
    start, end = page.get_by_test_id(f"trend-{panel}").evaluate("at => [at.dataset.start, at.dataset.end]")
    return int(start or 0), int(end or 0)


def test_trends_zoom_together_with_one_cursor_over_all(house: Served, ida: Page) -> None:
    open_stay(ida, house, "1")
    curve = ida.locator("[data-testid=trend-hr] .u-over")
    expect(curve).to_be_visible()
    begin, end = window_of(ida, "hr")
    assert end - begin == 3_600_000
    for panel in ("hr", "spo2", "rr"):  # nothing comes above the curves any more that would move them
        expect(ida.locator(f"[data-testid=trend-{panel}] .u-over")).to_be_visible()
    box = curve.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    ida.mouse.move(box["x"] + box["width"] - 4, middle)
    expect(ida.get_by_test_id("at-spo2")).to_have_text("80")
    expect(ida.get_by_test_id("at-rr")).to_have_text("30")

    ida.mouse.move(box["x"] + box["width"] * 0.75, middle)
    ida.mouse.down()
    ida.mouse.move(box["x"] + box["width"] - 2, middle, steps=4)
    ida.mouse.up()
    until(lambda: window_of(ida, "hr")[1] - window_of(ida, "hr")[0] < 1_000_000)
    assert window_of(ida, "hr") == window_of(ida, "spo2") == window_of(ida, "rr")
    picture(ida, "zoomed")
    stack = ida.get_by_test_id("trend-stack")
    stack.focus()
    ida.keyboard.press("ArrowLeft")
    expect(ida.get_by_test_id("trend-spoken")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d: "))
    ida.keyboard.press("0")
    until(lambda: window_of(ida, "hr")[1] - window_of(ida, "hr")[0] == 3_600_000)
    ida.keyboard.press("+")
    until(lambda: window_of(ida, "hr")[1] - window_of(ida, "hr")[0] == 1_800_000)

    with ida.expect_response(lambda answer: "resolution=600" in answer.url) as asked:
        ida.get_by_test_id("range-168").click()
    assert asked.value.ok
    until(lambda: window_of(ida, "hr")[1] - window_of(ida, "hr")[0] == 7 * 86_400_000)
    expect(ida.locator("[data-testid=trend-hr] canvas")).to_be_visible()
    picture(ida, "seven-days")
