"""The journal on both databases: batches in order, dead letters beside them, both or neither."""

import pytest
from sqlalchemy import select

from ward.ingest.journal import SqlJournal
from ward.ingest.records import (
    EXCERPT,
    Announcement,
    Observation,
    Refusal,
    RulesChanged,
    Sample,
    StayChanged,
    Value,
)
from ward.store.tables import dead_letters, journal


def sample(n):
    return Sample("north", "mon", 1000 + n, None, n, None, [Value(0, 80.0 + n)])


ALL_KINDS = [
    Sample("north", "mon", 5, 4, 2**63 - 1, "s", [Value(0, 0.1, 0.5, "motion"), Value(1, None)], False),
    Announcement("north", "mon", 9, "online", None, {0: 1.0, 4: 1800.0}, True),
    Observation("anna", 1, 2, "nurse", {9: 2.0}),
    StayChanged("anna", 3),
    RulesChanged(4),
]


@pytest.fixture
def log(engine):
    return SqlJournal(engine)


def test_what_is_written_is_read(log, engine):
    assert log.last() == 0
    assert log.read(0) == []
    position = log.append(ALL_KINDS)
    assert log.read(0) == [(position, ALL_KINDS)]
    assert log.last() == position
    with engine.connect() as connection:
        assert connection.execute(select(journal.c.written)).scalar_one() == 9


def test_batches_come_in_order_after_a_position(log):
    positions = [log.append([sample(n)]) for n in range(5)]
    assert positions == sorted(set(positions))
    assert [p for p, _ in log.read(positions[1])] == positions[2:]
    assert [p for p, _ in log.read(0, limit=2)] == positions[:2]
    assert log.read(positions[-1]) == []


def test_refusals_are_kept_with_their_reason_and_count(log, engine):
    refusals = [
        Refusal(7, "ward/v1/n/m/vitals", "not-a-number", "hr is NaN", b"{\xff\0", "m", "n", 3),
        Refusal(8, "odd\0topic", "bad-topic", "?", b"x" * 9000),
    ]
    position = log.append([sample(1)])
    assert log.append([], refusals) == position
    with engine.connect() as connection:
        rows = connection.execute(select(dead_letters).order_by(dead_letters.c.id)).all()
    assert (rows[0].received, rows[0].ward, rows[0].device, rows[0].reason) == (7, "n", "m", "not-a-number")
    assert rows[0].detail == "hr is NaN (3 times)"
    assert rows[0].payload == b"{\xff\0"
    assert len(rows[1].payload) == EXCERPT


def test_both_or_neither(log):
    broken = Refusal(7, "t", None, "d", b"")
    with pytest.raises(Exception, match=r"(?i)null"):
        log.append([sample(1)], [broken])
    assert log.read(0) == []


def test_trimming_keeps_the_newest_so_that_positions_go_on(log):
    positions = [log.append([sample(n)]) for n in range(4)]
    log.trim(positions[1])
    assert [p for p, _ in log.read(0)] == positions[2:]
    log.trim(positions[3] + 100)
    assert log.last() == positions[3]
    assert log.append([sample(9)]) > positions[3]
