"""A cluster under siege: ``python -m tests.cluster.siege --minutes 20 --beds 2000 --seed 1``.

Three nats-servers (broker and journal), PostgreSQL, two engines with a partition each and the other's in
reserve, a third that stands by for both, two web processes, and monitors whose every reading is known. One
after another and at random an engine, a NATS node, a web or PostgreSQL is killed with -9; each is back before
the next goes. In the end everything is stopped in order and compared with one undisturbed engine. One line
for each kill, then a report as JSON; the status is not 0 where something came out otherwise than it must.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import httpx

from tests.cluster.screens import Screen
from tests.cluster.siege_end import heard, judged, settle
from tests.cluster.siege_house import PARTITIONS, PATIENCE_S, START_S, House, Readiness, house, status
from tests.faults.devices import Devices, Listener
from tests.faults.house import wait_until
from tests.faults.judge import Verdict
from tests.faults.stream import Plan, pack_for
from ward.partitions import Partition
from ward.server import end_on_term

BEDS_A_WARD: Final = 20
WARM_S: Final = 20.0
"""Undisturbed at the beginning: what the parts use is counted then."""
SECOND_S: Final = 11.0
"""An engine in reserve leaves a partition to the other for so long after its start (``ward.engines``)."""


@dataclass(frozen=True, slots=True)
class Options:
    minutes: float = 20.0
    beds: int = 2000
    seed: int = 1
    interval_s: int = 5
    each: int = 0
    """So many kills of each kind, instead of some minutes."""
    calm: int = 20
    keep: bool = False
    say: Callable[[str], None] = lambda text: None


@dataclass(slots=True)
class Kill:
    kind: str
    what: str
    at: float
    """Seconds after the first kill might have been."""
    had: list[int] = field(default_factory=list)
    """Partitions that a killed engine had."""
    partitions_s: float = 0.0
    """Until every partition was ready again, 0 where none was not."""
    webs_s: float = 0.0
    """Until every web that was left was ready again."""
    back_s: float = 0.0
    """Until what was killed was back, from its start on."""
    later_s: float = 0.0
    """Longest time that something was not ready after that, until the next kill."""
    reasons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    seed: int
    beds: int
    interval_s: int
    versions: str = ""
    seconds: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    cores: dict[str, float] = field(default_factory=dict)
    """Used by each kind of process while nothing was disturbed."""
    screen: dict[str, Any] = field(default_factory=dict)
    """What a screen before the webs was told."""
    recovery: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of each kind of kill: how many, and how long until ready again."""
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    """What ought to be 0 and is not."""


class Siege:
    def __init__(self, options: Options, cluster: House, report: Report) -> None:
        self.options, self.cluster, self.report = options, cluster, report
        self.rng = random.Random(f"{options.seed}/siege")
        self.readiness = Readiness(cluster)
        self.begun = time.monotonic()

    def say(self, text: str) -> None:
        self.options.say(f"{time.strftime('%H:%M:%S')} {text}")

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.rng.uniform(least, most))

    # ------------------------------------------------------------------ kills

    def work(self) -> None:
        """Kinds in a random order, each as often as the others."""
        self.begun = time.monotonic()
        bag: list[str] = []
        while self._goes_on():
            if not bag:
                bag = self.rng.sample(sorted(KINDS), len(KINDS))
            self.kill(bag.pop())

    def _goes_on(self) -> bool:
        if self.options.each:
            return len(self.report.kills) < self.options.each * len(KINDS)
        return time.monotonic() - self.begun < self.options.minutes * 60

    def kill(self, kind: str) -> None:
        done = Kill(kind, "", round(time.monotonic() - self.begun, 1))
        self.report.kills.append(done)
        first = len(self.readiness.spans)
        at = time.monotonic()
        start = KINDS[kind](self, done)
        gone = done.what if kind == "web" else ""
        if kind == "postgres":  # nothing goes on without it: it is restarted
            start()
        self.pause(3.0, 8.0)
        self.readiness.wait(PATIENCE_S, f"ready again after a kill of {done.what}", but=gone)
        healed = time.monotonic()
        if kind != "postgres":
            start()
        self._back(kind, done)
        done.back_s = round(time.monotonic() - healed, 2)
        if kind == "engine":
            time.sleep(SECOND_S)
        self.pause(2.0, 6.0)
        self.readiness.wait(PATIENCE_S, "everything is ready before the next kill")
        self._note(done, first, at, healed)

    def _back(self, kind: str, done: Kill) -> None:
        role = self.cluster.roles.get(done.what)
        if kind == "nats":
            wait_until(
                lambda: all(n.is_ready() for n in self.cluster.nats.nodes), PATIENCE_S, "the node is back"
            )
        elif kind == "web":
            assert role is not None
            wait_until(lambda: status(role.port) == 200, PATIENCE_S, "the web is back")
        elif kind == "engine":
            assert role is not None
            wait_until(lambda: self.cluster.stands_by(role), PATIENCE_S, "the engine is back")

    def _note(self, done: Kill, first: int, at: float, healed: float) -> None:
        gone = done.what if done.kind == "web" else ""
        for span in self.readiness.spans[first:]:
            end = span.end or time.monotonic()
            if span.what == gone:
                continue
            if span.begin >= healed:
                done.later_s = max(done.later_s, round(end - span.begin, 2))
            elif span.what.startswith("partition"):
                done.partitions_s = max(done.partitions_s, round(end - at, 2))
            else:
                done.webs_s = max(done.webs_s, round(end - at, 2))
            done.reasons += [f"{span.what}: {reason}" for reason in span.reasons]
        had = f" with partition {' and '.join(map(str, done.had))}" if done.had else ""
        self.say(
            f"kill {len(self.report.kills)}: {done.what}{had}: partitions ready after {done.partitions_s} s, "
            f"webs after {done.webs_s} s; back in {done.back_s} s; later {done.later_s} s"
            + "".join(f"\n    {reason}" for reason in sorted(set(done.reasons)))
        )

    def kill_engine(self, done: Kill) -> Callable[[], object]:
        """One that has a partition."""
        owners = self.readiness.owner
        engine = self.rng.choice(sorted({self.cluster.name_of(one) for one in owners if one is not None}))
        role = self.cluster.roles[engine]
        done.what, done.had = engine, [n for n in range(PARTITIONS) if owners[n] is role]
        role.kill()
        return lambda: role.start(ready=False)

    def kill_node(self, done: Kill) -> Callable[[], object]:
        node = self.rng.choice(self.cluster.nats.nodes)
        done.what = node.name
        node.kill()
        return node.start

    def kill_web(self, done: Kill) -> Callable[[], object]:
        role = self.rng.choice(self.cluster.webs)
        done.what = self.cluster.name_of(role)
        role.kill()
        return lambda: role.start(ready=False)

    def kill_postgres(self, done: Kill) -> Callable[[], object]:
        done.what = "PostgreSQL"
        self.cluster.postgres.kill()
        return self.cluster.postgres.start


KINDS: Final[dict[str, Callable[[Siege, Kill], Callable[[], object]]]] = {
    "engine": Siege.kill_engine,
    "nats": Siege.kill_node,
    "web": Siege.kill_web,
    "postgres": Siege.kill_postgres,
}


# ---------------------------------------------------------------------- before and after


def besieged(options: Options) -> Report:
    """Raises MissingPartError where this machine lacks a part."""
    report = Report(options.seed, options.beds, options.interval_s)
    begun = time.monotonic()
    plan = plan_of(options)
    with house(pack_for(plan.interval_ms), options.keep) as cluster, contextlib.ExitStack() as stack:
        report.versions = f"{cluster.nats_version()}, {cluster.postgres.version()}"
        siege = Siege(options, cluster, report)
        siege.say(
            f"{options.beds} beds, a message of 5 signals each {options.interval_s} s; {report.versions}"
        )
        cluster.begin()
        wait_until(lambda: None not in cluster.owners(), START_S, "each partition has an engine")
        wait_until(lambda: all(status(w.port) == 200 for w in cluster.webs), START_S, "the webs are ready")
        stays = admitted(cluster, plan)
        siege.say(f"admitted after {time.monotonic() - begun:.0f} s")
        screens = [Screen(webs, cluster.token) for webs in (cluster.webs, cluster.webs[::-1])]
        for screen in screens:
            screen.start()
            stack.callback(screen.close)
            wait_until(lambda screen=screen: screen.begun, 60, "the screen is told all")  # type: ignore[misc]
        ports = [node.mqtt for node in cluster.nats.nodes]
        listener = Listener(ports)
        stack.callback(listener.close)
        devices = Devices(plan, ports)
        stack.callback(devices.close)
        siege.readiness.start()
        stack.callback(siege.readiness.close)
        devices.start()
        try:
            warm(siege)
            siege.work()
        except Exception as error:  # whatever it is, what was acknowledged is judged all the same
            report.wrong["did_not_come_back"] = repr(error)[-2000:]
            siege.say(f"it did not come back: {repr(error)[-300:]}")
        log = settle(siege, devices, screens, listener)
        report.figures["publishing_behind_s"] = round(devices.behind_s, 2)
        heard(report, log, screens)
        devices.close()
        if ended := cluster.stop():
            report.wrong["ended_badly"] = ended
        report.seconds = round(time.monotonic() - begun, 1)
        siege.say("all is stopped, and judged")
        judged(report, cluster, plan, devices, stays, listener)
        if report.wrong and not options.keep:
            siege.say("wrong: --keep would keep the logs")
    return report


def plan_of(options: Options) -> Plan:
    wards = max(PARTITIONS * 2, -(-options.beds // BEDS_A_WARD))
    names = tuple(f"w{number}" for number in range(wards))
    # The stream goes on while everything is waited for.
    samples = round((options.minutes * 60 + 900) / options.interval_s)
    return Plan(options.seed, options.beds, samples, options.interval_s * 1000, names, options.calm)


def admitted(cluster: House, plan: Plan) -> dict[int, str]:
    """The stays, by their device's number; at the engines themselves, which is quicker."""
    owners = cluster.owners()
    headers = {"Authorization": f"Bearer {cluster.token}"}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(headers=headers, timeout=60)) for _ in owners]

        def admit(n: int) -> str:
            ward = plan.ward(n)
            number = next(p for p in range(PARTITIONS) if Partition(p, PARTITIONS).has(ward))
            owner = owners[number]
            assert owner is not None
            url = f"{cluster.partition_url(owner, number)}/api/v1/stays"
            body = {
                "patient_ref": f"p{n}",
                "ward": ward,
                "bed": str(n),
                "devices": [plan.device(n)],
                "flags": [],
            }
            while (answer := clients[number].post(url, json=body)).status_code == 429:
                time.sleep(float(answer.headers.get("Retry-After", 1)))
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        with ThreadPoolExecutor(8) as pool:
            return dict(enumerate(pool.map(admit, range(plan.stays))))


def warm(siege: Siege) -> None:
    """Let it run undisturbed for a while; count what the parts use in the second half of that."""
    siege.readiness.wait(PATIENCE_S, "everything is ready")
    time.sleep(WARM_S / 2)
    before, at = siege.cluster.processor_s(), time.monotonic()
    time.sleep(WARM_S / 2)
    after, took = siege.cluster.processor_s(), time.monotonic() - at
    siege.report.cores = {part: round((after[part] - before[part]) / took, 2) for part in after}
    siege.say(f"cores used, undisturbed: {siege.report.cores}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.siege")
    parser.add_argument("--minutes", type=float, default=20.0, help="of kills")
    parser.add_argument("--beds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interval", type=int, default=5, help="seconds between two messages of a bed")
    parser.add_argument("--calm", type=int, default=20, help="how long breaches stay away")
    parser.add_argument("--each", type=int, default=0, help="so many kills of each kind, instead of minutes")
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and data")
    args = parser.parse_args()
    end_on_term()  # whoever ends this ends the cluster, too
    report = besieged(
        Options(
            args.minutes,
            args.beds,
            args.seed,
            args.interval,
            args.each,
            args.calm,
            args.keep,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    )
    print(json.dumps(asdict(report), indent=1))
    raise SystemExit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
