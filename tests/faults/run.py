"""One run: a house, a known stream, a fault, and the verdict."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults import judge
from tests.faults.devices import Devices, Listener, Sending, punctual
from tests.faults.house import PLAIN, House, children_of, resident_mb, wait_until
from tests.faults.judge import Verdict
from tests.faults.oracle import undisturbed
from tests.faults.proxy import Proxy
from tests.faults.stream import WARD, Plan
from ward.store.database import open_database

CAP = 4_000
"""No stream is longer (samples); a fault that takes longer than that is a run of its own."""
LEAST_S = 32.0
"""A stream shorter than this may hold no alert."""
SETTLED_S = 9.0
"""After the last message: the lateness, a rebuild's longest wait, a tick. The filter waits for none of the
stream's readings (``test_stream.py``): it would do so for 15 s."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is given. ``times``: how often the fault is done."""

    seed: int = 1
    database: str = "sqlite"
    stays: int = 100
    times: int = 10
    keep: bool = False
    say: Callable[[str], None] = lambda text: None


@dataclass(slots=True)
class Report:
    fault: str
    seed: int
    database: str
    stays: int
    versions: str = ""
    """of broker and database"""
    times: int = 0
    """how often the fault was done"""
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    recovery_s: list[float] = field(default_factory=list)
    """from each start of the service, or each end of a fault, until /readyz was green"""
    figures: dict[str, Any] = field(default_factory=dict)
    """what this fault measures beside"""
    wrong: dict[str, int] = field(default_factory=dict)
    """what ought to be 0 and is not"""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Run:
    """What a fault may touch while the stream runs."""

    def __init__(self, options: Options, house: House, proxies: dict[str, Proxy], report: Report) -> None:
        self.options, self.house, self.proxies, self.report = options, house, proxies, report
        self.rng = random.Random(f"{options.seed}/fault")
        self.devices: Devices
        self.stays: dict[int, str] = {}
        self.ignored: set[int] = set()
        """Devices whose alerts cannot be compared."""
        self.shifted: set[int] = set()
        """Devices whose readings are stored at times other than they said, as is right."""
        self.excused: dict[int, set[int]] = {}
        """Samples of devices that the fault itself destroyed."""

    def say(self, text: str) -> None:
        self.options.say(text)

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.rng.uniform(least, most))

    def recovered(self, timeout_s: float = 120.0) -> float:
        """Wait until the service is ready; notes and returns how long that took."""
        took = wait_until(self.house.is_ready, timeout_s, "the service is ready again")
        self.report.recovery_s.append(round(took, 2))
        return took

    def restarted(self) -> float:
        """The same, counted from the service's last start."""
        begun = self.house.started[-1]
        wait_until(self.house.is_ready, 120.0, "the service is ready after a start")
        took = time.monotonic() - begun
        self.report.recovery_s.append(round(took, 2))
        return took


@dataclass(frozen=True, slots=True)
class Fault:
    """``work`` breaks things while the stream runs."""

    name: str
    does: str
    work: Callable[[Run], None]
    late_is_right: bool = False
    """Readings came late, so alerts may be raised late: never lost, never twice."""
    through: tuple[str, ...] = ()
    """Parts with a proxy before them: broker, database."""
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    sending: Sending = punctual
    shift: Callable[[Options], Callable[[int, int], int]] | None = None
    before: Callable[[Run], None] | None = None
    """Before the service is first started."""
    judge: Callable[[Run, judge.Told, Verdict], None] | None = None
    """Judges alerts in place of the exact comparison."""
    settings: tuple[tuple[str, Any], ...] = ()
    broker: tuple[str, ...] = PLAIN
    long: int = 10
    """How often it is done in the long form, ..."""
    stays: int = 100
    """... and to how many beds."""
    house: type[House] = House
    broker_forgets: bool = False
    """The broker dies with messages that it had acknowledged and not yet handed on: those are its loss."""


def run_fault(fault: Fault, options: Options) -> Report:
    """Raises AssertionError where the service does not come back at all, ``MissingPartError`` where this
    machine lacks a part."""
    report = Report(fault.name, options.seed, options.database, options.stays)
    begun = time.monotonic()
    with _house(fault, options, report) as (house, proxies):
        run = Run(options, house, proxies, report)
        report.versions = house.versions()
        if fault.before:
            fault.before(run)
        house.begin()
        plan = Plan(options.seed, options.stays, CAP)
        _admit(run, plan)
        shift = fault.shift(options) if fault.shift else lambda device, sample: 0
        with _listening(house) as listener, _memory(house, report):
            run.devices = Devices(plan, house.broker.port, sending=fault.sending, shift=shift)
            run.devices.start()
            try:
                begun_stream = time.monotonic()
                time.sleep(2)
                fault.work(run)
                time.sleep(max(0.0, LEAST_S - (time.monotonic() - begun_stream)))
                _let_settle(run)
                _settle_telling(run, listener)
            finally:
                run.devices.close()
            assert house.ward.stop() == 0, house.log()[-2000:]
            report.seconds = round(time.monotonic() - begun, 1)
            _judge(fault, run, plan, shift, listener)
    return report


@contextlib.contextmanager
def _house(fault: Fault, options: Options, report: Report) -> Iterator[tuple[House, dict[str, Proxy]]]:
    proxies: dict[str, Proxy] = {}

    def between(part: str, port: int) -> int:
        if part not in fault.through:
            return port
        proxies[part] = Proxy(port)
        return proxies[part].port

    house = fault.house(
        options.database,
        adding_up=not fault.late_is_right,
        between=between,
        broker=fault.broker,
        **dict(fault.settings),
    )
    failed = True
    try:
        yield house, proxies
        failed = bool(report.wrong)
    finally:
        house.close(keep=options.keep or failed)
        if options.keep or failed:
            options.say(f"kept: {house.folder}")
        for proxy in proxies.values():
            proxy.close()


def _admit(run: Run, plan: Plan) -> None:
    api = run.house.api()
    for n in range(run.options.stays):
        body = {"patient_ref": f"p{n}", "ward": WARD, "bed": str(n), "devices": [plan.device(n)], "flags": []}
        while (answer := api.post("/stays", json=body)).status_code == 429:
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        assert answer.status_code == 201, answer.text
        run.stays[n] = answer.json()["id"]


@contextlib.contextmanager
def _listening(house: House) -> Iterator[Listener]:
    listener = Listener(house.broker.port)
    try:
        yield listener
    finally:
        listener.close()


@contextlib.contextmanager
def _memory(house: House, report: Report) -> Iterator[None]:
    """Watches what the service takes of RAM, at the most."""
    ended = threading.Event()
    most = [0.0]

    def watch() -> None:
        while not ended.wait(0.5):
            process = house.ward.process
            if process is not None and process.poll() is None:
                with contextlib.suppress(OSError):
                    pids = [process.pid, *children_of(process.pid)]
                    most[0] = max(most[0], sum(resident_mb(pid) for pid in pids))

    watcher = threading.Thread(target=watch, name="memory", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(5)
        report.figures["memory_mb"] = round(most[0])


def _let_settle(run: Run) -> None:
    """The stream ends; all of it arrives and is evaluated."""
    house, devices = run.house, run.devices
    devices.finish()
    devices.join(60)
    wait_until(lambda: not devices.unacknowledged(), 120, "the broker has acknowledged the stream")
    if not house.is_alive():
        house.start()
    quiet_since, before = time.monotonic(), -1.0
    deadline = quiet_since + 240
    while time.monotonic() - quiet_since < SETTLED_S:
        assert time.monotonic() < deadline, f"the service does not settle: {house.reasons()}"
        seen = house.metric("ward_messages_total")
        if seen is None or seen != before or not house.is_ready():
            quiet_since, before = time.monotonic(), -1.0 if seen is None else seen
        time.sleep(0.2)


def _settle_telling(run: Run, listener: Listener) -> None:
    wait_until(lambda: run.house.metric("ward_outbox_waiting") == 0, 60, "the outbox is empty")
    count = -1
    while count != len(listener.heard):
        count = len(listener.heard)
        time.sleep(1)


def _judge(fault: Fault, run: Run, plan: Plan, shift: Callable[[int, int], int], listener: Listener) -> None:
    report, house, devices = run.report, run.house, run.devices
    verdict = report.verdict
    db = open_database(house.database_url)
    try:
        acknowledged = {(n, k) for n, k in devices.acknowledged() if k not in run.excused.get(n, set())}
        judge.judge_readings(
            verdict, db, plan, devices.origin, run.stays, devices.sent, acknowledged, run.shifted
        )
        got = judge.told(db, {stay: n for n, stay in run.stays.items()})
        judge.judge_telling(verdict, got, listener.heard)
        report.figures["technical"] = dict(got.kinds)
        if fault.judge:
            fault.judge(run, got, verdict)
        else:
            expected = undisturbed(plan, devices.origin, devices.last + 1, house.pack, shift)
            judge.judge_alerts(verdict, expected, got, run.ignored)
    finally:
        db.dispose()
    if house.ended:
        report.figures["ended_by_itself"] = house.ended
    report.figures["publishing_behind_s"] = round(devices.behind_s, 2)
    report.wrong = verdict.faults(late_is_right=fault.late_is_right)
    if fault.broker_forgets:
        report.figures["lost_by_the_broker"] = report.wrong.pop("lost", 0)
