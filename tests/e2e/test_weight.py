"""What a screen has to fetch before its board is there."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

import ward

DIST = Path(ward.__file__).parent / "web" / "ui_dist"
MOST = 200_000
"""Bytes, compressed: a phone on a poor network has that in a second or two."""


def test_the_board_weighs_less_than_200_kb():
    if not (DIST / "index.html").exists():
        pytest.skip("needs the built dashboard: make demo, or npm run build in ward/web/ui")
    page = (DIST / "index.html").read_text()
    parts = set(re.findall(r'(?:src|href)="\./(assets/[^"]+\.(?:js|css))"', page))
    assert any(part.endswith(".js") for part in parts)
    assert any(part.endswith(".css") for part in parts)
    weights = {part: len(gzip.compress((DIST / part).read_bytes())) for part in parts}
    assert sum(weights.values()) < MOST, weights
    assert len(list((DIST / "assets").glob("*Page-*.js"))) > 5, (
        "pages beside the board come when they are opened"
    )
