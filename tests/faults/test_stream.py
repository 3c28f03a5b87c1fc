"""What the harness takes for granted of its own stream."""

from __future__ import annotations

import pytest

from tests.faults.oracle import readings_of
from tests.faults.run import SETTLED_S
from tests.faults.stream import ADDING_UP, PACK, Plan
from ward.alerts.packs import load_pack
from ward.scoring.engine import LATENESS, Engine
from ward.scoring.sustain import RAISED
from ward.signals import SECOND

ORIGIN = 1_800_000_000_000


@pytest.mark.parametrize("seed", [1, 11])
def test_no_reading_waits_for_what_follows(seed):
    """Else what the last of them prove would be told up to 15 s after the end, when nobody waits any more."""
    engine = Engine((), 60, lateness=0)
    engine.add(readings_of(Plan(seed, 60, 600), ORIGIN, 600, lambda device, sample: 0))
    marked = engine.step(ORIGIN + 700 * SECOND).marked
    assert engine.filter is not None
    assert not engine.filter.confirmed.any()
    assert not marked.mark.any()


def test_all_is_told_before_the_harness_stops_waiting(tmp_path):
    (tmp_path / "faults.toml").write_text(PACK + ADDING_UP)
    rules = load_pack(str(tmp_path / "faults.toml")).rules
    readings = readings_of(Plan(11, 60, 62), ORIGIN, 62, lambda device, sample: 0)
    engine, last = Engine(rules, 60, lateness=LATENESS), int(readings.time.max())
    engine.add(readings)
    engine.step(last)
    told = []
    for now in range(last, last + 60 * SECOND, SECOND):
        told += [now - last] * int((engine.step(now).transitions.kind == RAISED).sum())
    assert told
    assert max(told) < SETTLED_S * SECOND
