"""``ward evaluate`` on made-up recordings: what is written, what stays, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.evaluation.recorded import bidmc, cinc2019
from tests.parts import recordings
from ward.alerts.packs import load_pack
from ward.cli import app
from ward.errors import InvalidError
from ward.evaluation import episodes, packs
from ward.evaluation.plots import LARGEST, save
from ward.evaluation.report import NAME, PARTS, evaluate
from ward.evaluation.section import Section

DATE = "2026-01-31"


def quiet(_what: str, _share: float) -> None:
    return


@pytest.fixture
def folder(tmp_path) -> Path:
    bidmc(tmp_path / "data" / "bidmc", "01")
    bidmc(tmp_path / "data" / "bidmc", "02", spo2_from=60)
    cinc2019(tmp_path / "data" / "cinc2019", 8)
    return tmp_path / "data"


def test_interruptions_are_counted_and_severe_events_timed(folder):
    found = episodes.run(folder, seed=1, quick=False, progress=quiet)
    load = found.figures["load"]["BIDMC, minutes long"]["default"]
    assert (load["recordings"], load["interruptions"], load["a_day"]) == (2, 1, None)
    (event,) = found.figures["severe"]
    assert (event["event"], event["start_min"], event["rule"]) == ("spo2-below-85", 1.0, "spo2-below-85")
    assert 300 <= event["first_interruption_s"] <= 302
    assert found.figures["silent"] == 0
    assert all(f"images/{NAME}/{name}.svg" in found.text for name in found.pictures)


def test_without_recordings_the_section_says_how_to_get_them(tmp_path):
    for part in (episodes, packs):
        found = part.run(tmp_path, seed=1, quick=True, progress=quiet)
        assert "physionet.org/content" in found.text
        assert found.figures == {"missing": True}


def test_packs_are_held_against_labelled_stays(folder):
    found = packs.run(folder, seed=1, quick=True, progress=quiet).figures["cinc2019"]
    assert (found["stays"], found["events"]) == (8, 4)
    published = found["packs"]["ward-rct-2025"]
    assert (published["recall"], published["precision"]) == (1.0, 1.0)
    assert 0 < published["calls_a_day"] < found["packs"][packs.SINGLE]["calls_a_day"] * 2
    assert found["packs"]["NEWS2 8"]["recall"] == 0.0


def test_every_published_condition_is_in_the_default_pack():
    default = {(r.when, r.for_ms, r.within_ms, r.unless) for r in load_pack("default").rules}
    published = {(r.when, r.for_ms, r.within_ms, r.unless) for r in load_pack("ward-rct-2025").rules}
    assert published <= default


def test_every_part_is_written_with_figures_and_pictures(folder, tmp_path):
    out = tmp_path / "docs"
    options = ["--part", "episodes", "--part", "packs", "--quick", "--seed", "3", "--output", str(out)]
    done = CliRunner().invoke(app, ["evaluate", str(folder), *options])
    assert done.exit_code == 0, done.output
    assert (
        "cinc2012 (Challenge 2012, set a, with its outcomes): missing; open at physionet.org" in done.output
    )
    report = json.loads((out / f"{NAME}.json").read_text())
    assert list(report["parts"]) == ["packs", "episodes"]
    assert report["parts"]["packs"]["made"]["seed"] == 3
    text = (out / f"{NAME}.md").read_text()
    assert text.count("short form, for tests: these figures mean nothing") == 2
    pictures = re.findall(r"\]\((images/[^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert (out / picture).read_text().startswith("<?xml")
        assert (out / picture).stat().st_size <= LARGEST


def part(title: str, number: int):
    def run(_folder, *, seed, quick, progress) -> Section:
        progress("half", 0.5)
        targets = [
            {"what": title, "target": "≥ 1", "found": str(number), "met": number >= 1, "why": "too few"}
        ]
        return Section(title, f"It is {number}.", {"number": number, "targets": targets})

    return run


def broken(_folder, **_given) -> Section:
    raise InvalidError("the file is torn")


def test_one_part_is_run_again_and_the_others_stay(folder, tmp_path):
    out = tmp_path / "docs"
    runners = {name: part(name.title(), n) for n, name in enumerate(PARTS)}
    told = []
    evaluate(folder, out, progress=lambda *step: told.append(step), date=DATE, runners=runners)
    assert told == [("half", (n + 0.5) / 4) for n in range(4)]
    before = (out / f"{NAME}.md").read_text()
    assert "| filter | Filter | ≥ 1 | 0 | **missed**: too few |" in before
    assert "| packs | Packs | ≥ 1 | 2 | met |" in before
    later = {"score": part("Score", 7), "packs": broken}
    evaluate(folder, out, parts=["score", "packs"], progress=quiet, date="2026-02-01", runners=later)
    after = (out / f"{NAME}.md").read_text()
    assert [m for m in PARTS if f"<!-- part: {m} -->" in after] == list(PARTS)
    assert "It is 7." in after
    assert "It is 0." in after
    assert "Not run: the file is torn." in after
    assert json.loads((out / f"{NAME}.json").read_text())["parts"]["score"]["figures"]["number"] == 7
    evaluate(folder, out, parts=["score", "packs"], progress=quiet, date="2026-02-01", runners=later)
    assert (out / f"{NAME}.md").read_text() == after


def test_what_cannot_be_is_refused_in_a_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for arguments, why in (
        ([tmp_path / "empty"], "holds none of the collections"),
        (
            [folder, "--part", "scoring", "--output", tmp_path],
            "unknown part 'scoring'; there are filter score",
        ),
    ):
        done = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
        assert done.exit_code == 2
        assert why in done.output


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    def draw(figure) -> None:
        figure.subplots().plot([0, 1], [0.123456789, 1])

    for place in ("a", "b"):
        assert save({"line": draw}, tmp_path / place) == []
    first, second = ((tmp_path / place / "line.svg").read_text() for place in ("a", "b"))
    assert first == second
    assert not re.search(r"\d\.\d\d", first.partition("<defs>")[2])


@pytest.mark.skipif(recordings() is None, reason="needs recordings: WARD_TEST_DATA=FOLDER")
def test_on_real_recordings_no_severe_event_is_silent_and_few_interrupt():
    found = episodes.run(Path(recordings() or ""), seed=1, quick=True, progress=quiet).figures
    assert found["silent"] == 0
    assert all(target["met"] for target in found["targets"]), found["targets"]
