"""History and scores through HTTP."""

from __future__ import annotations

import numpy as np
import pytest

from tests.web.conftest import TestClient, problem
from tests.web.fake import NOON
from ward.scoring.filter import REASONS
from ward.signals import INDEX
from ward.store.chunks import ITSELF, History
from ward.store.devices import Device, save_devices
from ward.store.history import write_chunk

A = "/api/v1"
VITALS = f"{A}/stays/stay-6A/vitals"
HOUR = 3_600_000


@pytest.fixture
def history(engine) -> None:
    """The minute before noon: SpO2 each 10 s, 90 91 92 93 94 95, the third questionable; HR once."""
    spo2 = History.of(
        signal=INDEX["spo2"],
        time=NOON - 60_000 + np.arange(6) * 10_000,
        value=90.0 + np.arange(6),
        mark=[0, 0, 1, 0, 0, 0],
        reason=[0, 0, REASONS.index("spike"), 0, 0, 0],
        device=7,
    )
    hr = History.of(signal=INDEX["hr"], time=[NOON - 1], value=[0.0])
    old = History.of(signal=INDEX["hr"], time=[NOON - 25 * HOUR], value=[80.0])
    with engine.begin() as tx:
        save_devices(tx, [Device("6A/mon-1", "6A", "mon-1", NOON, NOON, number=7)])
        for part in (spo2, hr, old):
            write_chunk(tx, "stay-6A", part)


@pytest.mark.usefixtures("history")
def test_raw_readings_with_quality_and_reason(nurse: TestClient) -> None:
    shown = nurse.get(VITALS).json()
    assert (shown["start"], shown["end"]) == ("2026-11-20T12:00:00.001Z", "2026-11-21T12:00:00.001Z")
    assert set(shown["signals"]) == {"spo2", "hr"}
    spo2 = shown["signals"]["spo2"]
    assert spo2["time"][:2] == ["2026-11-21T11:59:00.000Z", "2026-11-21T11:59:10.000Z"]
    assert spo2["value"] == [90, 91, 92, 93, 94, 95]
    assert spo2["quality"] == ["valid", "valid", "questionable", "valid", "valid", "valid"]
    assert spo2["reason"] == ["", "", "spike", "", "", ""]
    assert spo2["device"] == ["mon-1"] * 6
    assert shown["signals"]["hr"]["value"] == [0.0]  # zero is not missing


@pytest.mark.usefixtures("history")
def test_it_says_when_the_last_seconds_could_not_be_had(nurse: TestClient, service) -> None:
    assert nurse.get(VITALS).json()["complete"] is True
    service.writes_history = False
    shown = nurse.get(VITALS).json()
    assert shown["complete"] is False
    assert shown["signals"]["hr"]["value"] == [0.0]  # what is stored is shown all the same


def test_scores_have_a_history(nurse: TestClient, engine) -> None:
    """Those that lack a part are there, and not as whole ones."""
    missing = REASONS.index("parts-missing")
    scores = History.of(
        signal=INDEX["news2"],
        time=[NOON - 600_000, NOON - 300_000],
        value=[2, 5],
        mark=[1, 0],
        reason=[missing, 0],
        device=ITSELF,
    )
    with engine.begin() as tx:
        write_chunk(tx, "stay-6A", scores)
    shown = nurse.get(VITALS).json()["signals"]["news2"]
    assert shown["value"] == [2.0, 5.0]
    assert shown["quality"] == ["questionable", "valid"]
    assert shown["reason"] == ["parts-missing", ""]
    assert shown["device"] == [None, None]
    binned = nurse.get(f"{VITALS}?signal=news2&resolution=1h").json()["signals"]["news2"]
    assert (binned["median"], binned["doubted"]["max"]) == ([5.0], [2.0])


@pytest.mark.usefixtures("history")
def test_a_span_and_signals(nurse: TestClient) -> None:
    both = nurse.get(f"{VITALS}?signal=hr,spo2&start=2026-11-21T11:59:30Z&end=2026-11-21T11:59:50Z").json()
    assert both["signals"]["spo2"]["value"] == [93, 94]  # the end is not included
    assert "hr" not in both["signals"]
    only = nurse.get(VITALS, params={"signal": ["hr", "rr"], "start": "2026-11-20T00:00:00+00:00"}).json()
    assert set(only["signals"]) == {"hr"}
    assert only["signals"]["hr"]["value"] == [80.0, 0.0]


@pytest.mark.usefixtures("history")
def test_bins_of_what_is_valid(nurse: TestClient) -> None:
    for resolution in ("60", "60s", "1m"):
        shown = nurse.get(f"{VITALS}?signal=spo2&resolution={resolution}").json()
        assert shown["resolution_s"] == 60
        assert shown["signals"]["spo2"] == {
            "time": ["2026-11-21T11:59:00.000Z"],
            "min": [90.0],
            "median": [93.0],
            "max": [95.0],
            "count": [5],
            "doubted": {
                "time": ["2026-11-21T11:59:00.000Z"],
                "min": [92.0],
                "max": [92.0],
                "count": [1],
            },
        }


@pytest.mark.parametrize(
    "query",
    [
        "signal=pulse",
        "start=2026-11-21T12:00:00Z&end=2026-11-21T12:00:00Z",
        "resolution=0",
        "resolution=-5m",
        "resolution=1y",
        "resolution=0.1s&start=2026-11-01T00:00:00Z",
        "start=noon",
        "start=2026-11-21T12:00:00",
    ],
)
def test_what_cannot_be_asked(nurse: TestClient, query: str) -> None:
    assert problem(nurse.get(f"{VITALS}?{query}"))["type"] == "/problems/invalid"


def test_a_stay_without_readings(nurse: TestClient) -> None:
    assert nurse.get(VITALS).json()["signals"] == {}


def test_a_score_says_how_old_its_parts_are(nurse: TestClient, service) -> None:
    part = {"points": 2, "value": 24, "time": "2026-11-21T11:59:00.000Z", "stale": True}
    never = {"points": 0, "value": None, "time": None, "stale": False}
    service.board.stays["stay-6A"]["news2"] = {
        "score": 2, "risk": "low", "partial": True, "missing": ["temp"], "stale": ["rr"], "scale": 1,
        "parts": {"rr": part, "temp": never},
    }  # fmt: skip
    shown = nurse.get(f"{A}/stays/stay-6A/score").json()
    assert shown["news2"]["parts"]["rr"] == {**part, "age_s": 60.0}
    assert shown["news2"]["parts"]["temp"]["age_s"] is None
    assert shown["risk"] == {"state": "no-model", "model": None}
    assert "age_s" not in service.board.stays["stay-6A"]["news2"]["parts"]["rr"]


def test_a_risk_comes_with_its_interval_its_age_and_its_reasons(nurse: TestClient, service) -> None:
    service.risks["stay-6A"] = {
        "state": "known", "value": 0.18, "low": 0.11, "high": 0.29, "age_s": 42.0, "model": "m1",
        "computed_at": "2026-11-21T11:59:18.000Z", "missing": ["temp"],
        "contributions": [{"group": "breathing", "log_odds": 0.8, "words": "RR rose from 16 to 24 in 4 h"}],
    }  # fmt: skip
    assert nurse.get(f"{A}/stays/stay-6A/score").json()["risk"] == service.risks["stay-6A"]
    assert problem(nurse.get(f"{A}/stays/stay-6B/score"))["status"] == 404  # of another ward


def test_without_a_score(nurse: TestClient) -> None:
    assert nurse.get(f"{A}/stays/stay-6A/score").json()["news2"] is None
