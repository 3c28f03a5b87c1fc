"""A fault done in a test: everything must have come out as promised."""

from __future__ import annotations

import pytest

from tests.faults.faults import Fault
from tests.faults.house import MissingPartError
from tests.faults.run import Options, Report, run_fault


def as_promised(fault: Fault, options: Options) -> Report:
    """Skips where this machine lacks a part."""
    try:
        report = run_fault(fault, options)
    except MissingPartError as missing:
        pytest.skip(str(missing))
    assert report.times == options.times
    assert report.verdict.readings > 0
    assert report.verdict.alerts > 0
    assert not report.wrong, report.verdict.examples
    return report
