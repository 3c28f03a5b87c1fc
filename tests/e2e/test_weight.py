"""What a screen has to fetch: before its board is there, and if somebody opens every page there is."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Final

import pytest

import ward
from ward.language import LANGUAGES

DIST: Final = Path(ward.__file__).parent / "web" / "ui_dist"
MOST: Final = 200_000
"""Bytes, compressed: a phone on a poor network has that in a second or two."""
MOST_AT_FIRST: Final = 140_000
LATER: Final = ("ShiftPage", "HandoverPage", "AdmitPage", "administration", "tuning")


@pytest.fixture(scope="module")
def weights() -> dict[str, int]:
    """Compressed bytes of each script and style sheet."""
    if not (DIST / "index.html").exists():
        pytest.skip("needs the built dashboard: make demo, or npm run build in ward/web/ui")
    files = [*DIST.glob("assets/*.js"), *DIST.glob("assets/*.css")]
    return {file.name: len(gzip.compress(file.read_bytes())) for file in files}


def words_of(weights: dict[str, int], language: str) -> str:
    (found,) = (name for name in weights if re.fullmatch(rf"{language}-.{{8}}\.js", name))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_board_in_one_language(weights: dict[str, int], language: str) -> None:
    page = (DIST / "index.html").read_text()
    parts = set(re.findall(r'(?:src|href)="\./assets/([^"]+\.(?:js|css))"', page))
    assert any(part.endswith(".js") for part in parts)
    assert any(part.endswith(".css") for part in parts)
    assert not [part for part in parts if part.startswith(LATER)], "come when somebody opens one of them"
    assert not parts & {words_of(weights, other) for other in LANGUAGES}, "words come when they are chosen"
    first = {part: weights[part] for part in {*parts, words_of(weights, language)}}
    assert sum(first.values()) < MOST_AT_FIRST, first


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_together_in_one_language(weights: dict[str, int], language: str) -> None:
    others = {words_of(weights, other) for other in LANGUAGES if other != language}
    assert {one for one in LATER if any(name.startswith(one) for name in weights)} == set(LATER)
    assert sum(weight for name, weight in weights.items() if name not in others) < MOST
