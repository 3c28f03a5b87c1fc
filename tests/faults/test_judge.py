"""The judge sees what it is there to see; a harness that passes everything proves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.databases import sqlite_engine, sqlite_url  # noqa: F401
from tests.faults.faults import ALL, TABLE
from tests.faults.judge import TICK, Told, Verdict, judge_alerts, judge_readings, judge_roughly, judge_telling
from tests.faults.oracle import Expected, Raised, undisturbed
from tests.faults.stream import ADDING_UP, INDICES, PACK, Plan
from ward.store.chunks import History
from ward.store.history import write_chunk

ORIGIN = 1_800_000_000_000
PLAN = Plan(seed=5, stays=3, samples=120)


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> Expected:
    pack = tmp_path_factory.mktemp("pack") / "faults.toml"
    pack.write_text(PACK + ADDING_UP)
    return undisturbed(PLAN, ORIGIN, PLAN.samples, pack)


def as_told(expected: Expected) -> Told:
    return Told([replace(r) for r in expected.raised], set(), list(expected.interruptions))


def verdict_of(expected: Expected, got: Told) -> Verdict:
    verdict = Verdict()
    judge_alerts(verdict, expected, got)
    return verdict


def test_the_stream_is_the_same_for_the_same_seed_and_raises_every_rule(expected):
    assert (PLAN.values(2) == Plan(5, 3, 120).values(2)).all()
    assert (PLAN.values(2) != Plan(6, 3, 120).values(2)).any()
    assert {r.rule for r in expected.raised} == {"spo2-low", "rr-high", "hr-often"}
    assert {reason for *_, reason in expected.interruptions} >= {"first", "again"}


def test_what_is_as_expected_passes(expected):
    verdict = verdict_of(expected, as_told(expected))
    assert verdict.alerts == len(expected.raised) > 5
    assert not verdict.faults(late_is_right=False)


def test_an_alert_that_is_missing_is_lost(expected):
    got = as_told(expected)
    del got.raised[2], got.interruptions[0]
    found = verdict_of(expected, got).faults(late_is_right=True)
    assert found == {"alerts_lost": 1, "interruptions_wrong": 1}


def test_an_alert_that_is_told_again_is_doubled(expected):
    got = as_told(expected)
    got.raised.append(replace(got.raised[0]))
    assert verdict_of(expected, got).faults(late_is_right=True) == {"alerts_doubled": 1}


def test_an_alert_before_its_instant_is_wrong_and_one_after_it_where_nothing_was_late(expected):
    got = as_told(expected)
    got.raised[0].at -= 1
    got.raised[1].at += TICK + 1
    assert verdict_of(expected, got).faults(late_is_right=True) == {"times_wrong": 1}
    assert verdict_of(expected, got).faults(late_is_right=False) == {"times_wrong": 1, "late": 1}


def test_one_that_was_found_late_may_be_stamped_late_where_readings_were_late(expected):
    got = as_told(expected)
    got.raised[0].at += 20_000
    got.late.add(0)
    verdict = verdict_of(expected, got)
    assert verdict.latest_s == 20
    assert verdict.faults(late_is_right=True) == {}
    assert verdict.faults(late_is_right=False) == {"late": 1}


def test_a_clearing_too_early_is_wrong(expected):
    got = as_told(expected)
    first = next(r for r in got.raised if r.cleared is not None)
    first.cleared -= 1
    assert verdict_of(expected, got).faults(late_is_right=False) == {"cleared_early": 1}


def test_a_change_that_nobody_heard_is_untold():
    verdict = Verdict()
    judge_telling(verdict, Told(seqs={1, 2, 3}), {1: 1, 3: 2})
    assert (verdict.untold, verdict.retold) == (1, 1)


def an_hour_later(r: Raised) -> Raised:
    hour = 3_600_000
    return Raised(r.number, r.rule, r.since + hour, r.at + hour, r.cleared and r.cleared + hour)


def test_where_clocks_are_set_only_breaches_away_from_it_count(expected):
    cleared = [r for r in expected.raised if r.cleared is not None]
    blind = [(cleared[0].since - 1, cleared[0].cleared + 1)]
    got = Told([an_hour_later(r) for r in expected.raised[1:]])
    verdict = Verdict()
    judge_roughly(verdict, expected, got, range(3), blind, (0, 3_600_000))
    assert (verdict.alerts_lost, verdict.alerts_doubled) == (0, 0)
    judge_roughly(verdict, expected, Told(), range(3), [], (0,))
    assert verdict.alerts_lost == len(expected.raised)


def test_readings_that_are_gone_altered_or_there_twice_are_seen(sqlite_engine):  # noqa: F811
    def write(stay: str, samples: range, device: int = 1, shift: float = 0.0) -> None:
        times, values = PLAN.times(0, ORIGIN), PLAN.values(0)
        with sqlite_engine.begin() as tx:
            for k in samples:
                rows = History.of(5, signal=list(INDICES), time=times[k], value=values[k] + shift, seq=k,
                                  device=device)  # fmt: skip
                write_chunk(tx, stay, rows)

    def judged(stay: str) -> Verdict:
        verdict = Verdict()
        every = {(0, k) for k in range(10)}
        judge_readings(verdict, sqlite_engine, PLAN, ORIGIN, {0: stay}, every, every)
        return verdict

    write("whole", range(10))
    assert not judged("whole").faults(late_is_right=True)
    write("gone", range(9))
    assert judged("gone").faults(late_is_right=True) == {"lost": 5}
    write("altered", range(9))
    write("altered", range(9, 10), shift=1.0)
    assert judged("altered").altered == 5
    write("twice", range(10))
    write("twice", range(1), device=2)
    assert judged("twice").doubled == 5


def test_every_fault_has_a_name_of_its_own_and_says_what_it_does():
    assert len(TABLE) == len(ALL)
    assert all(fault.does for fault in ALL)
