"""PhysioNet's recordings through the command line; also holds the README to its figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.parts import recordings
from ward.cli import app

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def data() -> Path:
    found = recordings()
    if found is None:
        pytest.skip("needs recordings: WARD_TEST_DATA=FOLDER with bidmc, cinc2019, mimic4wdb of PhysioNet")
    return Path(found)


def run(*arguments: object) -> str:
    """What the command says; it must succeed."""
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def each(nth: int, folder: Path, into: Path) -> Path:
    """Every ``nth`` file of a folder of recordings, in their order."""
    into.mkdir()
    for file in sorted(folder.iterdir())[::nth]:
        (into / file.name).symlink_to(file)
    return into


@pytest.mark.parametrize(
    ("folder", "nth", "stays"),
    [("bidmc", 1, 53), ("mimic4wdb", 1, 2), ("cinc2019", 10, 800)],
    ids=["bidmc", "mimic4wdb", "cinc2019"],
)
def test_recordings_replay(data, tmp_path, folder, nth, stays):
    given = each(nth, data / folder, tmp_path / folder)
    said = run("replay", given, "--summary", "--output", tmp_path / "events", "--scores", tmp_path / "scores")
    assert f"{stays} stays," in said
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert {"stay", "rule", "event", "at", "priority"} == set(events[0])
    rows = (tmp_path / "scores").read_text().splitlines()
    assert rows[0] == "stay,time,news2,news2_missing,risk"
    assert len({row.split(",")[0] for row in rows[1:]}) == stays


def test_the_readme_tells_the_truth_about_the_48_hours(data, tmp_path):
    file = data / "mimic4wdb" / "86130599n.csv.gz"
    arguments = ("replay", file, "--pack", "ward-rct-2025", "--summary", "--output", tmp_path / "events")
    filtered, plain = run(*arguments), run(*arguments, "--no-filter")

    def number(pattern: str, said: str) -> int:
        found = re.search(pattern, said)
        assert found, (pattern, said)
        return int(found[1])

    invalid = filtered.partition("found invalid")[2].partition("told to staff")[0]
    counted = {
        "a threshold of these rules was crossed": number(r"raw: (\d+)", filtered),
        "the same after the filter": number(r"after the filter: (\d+)", filtered),
        "readings that the filter found invalid": sum(
            map(int, re.findall(r"^ +(\d+) ", invalid, re.MULTILINE))
        ),
        "alerts, sustained, without the filter": number(r"sustained alerts: (\d+)", plain),
        "**alerts, sustained, with the filter**": number(r"sustained alerts: (\d+)", filtered),
        "times that staff would have been called for the patient": number(r"(\d+) interruptions", filtered),
        "times that staff would have been called for a probe, an electrode or silence": number(
            r"(\d+) technical interruptions", filtered
        ),
    }
    table = dict(re.findall(r"^\| (.+?) \| \**([\d,]+)\** \|$", README.read_text(), re.MULTILINE))
    assert {what: int(table[what].replace(",", "")) for what in counted} == counted
