"""The table itself: complete, reachable, and nothing that the contract forbids."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.alerts.lifecycle import GUARDS, TABLE, Facts, Guard, Input, step
from ward.alerts.model import STATES, State

facts = st.builds(Facts, *[st.booleans()] * 7)


def test_all_words_are_used_and_known() -> None:
    assert {row.input for row in TABLE} == set(get_args(Input))
    assert {row.guard for row in TABLE} == set(GUARDS) == set(get_args(Guard))
    assert {row.state for row in TABLE} | {row.target for row in TABLE} == set(STATES) == set(get_args(State))


def test_every_state_can_be_reached_from_pending() -> None:
    reached: set[str] = {"pending"}
    while new := {row.target for row in TABLE if row.state in reached} - reached:
        reached |= new
    assert reached == set(STATES)


@given(st.sampled_from(get_args(Input)), facts)
def test_what_is_closed_stays_closed_unless_it_was_taken_by_mistake(given_input, known) -> None:
    row = step("closed", given_input, known)
    assert row is None or (given_input == "undo" and (known.shelved or known.latching))


@given(st.sampled_from(("acknowledged", "shelved")), facts)
def test_taking_back_never_ends_an_alert(state, known) -> None:
    row = step(state, "undo", known)
    assert row is None or row.target != "closed"


@given(st.sampled_from(STATES[:-1]), facts)
def test_every_open_alert_ends_with_its_stay(state, known) -> None:
    row = step(state, "end", known)
    assert state == "pending" or (row is not None and row.target == "closed")


@given(facts)
def test_a_shelf_always_expires(known) -> None:
    row = step("shelved", "expire", known)
    assert row is not None
    assert row.target != "shelved"
    assert (row.target in ("active", "suppressed")) == known.sustained


@given(facts)
def test_expiring_and_unshelving_come_to_the_same(known) -> None:
    expired, unshelved = step("shelved", "expire", known), step("shelved", "unshelve", known)
    assert expired is not None
    assert unshelved is not None
    assert expired.target == unshelved.target


@given(st.sampled_from(STATES), st.sampled_from(get_args(Input)), facts)
def test_only_what_was_not_told_is_suppressed(state, given_input, known) -> None:
    row = step(state, given_input, known)
    if row is not None and row.target == "suppressed":
        assert state in ("pending", "shelved")
        assert known.inhibited
        assert state == "pending" or not known.told


@given(st.sampled_from(STATES), facts)
def test_a_latching_alert_does_not_close_by_clearing(state, known) -> None:
    row = step(state, "clear", known)
    if row is not None and row.target == "closed":
        assert state in ("suppressed", "acknowledged") or not known.latching


@pytest.mark.parametrize("state", STATES)
def test_only_an_acknowledgement_is_outranked(state) -> None:
    assert (step(state, "outrank", Facts()) is not None) == (state == "acknowledged")
