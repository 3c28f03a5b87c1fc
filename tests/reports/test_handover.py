"""The handover: who had whom, what is open, what happened; on paper, too; and a downtime sheet."""

from __future__ import annotations

import stat
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.world import START, World
from ward.alerts.model import Event
from ward.clock import iso
from ward.errors import InvalidError
from ward.language import LANGUAGES
from ward.live import snapshots
from ward.live.downtime import DowntimeSheets, file_of
from ward.reports.downtime import sheet
from ward.reports.handover import Sources, handover, spells
from ward.reports.handover_paper import paper
from ward.signals import HOUR, MINUTE
from ward.store.stays import Stay

ILL = {"hr": 135.0, "spo2": 79.0, "rr": 26.0, "sbp": 118.0, "dbp": 70.0, "temp": 38.4}
WELL = {"hr": 72.0, "spo2": 97.0, "rr": 14.0, "sbp": 118.0, "temp": 36.8}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Bed 1 well, then ill and untaken; bed 2 a child, away; bed 3 gone."""
    made = World(tmp_path_factory.mktemp("ward"))
    made.one = made.admit("1", ("a",))
    made.two = made.admit("2", ("b",), ("under-16",))
    made.three = made.admit("3", ())
    made.do("assign", stays=[made.one, made.two], person="ada", name="Ada Berg")
    made.live(20, "a", **WELL)
    made.shift = made.now
    made.do("assign", stays=[made.one], person="ben", name="Bengt Ærø")
    made.do("discharge", stay=made.three)
    made.do("set_flags", stay=made.one, flags=["copd"])
    made.do("unassign", stays=[made.two])
    made.tick()
    for _ in range(100):
        made.measure("a", **ILL)
        made.measure("b", **ILL)
        made.tick()
    made.do("pause", stay=made.two, minutes=30, reason="scan")
    snapshots.flush(made.service.core)
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(world):
    return of(world, world.shift, world.now + 1)


def of(world, start, end, now=None):
    service = world.service
    sources = Sources(service.board.stays, service.rules)
    with service.engine_db.connect() as connection:
        return handover(connection, sources, "w", start, end, now or world.now, "day")


def bed(made, name):
    return next(one for one in made["patients"] if one["bed"] == name)


def test_who_had_whom_and_whom_nobody_has(made):
    assert [one["name"] for one in bed(made, "1")["had"]] == ["Bengt Ærø"]
    assert bed(made, "1")["carer"]["name"] == "Bengt Ærø"
    assert bed(made, "2")["had"] == []  # given up in the first moment of the shift
    assert made["nobody"] == ["2"]


def test_what_is_open_with_the_worst_first_and_what_was_raised(made):
    found = bed(made, "1")
    assert found["open"][0]["priority"] == "high"
    assert found["open"][0]["state"] == "active"
    assert found["raised"]["high"] >= 1
    assert bed(made, "2")["paused_reason"] == "scan"


def test_news2_then_and_now_and_none_for_whom_it_is_not(made):
    scores = bed(made, "1")["news2"]
    assert scores["then"]["score"] == 0
    assert scores["then"]["partial"]
    assert scores["now"]["score"] >= 7
    assert bed(made, "2")["news2"]["now"] == {
        "score": None, "risk": None, "partial": False, "not_applicable": "under-16",
    }  # fmt: skip


def test_what_changed_and_who_left(made):
    kinds = {one["bed"]: [change["kind"] for change in one["changes"]] for one in made["patients"]}
    assert kinds["1"] == ["flags"]
    assert "paused" in kinds["2"]
    assert "discharged" in kinds["3"]
    assert bed(made, "3")["discharged_at"] is not None


def test_a_limit_of_the_patients_own_is_told_beside_the_wards(world):
    world.do(
        "put_rule",
        rule_id="spo2-below-88",
        definition={"when": ["spo2 < 84"]},
        scope=f"stay:{world.one}",
        by="dr",
        expected=None,
    )
    (limit,) = bed(of(world, world.shift, world.now + 1), "1")["limits"]
    assert (limit["when"], limit["by"]) == (["spo2 < 84"], "dr")
    assert "88" in limit["usual"]


def test_an_earlier_shift_ends_with_what_was_known_then(world):
    earlier = of(world, START, world.shift)
    assert bed(earlier, "1")["news2"]["now"]["score"] == 0
    assert bed(earlier, "1")["open"] == []
    assert [one["name"] for one in bed(earlier, "1")["had"]] == ["Ada Berg"]


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (0, 37 * HOUR)])
def test_a_span_that_is_none_or_too_long_is_refused(world, start, end):
    with pytest.raises(InvalidError):
        of(world, START + start, START + end)


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_paper_in_each_language(world, made, language):
    pdf = paper(made, "Europe/Oslo", language)
    assert pdf.startswith(b"%PDF-")
    assert paper(made, "Europe/Oslo", language) == pdf
    stays = world.service.board.stays.values()
    assert sheet("w", stays, "UTC", language, world.now).startswith(b"%PDF-")


def test_a_sheet_lies_in_the_data_folder_for_its_owner_only_and_none_of_an_empty_ward(world, tmp_path):
    sheets = DowntimeSheets(tmp_path, lambda ward: "UTC", "nb")
    (path,) = sheets.write(lambda: world.service.board)
    assert path.read_bytes().startswith(b"%PDF-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (path.parent / "gone.pdf").write_bytes(b"old")
    assert list(sheets.write(lambda: world.service.board)) == [path]
    assert [one.name for one in path.parent.iterdir()] == ["w.pdf"]


def test_one_wards_sheet_that_cannot_be_made_costs_no_other_ward_its_own(tmp_path, monkeypatch):
    wards = {"a", "Ø" * 128, "z"}
    board = SimpleNamespace(time=1_795_258_800_000, wards=wards, seen_by=lambda sees: [*filter(sees, wards)])
    monkeypatch.setattr("ward.live.downtime.sheet", lambda ward, *_: f"%PDF-{ward}".encode())
    sheets = DowntimeSheets(tmp_path, lambda ward: "UTC", "nb")
    assert len(list(sheets.write(lambda: board))) == 3

    def fails(ward, *_):
        return f"%PDF-new {ward}".encode() if ward != "a" else 1 / 0

    monkeypatch.setattr("ward.live.downtime.sheet", fails)
    with pytest.raises(ExceptionGroup):
        list(sheets.write(lambda: board))
    assert (sheets.folder / "a.pdf").read_bytes() == b"%PDF-a", "an older one is better than none"
    assert (sheets.folder / "z.pdf").read_bytes() == b"%PDF-new z"


def test_names_of_wards_are_names_of_files_and_no_two_are_the_same():
    wards = ["6A", "6 A", "6.A", "Æ", "..", "a\\b", "con", "Æ" * 128, "Æ" * 127 + "Ø", "." * 128]
    files = [file_of(ward) for ward in wards]
    assert len(set(files)) == len(wards)
    assert all(len(name) < 250 for name in files), "with .part in the place of .pdf, too"
    assert all("/" not in name and "\\" not in name and name != "..pdf" for name in files)


# --- who had whom, whatever happened --------------------------------------------------------------

STEPS = st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["ada", "ben", None])), max_size=10)


@given(STEPS, st.sampled_from(["ada", None]), st.integers(0, 300))
def test_spells_cover_just_the_time_in_which_somebody_had_the_patient(steps, first, length):
    start, end = START, START + length * MINUTE
    before = None if first is None else event(START - MINUTE, first)
    at, events = START, []
    for minutes, who in steps:
        at += minutes * MINUTE
        if at < end:
            events.append(event(at, who))
    stay = Stay("s", "p", "w", "1", (), START - HOUR, None, None, ())
    found = spells(before, events, stay, start, end)
    minute_by_minute = [who_has(first, events, START + m * MINUTE) for m in range(length)]
    told = [
        next((s["name"] for s in found if s["since"] <= iso(START + m * MINUTE) < s["until"]), None)
        for m in range(length)
    ]
    assert told == minute_by_minute
    assert all(a["name"] != b["name"] or a["until"] != b["since"] for a, b in pairwise(found))


def event(at, who):
    kind = "assigned" if who else "unassigned"
    return Event(at, "s", "w", None, kind, detail={"name": who})


def who_has(first, events, at):
    name = first
    for one in events:
        if one.at <= at:
            name = one.detail["name"]
    return name
