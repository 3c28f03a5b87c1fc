"""`ward --help` is quick because it imports next to nothing: that is held, not the seconds it takes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LOADED = """
import json, sys
import typer
sys.argv[0] = "ward"
from ward.cli import app
try:
    app()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)))
"""
HEAVY = """
alembic apprise authlib fastapi fpdf httpx iotcore msgspec numpy paho prometheus_client psycopg pwdlib pyrage
scipy sklearn skops sqlalchemy starlette structlog uvicorn
"""
OWN = ("ward.cli", "ward.errors")
"""Of ward itself: the commands, and what they say when something is wrong."""


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (["--help"], {"pydantic"}),
        (["--version"], set()),  # typer itself reads options with pydantic where that is installed
        (["serve", "--help"], set()),
        (["token", "--help"], set()),
    ],
)
def test_help_imports_no_library_and_nothing_of_ward_but_its_commands(arguments, also):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    assert "ward.cli" in modules
    assert not {name.split(".")[0] for name in modules} & {*HEAVY.split(), *also}
    ward = [name for name in modules if name.startswith("ward.")]
    assert not [name for name in ward if not name.startswith(OWN)]
