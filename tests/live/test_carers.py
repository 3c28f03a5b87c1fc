"""Who has which patient, through the whole service: durable, on the board, over with the shift."""

from __future__ import annotations

import pytest

from tests.live.world import World
from ward.errors import InvalidError, NotFoundError
from ward.signals import HOUR


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def test_who_has_a_patient_is_on_the_board_survives_a_crash_and_ends_by_the_clock(world):
    one, two = world.admit("1"), world.admit("2", devices=())
    answer = world.do("assign", stays=[one, two], person="ada", name="Ada Berg")
    assert [stay["carer"]["name"] for stay in answer["items"]] == ["Ada Berg"] * 2
    world.crash()
    world.tick()
    board = world.runner.keeper.board
    assert board.stays[one]["carer"]["name"] == "Ada Berg"
    world.tick(16 * HOUR)
    board = world.runner.keeper.board
    assert board.stays[one]["carer"] is None
    assert board.stays[one]["carer_before"]["name"] == "Ada Berg"
    assert [e.kind for e in world.events()].count("unassigned") == 2
    world.crash()
    world.tick()
    assert world.runner.keeper.board.stays[one]["carer_before"]["reason"] == "the shift is over"


def test_a_stay_that_is_over_or_of_another_ward_is_nobodys(world):
    one = world.admit("1")
    world.do("assign", stays=[one], person="ada", name="Ada Berg")
    world.do("transfer", stay=one, ward="x", bed="1")
    assert world.runner.keeper.board.stays[one]["carer"] is None
    other = world.admit("2", devices=())
    with pytest.raises(InvalidError, match="one ward"):
        world.do("assign", stays=[one, other], person="ada", name="Ada Berg")
    world.do("assign", stays=[other], person="ada", name="Ada Berg")
    world.do("discharge", stay=other)
    assert next(e.detail["reason"] for e in world.events("unassigned")) == "the stay is over"
    with pytest.raises(NotFoundError):
        world.do("assign", stays=[other], person="ada", name="Ada Berg")
    with pytest.raises(NotFoundError):
        world.do("unassign", stays=["nothing"])
