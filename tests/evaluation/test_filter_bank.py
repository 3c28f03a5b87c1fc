"""Shapes and noise are cut out of recordings as they are: tried on recordings that never were."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ward.errors import InvalidError
from ward.evaluation.filter_shapes import ALIKE, SEGMENTS, Bank, Shape, W, _shape, grid
from ward.evaluation.filter_shapes import Segment as Piece
from ward.evaluation.filter_wards import TOLERANCE
from ward.ingest.recordings import Recording
from ward.signals import INDEX

LEVELS = {"hr": 80.0, "pr": 80.0, "spo2": 97.0, "rr": 15.0, "pi": 2.0}


def recording(seconds: int, seed: int = 1, **changes: dict[int, float]) -> Recording:
    """1 Hz around ordinary levels; ``changes``: signal → {second: value}, NaN leaves the reading out."""
    rng = np.random.default_rng(seed)
    signal, time, value = [], [], []
    for name, level in LEVELS.items():
        own = level + np.round(rng.normal(0, 0.4 if name != "pi" else 0.05, seconds), 1)
        for at, what in changes.get(name, {}).items():
            own[at] = what
        kept = np.flatnonzero(~np.isnan(own))
        signal.append(np.full(len(kept), INDEX[name], np.int8))
        time.append(kept * 1000)
        value.append(own[kept])
    order = np.argsort(np.concatenate(time), kind="stable")
    t = np.concatenate(time)[order]
    return Recording("made", np.concatenate(signal)[order], t, np.concatenate(value)[order], np.unique(t))


def made_bank() -> Bank:
    """A bank with one shape of a few kinds each, cut out of a recording that was made up."""
    silent = {"hr": dict.fromkeys(range(100, 200), 0.0), "rr": dict.fromkeys(range(100, 200), np.nan)}
    dips = {"spo2": {300 + i: v for i, v in enumerate((94.0, 91, 88, 86, 86, 86, 89, 93))}}
    own = recording(480, **silent, **dips)
    bank = Bank.__new__(Bank)
    bank.folder = Path("nowhere")
    bank.monitor = {W: own}
    bank.bidmc = {f"bidmc_{i:02d}_Numerics": recording(480, seed=i) for i in range(1, 6)}
    pieces = (
        Piece(W, 98, 202, "leads-off", ("hr", "rr"), "made"),
        Piece(W, 298, 310, "fast-dip", ("spo2",), "made"),
    )
    shapes = [_shape(own, piece) for piece in pieces]
    wrong = {name: np.array([off]) for name, off in (("sbp", -34.0), ("dbp", 15.0), ("map", 1.0))}
    nowhere = {name: np.array([np.nan]) for name in wrong}
    bank.__dict__["shapes"] = (*shapes, Shape("wrong-cuff", wrong, nowhere, "made:1"))
    return bank


def test_a_shape_is_how_far_readings_are_off_what_was_before_and_after():
    shapes = {shape.kind: shape for shape in made_bank().shapes}
    off, dip = shapes["leads-off"], shapes["fast-dip"]
    assert off.seconds == 104
    assert (off.absolute["hr"][2:102] == 0).all()
    assert np.isnan(off.absolute["hr"][[0, 1, 102, 103]]).all()
    assert np.isnan(off.deviation["rr"][6:100]).all()
    assert dip.deviation["spo2"].min() == pytest.approx(-11, abs=0.8)
    assert abs(dip.deviation["spo2"][[0, -1]]).max() < 1.5


def test_a_reading_speaks_for_three_seconds_of_the_grid():
    own = recording(30, hr=dict.fromkeys(range(10, 20), np.nan))
    values = grid(own, "hr", 0, 30)
    assert np.flatnonzero(np.isnan(values)).tolist() == list(range(12, 20))


def test_noise_is_what_a_calm_patient_moves_by():
    noise = made_bank().noise
    assert set(noise) == set(LEVELS)
    assert all(window.shape == noise["hr"].shape for window in noise.values())
    assert abs(noise["spo2"]).max() < 2.5
    assert noise["pi"].mean() == pytest.approx(1, abs=0.02)


def test_without_the_recordings_it_says_so(tmp_path):
    with pytest.raises(InvalidError, match="mimic4wdb/86130599n and bidmc; they are missing"):
        Bank(tmp_path)


def test_every_listed_place_shows_what_it_is_listed_for():
    folder = os.environ.get("WARD_TEST_DATA")
    if not folder:
        pytest.skip("needs WARD_TEST_DATA: a folder with PhysioNet's bidmc and mimic4wdb")
    shapes = Bank(Path(folder)).shapes[: len(SEGMENTS)]
    for segment, shape in zip(SEGMENTS, shapes, strict=True):
        off = [
            np.nanmax(np.abs(shape.deviation[name])) / TOLERANCE[name]
            for name in segment.signals
            if name != "pi" and not np.isnan(shape.deviation[name]).all()
        ]
        assert max(off) >= 1, segment
        assert segment.alike == (segment.kind in ALIKE), segment
