"""What every journal keeps to, in the database and in JetStream."""

import pytest
from sqlalchemy import select

from tests.journal.conftest import Logs
from ward.ingest.journal import Journal
from ward.ingest.packed import entries_of
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
from ward.store.credentials import load_heard
from ward.store.tables import dead_letters


def sample(n, device="mon"):
    return Sample("north", device, 1000 + n, None, n, None, [Value(0, 80.0 + n)])


ALL_KINDS = [
    Sample("north", "mon", 5, 4, 2**63 - 1, "s", [Value(0, 0.1, 0.5, "motion"), Value(1, None)], False),
    Announcement("north", "mon", 9, "online", None, {0: 1.0, 4: 1800.0}, True),
    Observation("anna", 1, 2, "nurse", {9: 2.0}),
    StayChanged("anna", 3),
    RulesChanged(4),
]


def written(log: Journal, after: int = 0, limit: int = 1000):
    """Batches that have something in them: who opens a journal may leave a mark in it."""
    return [(position, batch) for position, batch in log.read(after, limit) if batch != []]


def test_what_is_written_is_read(log):
    begin = log.last()
    assert written(log) == []
    position = log.append(ALL_KINDS)
    assert position > begin
    assert written(log) == [(position, ALL_KINDS)]
    assert log.last() == position
    parts = dict(log.read_parts(begin))[position]
    assert entries_of(parts) == ALL_KINDS


def test_batches_come_in_order_after_a_position(log):
    positions = [log.append([sample(n)]) for n in range(5)]
    assert positions == sorted(set(positions))
    assert [p for p, _ in log.read(positions[1])] == positions[2:]
    assert [p for p, _ in written(log, positions[0] - 1, limit=2)] == positions[:2]
    assert log.read(positions[-1]) == []


def test_a_device_is_read_in_the_order_in_which_it_was_written(log):
    sent = [[sample(n, f"mon-{n % 3}") for n in range(begin, begin + 40)] for begin in range(0, 1200, 40)]
    for batch in sent:
        log.append(batch)
    read, after = [], 0
    while rows := log.read(after, 7):
        read += [entry for _, batch in rows for entry in batch or []]
        after = rows[-1][0]
    assert read == [entry for batch in sent for entry in batch]


def test_reading_goes_on_anywhere_and_again(log):
    positions = [log.append([sample(n)]) for n in range(6)]
    for after in (positions[3], positions[0], positions[3], positions[4]):
        assert [p for p, _ in log.read(after)] == [p for p in positions if p > after]


def test_a_batch_of_any_size_is_written_whole_and_once(log):
    begin = log.last()
    batch = [
        Sample("north", f"mon-{n}", n, None, n, None, [Value(k, 80.0 + k, 0.5) for k in range(5)])
        for n in range(25_000)
    ]
    position = log.append(batch)
    rows = log.read(begin)
    assert [entry for _, part in rows for entry in part] == batch
    assert rows[-1][0] == position


def test_refusals_are_kept_with_their_reason_and_count(log, logs):
    refusals = [
        Refusal(7, "ward/v1/n/m/vitals", "not-a-number", "hr is NaN", b"{\xff\0", "m", "n", 3),
        Refusal(8, "odd\0topic", "bad-topic", "?", b"x" * 9000),
    ]
    position = log.append([sample(1)])
    assert log.append([], refusals) == position
    with logs.engine.connect() as connection:
        rows = connection.execute(select(dead_letters).order_by(dead_letters.c.id)).all()
    assert (rows[0].received, rows[0].ward, rows[0].device, rows[0].reason) == (7, "n", "m", "not-a-number")
    assert rows[0].detail == "hr is NaN (3 times)"
    assert rows[0].payload == b"{\xff\0"
    assert len(rows[1].payload) == EXCERPT


def test_numbers_of_signed_messages_stand_at_the_position_of_their_batch(log, logs):
    position = log.append([sample(1)], heard=[("nonce", "vitals", 7)])
    with logs.engine.connect() as connection:
        assert load_heard(connection) == {position: [("nonce", "vitals", 7)]}


def test_trimming_keeps_the_newest_so_that_positions_go_on(log):
    positions = [log.append([sample(n)]) for n in range(4)]
    log.trim(positions[1])
    assert [p for p, _ in log.read(0)] == positions[2:]
    log.trim(positions[3] + 100)
    assert log.last() == positions[3]
    assert log.read(0) == [(positions[3], [sample(3)])]
    assert log.append([sample(9)]) > positions[3]


def test_who_opens_it_next_goes_on_behind_what_is_there(logs):
    positions = [logs.open().append([sample(n)]) for n in range(3)]
    assert positions == sorted(set(positions))
    assert written(logs.open()) == [(p, [sample(n)]) for n, p in enumerate(positions)]


def test_positions_go_on_after_all_was_trimmed_and_it_was_opened_anew(logs):
    first = logs.open()
    last = [first.append([sample(n)]) for n in range(3)][-1]
    first.trim(last)
    assert logs.open().append([sample(4)]) > last


@pytest.mark.parametrize("junk", [b"", b"\xff\xff", b"not a batch"])
def test_a_batch_that_cannot_be_read_costs_itself_alone(logs: Logs, junk):
    before = logs.open().append([sample(1)])
    logs.put_junk(junk)
    again = logs.open()
    after = again.append([sample(2)])
    rows = written(again)
    assert [position for position, batch in rows if batch is not None] == [before, after]
    assert [batch for _, batch in rows] == [[sample(1)], None, [sample(2)]]
    parts = dict(again.read_parts(0))
    assert [p for p, part in parts.items() if part is None] == [p for p, batch in rows if batch is None]
