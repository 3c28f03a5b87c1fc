"""The filter's quick way for calm slots against its plain way: the same marks, the same memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ward.scoring import filter as filter_module
from ward.scoring.filter import Filter, Marked
from ward.scoring.readings import Readings
from ward.signals import INDEX, SIGNALS

START = 1_700_000_000_000
STAYS = 6
USUAL = {"hr": 80, "pr": 80, "spo2": 97, "rr": 16, "sbp": 120, "dbp": 70, "map": 88, "temp": 37, "pi": 3}


def ward(rng: np.random.Generator, seconds: int, trouble: float) -> Readings:
    """Monitors of some signals each second, with whatever may go wrong in a share of the readings."""
    parts = []
    for slot in range(STAYS):
        for name in rng.permutation(list(USUAL))[: rng.integers(1, 6)]:
            times = np.arange(seconds) * 1000 + int(rng.integers(0, 1000))
            if rng.random() < 0.2:
                times = times[rng.random(seconds) < 0.1]
            usual = 7 if name == "rr" and rng.random() < 0.3 else USUAL[name]
            level = usual + np.cumsum(rng.normal(0, 0.3, len(times)))
            bad = rng.random(len(times)) < trouble
            values = np.where(bad, rng.choice([0, 15, 55, 140, 260, 400], len(times)), level)
            if rng.random() < 0.15:
                values[len(values) // 3 :] = USUAL[name]  # frozen
            devices = rng.integers(1, 3, len(times)) if rng.random() < 0.15 else np.full(len(times), slot + 1)
            doubt = rng.random(len(times)) < trouble
            parts.append(
                Readings.of(
                    len(times),
                    slot=slot,
                    signal=INDEX[name],
                    time=START + times,
                    value=np.clip(values, *SIGNALS[INDEX[name]].possible) if rng.random() < 0.5 else values,
                    device=devices,
                    hold=90_000,
                    status=np.where(doubt, rng.integers(0, 9, len(times)), 0),
                    quality=np.where(doubt, rng.choice([0.1, 0.5, 0.95], len(times)), np.nan),
                )
            )
    return Readings.concat(parts)


def told(marked: list[Marked]) -> list[tuple[object, ...]]:
    """Every mark, in an order that does not depend on how they were found."""
    rows = []
    for part in marked:
        r = part.readings
        columns = (r.slot, r.signal, r.time, r.device, r.value, part.mark, part.reason, part.first)
        rows += list(zip(*(column.tolist() for column in columns), strict=True))
    return sorted(rows)


def assert_same(found: tuple[list[Marked], list[Marked]], filters: tuple[Filter, Filter]) -> None:
    """Two filters marked alike, and know the same now."""
    assert told(found[0]) == told(found[1])
    own, other = (each.snapshot() for each in filters)
    assert own.keys() == other.keys()
    for name, column in other.items():
        np.testing.assert_array_equal(own[name], column, err_msg=name)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.001, 0.01, 0.1]))
def test_calm_slots_pass_as_if_each_reading_had_been_judged(seed, trouble):
    rng = np.random.default_rng(seed)
    seconds = int(rng.integers(5, 150)) if seed % 10 else 1_300
    every = ward(rng, seconds, trouble)
    quick, plain = Filter(STAYS), Filter(STAYS)
    found: tuple[list[Marked], list[Marked]] = ([], [])
    since = START - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_module, "LEAST", 1)
        while since < START + 1000 * seconds + 20_000:
            until = since + int(rng.choice([500, 1_000, 7_000, 40_000, 700_000]))
            part = every.take((every.time > since) & (every.time <= until)).in_cell_order()
            found[0].append(quick.push(part, until))
            found[1].append(plain._push(part, until))
            since = until
    assert_same(found, (quick, plain))


def test_a_calm_ward_is_not_judged_reading_by_reading(monkeypatch):
    n = 200
    times = START + np.arange(n) * 1000
    every = Readings.concat(
        Readings.of(
            n,
            slot=slot,
            signal=INDEX[name],
            time=times,
            value=USUAL[name] + np.arange(n) % 3,
            device=1,
            hold=90_000,
        )
        for slot in range(STAYS)
        for name in ("hr", "pr", "spo2", "rr")
    )
    judge = Filter(STAYS)
    first = every.time <= START + 20_000
    judge.push(every.take(first).in_cell_order(), START + 20_000)
    seen = []
    plain = Filter._push
    monkeypatch.setattr(
        Filter, "_push", lambda own, rest, *how: (seen.append(len(rest)), plain(own, rest, *how))[1]
    )
    marked = judge.push(every.take(~first).in_cell_order(), START + 1000 * n)
    assert seen == [0]
    assert len(marked.readings) == int((~first).sum())
    assert not marked.mark.any()
