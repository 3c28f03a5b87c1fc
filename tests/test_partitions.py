"""Which ward is whose, and what is passed over: the same for every engine and for NATS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.errors import ConflictError, InvalidError
from ward.ingest.share import Share
from ward.partitions import WHOLE, Partition, hash_of, numbers

WARDS = st.text(min_size=1, max_size=20)


@pytest.mark.parametrize(("name", "found"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_the_hash_is_that_of_its_authors(name, found):
    """http://www.isthe.com/chongo/src/fnv/test_fnv.c"""
    assert hash_of(name) == found


@given(WARDS, st.integers(1, 256))
def test_a_ward_is_of_one_partition(ward, of):
    assert sum(Partition(number, of).has(ward) for number in range(of)) == 1


@given(WARDS, st.integers(1, 64), st.integers(1, 4))
def test_a_finer_division_keeps_together_what_was_apart(ward, of, times):
    """A division by a multiple divides each partition for itself."""
    coarse = next(n for n in range(of) if Partition(n, of).has(ward))
    fine = next(n for n in range(of * times) if Partition(n, of * times).has(ward))
    assert fine % of == coarse


def test_what_is_no_wards_is_everybodys():
    assert all(Partition(number, 2).has(ward) for number in (0, 1) for ward in (None, ""))


def test_numbers():
    assert numbers("0-3,6, 2", 8) == [0, 1, 2, 3, 6]
    for wrong in ("", "8", "3-1", "0-8", "a", "-1", "1;2"):
        with pytest.raises(InvalidError, match="0 to 7"):
            numbers(wrong, 8)


def test_another_engines_ward_is_refused():
    mine, other = ("w1", "w2") if Partition(0, 2).has("w1") else ("w2", "w1")
    Partition(0, 2).require(mine)
    with pytest.raises(ConflictError, match="another engine"):
        Partition(0, 2).require(other)


@given(WARDS.filter(lambda ward: "/" not in ward), st.sampled_from(["vitals", "status", "alerts"]))
def test_of_what_all_hear_one_takes_it(ward, kind):
    """What is nobody's by its topic is refused by each, so that it is never lost without a word."""
    topic = f"ward/v1/{ward}/mon-1/{kind}"
    taken = [n for n in range(4) if not Share(Partition(n, 4)).passes_over(topic)]
    assert len(taken) in (1, 4)
    assert not any(Share(Partition(n, 4), "parts").passes_over(topic) for n in range(4))


def test_a_broker_that_maps_gives_each_its_own():
    share = Share(Partition(3, 8), "parts")
    assert share.topics == ("parts/3/ward/v1/+/+/vitals", "parts/3/ward/v1/+/+/status")
    wards = [f"w{n}" for n in range(40)]
    lost = [w for w in wards if share.is_lost(f"ward/v1/{w}/mon-1/vitals")]
    assert sorted(lost) == sorted(w for w in wards if not Partition(3, 8).has(w))
    assert not any(Share(WHOLE).is_lost(f"ward/v1/{w}/mon-1/vitals") for w in wards)
