"""Two services on one database, of which one stands by: what is done to the one that has it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Any

import httpx

from tests.e2e.served import Served
from tests.faults.faults import Fault
from tests.faults.house import House, children_of, wait_until
from tests.faults.run import Run
from tests.faults.stream import WARD
from tests.ports import free_ports
from ward.partitions import Partition

PATIENCE_S = 180.0
"""Two services start at the same time as many other tests."""


PARTITIONS = 2
MINE = next(number for number in range(PARTITIONS) if Partition(number, PARTITIONS).has(WARD))
"""The partition of the ward that is judged."""


class Engine(Served):
    """``ward engine``: a process for its own partition, and one that stands by for the other's. Asked is the
    process that has, or would have, the ward that is judged."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.port = free_ports(PARTITIONS) + MINE
        self.env |= {"WARD_HTTP_PORT": str(self.port - MINE), "WARD_PARTITIONS": str(PARTITIONS)}

    def kill(self) -> None:
        assert self.process is not None
        for child in children_of(self.process.pid):
            os.kill(child, signal.SIGKILL)
        super().kill()


class Pair(House):
    """``ward`` is the service that was ready last; the other stands by, or is dead."""

    def _service(self, name: str, mqtt: str, url: str | None, given: dict[str, Any]) -> Served:
        make = super()._service
        self.both = [make(f"{name}-{letter}", mqtt, url, {**given, "STANDBY": "true"}) for letter in "ab"]
        return self.both[0]

    def begin(self) -> None:
        self.token = self.ward.token()
        self.start()
        wait_until(self.is_ready, PATIENCE_S, "one of the two is ready")
        wait_until(lambda: self.stands_by(self.other), PATIENCE_S, "the other one stands by")

    @property
    def other(self) -> Served:
        return self.both[1] if self.ward is self.both[0] else self.both[0]

    def start(self) -> None:
        """Whichever does not run."""
        self.started.append(time.monotonic())
        for one in self.both:
            if one.process is None or one.process.poll() is not None:
                one.start(ready=False)

    def is_ready(self) -> bool:
        for one in self.both:
            if self._status(one) == 200:
                self.ward = one
                return True
        return False

    def stands_by(self, one: Served) -> bool:
        return self._status(one) == 503 and self._status(one, "/healthz") == 200

    def _status(self, one: Served, path: str = "/readyz") -> int:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{one.url}{path}", timeout=1).status_code
        return 0

    def close(self, keep: bool = False) -> None:
        for one in self.both:
            for client in one.clients:
                client.close()
            if one.process is not None and one.process.poll() is None:
                one.process.send_signal(signal.SIGCONT)
                one.kill()
        super().close(keep)


class Engines(Pair):
    """Two engines on one database, each with a partition and the other's in reserve."""

    def _service(self, name: str, mqtt: str, url: str | None, given: dict[str, Any]) -> Served:
        self.both = [Engine(self.folder / f"{name}-{letter}", mqtt, url, **given) for letter in "ab"]
        for number, one in enumerate(self.both):
            one.program = ("engine", "--partitions", str(number), "--standby", str(1 - number))
        return self.both[MINE]


def taken_over(run: Run) -> None:
    """Wait until the other one is ready; notes how long that took."""
    house = run.house
    assert isinstance(house, Pair)
    before, begun = house.ward, time.monotonic()
    wait_until(lambda: house.is_ready() and house.ward is not before, PATIENCE_S, "the other one takes over")
    run.report.recovery_s.append(round(time.monotonic() - begun, 2))


def restarted(run: Run) -> None:
    """What had failed is started again, and stands by."""
    house = run.house
    assert isinstance(house, Pair)
    house.start()
    wait_until(lambda: house.is_ready() and house.stands_by(house.other), PATIENCE_S, "both are there again")
    run.pause(1.0, 4.0)
    run.report.times += 1


def kill_owner(run: Run) -> None:
    for _ in range(run.options.times):
        run.house.ward.kill()
        taken_over(run)
        restarted(run)


def freeze_owner(run: Run) -> None:
    """Stopped in the middle of whatever it does; when it wakes another has been at work for a while."""
    for _ in range(run.options.times):
        frozen = run.house.ward
        assert frozen.process is not None
        frozen.process.send_signal(signal.SIGSTOP)
        taken_over(run)
        run.pause(1.0, 4.0)
        frozen.process.send_signal(signal.SIGCONT)
        status = frozen.process.wait(PATIENCE_S)
        run.report.figures.setdefault("woke_and_ended_with", []).append(status)
        restarted(run)


def end_standby(run: Run) -> None:
    """Last of all, so that it does not take over from the one that is stopped to be judged."""
    assert isinstance(run.house, Pair)
    run.house.other.stop()


def whole(work: Any) -> Any:
    def both(run: Run) -> None:
        work(run)
        end_standby(run)

    return both


PAIR = {
    fault.name: fault
    for fault in (
        Fault("kill owner", "the service that has the database is killed", whole(kill_owner), house=Pair),
        Fault("kill engine", "the engine that has the partition is killed", whole(kill_owner), house=Engines),
        Fault("freeze owner", "it is frozen, and wakes too late", whole(freeze_owner), house=Pair),
    )
}
