"""Strangers cannot fill the service's memory or its disk; who belongs to a stay is always taken."""

from __future__ import annotations

from collections import Counter

import pytest

from ward.ingest import limits
from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.limits import DAY, DeviceRoom, LetterBudget
from ward.ingest.records import Announcement, Refusal, Sample, Value
from ward.ingest.router import Router

T = 20_000 * DAY


def sample(device: str, ward: str = "w") -> Sample:
    return Sample(ward, device, T, None, None, None, [Value(0, 80.0)])


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(limits, "IN_WARD", 5)
    monkeypatch.setattr(limits, "IN_ALL", 8)
    monkeypatch.setattr(limits, "LETTERS_OF_ONE", 4)
    monkeypatch.setattr(limits, "LETTERS", 10)


def take(router: Router, *entries) -> list[str]:
    """Those for which there was no room."""
    room = DeviceRoom(router)
    kept, refused = room.divide(entries)
    router.apply(kept)
    assert {r.reason for r in refused} <= {"too-many-devices"}
    return [f"{r.ward}/{r.device}" for r in refused]


def test_made_up_devices_are_refused_beyond_a_number_and_known_ones_are_not(small):
    router = Router([StayInfo("carl", "w", "1", (), 0, None, (Assigned("mon", 0, None),))])
    assert take(router, *(sample(f"d{n}") for n in range(7))) == ["w/d5", "w/d6"]  # also within one batch
    assert take(router, sample("d0"), sample("d9")) == ["w/d9"]
    assert take(router, sample("mon")) == []  # it is a patient's
    others = [sample(f"x{n}", f"ward-{n}") for n in range(5)]
    assert take(router, *others) == ["ward-2/x2", "ward-3/x3", "ward-4/x4"]
    will = Announcement("w", "d8", T, "offline", None, {}, True)
    assert take(router, will) == ["w/d8"]
    again = Router()
    again.restore(router.snapshot())
    assert take(again, sample("d9")) == ["w/d9"]
    assert len(router.devices()) == 8


def refusal(device: str | None, at: int = T) -> Refusal:
    return Refusal(at, f"ward/v1/w/{device}/vitals", "not-json", "?", b"x", device, "w")


def kept(found: list[Refusal]) -> Counter[str]:
    return Counter(r.reason for r in found if r.kept)


def test_beyond_a_number_letters_are_counted_and_the_next_day_says_how_many(small):
    budget = LetterBudget()
    found = budget.limit([refusal("a") for _ in range(9)])
    budget.settle()
    assert kept(found) == {"not-json": 4, "more": 1}
    assert sum(r.count for r in found) == 9
    assert kept(budget.limit([refusal("a")])) == {}
    budget.settle()
    assert kept(budget.limit([refusal("b")])) == {"not-json": 1}
    budget.settle()
    (more, new) = budget.limit([refusal("a", T + DAY)])
    assert (more.reason, more.device, more.count) == ("more", "a", 0)
    assert "6 more" in more.detail
    assert (new.reason, new.kept) == ("not-json", True)


def test_a_batch_that_could_not_be_written_is_not_counted(small):
    budget = LetterBudget()
    for _ in range(5):
        assert kept(budget.limit([refusal("a"), refusal("a")])) == {"not-json": 2}


def test_a_million_names_are_no_way_around(small):
    budget = LetterBudget()
    for n in range(200):
        found = budget.limit([refusal(f"d{n}")])
        budget.settle()
        assert len(found) <= 2
    assert len(budget._kept) <= 10 + 1
    assert len(budget._more) <= 4 + 1
    assert sum(budget._more.values()) == 190
