"""What the browser tests share: one Chromium a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.parts import chromium


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        yield made
        made.close()
