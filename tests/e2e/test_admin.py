"""The first day of a ward, and its administrator: from an empty service to users, plans, the audit trail."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.brokers import client_at, mosquitto_at, until
from tests.browsers import picture
from tests.e2e.served import PASSWORD, START_S, Served, served
from tests.parts import chromium, mosquitto
from tests.ports import free_port

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page


def answers(ward: Served) -> bool:
    """It is there; without a broker it is not ready."""
    assert ward.process.poll() is None, (ward.folder / "log").read_text()[-2000:]
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{ward.url}/healthz", timeout=2).status_code == 200
    return False


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service without users, patients or a broker; ``house.port_of_broker`` is where it looks for one."""
    if chromium() is None or mosquitto() is None:
        pytest.skip("needs Chromium and Mosquitto: apt-get install chromium mosquitto")
    folder = tmp_path_factory.mktemp("admin")
    port = free_port()
    with served(folder, f"mqtt://127.0.0.1:{port}", SIMULATOR="allowed", SESSION_IDLE_MIN=0) as ward:
        ward.port_of_broker = port
        ward.start(ready=False)
        until(lambda: answers(ward), START_S)
        yield ward


@pytest.fixture(scope="module")
def page(chrome, house: Served) -> Iterator[Page]:
    made = chrome.new_context(viewport={"width": 1366, "height": 768}).new_page()
    made.problems = []
    made.on("pageerror", lambda error: made.problems.append(str(error)))
    yield made
    assert made.problems == []


@pytest.fixture(scope="module")
def broker(house: Served) -> Iterator[int]:
    with mosquitto_at(house.port_of_broker, "allow_anonymous true") as port:
        yield port


def go(page: Page, house: Served, place: str) -> None:
    page.goto(f"{house.url}/#/{place}")


def test_an_empty_service_explains_itself(house: Served, page: Page) -> None:
    page.goto(house.url)
    expect(page.get_by_test_id("login-nobody")).to_contain_text("ward user add")
    picture(page, "first-login")
    house.add_user("eva", "Eva Frei", "admin")
    page.reload()
    page.get_by_test_id("login-name").fill("eva")
    page.get_by_test_id("login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("first-run")).to_be_visible()
    expect(page.get_by_test_id("step-admin")).to_have_attribute("data-done", "true")
    expect(page.get_by_test_id("step-broker")).to_have_attribute("data-done", "false")
    expect(page.get_by_test_id("step-broker")).to_contain_text(f"mqtt://127.0.0.1:{house.port_of_broker}")
    expect(page.get_by_test_id("step-broker")).to_contain_text("nothing listens")
    expect(page.get_by_test_id("publish")).to_contain_text(f"-p {house.port_of_broker}")
    picture(page, "first-run")
    go(page, house, "health")
    expect(page.get_by_test_id("reason").first).to_contain_text("not connected to the broker")
    expect(page.get_by_test_id("reason").first).to_contain_text("WARD_MQTT_URL")


def test_what_was_missing_comes(house: Served, page: Page, broker: int) -> None:
    go(page, house, "")
    expect(page.get_by_test_id("step-broker")).to_have_attribute("data-done", "true")
    device = page.get_by_test_id("step-device")

    def is_heard() -> bool:
        """It sends until then: whoever is connected has not subscribed yet."""
        body = json.dumps({"readings": {"hr": 82, "spo2": 97}})
        link.publish("ward/v1/6A/mon-1/vitals", body, 1).wait_for_publish(5)
        page.wait_for_timeout(200)  # the page's own loop runs meanwhile
        return bool(device.get_attribute("data-done") == "true")

    with client_at(broker) as link:
        until(is_heard)


def test_the_simulator_stands_in_for_patients(house: Served, page: Page, broker: int) -> None:
    page.get_by_test_id("simulator-start").click()
    expect(page.locator("[data-testid^=bed-]")).to_have_count(8)
    expect(page.locator("[data-testid=vital-hr][data-trust=fresh]").first).to_be_visible()
    go(page, house, "health")
    expect(page.get_by_test_id("health-verdict")).to_have_attribute("data-ready", "true")
    expect(page.get_by_test_id("curve-readings")).to_contain_text("1/s")
    expect(page.get_by_test_id("backup")).to_contain_text("none was ever written")
    picture(page, "health")
    page.get_by_test_id("simulator-end").click()
    expect(page.get_by_test_id("simulator")).to_have_attribute("data-running", "false")
    go(page, house, "")
    expect(page.get_by_test_id("first-run")).to_be_visible()


def test_a_user_is_made_and_sets_her_password(house: Served, page: Page, chrome) -> None:
    go(page, house, "users")
    page.get_by_test_id("user-add").click()
    page.get_by_test_id("new-login").fill("jberg")
    page.get_by_test_id("new-name").fill("Jonas Berg")
    page.get_by_test_id("wards").fill("6A, 6B")
    picture(page, "user-new")
    page.get_by_test_id("new-user-save").click()
    link = page.get_by_test_id("secret-0").inner_text()
    picture(page, "user-code")
    page.get_by_test_id("secret-close").click()
    expect(page.get_by_test_id("users")).to_contain_text("no password yet")

    jonas = chrome.new_context().new_page()
    jonas.goto(link)
    jonas.get_by_test_id("password-new").fill("four words nobody joins")
    jonas.get_by_test_id("password-save").click()
    expect(jonas.get_by_test_id("account")).to_contain_text("Jonas Berg")
    page.reload()
    expect(page.get_by_test_id("users")).to_contain_text("logged in at 1 place")
    picture(page, "users")

    # Locked, he is out at once, wherever he is.
    page.get_by_test_id("user-jberg").click()
    page.get_by_test_id("user-lock").click()
    expect(page.get_by_test_id("users")).to_contain_text("locked by an administrator")
    expect(jonas.get_by_test_id("login")).to_be_visible()
    page.get_by_test_id("user-jberg").click()
    page.get_by_test_id("user-lock").click()
    expect(page.get_by_test_id("users")).not_to_contain_text("locked by an administrator")
    jonas.context.close()


def test_a_wall_gets_its_link_and_loses_it(house: Served, page: Page, chrome) -> None:
    go(page, house, "tokens")
    page.get_by_test_id("token-add").click()
    page.get_by_test_id("token-name").fill("Wall 6A")
    page.get_by_test_id("wards").fill("6A")
    page.get_by_test_id("token-save").click()
    secret = page.get_by_test_id("secret-0").inner_text()
    assert secret.startswith("ward_")
    page.get_by_test_id("secret-close").click()
    row = page.get_by_test_id("token-Wall 6A")
    row.get_by_test_id("token-link").click()
    link = page.get_by_test_id("secret-0").inner_text()
    page.get_by_test_id("secret-close").click()
    assert secret not in page.content()
    wall = chrome.new_context().new_page()
    wall.goto(link)
    expect(wall.get_by_test_id("read-only")).to_be_visible()
    picture(page, "tokens")
    row.get_by_test_id("token-revoke").click()
    page.get_by_test_id("ask-yes").click()
    expect(row).to_contain_text("revoked")
    expect(wall.get_by_test_id("login")).to_be_visible()
    wall.context.close()


def test_a_device_gets_a_credential_shown_once(house: Served, page: Page) -> None:
    go(page, house, "devices")
    page.get_by_test_id("credential-add").click()
    page.get_by_test_id("credential-user").fill("6A/mon-1")
    page.get_by_test_id("credential-save").click()
    password = page.get_by_test_id("secret-0").inner_text()
    expect(page.get_by_test_id("secret")).to_contain_text("mosquitto_pub")
    page.get_by_test_id("secret-close").click()
    expect(page.get_by_test_id("credential-6A/mon-1")).to_be_visible()
    assert password not in page.content()
    picture(page, "devices")


def test_a_plan_is_seen_rehearsed_and_changed(house: Served, page: Page) -> None:
    go(page, house, "wards")
    expect(page.get_by_test_id("ward-6A")).to_be_visible()
    picture(page, "wards")
    page.get_by_test_id("plan-of-6A").click()
    expect(page.get_by_test_id("plan-steps")).to_contain_text("03:12")
    text = page.get_by_test_id("plan-text")
    text.fill(
        'timezone = "UTC"\n\n[[person]]\nid = "ada"\nname = "Ada Berg"\n\n[[route]]\n'
        '[[route.level]]\ntell = ["ada"]\n[[route.level]]\nafter = "0s"\ntell = ["everybody"]\n'
    )
    page.get_by_test_id("plan-check").click()
    expect(page.get_by_test_id("plan-wrong")).to_contain_text("Line 11")
    expect(page.get_by_test_id("plan-save")).to_be_disabled()
    picture(page, "plan-wrong")
    text.fill(text.input_value().replace('"0s"', '"3m"'))
    page.get_by_test_id("plan-check").click()
    expect(page.get_by_test_id("plan-good")).to_be_visible()
    expect(page.get_by_test_id("plan-steps")).to_contain_text("Ada Berg")
    expect(page.get_by_test_id("plan-steps")).to_contain_text("after 3 min")
    page.get_by_test_id("plan-save").click()
    expect(page.get_by_test_id("plan-version")).to_contain_text("version 1, by Eva Frei")
    picture(page, "plan")


def test_an_address_of_no_page_says_so_and_leads_to_the_board(house: Served, page: Page) -> None:
    page.goto(f"{house.url}/#/wards-of-yore")
    expect(page.get_by_test_id("no-such-page")).to_be_visible()
    page.get_by_test_id("no-such-page").get_by_role("link").click()
    expect(page.get_by_test_id("no-such-page")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"#/$"))


def test_the_trail_tells_who_did_it_and_holds(house: Served, page: Page) -> None:
    go(page, house, "audit")
    page.get_by_test_id("audit-action").fill("plans-put")
    page.get_by_test_id("audit-search").click()
    expect(page.get_by_test_id("audit-lines").locator("tbody tr")).to_have_count(2)
    expect(page.get_by_test_id("audit-lines")).to_contain_text("Eva Frei")
    page.get_by_test_id("audit-verify").click()
    expect(page.get_by_test_id("audit-verdict")).to_have_attribute("data-holds", "true")
    picture(page, "audit")
    page.reload()
    expect(page.get_by_test_id("audit-lines").locator("tbody tr").first).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/audit" in request.url else None)
    page.wait_for_timeout(1_500)
    assert asked == []  # it asks when it is told to, and no more
    house.command("backup", str(house.folder / "b"), "--unencrypted")
    go(page, house, "health")
    expect(page.get_by_test_id("backup")).to_contain_text("MB")
    expect(page.get_by_test_id("backup")).not_to_contain_text("none")
