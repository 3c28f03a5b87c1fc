"""The short form of ``python -m tests.cluster.siege``: one kill of each kind, a few beds."""

from __future__ import annotations

import pytest

from tests.cluster.siege import KINDS, Options, besieged
from tests.faults.house import MissingPartError


@pytest.mark.alone
@pytest.mark.timeout(1_200)  # eleven processes start, some of them twice: on a busy machine that is minutes
def test_a_cluster_outlives_a_kill_of_each_of_its_parts():
    try:
        report = besieged(Options(beds=24, seed=5, interval_s=1, each=1, calm=1))
    except MissingPartError as missing:
        pytest.skip(str(missing))
    assert sorted(kill.kind for kill in report.kills) == sorted(KINDS)
    assert report.verdict.readings > 0
    assert report.verdict.alerts > 0
    assert all(told["changes"] > 0 for told in report.screen.values())
    assert not report.wrong, report.verdict.examples
