"""What a reading costs on disk, how soon a day of a patient is read, and what forgetting costs who is live.

On SQLite and on PostgreSQL (one started here, see ``tests.databases``), beside what one would use instead: a
row for each reading in the same database, with an index on stay and time. Bytes are all that the history
takes: table, indexes, what PostgreSQL keeps beside (TOAST), and pages that are free again. The journal, which
has a minute's messages at a time, is not in them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from sqlalchemy import BigInteger as Big
from sqlalchemy import (
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    func,
    select,
    text,
)
from sqlalchemy.engine import make_url

from benchmarks import hours as kinds
from benchmarks.figures import (
    ROUNDS,
    Figure,
    Part,
    Series,
    at_least,
    at_most,
    clock,
    paired,
    processor,
    table,
)
from benchmarks.figures import Table as Shown
from benchmarks.forgetting import while_live
from tests.databases import binaries, migrated, server
from ward.server import set_up_log
from ward.signals import HOUR, MINUTE
from ward.store.chunks import History
from ward.store.database import open_database
from ward.store.history import bin_history, compact, read_history, write_chunks
from ward.store.tables import history

TURN: Final = 10 * MINUTE
"""So often housekeeping compacts."""
WANTED: Final = 4.0
"""Bytes a reading."""
PLAIN: Final = Table(
    "plain_readings",
    MetaData(),
    Column("stay", Integer, nullable=False),
    Column("signal", SmallInteger, nullable=False),
    Column("time", Big, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("mark", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("device", Integer, nullable=False),
    Column("seq", Big, nullable=False),
    Index("plain_of_stay", "stay", "time"),
)
COLUMNS: Final = tuple(History.__slots__)
OLD_READINGS: Final = 10_000_000
Row = tuple[str, ...]
Fresh = Callable[[], contextlib.AbstractContextManager[Engine]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Hours of one kind; ``flush``: so often (ms) the service wrote what it had."""

    name: str
    hours: Sequence[History]
    is_day: bool = False
    """Stored for a day: what is there for the next ten minutes weighs more where readings are few."""
    flush: int = kinds.FLUSH


# ---- databases ---------------------------------------------------------------------------------


@contextlib.contextmanager
def databases(
    kind: str, postgres: str | None
) -> Iterator[Callable[[], contextlib.AbstractContextManager[Engine]]]:
    """Makes fresh databases, empty but for ward's schema."""
    with tempfile.TemporaryDirectory() as folder:
        number = iter(range(1000))

        @contextlib.contextmanager
        def fresh() -> Iterator[Engine]:
            if kind == "sqlite":
                with migrated(f"sqlite:///{folder}/ward-{next(number)}.db") as engine:
                    yield engine
                return
            name = f"ward_storage_{next(number)}"
            _administer(str(postgres), f"CREATE DATABASE {name}")
            try:
                with migrated(make_url(str(postgres)).set(database=name).render_as_string(False)) as engine:
                    yield engine
            finally:
                _administer(str(postgres), f"DROP DATABASE {name} WITH (FORCE)")

        yield fresh


def _administer(url: str, *statements: str) -> None:
    engine = open_database(url)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def bytes_of(engine: Engine, name: str) -> int:
    """Of PostgreSQL's table with its indexes and TOAST, or of the whole SQLite file."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            found = connection.execute(text("SELECT pg_total_relation_size(:name)"), {"name": name})
        else:
            found = connection.execute(
                text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            )
        return int(found.scalar_one())


def vacuum(engine: Engine, name: str) -> None:
    """What PostgreSQL's autovacuum does by and by; SQLite has no need of it."""
    if engine.dialect.name == "postgresql":
        _administer(engine.url.render_as_string(False), f"VACUUM {name}")


# ---- bytes a reading ---------------------------------------------------------------------------


def flushed(engine: Engine, kind: Kind, hour: int, begin: int, end: int) -> None:
    """A part (ms) of an hour of all its stays, in the small chunks in which the service writes them."""
    with engine.begin() as tx:
        for first in range(kinds.START + begin, kinds.START + end, kind.flush):
            batch = []
            for n, readings in enumerate(kind.hours):
                rows = slice(*np.searchsorted(readings.time, [first, first + kind.flush]))
                batch.append((f"stay{n:08d}", None, kinds.moved(readings.take(rows), hour)))
            write_chunks(tx, batch)


def stored(engine: Engine, kind: Kind, hours: int, at: Sequence[int] = ()) -> dict[int, float]:
    """As the service does it: each ten minutes what was written is compacted. Bytes a reading after each of
    the hours ``at``, and after the last; 0: before the first were compacted."""
    empty, found, after = bytes_of(engine, "history"), {}, 0
    a_hour = sum(len(each) for each in kind.hours)
    for hour in range(hours):
        for begin in range(0, HOUR, TURN):
            flushed(engine, kind, hour, begin, begin + TURN)
            if not (hour or begin):
                with engine.connect() as connection:
                    written = connection.scalar(select(func.sum(history.c.count)))
                found[0] = (bytes_of(engine, "history") - empty) / max(int(written or 0), 1)
            after = compact(engine, after).upto
            vacuum(engine, "history")
        if hour + 1 in (*at, hours):
            found[hour + 1] = (bytes_of(engine, "history") - empty) / (a_hour * (hour + 1))
    return found


def plain(engine: Engine, kind: Kind, hours: int) -> float:
    """The same readings as rows: bytes a reading."""
    empty = bytes_of(engine, PLAIN.name) if engine.dialect.name == "sqlite" else 0
    with engine.begin() as tx:
        PLAIN.create(tx)
        for hour in range(hours):
            for n, readings in enumerate(kind.hours):
                _insert_plain(tx, n, kinds.moved(readings, hour))
    vacuum(engine, PLAIN.name)
    return (bytes_of(engine, PLAIN.name) - empty) / (hours * sum(len(each) for each in kind.hours))


def _insert_plain(tx: Any, stay: int, readings: History) -> None:
    rows = zip(*(getattr(readings, name).tolist() for name in COLUMNS), strict=True)
    names = ("stay", *COLUMNS)
    if tx.dialect.name == "postgresql":
        with (
            tx.connection.cursor() as cursor,
            cursor.copy(f"COPY {PLAIN.name} ({', '.join(names)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row((stay, *row))
        return
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {PLAIN.name} ({', '.join(names)}) VALUES ({marks})"
    tx.connection.executemany(statement, [(stay, *row) for row in rows])


# ---- a day of a stay ---------------------------------------------------------------------------


def fetched(engine: Engine, hours: int) -> int:
    begin = kinds.START
    with engine.connect() as connection:
        return len(read_history(connection, "stay00000000", None, begin, begin + hours * HOUR))


def fetched_plain(engine: Engine, hours: int) -> int:
    """As arrays, too, and in order."""
    names = ", ".join(COLUMNS)
    query = f"SELECT {names} FROM {PLAIN.name} WHERE stay = 0 AND time >= :a AND time < :b ORDER BY time, seq"
    span = {"a": kinds.START, "b": kinds.START + hours * HOUR}
    with engine.connect() as connection:
        rows = connection.execute(text(query), span).all()
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    return len(History.of(len(rows), **columns))


def binned(engine: Engine, hours: int) -> int:
    with engine.connect() as connection:
        found = read_history(connection, "stay00000000", None, kinds.START, kinds.START + hours * HOUR)
    return len(bin_history(found, 2 * MINUTE))


# ---- the part ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. ``at``: hours at which growth is looked at; the last is the whole."""

    span: int = HOUR
    stays: int = 2
    at: tuple[int, ...] = (1, 3, 8, 24)
    others: int = 12
    rounds: int = ROUNDS
    old: int = OLD_READINGS
    quiet_s: float = 1.5


QUICK: Final = Sizes(10 * MINUTE, 1, (1, 2, 3, 4), 1, 2, 200_000, 0.3)


def of_kinds(sizes: Sizes) -> list[Kind]:
    """The simulator's first, then those that are stored for fewer hours."""
    hours = kinds.simulated(sizes.stays, sizes.span)
    minutes = kinds.by_minute(hours)
    recorded = {name: found[:6] for name, found in kinds.recorded().items()}
    return [
        Kind("simulated monitors, 1 Hz", hours),
        Kind("the same, each sample a few ms beside its second", kinds.jittered(hours)),
        Kind("the same, one a minute", [minutes[n % len(minutes)] for n in range(12)], True),
        *(Kind(f"recorded ({name})", found) for name, found in recorded.items()),
    ]


def cost(name: str, kind: Kind, a_reading: float) -> Figure:
    what = f"a reading on {name}, {kind.name}"
    return Figure.of(what, [a_reading], "bytes", "all that the history takes", at_most(WANTED))


def on(
    name: str, url: str | None, every: list[Kind], sizes: Sizes
) -> tuple[list[Figure], list[Series], list[Row]]:
    """All of it on one database; the rows are of the table of bytes."""
    first, *others = every
    figures: list[Figure] = []
    series: list[Series] = []
    rows: list[Row] = []
    total, at = sizes.at[-1], np.array(sizes.at)
    a_hour = sum(len(each) for each in first.hours)
    with databases(name, url) as fresh:
        with fresh() as engine, fresh() as beside:
            found, row = stored(engine, first, total, sizes.at), plain(beside, first, total)
            dense = found[total]
            rows.append((name, first.name, f"{found[0]:.2f}", f"{dense:.2f}", f"{row:.0f}"))
            bytes_ = f"bytes a reading on {name}, {first.name}"
            figures.append(
                Figure.of(bytes_, [dense], "bytes", "what the readings cost in all", at_most(WANTED))
            )
            figures.append(Figure.ratio(f"a row a reading on {name}", [row], [dense], "ward's chunks"))
            taken = processor if name == "sqlite" else clock
            works = [partial(fetched, engine, total), partial(binned, engine, total)]
            took, bins, plain_took = paired(
                sizes.rounds, *works, partial(fetched_plain, beside, total), taken=taken
            )
            day = f"{total} h of a stay ({total * len(first.hours[0]):,} readings) from {name}"
            figures.append(Figure.of(f"{day}, as arrays", took * 1000, "ms"))
            figures.append(Figure.of(f"{day}, in bins of 2 min", bins * 1000, "ms"))
            figures.append(
                Figure.ratio(f"{day}, as arrays", plain_took, took, "rows with an index take", at_least(1))
            )
            spans = [paired(sizes.rounds, partial(fetched, engine, int(h)), taken=taken)[0] for h in at]
        size = [float(found[int(h)] * a_hour * h) for h in at]
        x = tuple(float(h * a_hour) for h in at)
        series.append(Series(f"Storage, {name}", "readings", "bytes on disk", x, tuple(size), at_most(1.05)))
        x = tuple(float(h * len(first.hours[0])) for h in at)
        y = tuple(float(np.median(each)) * 1000 for each in spans)
        series.append(Series(f"Fetching, {name}", "readings", "ms", x, y, at_most(1.05)))
        for kind in others:
            span = total if kind.is_day else sizes.others
            with fresh() as engine, fresh() as beside:
                found, row = stored(engine, kind, span), plain(beside, kind, span)
            dense = found[span]
            rows.append((name, kind.name, f"{found[0]:.2f}", f"{dense:.2f}", f"{row:.0f}"))
            bytes_ = f"bytes a reading on {name}, {kind.name}"
            figures.append(
                Figure.of(bytes_, [dense], "bytes", "what the readings cost in all", at_most(WANTED))
            )
        with fresh() as engine:
            old = [*first.hours, *every[2].hours]
            figures += while_live(name, engine, old, sizes.old, sizes.rounds, sizes.quiet_s)
    return figures, series, rows


def part(quick: bool = False, sizes: Sizes | None = None) -> Part:
    sizes = sizes or (QUICK if quick else Sizes())
    every = of_kinds(sizes)
    figures: list[Figure] = []
    series: list[Series] = []
    rows: list[Row] = []
    unmeasured: list[str] = []
    given = os.environ.get("WARD_TEST_POSTGRES")
    with contextlib.ExitStack() as stack:
        urls: dict[str, str | None] = {"sqlite": None}
        if given or binaries():
            urls["postgresql"] = given or stack.enter_context(server())
        else:
            unmeasured.append("PostgreSQL is not installed.")
        for name, url in urls.items():
            more = on(name, url, every, sizes)
            figures += more[0]
            series += more[1]
            rows += more[2]
    if len(every) == 3:
        unmeasured.append("Recordings: `WARD_TEST_DATA` names no folder with them.")
    columns = ("database", "readings", "as written", "compacted", "a row each")
    note = "Bytes a reading. As written: in the small chunks of the last minutes, before they are compacted."
    return Part(
        "storage",
        "Storage",
        TEXT,
        "python -m benchmarks.storage",
        tuple(figures),
        (Shown("What a reading costs", columns, tuple(rows), note),),
        tuple(series),
        unmeasured=tuple(unmeasured),
    )


TEXT: Final = """
What the history takes on disk: table, indexes, PostgreSQL's TOAST, and pages that are free for what comes
next, after hours that were written in small chunks and compacted each ten minutes as the service does it;
every value, time, count, device, mark and reason comes back bit for bit. Bytes are counted, not measured,
so once. Beside: a row for each reading in the same database with an index on stay and time (the stay a
number). The journal is apart: it holds the messages since the last snapshot, a minute's. Readings of the
simulator went through the service; recordings are real monitors' numerics.

Retention goes over readings of which most are of 1 Hz monitors and some of one a minute, in a service
whose core, journal and writing run as always; how late an evaluation was (each tenth of a second), and
how long a batch took into the journal, are the worst of each round.
""".strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stays", type=int, default=2)
    parser.add_argument("--old", type=int, default=OLD_READINGS, help="readings that are forgotten")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    set_up_log("error")
    sizes = QUICK if asked.quick else Sizes(stays=asked.stays, rounds=asked.rounds, old=asked.old)
    print(table(part(sizes=sizes)))


if __name__ == "__main__":
    main()
