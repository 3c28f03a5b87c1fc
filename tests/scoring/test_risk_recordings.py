"""The shipped model on a real patient: however often one measures, and whatever is missing."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ward.ingest.recordings import Recording, read_recordings
from ward.models import find_risk, shipped
from ward.replay_scores import steps
from ward.signals import HOUR, INDEX, MEASURED, MINUTE

DATA = os.environ.get("WARD_TEST_DATA")
pytestmark = [
    pytest.mark.skipif(DATA is None, reason="recordings: WARD_TEST_DATA is not set"),
    pytest.mark.skipif(
        not (shipped() / "risk.skops").exists(), reason="no model comes with this copy of ward"
    ),
]


@cache
def recording() -> Recording:
    """MIMIC-IV WDB 86130599: 48 hours, 1 Hz; a cuff now and then, no temperature."""
    folder = Path(str(DATA)) / "mimic4wdb"
    (found,) = read_recordings(next(f for f in sorted(folder.iterdir()) if f.name.startswith("86130599n")))
    return found


def thinned(every: int) -> Recording:
    """The first reading of each signal in each span of ``every`` ms; the cuff as it was."""
    full = recording()
    cuff = np.isin(full.signal, [INDEX[name] for name in ("sbp", "dbp", "map")])
    span = full.signal * np.int64(10**9) + full.time // every
    first = np.zeros(len(full), np.bool_)
    first[np.unique(span, return_index=True)[1]] = True
    keep = first | cuff
    columns = (full.signal[keep], full.time[keep], full.value[keep], full.rows)
    return Recording(full.stay, *columns, full.origin, hold=max(2 * every, 90_000))


@cache
def scored(every: int):
    (part,) = steps([recording() if every == 0 else thinned(every)], every=5 * MINUTE)
    return find_risk("default").predict(part.inputs)


def log_odds(p):
    return np.log(p / (1 - p))


@pytest.mark.parametrize(
    ("every", "middle", "most"), [(MINUTE, 0.15, 0.6), (10 * MINUTE, 0.25, 0.9), (HOUR, 0.45, 1.2)]
)
def test_it_says_nearly_the_same_however_often_one_measures(every, middle, most):
    second, thin = scored(0), scored(every)
    assert np.isfinite(second.value).mean() > 0.95
    apart = np.abs(log_odds(thin.value) - log_odds(second.value))
    assert (np.isfinite(thin.value) == np.isfinite(second.value)).mean() > 0.99
    half, nine, whole = np.nanquantile(apart, [0.5, 0.9, 1])
    inside = ((thin.value >= second.low) & (thin.value <= second.high))[np.isfinite(apart)].mean()
    risks = np.nanquantile(second.value, [0.05, 0.5, 0.95]).round(3).tolist()
    print(
        f"\none value in {every // MINUTE} min beside one a second: |log-odds apart| median {half:.2f}, 90 % "
        f"{nine:.2f}, most {whole:.2f}; within the interval {inside:.0%}; risk 5/50/95 % {risks}"
    )
    assert half <= middle
    assert nine <= most
    assert inside >= 0.8


@pytest.mark.parametrize("order", [MEASURED, MEASURED[::-1]])
def test_without_one_signal_after_the_other_it_is_never_surer(order):
    full = thinned(10 * MINUTE)
    before = None
    for gone in range(len(order) + 1):
        keep = ~np.isin(full.signal, [INDEX[name] for name in order[:gone]])
        if not keep.any():
            break
        columns = (full.signal[keep], full.time[keep], full.value[keep], full.rows)
        (part,) = steps([Recording("x", *columns, full.origin, full.hold)], every=HOUR)
        found = find_risk("default").predict(part.inputs)
        known = np.isfinite(found.value)
        assert (found.low[known] > 0).all()
        assert (found.high[known] < 1).all()
        assert (found.high[known] - found.low[known] > 0).all()
        if before is not None:
            assert not (known & ~before).any()
        before = known
    assert not before.any()
