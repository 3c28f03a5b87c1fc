"""The dashboard as a channel, in a real browser: an open page has told it, an empty room was not told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.brokers import mosquitto_at, until
from tests.browsers import browser as chromium_alone
from tests.e2e.served import served, wait_for
from tests.notify.test_end_to_end import Patient
from tests.ports import free_port

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


@pytest.fixture
def browser():
    with chromium_alone() as made:
        yield made


def opened(browser: Any, url: str, token: str) -> Any:
    page = browser.new_context().new_page()
    headers = {"X-Ward-Request": "1"}
    answer = page.request.post(f"{url}/api/v1/session", data={"token": token}, headers=headers)
    assert answer.ok, answer.text()
    page.goto(f"{url}/")
    return page


def test_an_open_page_has_told_it_and_an_empty_room_was_not_told(tmp_path: Path, browser: Any):
    port = free_port()
    channels = tmp_path / "channels.toml"
    channels.write_text('[dashboard]\ngive_up = "5s"\n')
    channels.chmod(0o600)
    with (
        mosquitto_at(port, "allow_anonymous true"),
        served(tmp_path, f"mqtt://127.0.0.1:{port}", CHANNELS_FILE=channels) as ward,
    ):
        token = ward.token()
        ward.start()
        api = ward.client(token)
        page = opened(browser, ward.url, token)
        body = {"patient_ref": "p1", "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        api.post("/stays", json=body)
        expect(page.get_by_test_id("bed-1")).to_be_visible()

        def told(state: str, bed: str) -> Any:
            """The first delivery of the high alert of a bed, once it is in that state."""

            def found(answer: dict[str, Any]) -> list[dict[str, Any]]:
                mine = [a for a in answer["items"] if a["bed"] == bed and a["rule"] == "spo2-low"]
                if not mine:
                    return []
                shown = api.get(f"/alerts/{mine[0]['id']}").json()["deliveries"]
                return [one for one in shown if one["reason"] == "first" and one["state"] == state]

            return found(wait_for(api, "/alerts", found))[0]

        patient = Patient(port, spo2=80.0)
        patient.start()
        shown = told("sent", "1")
        assert shown["shown_by"] == "admin-test"
        assert shown["signal_delay_s"] < 8
        expect(page.get_by_test_id("undelivered")).to_have_count(0)

        api.post("/channels/test", json={"ward": "w"})
        page.get_by_test_id("test-seen").click()
        expect(page.get_by_test_id("test-alert")).to_have_count(0)
        (test,) = api.get("/channels/tests").json()["items"]
        assert (test["state"], test["seen_by"]) == ("sent", "admin-test")

        page.goto(f"{ward.url}/#/devices")  # whoever looks at this sees no bed
        expect(page.get_by_test_id("to-board")).to_be_visible()
        api.post("/stays", json=body | {"bed": "2", "devices": ["two"]})
        other = Patient(port, "two", spo2=80.0)
        other.start()
        failed = told("failed", "2")
        assert failed["error"] == "no dashboard has said that it shows it"
        page.goto(f"{ward.url}/#/")
        expect(page.get_by_test_id("bed-2").get_by_test_id("undelivered")).to_be_visible()
        page.get_by_test_id("bed-2").get_by_role("link").click()
        expect(page.locator("[data-testid^=told-] [data-state=failed]").first).to_be_visible()
        patient.end()
        other.end()
        page.context.close()
        until(lambda: ward.stop() == 0)
