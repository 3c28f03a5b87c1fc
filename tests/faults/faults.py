"""The faults, one function each, and the table of them."""

from __future__ import annotations

import random
import time
from typing import Final

from sqlalchemy import ColumnElement, func, select, text, update

from tests.faults import odd, slow
from tests.faults.house import EACH_CHANGE, EACH_SECOND, wait_until
from tests.faults.run import Fault, Run
from ward.ingest.packed import decode
from ward.ingest.records import Sample
from ward.store.database import open_database
from ward.store.tables import journal, snapshots

# ---------------------------------------------------------------------- kills


def kill_service(run: Run) -> None:
    """At any moment: while it starts, recovers, and runs."""
    in_start = 0
    for turn in range(run.options.times):
        run.house.kill()
        run.pause(0.0, 1.5)
        run.house.start()
        if run.rng.random() < 0.3:
            in_start += 1
            run.pause(0.1, 4.0)
        else:
            run.restarted()
            run.pause(0.0, 6.0)
        run.report.times += 1
        run.say(f"kill {turn + 1} of {run.options.times}")
    run.report.figures["killed while starting"] = in_start


def kill_broker(run: Run) -> None:
    for turn in range(run.options.times):
        run.house.broker.kill()
        run.pause(0.0, 3.0)
        run.house.broker.start()
        run.recovered()
        run.pause(2.0, 6.0)
        run.report.times += 1
        run.say(f"broker killed {turn + 1} of {run.options.times}")


def kill_database(run: Run) -> None:
    assert run.house.postgres is not None
    for turn in range(run.options.times):
        run.house.postgres.kill()
        run.pause(0.0, 4.0)
        run.house.postgres.start()
        run.recovered()
        run.pause(2.0, 6.0)
        run.report.times += 1
        run.say(f"database killed {turn + 1} of {run.options.times}")


def kill_all(run: Run) -> None:
    """As when the power goes: service, database and broker at once; the devices go on."""
    for turn in range(run.options.times):
        run.house.kill()
        if run.house.postgres:
            run.house.postgres.kill()
        run.house.broker.kill()
        run.pause(0.5, 3.0)
        run.house.broker.start()
        if run.house.postgres:
            run.house.postgres.start()
        run.house.start()
        run.restarted()
        run.pause(2.0, 6.0)
        run.report.times += 1
        run.say(f"everything killed {turn + 1} of {run.options.times}")


# ---------------------------------------------------------------------- network


def hole_to_broker(run: Run) -> None:
    """The link falls silent without a word: half open. Found by the keep-alive, then all comes again."""
    for turn in range(run.options.times):
        before = run.house.metric("ward_messages_total") or 0.0
        run.proxies["broker"].hole()
        begun = time.monotonic()
        time.sleep(3)
        before = run.house.metric("ward_messages_total") or before
        wait_until(
            lambda before=before: (run.house.metric("ward_messages_total") or 0) > before,  # type: ignore[misc]
            180,
            "messages come again",
        )
        run.report.figures.setdefault("deaf_s", []).append(round(time.monotonic() - begun, 1))
        run.recovered()
        run.pause(8.0, 15.0)
        run.report.times += 1
        run.say(f"half open {turn + 1} of {run.options.times}: {run.report.figures['deaf_s'][-1]} s")


def cut_broker(run: Run) -> None:
    for _ in range(run.options.times):
        run.proxies["broker"].cut()
        time.sleep(0.5)
        run.recovered()
        run.pause(1.0, 6.0)
        run.report.times += 1


def hole_to_database(run: Run) -> None:
    """Every connection to the database falls silent; after a while the network resets them."""
    for turn in range(run.options.times):
        run.proxies["database"].hole()
        run.pause(3.0, 20.0)
        run.proxies["database"].cut()
        run.recovered()
        run.pause(3.0, 8.0)
        run.report.times += 1
        run.say(f"database half open {turn + 1} of {run.options.times}")


def slow_database(run: Run) -> None:
    """Every answer of the database takes its time."""
    for turn in range(run.options.times):
        run.proxies["database"].delay_s = run.rng.uniform(0.02, 0.15)
        run.pause(10.0, 20.0)
        run.proxies["database"].delay_s = 0.0
        run.recovered()
        run.pause(3.0, 6.0)
        run.report.times += 1
        run.say(f"slow {turn + 1} of {run.options.times}")


# ---------------------------------------------------------------------- storage


def still_disk(run: Run) -> None:
    """The disk stands still: nobody can write for seconds (another process holds the writers' lock)."""
    db = open_database(run.house.database_url)
    try:
        for turn in range(run.options.times):
            with db.begin() as tx:
                if run.house.postgres:
                    tx.execute(text("LOCK TABLE journal, events IN EXCLUSIVE MODE"))
                run.pause(1.0, 12.0)
            run.recovered()
            run.pause(2.0, 6.0)
            run.report.times += 1
            run.say(f"stood still {turn + 1} of {run.options.times}")
    finally:
        db.dispose()


def poisoned_journal(run: Run) -> None:
    """Rows of the journal that nobody can read, among those a start has to read: a row more, which costs
    nothing, and one time in five a row overwritten, too, which costs what only it held: half a second of
    many stays, of which nothing can be judged then."""
    for turn in range(run.options.times):
        run.pause(2.0, 4.0)
        run.house.kill()
        db = open_database(run.house.database_url)
        with db.begin() as tx:
            rows = tx.execute(select(journal).order_by(journal.c.position.desc()).limit(4)).all()
            row, garbage = rows[-1], b"\xc1" + run.rng.randbytes(30)
            if turn % 5 == 1:
                for entry in decode(row.payload):
                    if isinstance(entry, Sample) and entry.seq is not None:
                        n = int(entry.device.rpartition("-")[2])
                        run.excused.setdefault(n, set()).add(entry.seq)
                        run.ignored.add(n)
                tx.execute(update(journal).where(journal.c.position == row.position).values(payload=garbage))
            tx.execute(journal.insert().values(written=row.written, payload=garbage))
        db.dispose()
        run.house.start()
        wait_until(lambda: run.house.metric("ward_messages_total"), 60, "messages are taken")
        said = run.house.reasons()
        assert any("journal" in reason for reason in said), f"a row is passed over and nobody is told: {said}"
        run.report.times += 1
        run.say(f"poisoned {turn + 1} of {run.options.times}: {said}")
    _wait_for_snapshot(run)
    run.house.kill()  # what was passed over is said until the next start
    run.house.start()
    run.restarted()


def _wait_for_snapshot(run: Run) -> None:
    """Until one is taken of after all that the journal holds now."""
    db = open_database(run.house.database_url)

    def position(column: ColumnElement[int]) -> int:
        with db.connect() as connection:
            return connection.scalar(select(func.max(column))) or 0

    last = position(journal.c.position)
    wait_until(lambda: position(snapshots.c.position) > last, 90, "a snapshot is taken")
    db.dispose()


def half_snapshot(run: Run) -> None:
    for turn in range(run.options.times):
        _wait_for_snapshot(run)  # one that is whole,
        _wait_for_snapshot(run)  # and one to be cut: three are kept, and this is done again and again
        run.pause(0.0, 4.0)
        run.house.kill()
        db = open_database(run.house.database_url)
        with db.begin() as tx:
            newest = tx.execute(select(snapshots).order_by(snapshots.c.id.desc()).limit(1)).one_or_none()
            if newest is not None:
                half = newest.payload[: len(newest.payload) // 2]
                tx.execute(update(snapshots).where(snapshots.c.id == newest.id).values(payload=half))
                run.report.times += 1
        db.dispose()
        run.house.start()
        run.restarted()
        run.say(f"halved {turn + 1} of {run.options.times}")


# ---------------------------------------------------------------------- devices


def mischief(rng: random.Random, device: int, sample: int) -> list[float]:
    """Repeated and out of order, within what evaluation waits for."""
    first = rng.choice([0.0, 0.0, 0.0, rng.uniform(0.0, 1.2)])
    again = [first + rng.uniform(0.0, 20.0) for _ in range(rng.choice([0, 0, 1, 3]))]
    return [first, *again]


def belated(rng: random.Random, device: int, sample: int) -> list[float]:
    """Now and then far later than evaluation waits: as from a patch that was out of reach."""
    return [rng.uniform(3.0, 25.0)] if rng.random() < 0.05 else [0.0]


def just_run(run: Run) -> None:
    """The stream itself is the fault; ``times`` is how many tens of seconds it lasts."""
    for _ in range(run.options.times):
        time.sleep(10)
    run.report.times = run.options.times


def nothing(run: Run) -> None:
    just_run(run)


ALL: Final = (
    Fault("none", "nothing: the stream runs undisturbed", nothing, long=6),
    Fault("kill", "kill -9 of the service at random moments, also while it starts", kill_service, long=100),
    Fault("broker", "kill -9 of the broker, which saves each second", kill_broker,
          late_is_right=True, broker=EACH_SECOND, broker_forgets=True, long=20),
    Fault("database", "kill -9 of PostgreSQL and all its processes", kill_database,
          late_is_right=True, databases=("postgresql",), long=20),
    Fault("power", "kill -9 of service, database and broker (which saves at each change) at once", kill_all,
          late_is_right=True, broker=EACH_CHANGE, broker_forgets=True, long=10,
          stays=20),  # of 100 such a broker cannot write each message in time: devices would fall behind
    Fault("half-open", "the connection to the broker falls silent, unnoticed", hole_to_broker,
          late_is_right=True, through=("broker",), long=3),
    Fault("cut", "the connection to the broker is reset", cut_broker,
          late_is_right=True, through=("broker",), long=20),
    Fault("half-open-database", "all connections to PostgreSQL fall silent for up to 20 s", hole_to_database,
          late_is_right=True, through=("database",), databases=("postgresql",)),
    Fault("slow-database", "every answer of PostgreSQL is 20 to 150 ms late", slow_database,
          late_is_right=True, through=("database",), databases=("postgresql",)),
    Fault("still-disk", "nothing can be written for up to 12 s", still_disk, late_is_right=True),
    Fault("slow-disk", "the disk of the data does 5 to 40 writes a second for up to 25 s", slow.slow_disk,
          late_is_right=True),
    Fault("poison", "unreadable rows in the journal", poisoned_journal, late_is_right=True, long=10),
    Fault("half-snapshot", "the newest snapshot is cut in half", half_snapshot, long=10),
    Fault("mischief", "samples repeated and out of order by up to 1.2 s", just_run,
          sending=mischief, long=12),
    Fault("belated", "one sample in twenty comes 3 to 25 s late", just_run,
          late_is_right=True, sending=belated, long=12),
    Fault("full-disk", "the disk of the data folder is full for up to 20 s", odd.full_disk,
          late_is_right=True, databases=("sqlite",), before=odd.small_disk),
    Fault("clock-back", "the machine's clock is set back by 5 s to a day, and later right", odd.clock_back,
          before=odd.settable_clock),
    Fault("clock-forward", "the machine's clock jumps an hour ahead", odd.clock_forward,
          late_is_right=True, before=odd.settable_clock, judge=odd.judge_forward, long=3),
    Fault("device-clocks", "clocks of a quarter of the devices are wrong by 5 s to 2 h for 70 s",
          odd.clocks_of_devices, late_is_right=True, shift=odd.wrong_clocks, judge=odd.judge_clocks, long=6),
    Fault("flood", "ten times the rated load for a minute", odd.flood,
          late_is_right=True, judge=odd.judge_flood, long=1),
    Fault("reconnecting", "one device connects anew each second, for tens of seconds", odd.reconnecting,
          judge=odd.judge_reconnecting, long=6),
    Fault("wills", "10,000 retained wills wait on the broker at each start", odd.with_wills,
          before=odd.leave_wills, long=5),
)  # fmt: skip

TABLE: Final = {fault.name: fault for fault in ALL}
