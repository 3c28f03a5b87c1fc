"""The whole suite: ``python -m benchmarks [PART …] [--quick]``, or ``make bench``.

Runs every part of ``benchmarks.suite.PARTS`` in a process of its own and writes docs/performance.md,
docs/performance.json and docs/images/performance/. Parts that were not asked for stay as they were.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.paper import NAME, Paper, draw, text
from benchmarks.suite import PARTS, Made, measured, run
from ward import __version__

DOCS: Final = Path(__file__).parent.parent / "docs"
LIBRARIES: Final = ("numpy", "paho-mqtt", "msgspec", "sqlalchemy", "fastapi", "uvicorn")


def machine() -> dict[str, str]:
    """What figures depend on, besides what is measured."""
    found = {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "ward": f"{__version__} ({_commit()})",
    }
    return found | {name: version(name) for name in LIBRARIES}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    """Of this clone; with a + where files differ from it."""
    asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        answer = subprocess.run(asked, cwd=DOCS, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no clone"
    return answer.stdout.strip()


def known(folder: Path) -> Paper | None:
    path = folder / f"{NAME}.json"
    return msgspec.json.decode(path.read_bytes(), type=Paper) if path.exists() else None


def write(paper: Paper, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw(paper, folder / "images" / NAME)
    encoded = msgspec.json.format(msgspec.json.encode(paper), indent=1)
    (folder / f"{NAME}.json").write_bytes(encoded + b"\n")
    (folder / f"{NAME}.md").write_text(text(paper), "utf-8")


def suite(names: list[str], *, quick: bool, folder: Path) -> Paper:
    """Runs these parts; what the folder holds of others stays."""
    begun, now = time.monotonic(), datetime.now(UTC)
    before = known(folder)
    made: dict[str, Made] = {one.name: one for one in before.parts} if before else {}
    asked = [entry for entry in PARTS if entry.name in names]
    for number, entry in enumerate(asked, 1):
        _say(f"[{number}/{len(asked)}] {entry.title}: at most about {entry.budget_s} s")
        made[entry.name] = run(entry, quick=quick, date=f"{now:%Y-%m-%d}", say=_say)
        if made[entry.name].part is None:
            _say(f"FAILED: {entry.name}: {made[entry.name].failure}")
        _say(f"{entry.name}: {made[entry.name].seconds:.0f} s")
    whole = len(asked) == len(PARTS) or before is None
    seconds = time.monotonic() - begun if whole or before is None else before.seconds
    ordered = tuple(made[entry.name] for entry in PARTS if entry.name in made)
    return Paper(f"{now:%Y-%m-%d}", round(seconds), machine(), ordered)


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(entry.name for entry in PARTS))
    parser.add_argument("--quick", action="store_true", help="small and few rounds: whether it runs")
    parser.add_argument("--output", type=Path, help="a folder (docs; of a quick run one that is made)")
    parser.add_argument("--alone", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    names = asked.parts or [entry.name for entry in PARTS]
    if unknown := [name for name in names if name not in {entry.name for entry in PARTS}]:
        parser.error(f"no part {unknown[0]}; there are {' '.join(entry.name for entry in PARTS)}")
    if asked.alone:  # one part, in this process
        asked.alone.write_bytes(msgspec.json.encode(measured(names[0], quick=asked.quick)))
        return 0
    folder = asked.output or (Path(tempfile.mkdtemp(prefix="ward-bench-")) if asked.quick else DOCS)
    paper = suite(names, quick=asked.quick, folder=folder)
    write(paper, folder)
    failed = [made.name for made in paper.parts if made.part is None]
    _say(f"written: {folder / NAME}.md and .json, in {paper.seconds:.0f} s")
    if failed:
        _say(f"without a figure: {', '.join(failed)}")
    return bool([name for name in failed if name in names])


if __name__ == "__main__":
    sys.exit(main())
