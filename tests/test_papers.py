"""What is written agrees with what is there: commands, settings, metrics, links, the version."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from ward import __version__
from ward.cli import app
from ward.config import Settings

ROOT = Path(__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PAPER_NAMES = [str(path.relative_to(ROOT)) for path in PAPERS]
INTEGRATORS = (ROOT / "docs" / "integrators.md").read_text()


def test_the_changelog_has_the_version():
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def targets() -> dict[str, str]:
    """The Makefile's commands and what its help says of them."""
    text = (ROOT / "Makefile").read_text()
    return dict(re.findall(r"^([a-z-]+):.*?## (.+)$", text, re.MULTILINE))


def test_make_has_its_commands_and_they_explain_themselves():
    assert {"demo", "test", "lint", "bench", "help", "clean"} <= set(targets())
    told = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(name in told and text in told for name, text in targets().items())


@pytest.mark.parametrize("paper", PAPERS, ids=PAPER_NAMES)
def test_papers_name_only_make_commands_that_exist(paper):
    text = paper.read_text()
    commands = re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.MULTILINE)
    assert set(commands) <= set(targets())
    understood = set(re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?<![A-Z_])([A-Z]+)=", text)) <= understood


@pytest.mark.parametrize("paper", PAPERS, ids=PAPER_NAMES)
def test_papers_name_only_ward_commands_and_options_that_exist(paper):
    commands = get_command(app).commands
    told = re.findall(r"(?:^ {4}|`|ward )ward ([a-z]+)((?: [^`\n]*)?)", paper.read_text(), re.MULTILINE)
    for name, rest in told:
        assert name in commands
        command = commands[name]
        sub = re.match(r" ([a-z]+)", rest)
        if sub and hasattr(command, "commands"):
            command = command.commands[sub[1]]
        known = {option for each in command.params for option in each.opts + each.secondary_opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


@pytest.mark.parametrize("paper", PAPERS, ids=PAPER_NAMES)
def test_papers_point_at_files_that_exist(paper):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", paper.read_text())
    missing = [link for link in links if "://" not in link and not (paper.parent / link).exists()]
    assert not missing


def test_the_readme_says_what_it_is_not():
    text = (ROOT / "README.md").read_text()
    assert "not a medical device" in text
    assert "WO2023/281116" in text
    assert "make demo" in text
    assert "make test" in text


def test_every_setting_is_documented_with_its_default():
    rows = dict(re.findall(r"^\| `WARD_(\w+)` \| (.*?) \|", INTEGRATORS, re.MULTILINE))
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            assert f"`{field.default}`" in rows[name.upper()], name


def metrics() -> set[str]:
    """Names of the metrics that the sources declare, as Prometheus shows them."""
    found = set()
    for path in (ROOT / "ward").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            kind, name = ast.unparse(node.func).split(".")[-1], str(node.args[0].value)
            if kind in ("Counter", "Gauge", "Histogram", "Summary") and name.startswith("ward_"):
                found.add(name.removesuffix("_total") + "_total" if kind == "Counter" else name)
    return found


def test_every_metric_is_documented():
    assert metrics()
    assert set(re.findall(r"^\| `(ward_\w+)` \|", INTEGRATORS, re.MULTILINE)) == metrics()
