"""Two services on one database: the other one takes over, nothing is lost, nothing is told twice."""

from __future__ import annotations

from tests.cluster.__main__ import FAULTS
from tests.cluster.nodes import version
from tests.faults.promised import as_promised
from tests.faults.run import Options, Report
from ward.live.watchdog import EXIT


def done(fault: str, times: int) -> Report:
    return as_promised(FAULTS[fault], Options(5, "postgresql", 12, times))


def test_a_killed_owner_is_replaced():
    done("kill owner", 2)


def test_a_killed_engine_is_replaced_in_its_partition():
    done("kill engine", 2)


def test_a_frozen_owner_is_replaced_and_ends_when_it_wakes():
    report = done("freeze owner", 1)
    assert report.figures["woke_and_ended_with"] == [EXIT]


def test_a_machine_dies_with_a_node_of_the_cluster_and_the_owner_on_it():
    version()  # skips where there is no nats-server
    done("kill machine", 1)
