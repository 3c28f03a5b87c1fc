"""The short form of ``make faults``: the running service broken on purpose, on both databases."""

from __future__ import annotations

import pytest

from tests.faults.faults import TABLE
from tests.faults.house import MissingPartError
from tests.faults.run import Options, Report, run_fault


def done(fault: str, database: str, times: int, stays: int = 12) -> Report:
    try:
        report = run_fault(TABLE[fault], Options(3, database, stays, times))
    except MissingPartError as missing:
        pytest.skip(str(missing))
    assert report.times == times
    assert report.verdict.readings > 0
    assert report.verdict.alerts > 0
    assert not report.wrong, report.verdict.examples
    return report


def test_kill_9_of_the_service_loses_nothing_and_tells_nothing_twice():
    done("kill", "sqlite", 2)


def test_kill_9_of_the_database_loses_nothing_and_tells_nothing_twice():
    done("database", "postgresql", 2)
