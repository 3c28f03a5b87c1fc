"""Two services before a cluster of nats-servers that is broker and journal, and one PostgreSQL."""

from __future__ import annotations

import subprocess
import time
from typing import Any

from tests.cluster.nodes import Cluster
from tests.cluster.pair import PATIENCE_S, Pair, end_standby, kill_owner
from tests.e2e.served import Served
from tests.faults.faults import Fault
from tests.faults.house import Broker, MissingPartError, listens, wait_until
from tests.faults.proxy import Proxy
from tests.faults.run import Run
from tests.parts import nats_server


class NatsBroker(Broker):
    """Devices reach whichever node is there through one address, as through a load balancer."""

    def __init__(self) -> None:
        binary = nats_server()
        if binary is None:
            raise MissingPartError("needs nats-server: apt-get install nats-server")
        self._said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
        self.cluster = Cluster(3)
        self.front = Proxy(self.cluster.nodes[0].mqtt)
        self.port = self.front.port

    def version(self) -> str:
        return self._said.strip().replace(": v", " ")

    def start(self) -> None:
        self.cluster.start()

    def stop(self) -> None:
        self.front.close()
        self.cluster.stop()

    def kill_node(self, number: int) -> None:
        node = self.cluster.nodes[number]
        node.kill()
        if self.front.target == node.mqtt:
            alive = [each for each in self.cluster.nodes if each is not node]
            self.front.target = next(each.mqtt for each in alive if listens(each.mqtt))
            self.front.cut()

    def start_node(self, number: int) -> None:
        self.cluster.nodes[number].start()
        self.cluster.until_ready()


class NatsPair(Pair):
    broker: NatsBroker

    def _broker(self, settings: tuple[str, ...]) -> Broker:
        return NatsBroker()

    def _service(self, name: str, mqtt: str, url: str | None, given: dict[str, Any]) -> Served:
        nodes = self.broker.cluster.nodes
        cluster = {
            "MQTT_ALSO": ",".join(f"127.0.0.1:{node.mqtt}" for node in nodes[1:]),
            "JOURNAL_URL": ",".join(node.url for node in nodes),
        }
        return super()._service(name, f"mqtt://127.0.0.1:{nodes[0].mqtt}", url, given | cluster)


def kill_nodes(run: Run) -> None:
    """One node after another, each back before the next goes."""
    house = run.house
    assert isinstance(house, NatsPair)
    for turn in range(run.options.times):
        number = run.rng.randrange(3)
        house.broker.kill_node(number)
        run.pause(1.0, 6.0)
        house.broker.start_node(number)
        run.recovered(PATIENCE_S)
        run.pause(2.0, 5.0)
        run.report.times += 1
        run.say(f"node {number + 1} killed, {turn + 1} of {run.options.times}")
    end_standby(run)


def kill_node_and_owner(run: Run) -> None:
    """As when the machine dies that has both; another node and the other service go on."""
    house = run.house
    assert isinstance(house, NatsPair)
    for _ in range(run.options.times):
        number = run.rng.randrange(3)
        house.broker.kill_node(number)
        before, begun = house.ward, time.monotonic()
        house.ward.kill()
        wait_until(lambda: house.is_ready() and house.ward is not before, PATIENCE_S, "the other takes over")  # noqa: B023
        run.report.recovery_s.append(round(time.monotonic() - begun, 2))
        house.broker.start_node(number)
        house.start()
        wait_until(lambda: house.is_ready() and house.stands_by(house.other), PATIENCE_S, "both are there")
        run.report.times += 1
    end_standby(run)


def kill_owner_alone(run: Run) -> None:
    kill_owner(run)
    end_standby(run)


NATS = {
    fault.name: fault
    for fault in (
        Fault(
            "kill nodes",
            "one NATS node after another is killed",
            kill_nodes,
            late_is_right=True,
            house=NatsPair,
        ),
        Fault(
            "kill nats owner",
            "the owner is killed, its journal is a stream",
            kill_owner_alone,
            house=NatsPair,
        ),
        Fault(
            "kill machine",
            "a NATS node and the owner at once",
            kill_node_and_owner,
            late_is_right=True,
            house=NatsPair,
        ),
    )
}
