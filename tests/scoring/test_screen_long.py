"""Pushes of hours, as a replay has them: who lives all the while is not judged reading by reading, and who
stands still for a part of it is found all the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.test_screen import START, STAYS, USUAL, assert_same
from ward.scoring.filter import REASONS, Filter, Marked
from ward.scoring.readings import Readings
from ward.signals import INDEX, SECOND

N = 700
STEP = 10 * SECOND


def hours(rng: np.random.Generator, still: float) -> Readings:
    """Some hours; devices stand still for a while, all or some of their signals, and go on."""
    parts = []
    for slot in range(STAYS):
        stands, together = rng.random() < still, rng.random() < 0.7
        low = int(rng.integers(0, N))
        high = low + int(rng.integers(30, 250))
        for name in rng.permutation(["hr", "pr", "spo2", "rr", "temp"])[: rng.integers(1, 5)]:
            value = USUAL[name] + np.arange(N) % 2
            if stands:
                value[low:high] = USUAL[name]
                if not together:
                    low, high = (max(0, edge + int(rng.integers(-80, 80))) for edge in (low, high))
            begin = int(rng.integers(0, N // 2)) if rng.random() < 0.2 else 0
            kept = (np.arange(N) >= begin) & (rng.random(N) > rng.choice([0, 0.3]))
            time = START + np.arange(N)[kept] * STEP
            device = slot + 1 if rng.random() < 0.9 else 50 + slot
            parts.append(
                Readings.of(
                    len(time),
                    slot=slot,
                    signal=INDEX[name],
                    time=time,
                    value=value[kept],
                    device=device,
                    hold=90_000,
                )
            )
    return Readings.concat(parts)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_hours_pass_as_if_each_reading_had_been_judged(seed: int) -> None:
    rng = np.random.default_rng(seed)
    every = hours(rng, 0.5)
    quick, plain = Filter(STAYS), Filter(STAYS)
    found: tuple[list[Marked], list[Marked]] = ([], [])
    since = START - 1
    for until in [
        *np.sort(rng.integers(START, START + N * STEP, rng.integers(0, 4))).tolist(),
        START + N * STEP,
    ]:
        part = every.take((every.time > since) & (every.time <= until)).in_cell_order()
        found[0].append(quick.push(part, until))
        found[1].append(plain._push(part, until))
        since = until
    assert_same(found, (quick, plain))


def test_what_stands_still_is_found_and_who_lives_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    lively = hours(rng, 0.0).in_cell_order()
    seen: list[int] = []
    plain = Filter._push
    monkeypatch.setattr(
        Filter, "_push", lambda own, rest, *how: (seen.append(len(rest)), plain(own, rest, *how))[1]
    )
    assert not Filter(STAYS).push(lively, START + N * STEP).mark.any()
    assert seen == [0]
    standing = hours(rng, 1.0).in_cell_order()
    reasons = Filter(STAYS).push(standing, START + N * STEP).reason
    assert (reasons == REASONS.index("flat-line")).sum() > 30
