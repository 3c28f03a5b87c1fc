"""The end of a siege: everything is told, stopped, and compared with one undisturbed engine."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

import httpx
from sqlalchemy import select

from tests.cluster.screens import Screen
from tests.cluster.siege_house import PARTITIONS, House
from tests.faults import judge
from tests.faults.devices import Devices, Listener
from tests.faults.house import wait_until
from tests.faults.oracle import undisturbed
from tests.faults.stream import INDICES, Plan
from ward.clock import wall_ms
from ward.signals import hold_of
from ward.store.database import open_database
from ward.store.tables import events, outbox

if TYPE_CHECKING:
    from tests.cluster.siege import Report, Siege

SETTLED_S: Final = 9.0
LATE: Final = "ward_rebuilds_waiting 0.0"
END_S: Final = 240.0
Log = list[tuple[int, int]]
"""(number, partition) of each change of an alert of a ward."""


def settle(siege: Siege, devices: Devices, screens: list[Screen], listener: Listener) -> Log:
    """The stream ends; all of it arrives, is evaluated and told, or that is noted. The log as it is then."""
    log: Log = []
    devices.finish()
    devices.join(60)
    try:
        wait_until(lambda: not devices.unacknowledged(), 120, "the brokers have acknowledged the stream")
        siege.readiness.wait(END_S, "everything is ready at the end")
        _until_still(siege.cluster, devices)
        db = open_database(siege.cluster.postgres.url)
        try:
            wait_until(lambda: not _waiting(db), 60, "the outbox is empty")
            log = changes(db)
            told = {seq for seq, _ in log}
            for screen in screens:
                with contextlib.suppress(AssertionError):
                    wait_until(lambda screen=screen: told <= screen.seen.keys(), 20, "")  # type: ignore[misc]
        finally:
            db.dispose()
        count = -1
        while count != len(listener.heard):
            count = len(listener.heard)
            time.sleep(1)
    except Exception as error:
        siege.report.wrong["did_not_settle"] = repr(error)[-2000:]
    return log


def _until_still(cluster: House, devices: Devices) -> None:
    """All that the brokers have is taken, and evaluated until nothing of it holds any more."""
    wait_until(lambda: not cluster.nats.undelivered(), END_S, "the brokers have nothing left for the engines")
    wait_until(lambda: not _late(cluster), END_S, "what came late is built into its clocks")
    interval = devices.plan.interval_ms
    over = devices.origin + (devices.last + 1) * interval + max(hold_of(s, interval / 1000) for s in INDICES)
    time.sleep(max((over - wall_ms()) / 1000, 0) + SETTLED_S)


def _late(cluster: House) -> bool:
    """Whether some stays' late readings wait, or an engine does not say."""
    headers = {"Authorization": f"Bearer {cluster.token}"}
    for number, owner in enumerate(cluster.owners()):
        if owner is None:
            return True
        text = httpx.get(f"{cluster.partition_url(owner, number)}/metrics", headers=headers, timeout=30).text
        if LATE not in text.splitlines():
            return True
    return False


def _waiting(db: Any) -> bool:
    with db.connect() as connection:
        return (
            connection.execute(select(outbox.c.id).where(outbox.c.sent.is_(None)).limit(1)).first()
            is not None
        )


def changes(db: Any) -> Log:
    columns = select(events.c.seq, events.c.partition)
    with db.connect() as connection:
        rows = connection.execute(columns.where(events.c.alert.is_not(None), events.c.ward != "")).all()
    return [(row.seq, row.partition or 0) for row in rows]


def heard(report: Report, log: Log, screens: list[Screen]) -> None:
    """Each screen was told of each change, once."""
    for name, screen in zip("ab", screens, strict=True):
        places = [*screen.begun, *[0] * PARTITIONS]
        due = {seq for seq, partition in log if places[partition] < seq}
        missed = sorted(due - screen.seen.keys())
        twice = sum(count - 1 for count in screen.seen.values())
        report.screen[name] = {
            "changes": len(due),
            "missed": len(missed),
            "twice": twice,
            "moved_s": screen.moves_s,
        }
        if missed or twice:
            report.wrong[f"screen {name}"] = {"missed": missed[:20], "twice": twice}


def judged(
    report: Report, cluster: House, plan: Plan, devices: Devices, stays: dict[int, str], listener: Listener
) -> None:
    db = open_database(cluster.postgres.url)
    try:
        verdict = report.verdict
        judge.judge_readings(verdict, db, plan, devices.origin, stays, devices.sent, devices.acknowledged())
        got = judge.told(db, {stay: n for n, stay in stays.items()})
        judge.judge_telling(verdict, got, listener.heard)
        report.figures["technical"] = dict(got.kinds)
        judge.judge_alerts(verdict, undisturbed(plan, devices.origin, devices.last + 1, cluster.pack), got)
        report.wrong |= verdict.faults(late_is_right=True)
    finally:
        db.dispose()
    for kind in sorted({one.kind for one in report.kills}):
        mine = [one for one in report.kills if one.kind == kind]
        partitions, webs = ([getattr(one, name) for one in mine] for name in ("partitions_s", "webs_s"))
        report.recovery[kind] = {
            "kills": len(mine),
            "partitions_median_s": round(judge.percentile(partitions, 50), 2),
            "partitions_most_s": max(partitions),
            "webs_median_s": round(judge.percentile(webs, 50), 2),
            "webs_most_s": max(webs),
        }
