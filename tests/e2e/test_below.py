"""The dashboard in a real browser below a sub-path, whether its proxy takes that off or leaves it."""

from __future__ import annotations

import re
import threading

import pytest

from tests.brokers import broker_port  # noqa: F401
from tests.e2e.served import served
from tests.parts import chromium
from tests.web.test_subpath import proxy

playwright = pytest.importorskip("playwright.sync_api")


@pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("broker_port", ["embedded"], indirect=True)
def test_the_board_below_a_sub_path(tmp_path, broker_port, chrome):  # noqa: F811
    settings = {"ROOT_PATH": "/ward", "TRUSTED_PROXIES": ""}
    with served(tmp_path, f"mqtt://127.0.0.1:{broker_port}", **settings) as ward:
        token = ward.token()
        screen = ward.token("kiosk", "6A")
        ward.start()
        api = ward.client(token)
        body = {"patient_ref": "p1", "ward": "6A", "bed": "1", "devices": [], "flags": []}
        assert api.post("/stays", json=body).status_code == 201
        assert screen.startswith("ward_")
        (listed,) = (one for one in api.get("/tokens").json()["items"] if one["role"] == "kiosk")
        for strip in (True, False):
            link = api.post(f"/tokens/{listed['id']}/link").json()["path"]
            front = proxy(ward.url, strip=strip)
            thread = threading.Thread(target=front.serve_forever, args=(0.05,))
            thread.start()
            base = f"http://127.0.0.1:{front.server_address[1]}/ward/"
            context = chrome.new_context()
            try:
                page = context.new_page()
                asked: list[str] = []
                problems: list[str] = []
                page.on("request", lambda request, to=asked: to.append(request.url))
                page.on("pageerror", lambda error, to=problems: to.append(str(error)))
                page.goto(base + link)
                board = page.get_by_test_id("board")
                playwright.expect(board).to_be_visible()
                playwright.expect(page.locator("[data-testid^=bed-]")).to_have_count(1)
                assert problems == []
                assert any("/api/v1/events?" in url for url in asked)
                assert all(re.match(re.escape(base), url) for url in asked), asked
            finally:
                context.close()
                front.shutdown()
                thread.join()
                front.server_close()
        assert ward.stop() == 0
