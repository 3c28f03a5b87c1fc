"""A hold that is tried tells what the running core does where the devices declare it, to the millisecond."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.test_trial import BEDS, asked, listed, play, told
from tests.live.world import World
from ward.errors import InvalidError
from ward.live import snapshots

HOLD_S = 4


def tried(world: World, **given: Any) -> dict[str, Any]:
    return world.trial(asked(world, **given))


def test_a_tried_hold_is_what_a_declared_one_does(tmp_path: Path) -> None:
    before = World(tmp_path / "before", clock="replay")
    beds = play(before)
    snapshots.flush(before.service.core)
    answer = tried(before, holds={"rr": HOLD_S * 1_000})
    assert listed(answer["now"], beds) == told(before, beds)
    after = World(tmp_path / "after", clock="replay")
    for bed in BEDS:  # 2.5 intervals are the hold
        after.publish(f"mon-{bed}", {"state": "online", "interval_s": {"rr": HOLD_S / 2.5}}, kind="status")
    after.tick(1_000)
    again = play_at(after)
    assert listed(answer["raised"], beds) == told(after, again)
    assert answer["raised"] != answer["now"]
    assert "rr-from-24" in answer["rules"]
    assert "spo2-below-88" not in answer["rules"]
    before.close()
    after.close()


def play_at(world: World) -> dict[str, str]:
    """As ``play``, from the same instant on."""
    world.clock.time -= 1_000
    return play(world)


def test_a_hold_that_no_rule_looks_at_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, clock="replay")
    play(world)
    snapshots.flush(world.service.core)
    with pytest.raises(InvalidError, match="no rule looks at pi"):
        tried(world, holds={"pi": 60_000})
    world.close()
