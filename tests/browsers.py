"""The Chromium that browser tests share, and how a person logs in there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import DEADLINE_S
from tests.e2e.served import PASSWORD, Served
from tests.parts import chromium

ALONE = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")


OPEN: list[Any] = []
"""The browsers that run."""


@contextmanager
def browser(*more: str) -> Iterator[Any]:
    """Started with ``more`` arguments, too. What is expected of a page may take until ``DEADLINE_S``; who
    asserts less says how long. Skips where there is no Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright.expect.set_options(timeout=DEADLINE_S * 1000)
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=chromium(), args=[*ALONE, *more])
        OPEN.append(made)
        yield made
        OPEN.remove(made)
        made.close()


def shown() -> Iterator[tuple[str, str]]:
    """What a person sees on each open page, for who reads of a test that failed: its address, its words."""
    for page in [page for made in OPEN for context in made.contexts for page in context.pages]:
        try:
            words = page.locator("body").inner_text(timeout=2_000)
        except Exception as error:  # a page that does not answer is told as that
            words = str(error)
        yield page.url, words


def logged_in(chrome: Any, house: Served, login: str, size: tuple[int, int] = (1366, 768)) -> Any:
    """A page of a person at a screen of this size, in px; ``problems``: errors of the page since."""
    width, height = size
    context = chrome.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", has_touch=width < 1000
    )
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(house.url)
    page.get_by_test_id("login-name").fill(login)
    page.get_by_test_id("login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    page.get_by_test_id("menu").wait_for()
    return page


def picture(page: Any, name: str) -> None:
    """For the documentation, where WARD_TEST_PICTURES names a folder."""
    if folder := os.environ.get("WARD_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def watch_life(page: Any) -> None:
    """From now on the page itself notes when it first says that it is not live, without a driver's delay."""
    page.evaluate(
        """() => new MutationObserver(() => {
          if (document.querySelector('[data-testid=not-live]')) window.notLiveAt ??= Date.now();
        }).observe(document.body, { subtree: true, childList: true })"""
    )


def not_live_after(page: Any, begun: float) -> float:
    """How many seconds after ``begun`` (as ``time.time`` has it) a page that is watched said so."""
    page.get_by_test_id("not-live").wait_for()
    return float(page.evaluate("window.notLiveAt")) / 1000 - begun
