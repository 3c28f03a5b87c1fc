"""Every control of a hazard names tests that exist, and every hazard that was asked for is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "safety.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/.-]+\.(?:py|test\.ts))::([^`]+)`", PAGE)))
HAZARDS = {
    "Missed alert", "Late alert", "Wrong patient", "Stale display", "Alarm flood", "Silent failure",
    "False reassurance", "Wrong threshold", "Wrong clock", "Unauthorised silencing",
}  # fmt: skip


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{file}-{name[:40]}" for file, name in NAMED])
def test_a_test_that_covers_a_control_exists(file: str, name: str) -> None:
    if file.endswith(".ts"):
        text = (ROOT / "ward" / "web" / "ui" / "tests" / file).read_text()
        assert f'it("{name}"' in text
        return
    tree = ast.parse((ROOT / "tests" / file).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in functions


def test_every_hazard_has_its_controls_and_says_what_remains() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    titles = {section.split(" (")[0] for section in sections}
    assert titles == HAZARDS
    for section in sections:
        rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
        assert len(rows) >= 4, section[:40]
        assert all(re.search(r"`[\w/.-]+::[^`]+`", row) for row in rows), section[:40]
        assert "*Remains:*" in section


def test_there_are_enough_to_mean_something() -> None:
    assert len(NAMED) > 60
