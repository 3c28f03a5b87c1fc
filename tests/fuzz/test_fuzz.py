"""The short form of ``make fuzz``: the same cases each time; and that the fuzzer would find something."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz import files, mqtt
from tests.fuzz.messages import Sender
from ward.alerts.packs import PackError, load_pack
from ward.alerts.plan_file import PlanError, load_plan
from ward.config import SettingsError, load_settings
from ward.ingest import careful, decoding, payload
from ward.ingest.recordings import RecordingError, read_recordings
from ward.ingest.refusals import REASONS
from ward.ingest.sheet import Sheet
from ward.score_file import ScoreFileError, score_text

NEVER: frozenset[str] = frozenset(
    {"too-large", "unusable", "retained", "more", "too-many-devices", "other-partition"}
)
"""Reasons that the accountant need not meet: a mebibyte is rare, there is one partition, the others are the
runner's to give."""


def test_messages_are_accounted_for(tmp_path):
    tally = mqtt.fuzz(1, 6_000, tmp_path, mqtt.Tally())
    assert tally.cases == 6_000
    assert tally.readings > 5_000
    assert tally.signed > 50
    assert REASONS.keys() - tally.refusals.keys() <= NEVER, "the cases do not reach everything"
    assert "unusable" not in tally.refusals


def test_files_are_taken_or_refused_with_reasons(tmp_path):
    outcomes = files.fuzz(1, 6_000, tmp_path)
    assert sum(outcomes.values()) == 6_000
    for kind in files.Files.KINDS:
        assert outcomes[f"{kind} accepted"] > 50
        assert outcomes[f"{kind} refused"] > 50


def test_the_same_seed_gives_the_same_messages():
    def some():
        sender = Sender(Random("x"), {"mon-1": "0" * 64})
        return [sender.message(1_800_000_000_000) for _ in range(2_000)]

    assert some() == some()


def test_a_sibling_that_is_lost_would_be_found(tmp_path, monkeypatch):
    right = careful._number

    def wrong(given):
        return None if given == 97 else right(given)

    monkeypatch.setattr(careful, "_number", wrong)
    with pytest.raises(mqtt.BrokenError, match="did not survive"):
        mqtt.fuzz(1, 2_000, tmp_path, mqtt.Tally())


def test_a_message_that_vanishes_would_be_found(tmp_path, monkeypatch):
    right = payload.collect_vitals

    def wrong(topic, data, received, sheet):
        spare = Sheet()
        return (right(topic, data, received, spare) and spare.seq[0] % 7 == 3) or right(
            topic, data, received, sheet
        )

    for module in (payload, decoding):
        monkeypatch.setattr(module, "collect_vitals", wrong)
    with pytest.raises(mqtt.BrokenError):
        mqtt.fuzz(1, 2_000, tmp_path, mqtt.Tally())


# What the fuzzer has found


def test_a_csv_that_the_reader_gives_up_on_is_refused_with_its_line(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("time,hr\n0," + "8" * 200_000 + "\n")
    with pytest.raises(RecordingError, match=r"r\.csv, line 2: field larger"):
        read_recordings(path)
    with pytest.raises(ScoreFileError, match="line 2: field larger"):
        score_text("hr\n" + "8" * 200_000 + "\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_machine_ends_them(tmp_path, end):
    path = tmp_path / "r.csv"
    path.write_bytes(end.join(["time,hr", "0,80", "1,81", ""]).encode())
    (recording,) = read_recordings(path, "csv")
    assert recording.value.tolist() == [80, 81]
    assert score_text(end.join(["hr", "80", ""])).splitlines()[1].startswith("80,0,")


def test_a_second_of_many_digits_is_read_alike_by_both_ways():
    text = f"2026-11-21T12:00:00.{'9' * 5000}Z"
    body = f'{{"readings": {{"hr": 80}}, "time": "{text}"'
    fast, _ = payload.decode_vitals("ward/v1/w/mon/vitals", f"{body}}}".encode(), 0)
    slow, _ = payload.decode_vitals("ward/v1/w/mon/vitals", f'{body}, "other": 1}}'.encode(), 0)
    assert fast == slow
    assert len(fast) == 1


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
def test_toml_that_python_gives_up_on_is_refused_as_any_other(tmp_path, value):
    path = tmp_path / "file.toml"
    path.write_text(f"id = {value}")
    with pytest.raises(PackError, match="not TOML"):
        load_pack(path)
    with pytest.raises(PlanError, match="not TOML"):
        load_plan(path)
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings(file=path, environ={})
