"""The life of a draft as a table: what leads where, and who may."""

from __future__ import annotations

from itertools import product

import pytest

from ward.alerts.drafts import MOVES, OPEN, Person, Second, is_changed, leads_from, require
from ward.errors import ConflictError, ForbiddenError

ANN, BEN = Person("user:1", "Ann"), Person("user:2", "Ben")
TWO, ALONE, FREE = Second(True, 3), Second(True, 0), Second(False, 0)
STATES = ("proposed", "approved", "rejected", "withdrawn", "applied", "returned")


@pytest.mark.parametrize(("act", "state"), list(product(MOVES, STATES)))
def test_only_what_the_table_says_leads_on(act, state) -> None:
    who = ANN if act == "withdraw" else BEN
    if state in MOVES[act].before:
        assert require(act, state, ANN, who, TWO) == MOVES[act].after
    else:
        with pytest.raises(ConflictError):
            require(act, state, ANN, who, TWO)


def test_what_is_over_stays_over() -> None:
    ended = set(STATES) - OPEN - {"applied"}
    assert all(not ended & leads_from(act, FREE) for act in MOVES)


@pytest.mark.parametrize("who", [ANN, Person("session:9", "ann"), Person("user:1", "Ann B.")])
def test_a_second_person_is_another_person(who) -> None:
    with pytest.raises(ForbiddenError, match="second person"):
        require("approve", "proposed", ANN, who, TWO)
    with pytest.raises(ForbiddenError, match="WARD_SECOND_PERSON"):
        require("approve", "proposed", ANN, who, ALONE)
    assert require("approve", "proposed", ANN, who, FREE) == "approved"


def test_where_one_decides_alone_nothing_need_be_approved() -> None:
    with pytest.raises(ConflictError, match="not approved by a second person"):
        require("apply", "proposed", ANN, ANN, TWO)
    assert require("apply", "proposed", ANN, ANN, FREE) == "applied"


def test_who_set_a_rule_and_when_is_not_what_it_is() -> None:
    rule = {"id": "a", "for": "5m", "by": "Ann", "at": 1, "version": 2}
    assert not is_changed(rule, {**rule, "by": "Ben", "at": 2})
    assert is_changed(rule, {**rule, "version": 3})
    assert is_changed(rule, None)
    assert is_changed(None, rule)
    assert not is_changed(None, None)
