"""The journal in the database, beyond what every journal keeps to (tests/journal)."""

import pytest
from sqlalchemy import select

from ward.ingest.journal import SqlJournal
from ward.ingest.records import Announcement, Refusal, Sample, Value
from ward.store.tables import journal


def sample(n):
    return Sample("north", "mon", 1000 + n, None, n, None, [Value(0, 80.0 + n)])


@pytest.fixture
def log(engine):
    return SqlJournal(engine)


def test_a_batch_says_when_the_newest_of_it_came(log, engine):
    log.append([sample(1), Announcement("north", "mon", 9999, "online", None, {}, True), sample(2)])
    with engine.connect() as connection:
        assert connection.execute(select(journal.c.written)).scalar_one() == 9999


def test_both_or_neither(log):
    broken = Refusal(7, "t", None, "d", b"")
    with pytest.raises(Exception, match=r"(?i)null"):
        log.append([sample(1)], [broken])
    assert log.read(0) == []
