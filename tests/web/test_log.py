"""Places in the log: how far somebody knows it, in one writer's and in several's."""

from __future__ import annotations

import pytest

from ward.web.log import DividedLog, SingleLog, begun, covers, joined


@pytest.mark.parametrize(
    ("place", "other", "is_covered", "both"),
    [
        ("17", "17", True, "17"),
        ("17", "18", False, "18"),
        ("9", "10", False, "10"),
        ("17-3", "16-3", True, "17-3"),
        ("17-3", "16-4", False, "17-4"),
        ("", "16-4", False, "16-4"),
        ("17", "16-4", False, "16-4"),
        ("x-3", "16-4", False, "16-4"),
    ],
)
def test_a_place_covers_another_where_no_number_is_behind(place, other, is_covered, both):
    assert covers(place, other) == is_covered
    assert joined(place, other) == both


def test_a_partition_of_which_nothing_was_known_begins_at_its_end():
    assert begun("0-4", "700-9") == "700-4"


def test_a_place_beyond_the_end_is_of_another_log(engine):
    for log, first, beyond in (
        (SingleLog(engine), "0", "1"),
        (DividedLog(engine, lambda: [0, 0]), "0-0", "0-1"),
    ):
        assert log.has(first)
        assert not log.has(beyond)
        assert not log.has("0-0-0")
        assert not log.has("")
