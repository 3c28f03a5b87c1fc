"""The page with the figures names commands that exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from tests.faults.__main__ import arguments
from tests.faults.faults import ALL

PAGE = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
COMMANDS = sorted(set(re.findall(r"python -m ([a-z_.]+)((?: [^`|\n]*)?)", PAGE)))


def test_there_are_commands():
    assert len(COMMANDS) > 5


@pytest.mark.parametrize(("module", "rest"), COMMANDS, ids=[f"{m}{r}" for m, r in COMMANDS])
def test_each_command_exists_and_takes_its_options(module, rest):
    assert importlib.util.find_spec(module) is not None
    if module == "tests.faults":
        arguments().parse_args(shlex.split(rest))


def test_every_fault_is_on_the_page():
    named = {shlex.split(rest)[0] for module, rest in COMMANDS if module == "tests.faults" and rest.strip()}
    assert {fault.name for fault in ALL} - {"none"} <= named
