"""Nothing lies on anything else: the board of 12, 24 and 48 beds, at every size, in every language."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.e2e.monitors import Monitors
from tests.e2e.served import Served, served_with_broker, wait_for
from ward.language import LANGUAGES

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

WARDS: Final = {"kirurgisk-6A": 12, "medicinsk-6B": 24, "intermediaer": 12}
SIZES: Final = ((1920, 1080), (1366, 768), (820, 1180), (390, 844))
KINDS: Final = (
    {"spo2": 80, "hr": 131, "rr": 31},
    {"rr": 26},
    {"hr": 72},
    {},
    {"spo2": 86, "hr": 88, "rr": 26},
    {"spo2": 97, "hr": 136, "rr": 14, "sbp": 88, "dbp": 50},
    {"spo2": 83, "hr": 128, "rr": 28},
)
"""Of the first beds of a ward: in need, saturation missing, silent, three in need; the others are calm."""
CALM: Final = {"spo2": 97, "hr": 72, "rr": 14, "temp": 36.8}
LOOK: Final = """() => {
  const text = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.parentElement;
      if (!node.data.trim() || !at.checkVisibility()) continue;
      if (at.closest('.visually-hidden, svg, option, .skip')) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      let { left, top, right, bottom } = range.getBoundingClientRect();
      for (let up = at; up !== root.parentElement; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (style.overflowX === 'visible') continue;
        const box = up.getBoundingClientRect();
        [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
        [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      }
      if (right - left < 1 || bottom - top < 1) continue;
      found.push({ words: node.data.trim(), left, top, right, bottom });
    }
    return found;
  };
  const SLACK = 3;  // px: a line box is higher than its letters
  const wrong = [];
  const roots = [...document.querySelectorAll('[data-testid^=bed-], header')];
  for (const root of roots) {
    const box = root.getBoundingClientRect();
    const name = root.dataset.testid ?? 'header';
    const all = text(root);
    for (const [i, one] of all.entries()) {
      const out = [box.left - one.left, one.right - box.right, one.bottom - box.bottom];
      if (Math.max(...out) > SLACK) wrong.push(`${name}: "${one.words}" sticks out`);
      for (const other of all.slice(i + 1)) {
        const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (wide > SLACK && high > SLACK) wrong.push(`${name}: "${one.words}" on "${other.words}"`);
      }
    }
  }
  const cards = [...document.querySelectorAll('article[data-testid^=bed-]')];
  const boxes = cards.map((card) => [card.dataset.testid, card.getBoundingClientRect()]);
  for (const [i, [name, one]] of boxes.entries()) {
    for (const [of, other] of boxes.slice(i + 1)) {
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 0.5 && high > 0.5) wrong.push(`${name} lies on ${of}`);
    }
  }
  const page = document.documentElement;
  const fits = document.querySelector('[data-testid=board]').dataset.fits === 'true';
  if (fits && page.scrollHeight > innerHeight + 1) wrong.push('it is said to fit and does not');
  if (page.scrollWidth > innerWidth) wrong.push('the page is wider than the screen');
  return [...new Set(wrong)];
}"""
"""What lies on something else or out of its card, of the words as they are drawn and of whole cards."""


def beds() -> Iterator[tuple[str, str, dict[str, float]]]:
    for ward, number in WARDS.items():
        for bed in range(1, number + 1):
            yield ward, str(bed), KINDS[bed - 1] if bed <= len(KINDS) else CALM


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, chrome: Any) -> Iterator[Served]:
    values = {f"{ward}/mon-{bed}": readings for ward, bed, readings in beds() if readings}
    with served_with_broker(tmp_path_factory.mktemp("layout")) as ward:
        ward.admin = ward.token()
        ward.start()
        api = ward.client(ward.admin)
        for name, bed, _ in beds():
            body: dict[str, Any] = {"patient_ref": f"{name}-{bed}", "ward": name, "bed": bed}
            body |= {"devices": [f"mon-{bed}"], "flags": ["copd", "spo2-scale-2"] if bed == "2" else []}
            assert api.post("/stays", json=body).status_code == 201
        with Monitors(ward.broker_port, values, every_s=1.0):
            wait_for(api, "/alerts?state=active", lambda found: len(found["items"]) >= 3 * len(WARDS))
            yield ward


@pytest.fixture(scope="module")
def page(house: Served, chrome: Any) -> Iterator[Page]:
    context = chrome.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    made = context.request.post(
        f"{house.url}/api/v1/session", data={"token": house.admin}, headers={"X-Ward-Request": "1"}
    )
    assert made.ok
    page = context.new_page()
    yield page
    context.close()


def settled(page: Page) -> list[str]:
    """What is wrong after the cards have found their size, which takes a busy machine longer."""
    page.wait_for_timeout(300)
    deadline = time.monotonic() + 10
    while (found := page.evaluate(LOOK)) and time.monotonic() < deadline:
        page.wait_for_timeout(300)
    return list(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_lie_on_others_or_out_of_their_card(house: Served, page: Page, language: str) -> None:
    page.goto(f"{house.url}/?lang={language}")
    expect(page.locator("[data-testid^=bed-]")).to_have_count(48)
    wrong = {}
    for ward, number in {"": 48, **WARDS}.items():
        page.get_by_test_id("ward-filter").select_option(ward)
        expect(page.locator("[data-testid^=bed-]")).to_have_count(number)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            if found := settled(page):
                wrong[f"{number} beds at {width} x {height}"] = found
    assert wrong == {}
