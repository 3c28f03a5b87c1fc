"""The dashboard for who hears it, who uses the keyboard, and who has gloves on: every page in a real browser,
by night and day, in every language (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.test_browser import Demo
from tests.parts import chromium

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Page = playwright.Page

UI: Final = Path(__file__).parents[2] / "ward/web/ui"
AXE: Final = UI / "node_modules/axe-core/axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WALKS: Final = (("en", "dark"), ("da", "dark"), ("da", "light"), ("nb", "light"))
"""Language and theme: what axe finds in the one hardly depends on the other."""
LEAST_PX: Final = 48
TARGETS: Final = """(least) => {
  const tapped = "button, select, summary, input:not([type=hidden]), a[href]";
  const boxes = "[type=checkbox], [type=radio]";
  const excepted = ".skip, p a, td a, th a, li a:only-child";
  const small = ({ width, height }) => width && (height < least - 0.5 || width < least - 0.5);
  return [...document.querySelectorAll(tapped)]
    .map((element) => (element.matches(boxes) ? element.closest("label") : null) ?? element)
    .filter((element) => element.checkVisibility({ checkVisibilityCSS: true }) && !element.matches(excepted))
    .filter((element) => getComputedStyle(element, "::after").position !== "absolute")
    .map((element) => [element.dataset.testid ?? element.textContent.trim(), element.getBoundingClientRect()])
    .filter(([, box]) => small(box))
    .map(([name, { width, height }]) => `${name}: ${Math.round(width)} x ${Math.round(height)}`);
}"""
"""What is too small to be hit with gloves. Links within a sentence or a table's cell are as WCAG 2.5.8 lets
them be; a bed's name is a link that fills its card."""
AXED: Final = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values: rules } });
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, where: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
  }));
}"""
SLID: Final = (
    "() => document.getAnimations().every((one) => one.effect.getComputedTiming().endTime === Infinity)"
)
LOADING: Final = "() => !/(Loading|Henter)…/.test(document.querySelector('main').innerText)"
SIDEWAYS: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUS: Final = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const outline = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
  const bed = element.closest("[data-testid^=bed-]")?.dataset.testid;
  return { tag: element.tagName, outline, width: element.getBoundingClientRect().width, bed };
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if chromium() is None or not AXE.is_file():
        pytest.skip("needs Chromium (apt-get install chromium) and axe (npm ci in ward/web/ui)")
    made = Demo(tmp_path_factory.mktemp("accessible"), "--beds", "6")
    yield made
    if not made.is_gone():
        made.signal(9)
        made.process.wait(10)


@pytest.fixture(scope="module")
def page(demo: Demo, chrome: Any) -> Iterator[Page]:
    """A laptop; axe may be put into the page, which the policy of the page itself forbids."""
    context = chrome.new_context(bypass_csp=True, viewport={"width": 1366, "height": 768})
    made = context.new_page()
    made.goto(demo.link)
    expect(made.locator("[data-testid^=bed-]")).to_have_count(6)
    made.add_script_tag(path=AXE)
    yield made
    context.close()


@pytest.fixture(scope="module")
def places(page: Page) -> list[str]:
    """The hash of every page there is."""
    stay = page.evaluate("fetch('/api/v1/stays').then((r) => r.json()).then((list) => list.items[0].id)")
    ward = page.evaluate("fetch('/api/v1/stays').then((r) => r.json()).then((list) => list.items[0].ward)")
    names = re.findall(r"^  \"?([\w-]+)\"?: \{ load", (UI / "src/pages.ts").read_text(), re.MULTILINE)
    assert len(names) >= 3
    about = {"stay": f"stay/{stay}", "plan": f"plan/{ward}"}
    return ["", *(about.get(name, name) for name in names)]


def open_place(page: Page, place: str) -> None:
    page.evaluate("(place) => { location.hash = `#/${place}`; }", place)
    expect(page.locator("main h1").first).to_be_attached()
    page.wait_for_function(LOADING)


def speak(page: Page, language: str) -> None:
    page.get_by_test_id("account").click()
    page.get_by_test_id(f"language-{language}").click()
    page.wait_for_function("(it) => document.documentElement.lang === it", arg=language)  # it is fetched
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("account-sheet")).to_have_count(0)


def paint(page: Page, theme: str) -> None:
    if page.evaluate("document.documentElement.dataset.theme") != theme:
        page.get_by_test_id("theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)


def violations(page: Page) -> list[str]:
    page.emulate_media(reduced_motion="reduce")  # a card that slides lies on others for a moment
    page.wait_for_function(SLID)
    found = page.evaluate(AXED, RULES)
    page.emulate_media(reduced_motion="no-preference")
    return [f"{one['id']}: {one['where']}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("language", "theme"), WALKS)
def test_axe_finds_nothing_serious_on_any_page(
    page: Page, places: list[str], language: str, theme: str
) -> None:
    speak(page, language)
    paint(page, theme)
    wrong = {}
    for place in places:
        open_place(page, place)
        if found := violations(page):
            wrong[place] = found
    assert wrong == {}


def test_the_log_in_page_speaks_every_language(page: Page) -> None:
    context = page.context.browser.new_context(bypass_csp=True, locale="nb-NO")
    guest = context.new_page()
    guest.goto(page.url.split("#")[0])
    expect(guest.get_by_test_id("login-submit")).to_have_text("Logg inn")
    guest.add_script_tag(path=AXE)
    for language, words in (("da", "Log ind"), ("en", "Log in"), ("nb", "Logg inn")):
        guest.get_by_test_id(f"language-{language}").click()
        expect(guest.get_by_test_id("login-submit")).to_have_text(words)
        assert violations(guest) == []
        assert guest.evaluate(TARGETS, LEAST_PX) == []
    guest.goto(f"{page.url.split('#')[0]}?lang=da")
    expect(guest.locator("html")).to_have_attribute("lang", "da")
    guest.goto(page.url.split("#")[0])
    expect(guest.get_by_test_id("login-submit")).to_have_text("Log ind"), "it is remembered"
    context.close()


def test_sheets_are_accessible_too(page: Page) -> None:
    """Also the one that asks what an alert is."""
    open_place(page, "")
    expect(page.get_by_test_id("shelve").first).to_be_visible(timeout=60_000)
    page.get_by_test_id("shelve").first.click()
    openers = {"menu": "menu-sheet", "account": "account-sheet"}
    for opener, sheet in {"": "sheet", **openers}.items():
        if opener:
            page.get_by_test_id(opener).click()
        expect(page.get_by_test_id(sheet)).to_be_visible()
        assert violations(page) == []
        assert page.evaluate(TARGETS, LEAST_PX) == []
        page.keyboard.press("Escape")
        expect(page.get_by_test_id(sheet)).not_to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_whatever_is_tapped_is_large_enough_for_a_glove(
    page: Page, places: list[str], width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    small = {}
    for place in places:
        open_place(page, place)
        if found := page.evaluate(TARGETS, LEAST_PX):
            small[place] = found
    page.set_viewport_size({"width": 1366, "height": 768})
    assert small == {}


@pytest.mark.parametrize("tongue", ["da", "en", "nb"])
def test_no_page_scrolls_sideways_on_a_small_phone(page: Page, places: list[str], tongue: str) -> None:
    speak(page, tongue)
    page.set_viewport_size({"width": 360, "height": 780})
    wide = {}
    for place in places:
        open_place(page, place)
        if (over := page.evaluate(SIDEWAYS)) > 0:
            wide[place] = over
    page.set_viewport_size({"width": 1366, "height": 768})
    assert wide == {}


def test_the_keyboard_goes_where_the_eye_goes(page: Page) -> None:
    """From the top: skip link, then the beds, with what holds the focus always visible."""
    open_place(page, "")
    page.reload()
    expect(page.locator("[data-testid^=bed-]")).to_have_count(6)
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("skip")).to_be_focused()
    box = page.get_by_test_id("skip").bounding_box()
    assert box
    assert (box["x"] >= 0, box["height"] >= LEAST_PX) == (True, True)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(10):
        page.locator("main").focus()
        before, reached, after = in_order(page), walk(page), in_order(page)
        if before == after:  # a card that moves takes the focus along, or away
            break
    assert before == after, "the board never stood still"
    assert reached == before, "every bed can be reached, in the order in which they stand"


def in_order(page: Page) -> list[str]:
    found = page.locator("[data-testid^=bed-]").evaluate_all("(all) => all.map((e) => e.dataset.testid)")
    return [str(bed) for bed in found]


def walk(page: Page) -> list[str]:
    """The beds that Tab reaches from here to the end; whatever has the focus is seen to have it."""
    beds: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["tag"] == "BODY":  # past the last
            break
        assert focus["outline"] >= 2, focus
        assert focus["width"] > 0, focus
        if focus["bed"] and focus["bed"] not in beds[-1:]:
            beds.append(focus["bed"])
    return beds


def test_closing_a_sheet_gives_the_keyboard_back(page: Page) -> None:
    open_place(page, "")
    for opener, sheet in (("account", "account-sheet"), ("menu", "menu-sheet")):
        page.get_by_test_id(opener).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_test_id(sheet)).to_be_visible()
        page.wait_for_function("document.activeElement.closest('dialog') !== null")
        page.get_by_test_id(sheet).locator("button").last.click()
        expect(page.get_by_test_id(sheet)).to_have_count(0)
        expect(page.get_by_test_id(opener)).to_be_focused()


def test_another_page_is_told_to_who_does_not_see_it(page: Page) -> None:
    open_place(page, "")
    bed = page.locator("[data-testid^=bed-]").first.get_attribute("data-testid")
    page.get_by_test_id(bed).locator("a.bed").press("Enter")
    expect(page.get_by_test_id("trends")).to_be_visible()
    expect(page.locator("main")).to_be_focused()
    page.get_by_test_id("to-board").click()


def test_a_new_alert_is_spoken_in_the_chosen_language(page: Page) -> None:
    speak(page, "nb")
    open_place(page, "")
    spoken = page.get_by_test_id("spoken")
    expect(spoken).to_have_attribute("aria-live", "assertive")
    expect(page.get_by_test_id("spoken-technical")).to_have_attribute("aria-live", "polite")
    said = re.compile(r"^(Høy|Middels|Lav): Seng \S+, .* i \d+ (min|s)")
    expect(spoken).to_have_text(said, timeout=90_000)


def test_nothing_moves_where_the_system_asks_for_rest(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    rests = "document.querySelector('.flash-high, .flash-medium') && document.getAnimations().length === 0"
    page.wait_for_function(rests, timeout=60_000)
    page.emulate_media(reduced_motion="no-preference")
