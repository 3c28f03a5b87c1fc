"""The walls of the house, checked by walking the imports: what a room may know of, and how big a file is.

The rule is one of allowed modules, not of forbidden ones: a new import is a decision.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 450
"""Lines. A file that needs more holds two concepts."""

VALUES = frozenset(
    """__future__ abc array bisect collections dataclasses decimal enum fractions functools heapq itertools
    math operator re statistics string struct types typing typing_extensions""".split()  # noqa: SIM905
)
"""Standard modules that only compute: no clock, file, socket, process or thread behind them."""
WORDS = frozenset({"ward", "ward.signals", "ward.language", "ward.errors"})
"""What every room may use: the vocabulary, the errors (and the package's own name and version)."""
ISO = frozenset({"ward.clock.iso"})
"""Renders a time; reads no clock."""
ZONES = frozenset({"ward.zones"})
"""What a ward's clock shows at a given instant: tables; asks no clock either."""


@dataclass(frozen=True)
class Room:
    """``outside``: standard and third-party modules (None: any); ``inside``: modules of ours."""

    outside: frozenset[str] | None
    inside: frozenset[str]


PURE = VALUES | {"numpy"}
OFFLINE = frozenset({"ward.lifetime", "ward.replay", "ward.replay_files", "ward.models"})
"""What takes recordings through the engine."""
MIDDLE = WORDS | {
    "ward.clock",
    "ward.partitions",
    "ward.scoring",
    "ward.alerts",
    "ward.ingest",
    "ward.store",
}
ROOMS = {
    "ward/signals.py": Room(VALUES, frozenset()),
    "ward/language.py": Room(VALUES, WORDS),
    "ward/partitions.py": Room(VALUES, WORDS),
    "ward/zones.py": Room(VALUES | {"datetime", "zoneinfo"}, WORDS),
    "ward/scoring": Room(PURE | {"sklearn"}, WORDS | {"ward.scoring"}),
    # Packs are files that a person writes; they, and nothing else, are read.
    "ward/alerts": Room(
        PURE | {"hashlib", "importlib", "json", "msgspec", "pathlib", "tomllib", "uuid"},
        WORDS | ISO | ZONES | {"ward.scoring", "ward.alerts"},
    ),
    "ward/ingest": Room(None, MIDDLE),
    "ward/store": Room(None, MIDDLE),
    "ward/notify": Room(None, MIDDLE | {"ward.notify"}),
    "ward/protection": Room(None, MIDDLE | {"ward.protection"}),
    "ward/trial": Room(None, MIDDLE | OFFLINE | ZONES | {"ward.trial", "ward.live.history"}),
    **{
        f"ward/trial/{name}.py": Room(
            PURE, WORDS | ZONES | {"ward.scoring", "ward.alerts", "ward.trial", "ward.lifetime"}
        )
        for name in (
            "candidates",
            "sweep",
            "events",
            "outcome",
            "interruptions",
            "suggest",
            "answer",
            "detail",
            "run",
        )
    },
    "ward/reports": Room(None, MIDDLE | ZONES | {"ward.reports"}),
    "ward/web": Room(None, MIDDLE | {"ward.config", "ward.protection", "ward.reports", "ward.web"}),
}


def imported(source: str) -> list[tuple[int, str]]:
    """(line, name) of each import, wherever it stands; ``from a import b`` gives ``a.b``."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            found.append((node.lineno, "__import__"))
    return found


def within(name: str, allowed: frozenset[str]) -> bool:
    """Whether ``name`` is one of ``allowed`` or below it; ``ward`` alone allows only its version."""
    if name == "ward.__version__":
        return "ward" in allowed
    return any(name == each or (each != "ward" and name.startswith(f"{each}.")) for each in allowed)


def trespasses(source: str, room: Room) -> list[str]:
    """Every import of a source text that its room may not make, as 'line: name'."""
    bad = []
    for line, name in imported(source):
        top = name.split(".", 1)[0]
        if top in ("ward", "simulator"):
            ok = within(name, room.inside)
        elif name.startswith("."):
            ok = False  # says nothing about where it leads
        else:
            ok = room.outside is None or top in room.outside
        if not ok:
            bad.append(f"{line}: {name}")
    return bad


CLOCKS_AND_FILES = {"open", "input", "print", "exec", "eval", "breakpoint"}
READS_FILES = {"load", "loadtxt", "genfromtxt", "fromfile", "memmap", "save", "savetxt", "savez", "tofile"}


def calls_outside(source: str) -> list[str]:
    """Builtins and numpy functions that reach a file or a terminal, as 'line: name'."""
    bad = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id in CLOCKS_AND_FILES:
            bad.append(f"{node.lineno}: {function.id}")
        if (
            isinstance(function, ast.Attribute)
            and function.attr in READS_FILES
            and isinstance(function.value, ast.Name)
            and function.value.id == "np"
        ):
            bad.append(f"{node.lineno}: np.{function.attr}")
        if isinstance(function, ast.Attribute) and "random" in ast.unparse(function).split("."):
            bad.append(f"{node.lineno}: {ast.unparse(function)}")
    return bad


def files_of(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("place", ROOMS)
def test_a_room_imports_only_what_it_may_know_of(place):
    files = files_of(place)
    assert files, f"{place} has no source file"
    bad = [f"{f.relative_to(ROOT)}:{x}" for f in files for x in trespasses(f.read_text(), ROOMS[place])]
    assert not bad, bad


def test_scoring_is_pure():
    """Nothing in scoring reads a clock, a socket, a file, a database or chance."""
    bad = [
        f"{f.relative_to(ROOT)}:{x}" for f in files_of("ward/scoring") for x in calls_outside(f.read_text())
    ]
    assert not bad, bad


def test_zones_ask_no_clock():
    called = {ast.unparse(n.func) for n in ast.walk(ast.parse((ROOT / "ward/zones.py").read_text()))
              if isinstance(n, ast.Call)}  # fmt: skip
    assert not [name for name in called if name.rpartition(".")[2] in ("now", "today", "utcnow")]
    assert "datetime.fromtimestamp" in called


@pytest.mark.parametrize("place", ["ward/scoring", "ward/alerts"])
@pytest.mark.parametrize(
    "line",
    [
        "import time",
        "from time import time",
        "from datetime import datetime",
        "import os.path",
        "def f():\n    import socket",
        "import sqlalchemy as sa",
        "import paho.mqtt.client",
        "from fastapi import APIRouter",
        "from ward import store",
        "from ward.store import tables",
        "import ward.web.hub",
        "from ward.clock import WallClock",
        "from ward.clock import wall_ms",
        "from ..store import tables",
        "import simulator",
        "x = __import__('os')",
    ],
)
def test_the_wall_stops(place, line):
    assert trespasses(line, ROOMS[place])


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np",
        "from ward.signals import SIGNALS",
        "from ward.scoring.rules import Rule",
        "import math",
    ],
)
def test_the_wall_has_doors(line):
    assert not trespasses(line, ROOMS["ward/scoring"])


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("ward/scoring", "from ward.alerts import book"),
        ("ward/store", "from ward.web import hub"),
        ("ward/ingest", "import ward.web"),
        ("ward/web", "from ward import service"),
        ("ward/web", "import ward.cli"),
        ("ward/ingest", "from simulator import patients"),
    ],
)
def test_a_room_knows_only_those_before_it(place, line):
    assert trespasses(line, ROOMS[place])


@pytest.mark.parametrize(
    "line", ["open('x')", "np.load('x')", "np.random.rand()", "numpy.random.default_rng()", "print(1)"]
)
def test_impure_calls_are_seen(line):
    assert calls_outside(line)


def test_no_file_is_long():
    sources = [
        path
        for folder in ("ward", "simulator", "tests", "benchmarks", "models")
        for ending in ("*.py", "*.ts", "*.svelte", "*.mjs")
        for path in (ROOT / folder).rglob(ending)
        if not {"node_modules", "ui_dist", "api-types.ts"}.intersection(path.parts)
    ]
    assert len(sources) > 20
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert not long, long
