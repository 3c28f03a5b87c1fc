"""docs/performance.md says what docs/performance.json holds; a part that fails is told as such."""

from __future__ import annotations

import ast
import math
import re
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import suite
from benchmarks.__main__ import DOCS, known, write
from benchmarks.figures import (
    Figure,
    Part,
    Series,
    Table,
    at_least,
    at_most,
    exponent,
    number,
    paired,
    table,
    under,
)
from benchmarks.paper import NAME, Paper, text
from benchmarks.suite import PARTS, Entry, Made, run

PAPER = known(DOCS)
TICK = Part(
    "tick",
    "A tick",
    "What was done.",
    "python -m benchmarks.tick",
    (
        Figure.of("a tick", [1, 2, 9], "ms"),
        Figure.ratio("the same", [4, 9, 8], [2, 3, 1], "a copy", at_most(3), "because of columns"),
        Figure.of("its memory", [5.0], "kB", target=under(20)),
    ),
    (Table("What it is made of", ("step", "ms"), (("rules | filter", "1"),)),),
    (Series("a tick", "stays", "ms", (10, 100, 1000), (1, 10, 100), at_most(1.1)),),
    {"peer": "1.2"},
    ("another peer: it is not installed.",),
)


def made(part: Part | None, failure: str = "", *, quick: bool = False) -> Made:
    return Made("tick", "2026-01-02", 3.0, 0.5, quick, part, failure)


def paper(*parts: Made) -> Paper:
    return Paper("2026-01-02", 100, {"Processor": "one"}, parts)


def section(of: str, title: str) -> str:
    return of.partition(f"## {title}\n")[2].partition("\n## ")[0]


# The document


def test_the_document_is_what_its_figures_render_to():
    assert PAPER is not None
    assert (DOCS / f"{NAME}.md").read_text("utf-8") == text(PAPER)


def test_every_part_of_the_suite_has_its_place():
    written = (DOCS / f"{NAME}.md").read_text("utf-8")
    for entry in PARTS:
        assert re.search(rf"^## (\d+\. )?{re.escape(entry.title)}$", written, re.MULTILINE)


@pytest.mark.parametrize("entry", PARTS, ids=lambda entry: entry.name)
def test_every_part_can_be_asked_for(entry):
    """Read, not imported: what some are measured beside is not installed for tests."""
    folder = DOCS.parent / "benchmarks"
    places = (folder / f"{entry.name}.py", folder / entry.name / "__init__.py")
    (found,) = [path for path in places if path.exists()]
    named = {
        node.name: node for node in ast.parse(found.read_text()).body if isinstance(node, ast.FunctionDef)
    }
    assert named["part"].args.args[0].arg == "quick"


def test_every_picture_that_is_shown_is_there_and_none_is_left_over():
    shown = set(re.findall(rf"\]\((images/{NAME}/[^)]+)\)", (DOCS / f"{NAME}.md").read_text("utf-8")))
    folder = DOCS / "images" / NAME
    there = {f"images/{NAME}/{path.name}" for path in folder.iterdir()} if folder.exists() else set()
    assert shown == there


def test_the_whole_suite_is_to_take_less_than_twenty_minutes():
    assert sum(entry.budget_s for entry in PARTS) < 20 * 60


# Figures


def test_a_figure_is_the_median_of_its_rounds_and_a_ratio_that_of_their_ratios():
    tick, ratio, _ = TICK.figures
    assert (tick.value, tick.spread, tick.rounds) == (2, (1, 9), 3)
    assert (ratio.value, ratio.spread) == (3, (2, 8))
    with pytest.raises(ValueError, match="no rounds"):
        Figure.of("nothing", [], "ms")


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (at_most(3), 3, True),
        (at_most(3), 3.01, False),
        (under(3), 3, False),
        (at_least(0.8), 0.8, True),
        (at_least(0.8), math.nan, False),
        (at_most(0.8), math.nan, False),
        (None, 1, None),
    ],
)
def test_whether_a_target_is_met_follows_from_the_figure(target, value, met):
    assert Figure("x", value, "×", "y", (value, value), 5, target).met is met


def test_the_exponent_is_the_slope_on_a_log_log_plot():
    x = np.array([24, 100, 500, 1000])
    assert exponent(x, 3 * x**1.5) == pytest.approx(1.5)
    assert exponent(x, [7, 7, 7, 7]) == pytest.approx(0)
    assert math.isnan(exponent([5, 5], [1, 2]))
    assert math.isnan(exponent(x, [1, 2, 0, 3]))


def test_what_is_measured_and_what_it_is_beside_take_turns():
    called = []
    took = paired(3, lambda: called.append("mine"), lambda: called.append("beside"))
    assert called == ["mine", "beside"] * 3
    assert took.shape == (2, 3)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0123456, "0.0123"),
        (1.234, "1.23"),
        (12.0, "12"),
        (1234.5, "1,230"),
        (0, "0"),
        (math.nan, "unknown"),
    ],
)
def test_numbers_have_three_digits_that_count(value, said):
    assert number(value) == said


# The paper


def test_each_target_is_told_with_whether_it_is_met_and_why_not():
    targets = section(text(paper(made(TICK))), "Targets")
    assert "| 2 | the same | ≤ 3× | 3× | a copy | met |" in targets
    assert "| 2 | its memory | < 20 kB | 5 kB |  | met |" in targets
    worse = replace(TICK.figures[1], value=4.0)
    told = section(text(paper(made(replace(TICK, figures=(worse,))))), "Targets")
    assert "| 2 | the same | ≤ 3× | 4× | a copy | **not met**: because of columns |" in told


def test_a_part_that_failed_says_so_where_its_figures_would_be():
    told = text(paper(made(None, "exit code 1: no broker")))
    assert section(told, "2. Tick").strip() == "**Not measured**: it failed (exit code 1: no broker)."
    assert "| 2 | Tick |  |  |  | **no figure**: it failed (exit code 1: no broker) |" in told
    assert "| 9 | Storage |  |  |  | **no figure**: it was not run |" in told


def test_tables_versions_and_what_is_missing_are_told():
    told = section(text(paper(made(TICK))), "2. Tick")
    for line in (
        "| rules \\| filter | 1 |",
        "- Not measured: another peer: it is not installed.",
        "`python -m benchmarks.tick`, 2026-01-02, 3 s, load 0.5 when it began; peer 1.2.",
        "![A tick by size](images/performance/tick.svg)",
    ):
        assert line in told
    assert "a tick: 2 ms (1 to 9, 3 rounds)" in table(TICK)


def test_growth_gathers_the_series_of_items_1_to_5():
    told = section(text(paper(made(TICK))), "10. Growth")
    assert "| 2 | a tick | ms | stays | 10: 1; 100: 10; 1,000: 100 | 1.00 | ≤ 1.1: met |" in told
    assert "Not measured" in section(text(paper()), "10. Growth")


def test_a_quick_run_says_that_it_is_no_measurement():
    assert "no measurement" in text(paper(made(TICK, quick=True)))
    assert "no measurement" not in text(paper(made(TICK)))


def test_what_is_written_is_read_again_and_old_pictures_go(tmp_path):
    whole = paper(made(TICK))
    old = tmp_path / "images" / NAME / "gone.svg"
    old.parent.mkdir(parents=True)
    old.write_text("<svg/>")
    write(whole, tmp_path)
    assert known(tmp_path) == whole
    assert [path.name for path in old.parent.iterdir()] == ["tick.svg"]


# A run


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Parts written for a test, in the place of those of the suite."""

    def of(source: str, budget_s: int = 60) -> Made:
        folder = tmp_path / "benchmarks"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "__main__.py").write_text(source)
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("PYTHONPATH", raising=False)
        monkeypatch.setattr(suite, "SLACK", 1)
        return run(Entry("odd", "2", "Odd", budget_s), quick=True, date="2026-01-02", say=said.append)

    said: list[str] = []
    of.said = said
    return of


def test_a_part_runs_in_a_process_of_its_own(parts):
    answer = '{"name": "odd", "title": "Odd", "text": "", "command": "x"}'
    found = parts(f"import sys; open(sys.argv[3], 'w').write('{answer}')")
    assert found.part == Part("odd", "Odd", "", "x")
    assert (found.failure, found.quick, parts.said) == ("", True, ["Odd"])


def test_a_part_that_ends_badly_is_told_by_its_last_words(parts):
    found = parts(f"print('begun', flush=True); raise RuntimeError('no broker in {Path(suite.ROOT)}/bin')")
    assert found.part is None
    assert found.failure == "exit code 1: RuntimeError: no broker in /bin"
    assert "begun" in parts.said[0]


def is_running(pid: int) -> bool:
    """One that was killed is there until the kernel comes to it, and then until its code is asked for."""
    with suppress(OSError):
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    return False


def test_a_part_without_end_is_ended_with_all_that_it_started(parts, tmp_path):
    found = parts(
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "time.sleep(600)",
        budget_s=2,
    )
    assert found.failure.startswith("ended after 2 s")
    until = time.monotonic() + 30
    while is_running(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < until
        time.sleep(0.02)
