"""What is shipped: locks and dependencies, the package, the containers."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import hatch_build
from ward.config import Settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
UI = ROOT / "ward" / "web" / "ui"
LOCKS = ("requirements.lock", "requirements-cluster.lock", "requirements-dev.lock", "requirements-bench.lock")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {normal(re.match(r"[A-Za-z0-9._-]+", each)[0]) for each in requirements}


RUNTIME = names(PROJECT["project"]["dependencies"])
DEVELOPMENT = names(PROJECT["project"]["optional-dependencies"]["dev"])
CLUSTER = names(PROJECT["project"]["optional-dependencies"]["cluster"])
BENCH = names(PROJECT["project"]["optional-dependencies"]["bench"])
BUILD = names([*PROJECT["build-system"]["requires"], hatch_build.NODE_WHEEL])


def locked(lock: str) -> set[tuple[str, str]]:
    """(name, version and marker) of each package in a lock file."""
    lines = (ROOT / lock).read_text().splitlines()
    return {
        (normal(name), rest.rstrip(" \\"))
        for line in lines
        if re.match(r"\w", line)
        for name, rest in [line.split("==", 1)]
    }


def tracked() -> list[Path]:
    """The files of the repository; of an unpacked source archive, all."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs a git clone: git clone, then make test")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


# Locks


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_address_and_hash_everything(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(index|extra-index|find-links|trusted)", text, re.MULTILINE)
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_locks_hold_what_pyproject_asks_for():
    assert {name for name, _ in locked("requirements.lock")} >= RUNTIME
    assert {name for name, _ in locked("requirements-dev.lock")} >= RUNTIME | DEVELOPMENT
    assert {name for name, _ in locked("requirements-bench.lock")} >= RUNTIME | DEVELOPMENT | BENCH


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_tests_and_benchmarks_run_on_the_versions_that_are_shipped(lock):
    shared = {name for name, _ in locked("requirements.lock")}
    here = {(name, version) for name, version in locked(lock) if name in shared}
    # Markers may widen where the tools need a package on more platforms; versions may not differ.
    assert {(n, v.split(" ;")[0]) for n, v in here} == {
        (n, v.split(" ;")[0]) for n, v in locked("requirements.lock")
    }


def test_npm_lock_names_no_host():
    packages = json.loads((UI / "package-lock.json").read_text())["packages"]
    assert packages
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert "omit-lockfile-registry-resolved=true" in (UI / ".npmrc").read_text()


# Dependencies


def imports(folder: str) -> set[str]:
    """Top-level names that the sources of a folder import."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"ward", "simulator", "models", "tests"}


def test_what_is_imported_is_declared_and_what_is_declared_is_used():
    provided_by = packages_distributions()
    imported = imports("ward") | imports("simulator") | imports("models")
    used = {normal(dist) for module in imported for dist in provided_by[module]}
    # The database driver is named in a URL, not imported; Starlette is FastAPI's and AnyIO Starlette's, both
    # pinned by the lock; Python itself reads tzdata where the system has no time zones. Only the report of
    # `ward evaluate` draws with matplotlib, and it says so where there is none.
    assert used - RUNTIME - CLUSTER <= {"starlette", "anyio", "matplotlib"}
    assert RUNTIME - used <= {"psycopg", "tzdata"}


def test_every_dependency_has_its_reason():
    reasons = "\n".join(path.read_text() for path in (ROOT / "docs" / "adr").glob("0*.md")).lower()
    package = json.loads((UI / "package.json").read_text())
    front_end = {*package.get("dependencies", {}), *package.get("devDependencies", {})}
    missing = {
        name
        for name in RUNTIME | DEVELOPMENT | BENCH | BUILD | front_end
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reasons)
    }
    assert not missing


def test_no_path_of_anybodys_machine():
    """Nothing that is true only where it was written: home folders, or the folder of this clone."""
    patterns = [r"/home/\w", r"/Users/\w", r"/root/", "/" + "work/", r"[A-Z]:\\\\?Users"]
    if len(ROOT.parts) > 2:
        patterns.append(re.escape(str(ROOT)) + r"\b")
    told = re.compile("|".join(patterns))
    bad = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if path == Path(__file__):
            continue
        bad += [f"{path.relative_to(ROOT)}: {match[0]}" for match in told.finditer(text)]
    assert not bad


def test_only_pictures_and_the_model_are_not_text():
    """What somebody fetched by hand, as a wheel or an archive, comes through a registry and a lock file."""
    binary = {path.suffix for path in tracked() if b"\0" in path.read_bytes()}
    assert binary <= {".png", ".ico", ".skops"}


# The package


def test_the_wheel_carries_what_it_needs_and_no_more(tmp_path):
    """Built here without isolation; the dashboard is part of it where it has been built."""
    if not hatch_build.is_fresh(UI, ROOT / "ward" / "web" / "ui_dist"):
        pytest.skip("needs the dashboard as built by `make test`")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("ward-*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert "ward/web/ui_dist/index.html" in inside
    assert "ward/alerts/packs/ward-rct-2025.toml" in inside
    assert "ward/alerts/packs/default.toml" in inside
    assert "ward/store/migrations/env.py" in inside
    models = [path.name for path in tracked() if path.parent == ROOT / "models"]
    assert {f"ward/shipped/{name}" for name in models} <= inside
    assert any(name.startswith("simulator/") for name in inside)
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    strangers = {name.split("/")[0] for name in inside} - {"ward", "simulator", "models"}
    assert all(name.startswith("ward-") for name in strangers)
    assert not [name for name in inside if name.startswith("ward/web/ui/") or "node_modules" in name]


@pytest.fixture
def front_end(tmp_path):
    sources, output = tmp_path / "ui", tmp_path / "ui_dist"
    (sources / "src").mkdir(parents=True)
    output.mkdir()
    (sources / "package.json").write_text("{}")
    (sources / "src" / "main.ts").write_text("1")
    (output / hatch_build.STAMP).write_text(hatch_build.hash_of(sources))
    return sources, output


def test_a_built_dashboard_is_left_as_it_is(front_end):
    sources, output = front_end
    assert hatch_build.is_fresh(sources, output)
    (sources / "node_modules").mkdir()
    (sources / "node_modules" / "x.js").write_text("not a source")
    assert hatch_build.is_fresh(sources, output)


@pytest.mark.parametrize("change", ["edit", "add", "rename", "unbuilt"])
def test_a_changed_dashboard_is_built(front_end, change):
    sources, output = front_end
    if change == "edit":
        (sources / "src" / "main.ts").write_text("2")
    elif change == "add":
        (sources / "src" / "more.ts").write_text("")
    elif change == "rename":
        (sources / "src" / "main.ts").rename(sources / "src" / "main.js")
    else:
        (output / hatch_build.STAMP).unlink()
    assert not hatch_build.is_fresh(sources, output)


@pytest.mark.parametrize(
    ("version", "found"), [("v20.18.9", False), ("v20.19.0", True), ("v24.1.0", True), ("v9.99.0", False)]
)
def test_an_old_node_is_not_used(tmp_path, monkeypatch, version, found):
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bool(hatch_build.node_on_path()) is found


def test_node_without_npm_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "node").write_text("#!/bin/sh\necho v24.0.0\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hatch_build.node_on_path() is None


# Containers


def test_the_image_runs_without_root_and_tells_its_health():
    text = (ROOT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM ", text, re.MULTILINE)
    assert len(stages) == 2
    last = text.rsplit("FROM ", 1)[1]
    assert re.search(r"^USER (?!root|0)", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "--require-hashes -r /src/${LOCK}" in text
    assert "ARG LOCK=requirements.lock\n" in text


def test_the_image_gets_all_that_the_build_reads():
    """.dockerignore is a list of what is let in; each must exist, and the build's inputs be among them."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {"pyproject.toml", "hatch_build.py", "requirements.lock", "README.md", "LICENSE"} <= let_in
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= let_in
    assert all((ROOT / name).exists() for name in let_in)


def test_compose_has_its_parts_and_every_secret_is_in_the_example():
    text = (ROOT / "compose.yaml").read_text()
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"mosquitto", "postgres", "ward"}
    example = (ROOT / "deploy" / "env.example").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert not re.search(r"^\w+=.+", example, re.MULTILINE), "the example must hold no password"
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).is_file(), source


def test_the_cluster_s_compose_has_its_parts_and_every_secret_is_in_the_example():
    folder = ROOT / "deploy" / "cluster"
    text = (folder / "compose.yaml").read_text()
    services = yaml.safe_load(text)["services"]
    ours = {"engine-a", "engine-b", "web-a", "web-b", "notify-a", "notify-b", "work-a"}
    assert set(services) == {"nats-1", "nats-2", "nats-3", "postgres", "balancer"} | ours
    example = (folder / "env.example").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert not re.search(r"^\w+=.+", example, re.MULTILINE), "the example must hold no password"
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        files = [v.split(":")[0] for v in service.get("volumes", []) if v.startswith("./")]
        assert all((folder / source).is_file() for source in files)
    given = services["engine-a"]["environment"]
    names = {name.removeprefix("WARD_").lower(): value for name, value in given.items()}
    read = Settings(**{name: re.sub(r"\$\{\w+\}", "secret", value) for name, value in names.items()})
    assert (read.partitions, read.journal_url.count("nats://")) == (8, 3)
    assert all(services[one]["environment"] == given for one in ours)
    assert (ROOT / services["engine-a"]["build"]["args"]["LOCK"]).is_file()


def test_ci_brings_the_real_parts_and_runs_everything():
    script = ROOT / ".ci" / "run"
    text = script.read_text()
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    assert {"mosquitto", "postgresql", "chromium"} <= set(text.split())
    assert re.search(r"^make test$", text, re.MULTILINE)
    assert re.search(r"^make lint$", text, re.MULTILINE)
