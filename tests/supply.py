"""What ward is made of, and what is known against it: ``python -m tests.supply DIST`` (``make audit``).

Writes a bill of materials (CycloneDX) of the Python packages and of the dashboard's, each from its lock
file with versions, hashes and licences, and asks for known vulnerabilities. One that is found fails; an
advisory service that cannot be asked is said, and fails nothing: a hospital's build machine may have none.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

from hatch_build import node_on_path

ROOT: Final = Path(__file__).parent.parent
UI: Final = ROOT / "ward" / "web" / "ui"
TOOLS: Final = Path(sys.executable).parent
PATIENCE_S: Final = 300.0
OSI: Final = "License :: OSI Approved :: "

Run = Callable[[list[str], Path], "Done"]


@dataclass(frozen=True, slots=True)
class Done:
    """What a program said."""

    code: int
    out: str
    err: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``found``: a line for each vulnerability; ``unasked``: why some or all could not be asked about."""

    asked: int
    found: list[str] = field(default_factory=list)
    unasked: str | None = None


def run(command: list[str], folder: Path) -> Done:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Done(-1, "", type(error).__name__)
    return Done(done.returncode, done.stdout, done.stderr)


# Vulnerabilities


def ask_python(run: Run = run) -> Verdict:
    """The packages of both locks, as pip-audit knows them."""
    lock = ["-r", "requirements.lock", "-r", "requirements-dev.lock", "--disable-pip", "--no-deps"]
    done = run([str(TOOLS / "pip-audit"), *lock, "-f", "json", "--progress-spinner", "off"], ROOT)
    told = _json(done.out)
    if told is None or "dependencies" not in told:
        return Verdict(0, unasked=_last(done.err) or "pip-audit says nothing")
    asked = [one for one in told["dependencies"] if "skip_reason" not in one]
    skipped = len(told["dependencies"]) - len(asked)
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, repaired in {', '.join(flaw['fix_versions']) or '-'}"
        for one in asked
        for flaw in one["vulns"]
    ]
    unasked = f"{skipped} packages are not in the advisory service" if skipped else None
    return Verdict(len(asked), found, unasked)


def ask_npm(run: Run = run) -> Verdict:
    """The packages of the dashboard's lock, as npm knows them."""
    npm = node_on_path()
    if npm is None:
        return Verdict(0, unasked="needs npm on PATH")
    done = run([*npm[1], "audit", "--package-lock-only", "--json"], UI)
    told = _json(done.out)
    if told is None or "vulnerabilities" not in told:
        return Verdict(0, unasked=f"npm audit: {(told or {}).get('statusCode') or 'no answer'}")
    found = [f"{name}: {flaw['severity']}, {flaw['range']}" for name, flaw in told["vulnerabilities"].items()]
    return Verdict(told["metadata"]["dependencies"]["total"], found)


def _json(text: str) -> dict[str, Any] | None:
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _last(text: str) -> str:
    """The last line, without what it says of addresses."""
    lines = text.strip().splitlines()
    return re.sub(r"\S*(://|host=)\S*", "…", lines[-1])[:200] if lines else ""


# Bills of materials


def bill_of_python(run: Run = run, check: str = "--validate") -> dict[str, Any]:
    """What the wheel needs, from requirements.lock. Raises RuntimeError where it cannot be made."""
    tool = [str(TOOLS / "cyclonedx-py"), "requirements", "requirements.lock", "--pyproject", "pyproject.toml"]
    done = run([*tool, "--output-reproducible", "--of", "JSON", check], ROOT)
    bill = _json(done.out)
    if bill is None:
        raise RuntimeError(f"no bill of materials: {_last(done.err)}")
    for component in bill["components"]:
        component.pop("description", None)
        if licence := licence_of(component["name"]):
            component["licenses"] = [{"license": {"name": licence}}]
    return bill


def licence_of(name: str, find: Callable[[str], PackageMetadata] = metadata) -> str | None:
    """As the installed package says; None for one that this machine does not need."""
    try:
        said = find(name)
    except PackageNotFoundError:
        return None
    if expression := said.get("License-Expression"):
        return expression
    listed = [c.removeprefix(OSI) for c in said.get_all("Classifier") or () if c.startswith(OSI)]
    if listed:
        return ", ".join(listed)
    text = (said.get("License") or "").strip()
    return text.splitlines()[0][:100] if text else None


def bill_of_npm(run: Run = run) -> dict[str, Any] | None:
    """What the dashboard is made with, from package-lock.json; None without npm."""
    npm = node_on_path()
    if npm is None:
        return None
    done = run([*npm[1], "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], UI)
    bill = _json(done.out)
    if bill is None:
        raise RuntimeError(f"no bill of materials: {_last(done.err)}")
    return bill


def write(folder: Path, bills: Mapping[str, dict[str, Any] | None]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, bill in bills.items():
        if bill is None:
            print(f"ward: {name}: not made, it needs npm on PATH")
            continue
        (folder / name).write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")
        print(f"ward: {folder / name}: {len(bill['components'])} components")


def main(folder: Path) -> int:
    write(folder, {"sbom-python.json": bill_of_python(), "sbom-npm.json": bill_of_npm()})
    return judge({"Python": ask_python(), "npm": ask_npm()})


def judge(verdicts: Mapping[str, Verdict]) -> int:
    """Print them; 1 where a vulnerability was found."""
    for what, verdict in verdicts.items():
        if verdict.unasked:
            print(f"ward: {what}: advisories not reachable: skipped ({verdict.unasked})")
        if verdict.asked:
            print(f"ward: {what}: {verdict.asked} packages asked about, {len(verdict.found)} vulnerabilities")
        for line in verdict.found:
            print(f"ward: {what}: VULNERABLE {line}")
    return int(any(verdict.found for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
