"""Which screen sounds: one where the ward wants it, another within seconds, and in doubt two."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Client
from ward.web.sounding import ALIVE_S, MOST, Heard, Sounding

A = "/api/v1"


class Steady:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def ward(*names: str) -> tuple[Sounding, Steady]:
    steady = Steady()
    return Sounding(",".join(names), steady), steady


def test_by_default_every_screen_that_can_sounds():
    sounding, _ = ward()
    assert [sounding.hear("6A", s, able=True).sounds for s in "abc"] == [True, True, True]
    assert not sounding.hear("6A", "d", able=False).sounds


def test_where_the_ward_wants_it_the_first_sounds_alone():
    sounding, steady = ward("6A")
    assert sounding.hear("6A", "a", able=True) == Heard(True, 0)
    steady.s = 1
    assert sounding.hear("6A", "b", able=True) == Heard(False, 1)
    assert sounding.hear("6A", "a", able=True) == Heard(True, 1)
    assert sounding.hear("6B", "b", able=True).sounds  # another ward
    everywhere, _ = ward("*")
    assert [everywhere.hear("7", s, able=True).sounds for s in "ab"] == [True, False]


def test_whoever_is_silent_loses_it_within_seconds():
    sounding, steady = ward("6A")
    sounding.hear("6A", "a", able=True)
    for steady.s in (1, 4):
        assert not sounding.hear("6A", "b", able=True).sounds
    steady.s = ALIVE_S
    assert sounding.hear("6A", "b", able=True).sounds
    assert not sounding.hear("6A", "a", able=True).sounds  # back: it waits its turn


def test_whoever_cannot_sound_any_more_gives_it_up_at_once():
    sounding, _ = ward("6A")
    sounding.hear("6A", "a", able=True)
    sounding.hear("6A", "a", able=False)
    assert sounding.hear("6A", "b", able=True).sounds


def test_somebody_may_have_it_sound_here():
    sounding, _ = ward("6A")
    assert sounding.hear("6A", "a", able=True).sounds
    assert sounding.hear("6A", "b", able=True, take=True).sounds
    assert not sounding.hear("6A", "a", able=True).sounds
    assert sounding.hear("6A", "b", able=True).sounds


def test_a_restart_lets_two_sound_rather_than_none():
    before, after = ward("6A")[0], ward("6A")[0]
    assert before.hear("6A", "a", able=True).sounds
    assert after.hear("6A", "b", able=True).sounds


def test_memory_is_bounded_and_whoever_is_beyond_it_sounds():
    sounding, steady = ward("6A")
    for n in range(2 * MOST):
        steady.s = n * 1e-6
        sounding.hear("6A", str(n), able=True)
    assert sounding.hear("6A", "one more", able=True) == Heard(True, MOST)


def said(client: Client, **body: Any) -> Any:
    given = {"screen": "s", "wards": ["6A"], "able": True} | body
    return client.post(f"{A}/sounds", json=given)


def test_over_http_each_is_answered_for_the_wards_that_it_sees(client) -> None:
    answer = said(client("nurse"), wards=["6A", "6B"]).json()
    assert answer == {"wards": {"6A": {"shared": False, "sounds": True, "others": 0}}}
    assert said(client("kiosk", wards=["6A"])).status_code == 200
    assert said(client("integration")).status_code == 403
    assert said(client("nurse"), wards=[]).status_code == 422
