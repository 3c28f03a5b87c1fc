"""The short form of ``make faults``: the running service broken on purpose, on both databases."""

from __future__ import annotations

from tests.faults.faults import TABLE
from tests.faults.promised import as_promised
from tests.faults.run import Options, Report


def done(fault: str, database: str, times: int, stays: int = 12) -> Report:
    return as_promised(TABLE[fault], Options(3, database, stays, times))


def test_kill_9_of_the_service_loses_nothing_and_tells_nothing_twice():
    done("kill", "sqlite", 2)


def test_kill_9_of_the_database_loses_nothing_and_tells_nothing_twice():
    done("database", "postgresql", 2)
