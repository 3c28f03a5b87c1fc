"""What the engine found reaches the alert book, whatever happens to one stay's."""

from __future__ import annotations

import pytest

from ward.alerts.book import AlertBook
from ward.errors import UnavailableError


def test_a_stay_whose_alerts_cannot_be_told_costs_no_other_its_own_and_is_tried_again(world, monkeypatch):
    stays = {bed: world.admit(bed, (f"mon-{bed}",)) for bed in ("1", "2", "3")}
    real, failing = AlertBook.raised_together, {stays["2"]}

    def raised_together(self, breaches, now):
        found = real(self, breaches, now)
        if any(stay in failing for stay, *_ in breaches):
            raise ZeroDivisionError  # half-way: the book of the stay has changed already
        return found

    monkeypatch.setattr(AlertBook, "raised_together", raised_together)

    def live(seconds: int) -> None:
        for _ in range(seconds):
            for bed in stays:
                world.measure(f"mon-{bed}", spo2=70)
            world.tick()

    live(70)
    first = world.told()
    assert {stay for stay, rule, *_ in first if rule == "spo2-below-80"} == {stays["1"], stays["3"]}
    assert "alerts: ZeroDivisionError" in world.service.health()["reasons"]
    with pytest.raises(UnavailableError):
        world.runner.take_snapshot()
    failing.clear()
    live(1)
    told = [(stay, at) for stay, rule, at, _ in world.told() if rule == "spo2-below-80"]
    assert dict(told) == dict.fromkeys(stays.values(), first[0][2])
    assert len(told) == 3
    assert not world.service.core.faults
    world.runner.take_snapshot()
    interruptions = [e for e in world.events("raised") if e.stay == stays["2"]]
    assert len(interruptions) == 1
