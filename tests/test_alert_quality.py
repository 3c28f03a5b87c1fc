"""docs/alert-quality.md says what docs/alert-quality.json holds, and every picture it shows is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ward.evaluation.plots import LARGEST
from ward.evaluation.report import PARTS

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "alert-quality.md").read_text()
REPORT = json.loads((DOCS / "alert-quality.json").read_text())


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        yield len(value)
        for each in value:
            yield from leaves(each)
    else:
        yield value


FOUND = list(leaves(REPORT))
NUMBERS = np.array([float(x) for x in FOUND if isinstance(x, int | float) and not isinstance(x, bool)])
NUMBER = r"(?<![\w.])\d[\d,]*(?:\.\d+)?%?(?!\w)"
WORDS = {token.rstrip(",") for x in FOUND if isinstance(x, str) for token in re.findall(NUMBER, x)}


def stands_in_the_data(token: str) -> bool:
    """A number as printed: a figure, rounded (a share as a percentage), or one in a text of the data."""
    if token in WORDS:
        return True
    printed = token.rstrip("%").replace(",", "")
    value, decimals = float(printed), len(printed.partition(".")[2])
    near = 0.5 * 10.0**-decimals + 1e-9
    scales = (100.0,) if token.endswith("%") else (1.0, 100.0)
    return any(bool((np.abs(np.abs(NUMBERS) * scale - value) <= near).any()) for scale in scales)


def tables() -> Iterator[list[str]]:
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        yield block.splitlines()


def rows() -> list[str]:
    """Of every table of figures; not of the one that says where the detectors' parameters come from."""
    lines = [line for table in tables() if "evidence" not in table[0] for line in table]
    return [re.sub(r"`[^`]*`|\b\d+:\d\d\b", " ", line) for line in lines]


def test_every_number_of_every_table_is_in_the_data():
    missing = {
        (row[:60], token)
        for row in rows()
        for token in re.findall(NUMBER, row)
        if not stands_in_the_data(token.rstrip(","))
    }
    assert not missing


def test_every_picture_is_there_and_small_and_none_is_left_over():
    shown = re.findall(r"\]\((images/alert-quality/[^)]+)\)", TEXT)
    there = {f"images/alert-quality/{path.name}" for path in (DOCS / "images" / "alert-quality").iterdir()}
    assert set(shown) == there
    assert all((DOCS / name).stat().st_size <= LARGEST for name in shown)


def test_every_part_was_made_in_full_and_says_when_and_with_what_seed():
    assert {"packs", "episodes"} <= set(REPORT["parts"]) <= set(PARTS)
    for part in REPORT["parts"].values():
        made = part["made"]
        assert made["quick"] is False
        assert f"*{made['date']}, seed {made['seed']}, {made['seconds']} s*" in TEXT


@pytest.mark.parametrize(
    "target", [g for p in REPORT["parts"].values() for g in p["figures"].get("targets", ())]
)
def test_a_missed_target_says_why(target):
    assert target["met"] or target["why"]
    assert f"| {target['what']} | {target['target']} | {target['found']} |" in TEXT
