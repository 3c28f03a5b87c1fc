"""Many readings at once are judged in pieces of time; nobody can see where they were cut."""

from __future__ import annotations

import numpy as np
import pytest

from ward.alerts.packs import load_pack
from ward.scoring import engine as engines
from ward.scoring.engine import Engine, Step
from ward.scoring.readings import Readings
from ward.signals import INDEX, SECOND

START = 1_700_000_000_000
USUAL = {"hr": (80, 2, 0), "spo2": (90, 1, 0), "rr": (16, 1, 0), "sbp": (110, 5, 300)}
"""Mean, spread, and seconds between readings beyond the second."""


def recorded(source: np.random.Generator, slots: int, seconds: int) -> Readings:
    """Sick patients with spikes, dropped samples and a cuff."""
    parts = []
    for slot in range(slots):
        for name, (mean, spread, apart) in USUAL.items():
            at = np.arange(0, seconds, max(apart, 1))
            value = np.round(mean + spread * np.cumsum(source.normal(size=len(at))) / 10)
            odd = source.random(len(at)) < 0.01
            value[odd] = source.integers(0, 60, odd.sum())
            kept = source.random(len(at)) > 0.1
            parts.append(
                Readings.of(
                    int(kept.sum()),
                    slot=slot,
                    signal=INDEX[name],
                    time=START + at[kept] * SECOND,
                    value=np.clip(value[kept], 0, 100),
                    hold=max(90, 4 * apart) * SECOND,
                )
            )
    return Readings.concat(parts)


def stepped(readings: Readings, slots: int) -> Step:
    engine = Engine(load_pack("ward-rct-2025").rules, slots, lateness=0)
    engine.add(readings)
    return engine.step(int(readings.time.max()) + 60 * SECOND)


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_time_cannot_be_seen(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = recorded(np.random.default_rng(seed), slots=4, seconds=3_600)
    whole = stepped(readings, 4)
    monkeypatch.setattr(engines, "_MANY", 1_000)
    monkeypatch.setattr(engines, "PIECE", 2_000)
    pieces = stepped(readings, 4)

    assert len(pieces.parts) > len(readings) / 4_000
    for name in ("slot", "rule", "kind", "at", "since"):
        assert getattr(pieces.transitions, name).tolist() == getattr(whole.transitions, name).tolist()
    assert len(whole.transitions) > 0
    assert marks(pieces) == marks(whole)


def marks(step: Step) -> dict[tuple[int, int, int], int]:
    """The last mark of each reading, by slot, signal and time."""
    marked = step.marked
    rows = marked.readings
    keys = zip(rows.slot.tolist(), rows.signal.tolist(), rows.time.tolist(), strict=True)
    return dict(zip(keys, marked.mark.tolist(), strict=True))
